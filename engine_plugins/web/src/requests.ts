// What a client sends, as messages of facestream.v1.

import { Writer } from "./protobuf.js";
import type { Controls, Emotion, Encoding, StreamOptions, StyleSource, Styling } from "./types.js";

const ENCODINGS: Record<Encoding, number> = { s16: 1, f32: 2 };
const POLICIES = { "drop-oldest": 1, wait: 2 };
const MODES = { incremental: 1, independent: 2 };

/** Format of the audio as it goes over the wire. */
export interface WireFormat {
  readonly encoding: Encoding;
  readonly sampleRateHz: number;
  readonly channelCount: number;
}

/** Where a broken stream goes on. */
export interface ResumePoint {
  readonly token: string;
  readonly firstSample: number;
  readonly firstFrameIndex: number;
}

/** First message of `Animate`, and of `AnimateClip`, which knows no policy and no resumption. */
export function configRequest(
  options: StreamOptions,
  format: WireFormat,
  controls: Controls,
  live: { resume?: ResumePoint | undefined } | undefined,
): Uint8Array<ArrayBuffer> {
  const rate = options.frameRate ?? 30;
  const [numerator, denominator] = typeof rate === "number" ? ratioOf(rate) : rate;
  const config = new Writer()
    .text(1, options.model)
    .message(2, audioFormat(format))
    .message(3, new Writer().integer(1, numerator).integer(2, denominator))
    .text(4, options.curveSet)
    .integer(5, options.seed)
    .message(6, motionControls(controls));
  if (live !== undefined) {
    config.integer(7, POLICIES[options.slowReader ?? "drop-oldest"]);
    const { resume } = live;
    if (resume !== undefined) {
      const { token, firstSample, firstFrameIndex } = resume;
      config.message(8, new Writer().text(1, token).integer(2, firstSample).integer(3, firstFrameIndex));
    }
  }
  return new Writer().message(1, config).finish();
}

/** Audio of any of the calls. */
export function audioRequest(data: Uint8Array, firstSample?: number): Uint8Array<ArrayBuffer> {
  return new Writer().message(2, new Writer().bytes(1, data).integer(2, firstSample)).finish();
}

export function controlRequest(controls: Controls, atSample?: number): Uint8Array<ArrayBuffer> {
  return new Writer().message(3, new Writer().integer(1, atSample).message(2, motionControls(controls))).finish();
}

export function flushRequest(markerId: number): Uint8Array<ArrayBuffer> {
  return new Writer().message(4, new Writer().integer(1, markerId)).finish();
}

/** First message of `HearEmotion`. */
export function hearRequest(model: string | undefined, format: WireFormat): Uint8Array<ArrayBuffer> {
  return new Writer().message(1, new Writer().text(1, model).message(2, audioFormat(format))).finish();
}

function audioFormat(format: WireFormat): Writer {
  return new Writer()
    .integer(1, ENCODINGS[format.encoding])
    .integer(2, format.sampleRateHz)
    .integer(3, format.channelCount);
}

/** 29.97 is 30000/1001, as everywhere in film; other numbers are taken to a thousandth. */
function ratioOf(rate: number): readonly [number, number] {
  if (Number.isInteger(rate)) return [rate, 1];
  const ntsc = Math.round(rate) * 1000;
  return Math.abs(ntsc / 1001 - rate) < 0.005 ? [ntsc, 1001] : [Math.round(rate * 1000), 1000];
}

function motionControls(controls: Controls): Writer {
  return new Writer()
    .float(1, controls.mouthStrength)
    .boolean(2, controls.blinks)
    .boolean(3, controls.gaze)
    .message(4, actingControls(controls));
}

function actingControls(controls: Controls): Writer | undefined {
  const { emotion, emotionSpread, motion, speaker, styling } = controls;
  if ([emotion, emotionSpread, motion, speaker, styling].every((value) => value === undefined)) return undefined;
  const message = new Writer().float(4, emotionSpread).text(7, speaker);
  if (emotion === "speech") message.message(1, new Writer());
  else if (typeof emotion === "string") message.text(3, emotion);
  else if (emotion !== undefined) message.message(2, emotionVector(emotion));
  if (motion === "likeliest") message.message(5, new Writer());
  else if (motion !== undefined) message.message(6, new Writer().float(1, motion.tauTop).float(2, motion.tauBottom));
  if (styling !== undefined) message.message(8, styleControls(styling));
  return message;
}

function emotionVector(emotion: Emotion): Writer {
  return new Writer().floats(1, emotion.mean).floats(2, emotion.logVariance);
}

function styleControls(styling: Styling): Writer {
  const { style } = styling;
  const message = new Writer()
    .float(5, styling.strength)
    .float(6, styling.headAmount)
    .integer(7, styling.steps)
    .text(8, styling.sampler)
    .float(9, styling.audioScale)
    .float(10, styling.styleScale)
    .integer(11, styling.guidance === undefined ? undefined : MODES[styling.guidance]);
  if (style === null) message.message(1, new Writer());
  else if (typeof style === "string") message.text(2, style);
  else if (style instanceof Uint8Array) message.bytes(3, style);
  else if (style !== undefined) {
    const blend = new Writer().message(1, styleSource(style.first)).message(2, styleSource(style.second));
    message.message(4, blend.float(3, style.share));
  }
  return message;
}

function styleSource(source: StyleSource): Writer {
  return typeof source === "string" ? new Writer().text(1, source) : new Writer().bytes(2, source);
}
