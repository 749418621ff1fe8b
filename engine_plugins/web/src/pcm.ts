// Audio as the page has it -> audio as the wire takes it: 16-bit or float, at most 48 kHz.

import { FacestreamError } from "./errors.js";
import type { WireFormat } from "./requests.js";
import type { Pcm, StreamOptions } from "./types.js";

const LOWEST_HZ = 8000;
const HIGHEST_HZ = 48_000;
const CROSSINGS = 12;

/** Turns chunks of any length into bytes. Rates beyond 48 kHz are divided by a whole number, behind a low-pass filter. */
export class PcmEncoder {
  readonly format: WireFormat;
  readonly bytesPerSample: number;
  /** Samples given for one that is sent. */
  readonly factor: number;
  readonly #decimator: Decimator | undefined;

  constructor(options: StreamOptions) {
    const rate = options.sampleRateHz ?? 16_000;
    const channelCount = options.channelCount ?? 1;
    if (!Number.isInteger(rate) || rate < LOWEST_HZ) throw invalid("sampleRateHz", rate, "a whole number from 8000 on");
    if (!Number.isInteger(channelCount) || channelCount < 1 || channelCount > 8)
      throw invalid("channelCount", channelCount, "1 to 8");
    this.factor = Math.ceil(rate / HIGHEST_HZ);
    while (rate % this.factor !== 0) this.factor++;
    const encoding = options.encoding ?? "s16";
    this.format = { encoding, sampleRateHz: rate / this.factor, channelCount };
    this.bytesPerSample = channelCount * (encoding === "s16" ? 2 : 4);
    if (this.factor > 1) this.#decimator = new Decimator(this.factor, channelCount);
  }

  /** The bytes of `pcm`; those of a divided rate may be a few samples less or more than its own. */
  encode(pcm: Pcm): Uint8Array {
    if (pcm.length % this.format.channelCount !== 0)
      throw invalid("pcm", `${pcm.length} values`, `a multiple of ${this.format.channelCount} channels`);
    if (this.#decimator !== undefined) return this.#packed(this.#decimator.push(floatsOf(pcm)));
    return this.#packed(pcm);
  }

  #packed(pcm: Pcm): Uint8Array {
    if (this.format.encoding === "f32") {
      const floats = floatsOf(pcm);
      const view = new DataView(new ArrayBuffer(4 * floats.length));
      for (let index = 0; index < floats.length; index++) view.setFloat32(4 * index, floats[index]!, true);
      return new Uint8Array(view.buffer);
    }
    const view = new DataView(new ArrayBuffer(2 * pcm.length));
    for (let index = 0; index < pcm.length; index++) {
      const value = pcm[index]!;
      if (!Number.isFinite(value)) throw invalid("pcm", `${value} at ${index}`, "finite samples");
      const scaled = pcm instanceof Int16Array ? value : Math.max(-32768, Math.min(32767, Math.round(32768 * value)));
      view.setInt16(2 * index, scaled, true);
    }
    return new Uint8Array(view.buffer);
  }
}

/** Every `factor`-th sample behind a windowed sinc that passes up to nine tenths of the new half rate. */
class Decimator {
  readonly #taps: Float32Array;
  readonly #history: Float32Array;
  #phase = 0;
  #place = 0;

  constructor(
    readonly factor: number,
    readonly channels: number,
  ) {
    const half = CROSSINGS * factor;
    const cut = 0.9 / factor;
    this.#taps = new Float32Array(2 * half + 1);
    let sum = 0;
    for (let index = -half; index <= half; index++) {
      const window = 0.42 + 0.5 * Math.cos((Math.PI * index) / half) + 0.08 * Math.cos((2 * Math.PI * index) / half);
      const sinc = index === 0 ? cut : Math.sin(Math.PI * cut * index) / (Math.PI * index);
      sum += this.#taps[index + half] = sinc * window;
    }
    for (let index = 0; index < this.#taps.length; index++) this.#taps[index]! /= sum;
    this.#history = new Float32Array(this.#taps.length * channels);
  }

  push(pcm: Float32Array): Float32Array {
    const { factor, channels } = this;
    const length = this.#taps.length;
    const kept: number[] = [];
    for (let start = 0; start < pcm.length; start += channels) {
      for (let channel = 0; channel < channels; channel++)
        this.#history[this.#place * channels + channel] = pcm[start + channel]!;
      this.#place = (this.#place + 1) % length;
      if (this.#phase++ % factor !== 0) continue;
      for (let channel = 0; channel < channels; channel++) {
        let value = 0;
        for (let tap = 0; tap < length; tap++)
          value += this.#taps[tap]! * this.#history[((this.#place + tap) % length) * channels + channel]!;
        kept.push(value);
      }
    }
    return Float32Array.from(kept);
  }
}

function floatsOf(pcm: Pcm): Float32Array {
  return pcm instanceof Float32Array ? pcm : Float32Array.from(pcm, (value) => value / 32768);
}

function invalid(field: string, received: string | number, allowed: string): FacestreamError {
  return new FacestreamError("INVALID_VALUE", `${field}: got ${received}; allowed: ${allowed}`, field);
}
