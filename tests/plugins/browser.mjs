// A headless Chromium that does what it is told, line by line of JSON on stdin: {do: "open", url}, {do: "evaluate", code},
// {do: "screenshot", path}, {do: "serve", address, folder}. Answers with one line each, and tells what the page says as it says it.

import { join } from "node:path";
import { createInterface } from "node:readline";
import { PATIENT_MS, launched } from "./chromium.mjs";

const { WAV = "" } = process.env;
const say = (told) => console.log(JSON.stringify(told));

const browser = await launched(WAV);
const page = await browser.newPage({ viewport: { width: 480, height: 360 } });
page.setDefaultTimeout(PATIENT_MS);
page.on("console", (message) => say({ console: message.type(), text: message.text() }));
page.on("dialog", (dialog) => {
  say({ console: "alert", text: dialog.message() });
  dialog.dismiss();
});
page.on("pageerror", (error) => say({ console: "error", text: String(error) }));

const tasks = {
  open: ({ url }) => page.goto(url, { timeout: PATIENT_MS }).then(() => null),
  evaluate: ({ code }) => page.evaluate(code),
  serve: ({ address, folder }) =>
    page.route(`${address}/**`, (route) => {
      const path = new URL(route.request().url()).pathname.slice(new URL(address).pathname.length);
      return route.fulfill({ path: join(folder, path), headers: { "access-control-allow-origin": "*" } });
    }),
  screenshot: ({ path }) => page.screenshot({ path }).then(() => null),
};
for await (const line of createInterface({ input: process.stdin })) {
  const task = JSON.parse(line);
  try {
    say({ answer: (await tasks[task.do](task)) ?? null });
  } catch (error) {
    say({ failed: String(error) });
  }
}
await browser.close();
