// Follows the inbox with a browser's EventSource: prints what it is told as lines of JSON.
import { chromium } from 'playwright-core';

const [executablePath, address, token, after] = process.argv.slice(2);
const browser = await chromium.launch({
  executablePath,
  args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
    '--disable-component-update', '--disable-sync'],
});
process.stdin.on('end', () => process.exit()).resume();
const page = await browser.newPage();
await page.exposeFunction('say', (kind, value) => console.log(JSON.stringify([kind, value])));
await page.goto(`${address}/healthz`); // any page of this origin
await page.evaluate(
  async ({ token, after }) => {
    const response = await fetch('/graphql', {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
      body: JSON.stringify({ query: '{ viewer { streamTicket } }' }),
    });
    const ticket = (await response.json()).data.viewer.streamTicket;
    const query = `subscription ($after: Cursor) {
      notificationAdded(after: $after) { notification { title } }
    }`;
    const parameters = new URLSearchParams({ query, variables: JSON.stringify({ after }), ticket });
    const source = new EventSource(`/graphql?${parameters}`);
    source.addEventListener('open', () => say('open', null));
    source.addEventListener('error', () => say('error', source.readyState));
    source.addEventListener('next', (event) => {
      const { data, errors } = JSON.parse(event.data);
      if (errors) say('errors', errors[0].extensions.code);
      else say('next', data.notificationAdded.notification.title);
    });
    source.addEventListener('complete', () => {
      source.close();
      say('complete', null);
    });
  },
  { token, after },
);
