import { graphql } from "relay-runtime";

import type { DealList_card$data } from "./__generated__/DealList_card.graphql";
import type { DealList_deals$data } from "./__generated__/DealList_deals.graphql";

export const query = graphql`
  query DealListQuery($filter: DealFilter) {
    ...DealList_deals @arguments(filter: $filter)
  }
`;

export const deals = graphql`
  fragment DealList_deals on Query
  @refetchable(queryName: "DealListPaginationQuery")
  @argumentDefinitions(
    count: { type: "Int", defaultValue: 25 }
    cursor: { type: "String" }
    filter: { type: "DealFilter" }
  ) {
    deals(first: $count, after: $cursor, filter: $filter) @connection(key: "DealList_deals") {
      totalCount
      edges {
        node {
          id
          ...DealList_card
        }
      }
    }
  }
`;

export const card = graphql`
  fragment DealList_card on Deal {
    name
    amountMinor
    currency
    status
    expectedCloseAt
    stage {
      code
    }
  }
`;

export function ids(data: DealList_deals$data): string[] {
  return data.deals?.edges.map((edge) => edge.node.id) ?? [];
}

/** Money comes as digits in minor units. */
export function amount({ amountMinor, currency }: DealList_card$data): string {
  const minor: string | null = amountMinor;
  return minor === null ? "" : `${BigInt(minor) / 100n} ${currency ?? ""}`;
}
