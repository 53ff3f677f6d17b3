/** Where access tokens are as good as run out: each request gets a new one; and a header in the editor comes first. */
import { browse, openExample, shows, signIn } from "./browser.mjs";

const [program, address, folder, password] = process.argv.slice(2);

await browse([program, address, folder], async (page, report) => {
  const sent = [];
  page.on("request", (request) => {
    const name = request.postDataJSON()?.operationName ?? /mutation (\w+)/.exec(request.postDataJSON()?.query)?.[1];
    if (name !== undefined && name !== "IntrospectionQuery") {
      sent.push([name, request.headers()["authorization"]]);
    }
  });
  await signIn(page, "demo", "admin@demo.test", password);
  await openExample(page, "Subscription");
  await page.keyboard.press("Control+Enter");
  await shows(page, '"subscription"');
  await page.keyboard.press("Control+Enter");
  await page.waitForResponse((response) => response.request().postDataJSON()?.operationName === "Subscription");

  await page.getByRole("button", { name: "Headers" }).click();
  await page.getByRole("region", { name: "Headers" }).getByRole("textbox").fill('{"authorization":"Bearer mine"}');
  await page.keyboard.press("Control+Enter");
  await shows(page, '"UNAUTHENTICATED"');
  report.sent = sent.map(([name]) => name);
  report.tokens = sent.filter(([name]) => name === "Subscription").map(([, token]) => token);
});
