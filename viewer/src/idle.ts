// A face that nobody drives still lives: it blinks, looks about and sways a little. A stream's own frames take over at once.

import type { Worn } from "./head.js";

const BLINK_MS = 230;

export class Idle {
  readonly #weights: Float32Array;
  readonly #blinks: readonly number[];
  readonly #gaze = [0, 0];
  readonly #wanted = [0, 0];
  #blinkAt = 1800;
  #lookAt = 2600;
  #isCalm = matchMedia("(prefers-reduced-motion: reduce)").matches;

  constructor(names: readonly string[]) {
    this.#weights = new Float32Array(names.length);
    this.#blinks = ["eyeBlinkLeft", "eyeBlinkRight"].map((name) => names.indexOf(name));
  }

  face(now: number): Worn {
    const eye = [0, 0, 0, 1];
    if (this.#isCalm) return { weights: this.#weights, head: eye, leftEye: eye, rightEye: eye };
    const since = now - this.#blinkAt;
    const shut = since < 0 || since > BLINK_MS ? 0 : Math.sin((Math.PI * since) / BLINK_MS) ** 0.6;
    if (since > BLINK_MS) this.#blinkAt = now + 2200 + 3600 * Math.random();
    for (const column of this.#blinks) if (column >= 0) this.#weights[column] = shut;
    if (now > this.#lookAt) {
      this.#lookAt = now + 900 + 2600 * Math.random();
      this.#wanted[0] = 0.12 * (Math.random() - 0.5);
      this.#wanted[1] = 0.07 * (Math.random() - 0.5);
    }
    for (const axis of [0, 1]) this.#gaze[axis]! += 0.25 * (this.#wanted[axis]! - this.#gaze[axis]!);
    const slow = now / 1000;
    const head = turned(0.016 * Math.sin(slow * 0.6) + 0.006 * Math.sin(slow * 1.7), 0.03 * Math.sin(slow * 0.37));
    const gaze = turned(this.#gaze[1]!, this.#gaze[0]!);
    return { weights: this.#weights, head, leftEye: gaze, rightEye: gaze };
  }
}

/** Quaternion of small turns about x and y, radians. */
function turned(x: number, y: number): readonly number[] {
  const w = Math.sqrt(1 - (x * x + y * y) / 4);
  return [x / 2, y / 2, 0, w];
}
