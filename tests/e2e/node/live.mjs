// Follows the inbox with npm graphql-ws: prints each event as a line of JSON, and what becomes of the socket.
// Tokens come on standard input, one a line: whichever came last is used to connect.
import { createInterface } from 'node:readline';
import { createClient } from 'graphql-ws';
import WebSocket from 'ws';

const [url, after] = process.argv.slice(2);
const lines = createInterface({ input: process.stdin });
let token;
const given = new Promise((resolve) => lines.on('line', (line) => resolve((token = line))));
await given;

const say = (kind, value) => console.log(JSON.stringify([kind, value]));
let cursor = after;

const client = createClient({
  url,
  webSocketImpl: WebSocket,
  connectionParams: () => ({ Authorization: `Bearer ${token}` }),
  retryAttempts: 1000,
  // Or it gives up when nobody listens, which is how a restart looks for a moment.
  shouldRetry: () => true,
  retryWait: () => new Promise((resolve) => setTimeout(resolve, 50)),
  keepAlive: 1000,
  on: {
    connected: () => say('connected', null),
    closed: (event) => say('closed', event.code),
  },
});

// When graphql-ws connects again it sends the same object: as a getter, `variables` are those of then.
const query = `subscription ($after: Cursor) {
  notificationAdded(after: $after) { cursor notification { title } }
}`;
const payload = {
  query,
  get variables() {
    return { after: cursor };
  },
};
client.subscribe(payload, {
  next: ({ data, errors }) => {
    if (errors) return say('errors', errors);
    cursor = data.notificationAdded.cursor;
    say('next', data.notificationAdded.notification.title);
  },
  error: (error) => {
    say('error', error.code ?? String(error));
    process.exit(1);
  },
  complete: () => say('complete', null),
});
