import { graphql } from "relay-runtime";

import type { DealDetailMoveMutation$variables } from "./__generated__/DealDetailMoveMutation.graphql";
import type { DealDetailQuery$data } from "./__generated__/DealDetailQuery.graphql";

export const query = graphql`
  query DealDetailQuery($id: ID!) {
    node(id: $id) {
      __typename
      ... on Deal {
        name
        updatedAt
        pipeline {
          stages(first: 20) {
            nodes {
              id
              code
            }
          }
        }
        activities(first: 10) {
          nodes {
            typeCode
            status
            subject
            dueAt
          }
        }
      }
    }
  }
`;

export const move = graphql`
  mutation DealDetailMoveMutation($input: MoveDealInput!) {
    moveDeal(input: $input) {
      deal {
        id
        ...DealList_card
      }
      errors {
        code
        field
        message
      }
    }
  }
`;

export function stages(data: DealDetailQuery$data): readonly string[] {
  return data.node?.__typename === "Deal" ? (data.node.pipeline?.stages?.nodes ?? []).map(({ code }) => code) : [];
}

export function variables(id: string, stageId: string): DealDetailMoveMutation$variables {
  return { input: { id, stageId } };
}
