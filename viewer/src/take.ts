// A take: frames as the server sent them, kept for the files they become.

import type { Frames, StreamInfo } from "@facestream/web";

export class Take {
  readonly curveNames: readonly string[];
  readonly frameRate: { readonly numerator: number; readonly denominator: number };
  readonly weights: Float32Array[] = [];
  /** Head, left eye, right eye: quaternions x y z w, or nothing where the model has none. */
  readonly rotations: (readonly [Float32Array, Float32Array, Float32Array] | undefined)[] = [];
  #next = -1;

  constructor(info: StreamInfo) {
    this.curveNames = info.curveNames;
    this.frameRate = info.frameRate;
  }

  get count(): number {
    return this.weights.length;
  }

  get seconds(): number {
    return (this.count * this.frameRate.denominator) / this.frameRate.numerator;
  }

  add(frames: Frames): void {
    const columns = this.curveNames.length;
    for (let number = 0; number < frames.count; number++) {
      const index = frames.firstIndex + number;
      if (index < this.#next) continue;
      this.#next = index + 1;
      this.weights.push(frames.weights.slice(number * columns, (number + 1) * columns));
      const turn = (values: Float32Array): Float32Array => values.slice(4 * number, 4 * number + 4);
      this.rotations.push(
        frames.head.length > 0 ? [turn(frames.head), turn(frames.leftEye), turn(frames.rightEye)] : undefined,
      );
    }
  }
}

/** Yaw, pitch, roll in radians, with the signs of Live Link Face: negative yaw to the subject's left, positive pitch down. */
export function anglesOf([x = 0, y = 0, z = 0, w = 1]: ArrayLike<number> & Iterable<number>): [number, number, number] {
  const pitch = Math.asin(Math.max(-1, Math.min(1, 2 * (w * x - y * z))));
  const yaw = Math.atan2(2 * (x * z + w * y), 1 - 2 * (x * x + y * y));
  const roll = Math.atan2(2 * (x * y + w * z), 1 - 2 * (x * x + z * z));
  return [-yaw, pitch, roll];
}
