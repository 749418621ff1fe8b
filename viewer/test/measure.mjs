// How quick the page is in headless Chromium with software rendering: a recording as the microphone's sound, and played.
// Told by the environment: PAGE, WAV, SECONDS, SIZE ("960x600"). Prints one JSON object.

import { readdirSync, readFileSync } from "node:fs";
import { PATIENT_MS, launched } from "./chromium.mjs";

const { PAGE, WAV, SECONDS, SIZE } = process.env;
const [width, height] = SIZE.split("x").map(Number);
const browser = await launched(WAV);
const page = await browser.newPage({ viewport: { width, height } });
page.setDefaultTimeout(PATIENT_MS);
await page.goto(PAGE, { timeout: PATIENT_MS });
await page.waitForSelector("body.is-shown[data-state=connected]");
// the page settles how finely it draws
await new Promise((resolve) => setTimeout(resolve, 3000));

/** Processor seconds of the browser, all its processes. */
const cpuSeconds = () => {
  const [parents, seconds] = [new Map(), new Map()];
  for (const id of readdirSync("/proc").filter((name) => /^\d+$/.test(name)))
    try {
      const fields = readFileSync(`/proc/${id}/stat`, "utf8").split(") ")[1].split(" ");
      parents.set(id, fields[1]);
      seconds.set(id, (Number(fields[11]) + Number(fields[12])) / 100);
    } catch {
      continue; // it has ended
    }
  const isOurs = (id) => id === String(process.pid) || (parents.has(id) && isOurs(parents.get(id)));
  return [...parents.keys()].filter((id) => id !== String(process.pid) && isOurs(id)).reduce((sum, id) => sum + seconds.get(id), 0);
};

// what a page does while it is measured is its own work only: nothing is asked of it in between
const measured = async (press) => {
  await page.click(press);
  await page.waitForFunction(() => (globalThis.viewer.speaking?.take.count ?? 0) > 10);
  await page.evaluate(() => globalThis.viewer.figures.clear());
  const before = cpuSeconds();
  await new Promise((resolve) => setTimeout(resolve, 1000 * Number(SECONDS)));
  const spent = cpuSeconds() - before;
  const found = await page.evaluate(() => {
    const lookAheadMs = globalThis.viewer.speaking?.lookAheadMs;
    return { ...structuredClone({ ...globalThis.viewer.figures }), lookAheadMs };
  });
  if (await page.evaluate(() => globalThis.viewer.speaking !== undefined)) await page.click(press);
  await page.waitForFunction(() => globalThis.viewer.speaking === undefined);
  return { ...found, cpuMsPerPicture: (1000 * spent) / found.betweenPictures.length };
};
const voice = await measured("#microphone");
const played = await measured("#play");
const pixels = await page.evaluate(() => {
  const { width, height } = document.getElementById("head");
  return width * height;
});
console.log(JSON.stringify({ voice, played, pixels }));
await browser.close();
