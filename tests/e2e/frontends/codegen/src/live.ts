/** Follows the inbox with graphql-ws while two notices are sent to it, and prints their titles. */
import { Client, subscriptionExchange } from "@urql/core";
import { createClient } from "graphql-ws";
import { pipe, subscribe } from "wonka";

import { asking, signedIn } from "./client";
import { graphql } from "./gql/index";

const Notifications = graphql(`
  subscription Notifications($after: Cursor) {
    notificationAdded(after: $after) {
      cursor
      at
      action
      notification {
        id
        title
      }
    }
  }
`);

const Here = graphql(`
  query Here {
    viewer {
      eventCursor
      user {
        id
      }
    }
  }
`);

const Notify = graphql(`
  mutation Notify($input: NotifyUsersInput!) {
    notifyUsers(input: $input) {
      errors {
        message
      }
    }
  }
`);

const [address, password] = process.argv.slice(2) as [string, string];
const token = await signedIn(address, "admin@demo.test", password);
const ask = asking(address, token);
const { viewer } = await ask(Here, {});

const socket = createClient({
  url: `${address.replace(/^http/, "ws")}/graphql`,
  connectionParams: { Authorization: `Bearer ${token}` },
});
const client = new Client({
  url: `${address}/graphql`,
  preferGetMethod: false,
  exchanges: [
    subscriptionExchange({
      forwardSubscription: (request) => ({
        subscribe: (sink) => ({
          unsubscribe: socket.subscribe({ ...request, query: request.query ?? "" }, sink),
        }),
      }),
    }),
  ],
});

const wanted = ["One notice", "Another notice"];
const titles: string[] = [];
const done = Promise.withResolvers<void>();
const { unsubscribe } = pipe(
  client.subscription(Notifications, { after: viewer!.eventCursor }),
  subscribe(({ data, error }) => {
    if (error !== undefined) {
      done.reject(error);
    }
    titles.push(...(data?.notificationAdded ? [data.notificationAdded.notification.title] : []));
    if (titles.length === wanted.length) {
      done.resolve();
    }
  }),
);
for (const title of wanted) {
  await ask(Notify, { input: { userIds: [viewer!.user.id], category: "SYSTEM", title } });
}
await done.promise;
unsubscribe();
await socket.dispose();
console.log(JSON.stringify(titles));
