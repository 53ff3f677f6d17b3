/** Follows the inbox by the example, while two notices are sent to it, and stops. */
import { ask, signedIn } from "./api.mjs";
import { browse, openExample, run, shows, signIn } from "./browser.mjs";

const [program, address, folder, password] = process.argv.slice(2);
const NOTIFY = "mutation ($input: NotifyUsersInput!) { notifyUsers(input: $input) { errors { message } } }";

await browse([program, address, folder], async (page, report) => {
  const inspector = await page.context().newCDPSession(page);
  await inspector.send("Network.enable");
  inspector.on("Network.webSocketHandshakeResponseReceived", ({ response }) => {
    report.protocol = response.headers["Sec-WebSocket-Protocol"] ?? response.headers["sec-websocket-protocol"];
  });
  await signIn(page, "demo", "sales@demo.test", password);
  await page.getByRole("heading", { name: "Examples" }).waitFor();
  const sales = await signedIn(address, "demo", "sales@demo.test", password);
  const admin = await signedIn(address, "demo", "admin@demo.test", password);
  const { viewer } = await ask(address, sales, "{ viewer { eventCursor user { id } } }");

  await openExample(page, "Notifications");
  // What is sent before the subscription stands is told too: it goes on from here.
  await page.getByRole("region", { name: "Variables" }).getByRole("textbox").fill(
    JSON.stringify({ after: viewer.eventCursor }),
  );
  const opening = page.waitForEvent("websocket");
  await run(page);
  const socket = await opening;
  for (const title of ["The first notice", "The second notice"]) {
    await ask(address, admin, NOTIFY, { input: { userIds: [viewer.user.id], category: "SYSTEM", title } });
    await shows(page, `"title": "${title}"`);
  }
  await page.screenshot({ path: `${folder}/subscription.png` });

  const closing = socket.waitForEvent("close");
  await page.getByRole("button", { name: /Stop query/ }).click();
  await closing;
  report.stopped = socket.isClosed();
});
