// Use the page as a reader does, in headless Chromium with software rendering. Told by the environment: PAGE, WAV, OUT,
// and MOMENTS (JSON: seconds at which lips are shut, and at which they are open). Prints one JSON object a line.

import { join } from "node:path";
import { createInterface } from "node:readline";
import { PATIENT_MS, launched } from "./chromium.mjs";

const { PAGE, WAV, OUT, MOMENTS } = process.env;
const say = (told) => console.log(JSON.stringify(told));

const browser = await launched(WAV);
const page = await browser.newPage({ viewport: { width: 760, height: 480 }, acceptDownloads: true });
page.setDefaultTimeout(PATIENT_MS);
const errors = [];
page.on("pageerror", (error) => errors.push(String(error)));
const foreign = [];
page.on("request", (request) => {
  const address = new URL(request.url());
  if (address.host !== new URL(PAGE).host && !["data:", "blob:"].includes(address.protocol)) foreign.push(request.url());
});

await page.goto(PAGE, { timeout: PATIENT_MS });
await page.waitForSelector("body.is-shown[data-state=connected]");
say({ step: "shown", models: await page.locator("#models button").count() });

// a recording, to its end
await page.setInputFiles("#file", WAV);
await page.waitForFunction(() => globalThis.viewer.speaking?.position > 0.3);
const playing = await page.evaluate(() => ({
  label: document.querySelector("#play .sr").textContent,
  title: document.getElementById("title").textContent,
}));
await page.waitForFunction(() => globalThis.viewer.speaking === undefined);
await page.waitForSelector("#save-csv:visible");
say({ step: "played", ...playing, told: await page.textContent("#take-told") });

// what the frames look like, one by one: how much of the mouth's place is the dark of an open mouth
const looks = await page.evaluate((moments) => globalThis.viewer.looks(moments), JSON.parse(MOMENTS));
say({ step: "looked", ...looks });

for (const kind of ["csv", "glb"]) {
  const waiting = page.waitForEvent("download");
  await page.click(`#save-${kind}`);
  await (await waiting).saveAs(join(OUT, `take.${kind}`));
}
await page.screenshot({ path: join(OUT, "page.png"), timeout: PATIENT_MS });
say({ step: "saved" });

// a voice, for a few seconds
await page.click("#microphone");
await page.waitForFunction(() => globalThis.viewer.figures.voiceToFace.length > 20);
say({ step: "heard", voiceToFace: await page.evaluate(() => [...globalThis.viewer.figures.voiceToFace]) });
await page.keyboard.press("m");
await page.waitForFunction(() => globalThis.viewer.speaking === undefined);

// the server goes away and comes back
say({ step: "restart" });
await page.waitForSelector("body[data-state=lost]");
say({ step: "lost" });
await page.waitForSelector("body[data-state=connected]");
// it may still be warming up, says so then, and is asked again
const again = setInterval(async () => {
  if (await page.evaluate(() => globalThis.viewer.speaking === undefined)) await page.keyboard.press(" ");
}, 1000);
await page.waitForFunction(() => globalThis.viewer.speaking?.take.count > 10);
clearInterval(again);
say({ step: "back" });

say({ step: "end", errors, foreign });
await browser.close();
createInterface({ input: process.stdin }).close();
