/** A first visit: a wrong password, the right one, an example, the explorer, the documentation, and out again. */
import { browse, openExample, run, shows, signIn } from "./browser.mjs";

const [program, address, folder, password] = process.argv.slice(2);

await browse([program, address, folder], async (page, report) => {
  const answered = () =>
    page.waitForResponse((response) => response.request().postDataJSON()?.operationName === "OpenDeals");

  await signIn(page, "demo", "admin@demo.test", `not ${password}`);
  report.refusal = await page.getByRole("alert").filter({ hasText: /\S/ }).textContent();
  await page.screenshot({ path: `${folder}/refused.png` });

  await signIn(page, "demo", "admin@demo.test", password);
  await page.getByRole("heading", { name: "Examples" }).waitFor();
  report.corner = await page.locator(".m3-corner span").textContent();
  report.examples = await page.getByRole("region", { name: "Examples" }).getByRole("heading", { level: 3 }).allTextContents();

  await openExample(page, "Open deals");
  const [response] = await Promise.all([answered(), page.keyboard.press("Control+Enter")]);
  report.deals = (await response.json()).data.deals;
  report.bearer = (await response.request().headerValue("authorization"))?.split(" ")[0];
  await shows(page, '"totalCount": ' + report.deals.totalCount);
  await page.screenshot({ path: `${folder}/deals.png` });

  await page.getByRole("button", { name: "Show GraphiQL Explorer" }).click();
  await page.locator(".graphiql-explorer-root").getByText("deals", { exact: true }).first().waitFor();
  await page.screenshot({ path: `${folder}/explorer.png` });
  await page.getByRole("button", { name: "Show Documentation Explorer" }).click();
  await page.getByText("Root Types").waitFor();
  await page.screenshot({ path: `${folder}/docs.png` });

  report.kept = await page.evaluate(() => JSON.stringify({ ...localStorage }));
  await page.reload();
  report.afterReload = await page.locator(".m3-corner span").textContent();

  await page.getByRole("button", { name: "Sign out" }).first().click();
  await page.getByRole("button", { name: "Sign in" }).first().waitFor();
  report.left = await page.evaluate(() => JSON.stringify({ ...sessionStorage }));
  await run(page);
  await shows(page, '"UNAUTHENTICATED"');
});
