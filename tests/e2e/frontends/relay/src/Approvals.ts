import { graphql } from "relay-runtime";

import type { ApprovalsQuery$data } from "./__generated__/ApprovalsQuery.graphql";

export const query = graphql`
  query ApprovalsQuery($state: ApprovalState!) {
    approvals(first: 20, filter: { state: { eq: $state } }) {
      nodes {
        id
        domain
        payload
        slaDueAt
        requester {
          email
        }
        steps(first: 10) {
          nodes {
            action
            note
            createdAt
          }
        }
      }
    }
  }
`;

export function due(data: ApprovalsQuery$data): (Date | null)[] {
  return data.approvals?.nodes.map(({ slaDueAt }) => (slaDueAt === null ? null : new Date(slaDueAt))) ?? [];
}
