/** Headless Chromium on GraphiQL's page, and a report of what it did that it should not. */
import { chromium } from "playwright-core";

const FLAGS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--disable-dev-shm-usage",
];

/** Opens GraphiQL at `address` (`http://host:port`) in `program`; `scenario(page, report)` fills the report printed. */
export async function browse([program, address, folder], scenario) {
  const browser = await chromium.launch({ executablePath: program, args: FLAGS });
  const report = { offHost: [], errors: [], sockets: [] };
  try {
    const context = await browser.newContext({ viewport: { width: 1366, height: 768 } });
    const page = await context.newPage();
    page.setDefaultTimeout(60_000);
    const { host } = new URL(address);
    context.on("request", (request) => {
      const url = new URL(request.url());
      if (url.protocol !== "data:" && url.host !== host) {
        report.offHost.push(request.url());
      }
    });
    page.on("websocket", (socket) => {
      report.sockets.push(socket.url());
      if (new URL(socket.url()).host !== host) {
        report.offHost.push(socket.url());
      }
    });
    page.on("console", (message) => {
      if (["error", "warning"].includes(message.type())) {
        report.errors.push(message.text());
      }
    });
    page.on("pageerror", (error) => report.errors.push(String(error)));
    try {
      await page.goto(`${address}/graphql`);
      await scenario(page, report);
    } catch (error) {
      await page.screenshot({ path: `${folder}/failed.png` });
      console.error(report);
      throw error;
    }
  } finally {
    await browser.close();
  }
  console.log(JSON.stringify(report));
}

/** Fills in the form of the account panel and sends it. */
export async function signIn(page, tenant, email, password) {
  await page.getByLabel("Tenant").fill(tenant);
  await page.getByLabel("E-mail").fill(email);
  await page.getByLabel("Password").fill(password);
  await page.locator("form").getByRole("button", { name: "Sign in" }).click();
}

/** Opens an example in a tab; the panel must be shown. */
export async function openExample(page, title) {
  const examples = page.getByRole("region", { name: "Examples" }).getByRole("button");
  await examples.filter({ has: page.getByText(title, { exact: true }) }).click();
}

/** Runs what the active tab holds. */
export async function run(page) {
  await page.getByRole("button", { name: /Execute query/ }).click();
}

/** Waits until the response pane shows `text`. */
export async function shows(page, text) {
  // The editor writes spaces that do not break.
  const pattern = new RegExp(text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&").replaceAll(" ", "\\s"));
  await page.getByRole("region", { name: "Result Window" }).getByText(pattern).first().waitFor();
}
