import { graphql } from "relay-runtime";

import type { InboxQuery$data } from "./__generated__/InboxQuery.graphql";

export const query = graphql`
  query InboxQuery {
    viewer {
      inbox(first: 20, filter: { isRead: { eq: false } }) {
        nodes {
          id
          category
          title
          meta
          createdAt
        }
      }
    }
  }
`;

/** JSON is unknown until it is looked at. */
export function metas(data: InboxQuery$data): unknown[] {
  return data.viewer?.inbox.nodes.map((notice) => notice.meta) ?? [];
}
