// A headless Chromium that does what it is told, line by line of JSON on stdin: {do: "open", url}, {do: "evaluate", code},
// {do: "screenshot", path}, {do: "serve", address, folder}. Answers with one line each, and tells what the page says as it says it.

import { join } from "node:path";
import { createInterface } from "node:readline";
import { chromium } from "playwright-core";

const { WAV = "", CHROMIUM = "/usr/bin/chromium" } = process.env;
const PATIENT_MS = 240_000;
const say = (told) => console.log(JSON.stringify(told));

const browser = await chromium.launch({
  executablePath: CHROMIUM,
  timeout: PATIENT_MS,
  args: [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader", "--autoplay-policy=no-user-gesture-required",
    "--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream", `--use-file-for-fake-audio-capture=${WAV}`,
  ],
}); // prettier-ignore
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
