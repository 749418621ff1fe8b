// The playback clock: which face belongs to the sound that is audible now.
//
// A page plays the audio and asks at every drawn frame, with the position of its *audio* clock. Frames may come early,
// late or not at all; the face never runs ahead of the sound, and eases to neutral when nothing comes.

import type { Frames, StreamInfo } from "./types.js";

/** One drawn moment. It is filled anew at every call. Rotations are quaternions x y z w. */
export interface Face {
  readonly weights: Float32Array;
  readonly head: Float32Array;
  readonly leftEye: Float32Array;
  readonly rightEye: Float32Array;
  /** Whether frames are missing here, so that the face holds or eases to neutral. */
  isStarved: boolean;
}

export interface PlaybackOptions {
  /** How long the last frame is held when nothing comes. */
  readonly holdMs?: number;
  /** Then, how long the way to neutral takes. */
  readonly restMs?: number;
  /** How long the face takes to join frames that are back. */
  readonly rejoinMs?: number;
}

const ROTATIONS = 12;

export class PlaybackClock {
  readonly #curveCount: number;
  readonly #framesPerSample: number;
  readonly #hold: number;
  readonly #rest: number;
  readonly #rejoin: number;
  readonly #neutral: Float32Array;
  readonly #shown: Float32Array;
  readonly #rejoinFrom: Float32Array;
  readonly #face: Face;
  #rejoinBegun: number | undefined;
  #wasStarved = false;
  #rows: { readonly index: number; readonly row: Float32Array }[] = [];

  /** `sampleRateHz` is that of the positions that will be asked for, as `AnimationStream.sampleRateHz` tells. */
  constructor(info: StreamInfo, sampleRateHz: number, options: PlaybackOptions = {}) {
    const { numerator, denominator } = info.frameRate;
    const perMs = numerator / denominator / 1000;
    this.#curveCount = info.curveNames.length;
    this.#framesPerSample = numerator / (sampleRateHz * denominator);
    this.#hold = perMs * (options.holdMs ?? 100);
    this.#rest = perMs * (options.restMs ?? 250);
    this.#rejoin = perMs * (options.rejoinMs ?? 80);
    const row = (): Float32Array => {
      const values = new Float32Array(this.#curveCount + ROTATIONS);
      for (let end = 3; end < ROTATIONS; end += 4) values[this.#curveCount + end] = 1;
      return values;
    };
    [this.#neutral, this.#shown, this.#rejoinFrom] = [row(), row(), row()];
    const part = (start: number): Float32Array => this.#shown.subarray(this.#curveCount + start).subarray(0, 4);
    const weights = this.#shown.subarray(0, this.#curveCount);
    this.#face = { weights, head: part(0), leftEye: part(4), rightEye: part(8), isStarved: true };
  }

  /** Frames held, those on both sides of the last position included. */
  get bufferedFrames(): number {
    return this.#rows.length;
  }

  /** Take over frames. Those at or before the newest one held are ignored: a frame is never replaced. */
  add(frames: Frames): void {
    const newest = this.#rows.at(-1)?.index ?? -Infinity;
    const curves = this.#curveCount;
    for (let number = 0; number < frames.count; number++) {
      const index = frames.firstIndex + number;
      if (index <= newest) continue;
      const row = this.#neutral.slice();
      row.set(frames.weights.subarray(number * curves, (number + 1) * curves));
      if (frames.head.length > 0) {
        row.set(frames.head.subarray(4 * number, 4 * number + 4), curves);
        row.set(frames.leftEye.subarray(4 * number, 4 * number + 4), curves + 4);
        row.set(frames.rightEye.subarray(4 * number, 4 * number + 4), curves + 8);
      }
      this.#rows.push({ index, row });
    }
  }

  /** The face for the audio position `sample`. Positions are expected to advance. */
  at(sample: number): Face {
    const position = sample * this.#framesPerSample;
    while (this.#rows.length > 1 && this.#rows[1]!.index <= position) this.#rows.shift();
    const before = this.#wasStarved;
    if (before) this.#rejoinFrom.set(this.#shown);
    const isStarved = this.#fill(position);
    if (before && !isStarved) this.#rejoinBegun = position;
    if (this.#rejoinBegun !== undefined && !isStarved) {
      const share = this.#rejoin > 0 ? (position - this.#rejoinBegun) / this.#rejoin : 1;
      if (share >= 0 && share < 1) this.#blend(this.#rejoinFrom, this.#shown.slice(), share);
      else this.#rejoinBegun = undefined;
    }
    this.#face.isStarved = this.#wasStarved = isStarved;
    return this.#face;
  }

  #fill(position: number): boolean {
    const [one, other] = this.#rows;
    if (one === undefined || position < one.index) {
      this.#shown.set(this.#neutral);
      return true;
    }
    const age = position - one.index;
    if (other !== undefined) {
      const step = other.index - one.index;
      if (step === 1 || step <= this.#hold) {
        this.#blend(one.row, other.row, age / step);
        return false;
      }
    }
    if (age <= 1) {
      this.#shown.set(one.row);
      return false;
    }
    const eased = Math.min(1, Math.max(0, (age - this.#hold) / this.#rest));
    this.#blend(one.row, this.#neutral, eased * eased * (3 - 2 * eased));
    return true;
  }

  /** Linear between two rows; each quaternion takes the shorter arc and is normalised. */
  #blend(first: Float32Array, second: Float32Array, share: number): void {
    const [shown, curves] = [this.#shown, this.#curveCount];
    for (let index = 0; index < curves; index++) shown[index] = first[index]! + share * (second[index]! - first[index]!);
    for (let start = curves; start < curves + ROTATIONS; start += 4) {
      let dot = 0;
      for (let part = start; part < start + 4; part++) dot += first[part]! * second[part]!;
      const sign = dot >= 0 ? 1 : -1;
      let square = 0;
      for (let part = start; part < start + 4; part++) {
        shown[part] = first[part]! + share * (sign * second[part]! - first[part]!);
        square += shown[part]! ** 2;
      }
      const length = Math.max(Math.sqrt(square), 1e-9);
      for (let part = start; part < start + 4; part++) shown[part]! /= length;
    }
  }
}
