// What a server answers, read from messages of facestream.v1. Fields that only a newer server knows are passed over.

import { fieldsOf, type Field } from "./protobuf.js";
import type {
  ActingAbilities,
  Emotion,
  Frames,
  ModelInfo,
  StreamEvent,
  StreamInfo,
  StylingAbilities,
} from "./types.js";

const NONE = new Float32Array(0);

/** One message of `Animate` or `AnimateClip`. `undefined` is of a kind that only a newer server knows. */
export type Answer = { readonly kind: "started"; readonly info: StreamInfo } | Frames | StreamEvent | undefined;

type Readers = Record<number, (field: Field) => void>;

/** Call the reader of each field that has one. */
function read(message: Uint8Array, readers: Readers): void {
  for (const field of fieldsOf(message)) readers[field.number]?.(field);
}

export function answerOf(message: Uint8Array): Answer {
  let answer: Answer;
  read(message, {
    1: (field) => (answer = { kind: "started", info: infoOf(field.bytes) }),
    2: (field) => (answer = framesOf(field.bytes)),
    3: (field) => (answer = eventOf(field.bytes)),
  });
  return answer;
}

function framesOf(message: Uint8Array): Frames {
  let [firstIndex, count] = [0, 0];
  let [weights, head, leftEye, rightEye] = [NONE, NONE, NONE, NONE] as Float32Array[];
  read(message, {
    1: (field) => (firstIndex = field.integer),
    2: (field) => (count = field.integer),
    3: (field) => (weights = field.floats),
    4: (field) => (head = field.floats),
    5: (field) => (leftEye = field.floats),
    6: (field) => (rightEye = field.floats),
  });
  return { kind: "frames", firstIndex, count, weights: weights!, head: head!, leftEye: leftEye!, rightEye: rightEye! };
}

function infoOf(message: Uint8Array): StreamInfo {
  const curveNames: string[] = [];
  let [streamId, model, modelVersion, resumeToken] = ["", "", "", ""];
  let [numerator, denominator, latencySamples, chunkSamples, gapSamples, aheadSamples, idleTimeoutMs] = [
    30, 1, 0, 0, 0, 0, 0,
  ];
  let maxAgeMs: number | undefined;
  let seed = 0n;
  read(message, {
    1: (field) => (streamId = field.text),
    2: (field) => (model = field.text),
    3: (field) => (modelVersion = field.text),
    4: (field) => curveNames.push(field.text),
    5: (field) =>
      read(field.bytes, {
        1: (part) => (numerator = part.integer),
        2: (part) => (denominator = part.integer),
      }),
    6: (field) => (latencySamples = field.integer),
    7: (field) =>
      read(field.bytes, {
        2: (part) => (chunkSamples = part.integer),
        3: (part) => (gapSamples = part.integer),
        4: (part) => (aheadSamples = part.integer),
        5: (part) => (idleTimeoutMs = millisecondsOf(part.bytes)),
        6: (part) => (maxAgeMs = millisecondsOf(part.bytes)),
      }),
    8: (field) => (resumeToken = field.text),
    9: (field) => (seed = field.unsigned64),
  });
  return {
    streamId,
    model,
    modelVersion,
    curveNames,
    frameRate: { numerator, denominator },
    latencySamples,
    chunkSamples,
    gapSamples,
    aheadSamples,
    idleTimeoutMs,
    maxAgeMs,
    seed,
    resumeToken,
  };
}

function eventOf(message: Uint8Array): StreamEvent | undefined {
  let event: StreamEvent | undefined;
  read(message, {
    1: (field) => {
      const [markerId, nextFrameIndex] = integersOf(field.bytes);
      event = { kind: "flushDone", markerId, nextFrameIndex };
    },
    2: (field) => {
      const [firstSample, sampleCount] = integersOf(field.bytes);
      event = { kind: "gap", firstSample, sampleCount };
    },
    3: (field) => {
      const [firstFrameIndex, frameCount] = integersOf(field.bytes);
      event = { kind: "framesDropped", firstFrameIndex, frameCount };
    },
    4: (field) => (event = { kind: "speechStarted", sample: integersOf(field.bytes)[0] }),
    5: (field) => (event = { kind: "speechEnded", sample: integersOf(field.bytes)[0] }),
    6: (field) => (event = { kind: "aheadOfRealTime", aheadSamples: integersOf(field.bytes)[0] }),
    7: (field) => (event = goingAwayOf(field.bytes)),
  });
  return event;
}

function goingAwayOf(message: Uint8Array): StreamEvent {
  let reason: "max-age" | "shutdown" = "max-age";
  let timeLeftMs = 0;
  read(message, {
    1: (field) => (reason = field.integer === 2 ? "shutdown" : "max-age"),
    2: (field) => (timeLeftMs = millisecondsOf(field.bytes)),
  });
  return { kind: "goingAway", reason, timeLeftMs };
}

/** Fields 1 and 2; a field that is 0 is not on the wire. */
function integersOf(message: Uint8Array): [number, number] {
  let [first, second] = [0, 0];
  read(message, { 1: (field) => (first = field.integer), 2: (field) => (second = field.integer) });
  return [first, second];
}

function millisecondsOf(duration: Uint8Array): number {
  const [seconds, nanoseconds] = integersOf(duration);
  return 1000 * seconds + nanoseconds / 1e6;
}

/** The answer to `ListModels`. */
export function modelsOf(message: Uint8Array): ModelInfo[] {
  const models: ModelInfo[] = [];
  read(message, { 1: (field) => models.push(modelOf(field.bytes)) });
  return models;
}

function modelOf(message: Uint8Array): ModelInfo {
  const curveSets: string[] = [];
  let [name, version, family] = ["", "", ""];
  let latencySamples = 0;
  let hasPose = false;
  let acting: ActingAbilities | undefined;
  read(message, {
    1: (field) => (name = field.text),
    2: (field) => (version = field.text),
    3: (field) => (family = field.text),
    4: (field) => (latencySamples = field.integer),
    5: (field) => curveSets.push(field.text),
    6: (field) => (hasPose = field.boolean),
    7: (field) => (acting = abilitiesOf(field.bytes)),
  });
  return { name, version, family, latencySamples, curveSets, hasPose, acting };
}

function abilitiesOf(message: Uint8Array): ActingAbilities {
  const [presets, speakers]: [string[], string[]] = [[], []];
  let [emotionWidth, stepSamples] = [0, 0];
  let styling: StylingAbilities | undefined;
  read(message, {
    1: (field) => (emotionWidth = field.integer),
    2: (field) => presets.push(field.text),
    3: (field) => speakers.push(field.text),
    4: (field) => (stepSamples = field.integer),
    5: (field) => (styling = stylingOf(field.bytes)),
  });
  return { emotionWidth, presets, speakers, stepSamples, styling };
}

function stylingOf(message: Uint8Array): StylingAbilities {
  const [styles, samplers]: [string[], string[]] = [[], []];
  let [digest, sampler] = ["", ""];
  let [styleWidth, mostSteps, steps, audioScale, styleScale] = [0, 0, 0, 0, 0];
  let movesHead = false;
  read(message, {
    1: (field) => styles.push(field.text),
    2: (field) => (digest = field.text),
    3: (field) => (styleWidth = field.integer),
    4: (field) => (movesHead = field.boolean),
    5: (field) => samplers.push(field.text),
    6: (field) => (mostSteps = field.integer),
    7: (field) => (sampler = field.text),
    8: (field) => (steps = field.integer),
    9: (field) => (audioScale = field.float),
    10: (field) => (styleScale = field.float),
  });
  return { styles, digest, styleWidth, movesHead, samplers, mostSteps, sampler, steps, audioScale, styleScale };
}

/** The answer to `HearEmotion`. */
export function emotionOf(message: Uint8Array): Emotion {
  let [mean, logVariance] = [NONE, NONE] as Float32Array[];
  read(message, {
    3: (field) =>
      read(field.bytes, {
        1: (part) => (mean = part.floats),
        2: (part) => (logVariance = part.floats),
      }),
  });
  return { mean: mean!, logVariance: logVariance! };
}
