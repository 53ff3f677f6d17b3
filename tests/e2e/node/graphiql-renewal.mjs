/** Where access tokens are as good as run out: what is lost when one cannot be renewed, and what signing out ends. */
import { browse, signIn } from "./browser.mjs";

const [program, address, folder, password] = process.argv.slice(2);

const FAILURES = {
  "no network": (route) => route.abort(),
  "a proxy's 503": (route) => route.fulfill({ status: 503, body: "<html>" }),
  "a limit": (route) =>
    route.fulfill({
      status: 429,
      json: { errors: [{ message: "Too many attempts.", extensions: { code: "RATE_LIMITED" } }] },
    }),
};

await browse([program, address, folder], async (page, report) => {
  const isFor = (name) => (request) => Boolean(request.postDataJSON()?.query?.startsWith(`mutation ${name}`));
  const kept = () => page.evaluate(() => JSON.parse(sessionStorage.getItem("m3core.session"))?.refreshToken ?? null);
  const corner = page.locator(".m3-corner");

  await signIn(page, "demo", "admin@demo.test", password);
  await corner.getByText("admin@demo.test").waitFor();
  report.kept = {};
  for (const [name, fail] of Object.entries(FAILURES)) {
    let failed;
    const failing = new Promise((resolve) => (failed = resolve));
    await page.route("**/graphql", async (route) => {
      if (!isFor("RefreshSession")(route.request())) {
        return route.continue();
      }
      await fail(route);
      failed();
    });
    const before = await kept();
    await Promise.all([failing, page.getByRole("button", { name: /Execute query/ }).click()]);
    await page.getByRole("region", { name: "Result Window" }).getByText(/\w/).first().waitFor();
    await page.unroute("**/graphql");
    report.kept[name] = before !== null && (await kept()) === before;
  }

  const out = page.waitForResponse((response) => isFor("SignOut")(response.request()));
  const [renewed] = await Promise.all([
    page.waitForResponse((response) => isFor("RefreshSession")(response.request())),
    corner.getByRole("button", { name: "Sign out" }).click(),
  ]);
  const { accessToken } = (await renewed.json()).data.refreshSession;
  const ended = await out;
  report.signedOut = (await ended.json()).data.signOut;
  report.withTheNewToken = (await ended.request().headerValue("authorization")) === `Bearer ${accessToken}`;

  await corner.getByRole("button", { name: "Sign in" }).click();
  await signIn(page, "demo", "admin@demo.test", password);
  await corner.getByText("admin@demo.test").waitFor();
  await page.evaluate(() => {
    const session = JSON.parse(sessionStorage.getItem("m3core.session"));
    sessionStorage.setItem("m3core.session", JSON.stringify({ ...session, refreshToken: "m3r_of_nobody" }));
  });
  await page.reload();
  await page.getByRole("button", { name: /Execute query/ }).click();
  await corner.getByRole("button", { name: "Sign in" }).waitFor();
  report.left = await kept();
});
