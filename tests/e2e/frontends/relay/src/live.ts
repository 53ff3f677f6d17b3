import { graphql } from "relay-runtime";

import type { liveNotificationsSubscription$data } from "./__generated__/liveNotificationsSubscription.graphql";

export const subscription = graphql`
  subscription liveNotificationsSubscription($after: Cursor) {
    notificationAdded(after: $after) {
      cursor
      action
      notification {
        id
        title
      }
    }
  }
`;

/** Where to go on after a break. */
export function after(data: liveNotificationsSubscription$data): string | undefined {
  return data.notificationAdded?.cursor;
}
