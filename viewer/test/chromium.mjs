// A headless Chromium with software rendering, for all tests that look at a page. Told by the environment: CHROMIUM.

import { chromium } from "playwright-core";

export const PATIENT_MS = 240_000;

/** `wav` is what its microphone hears. */
export const launched = (wav) =>
  chromium.launch({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    timeout: PATIENT_MS,
    args: [
      "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
      "--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader", "--autoplay-policy=no-user-gesture-required",
      "--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream", `--use-file-for-fake-audio-capture=${wav}`,
    ],
  }); // prettier-ignore
