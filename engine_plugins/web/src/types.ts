// What a caller of this package sees: options of a stream, what comes of it.

/** How audio goes over the wire: 16-bit integers, or 32-bit floats at twice the bytes. */
export type Encoding = "s16" | "f32";

/** Audio as -1..1 floats or 16-bit integers; of more than one channel, interleaved. */
export type Pcm = Float32Array | Int16Array;

/** A Gaussian in the emotion space of one model: what `Client.hearEmotion` gives. */
export interface Emotion {
  readonly mean: Float32Array;
  /** Logarithm of its variance in each dimension; empty where it is not known. */
  readonly logVariance: Float32Array;
}

/** A style by name, or the content of a `.style` file. */
export type StyleSource = string | Uint8Array;

/** Whose style, the head, and how the model is sampled: for models with `ActingAbilities.styling`. */
export interface Styling {
  /** `null` is nobody's style in particular. */
  readonly style?: StyleSource | { first: StyleSource; second: StyleSource; share: number } | null;
  /** 0 to 2. */
  readonly strength?: number;
  /** 0 (still) to 2. */
  readonly headAmount?: number;
  readonly steps?: number;
  readonly sampler?: string;
  readonly audioScale?: number;
  readonly styleScale?: number;
  readonly guidance?: "incremental" | "independent";
}

/** What the face does beyond following the audio. What is left out stays as it is. */
export interface Controls {
  /** 0 to 2; 1 unless told. */
  readonly mouthStrength?: number;
  readonly blinks?: boolean;
  readonly gaze?: boolean;
  /** For models that act: one that was heard, the name of a preset, or "speech" for the speech's own. */
  readonly emotion?: Emotion | string;
  /** Standard deviations by which the seed moves the emotion, 0 to 4. */
  readonly emotionSpread?: number;
  /** The likeliest motion, or one that the seed draws. */
  readonly motion?: "likeliest" | { tauTop?: number; tauBottom?: number };
  readonly speaker?: string;
  readonly styling?: Styling;
}

/** Options of a stream; the defaults suit 16 kHz mono and a character at 30 frames a second. */
export interface StreamOptions extends Controls {
  /** Of the audio that will be sent, 8000 and more; beyond 48000 it is halved on the way. */
  readonly sampleRateHz?: number;
  readonly channelCount?: number;
  readonly encoding?: Encoding;
  /** 24 to 60, as a number or as a ratio such as `[30000, 1001]`. */
  readonly frameRate?: number | readonly [numerator: number, denominator: number];
  /** From `Client.models`; the server's default unless told. */
  readonly model?: string;
  readonly curveSet?: string;
  /** Of blinks, gaze and sampled motion; chosen by the server unless told. */
  readonly seed?: number | bigint;
  /** What happens to frames that are not read in time. */
  readonly slowReader?: "drop-oldest" | "wait";
}

/** What the server said when a stream opened. Samples are those of the audio as it is sent. */
export interface StreamInfo {
  readonly streamId: string;
  readonly model: string;
  readonly modelVersion: string;
  /** Columns of every frame. */
  readonly curveNames: readonly string[];
  readonly frameRate: { readonly numerator: number; readonly denominator: number };
  /** A frame can be computed once this much audio behind its own sample was received. */
  readonly latencySamples: number;
  readonly chunkSamples: number;
  readonly gapSamples: number;
  readonly aheadSamples: number;
  readonly idleTimeoutMs: number;
  readonly maxAgeMs: number | undefined;
  readonly seed: bigint;
  readonly resumeToken: string;
}

/** A run of consecutive frames, row after row. Rotations are quaternions x y z w, right-handed, +Y up, +Z out of the face. */
export interface Frames {
  readonly kind: "frames";
  readonly firstIndex: number;
  readonly count: number;
  /** `count` rows of `StreamInfo.curveNames` columns, each 0 to 1. */
  readonly weights: Float32Array;
  /** `count` rows of 4, or empty where the model has no pose. So are the eyes. */
  readonly head: Float32Array;
  readonly leftEye: Float32Array;
  readonly rightEye: Float32Array;
}

/** Something that happened to a stream; it stands between the frames where it belongs. */
export type StreamEvent =
  | { readonly kind: "flushDone"; readonly markerId: number; readonly nextFrameIndex: number }
  | { readonly kind: "gap"; readonly firstSample: number; readonly sampleCount: number }
  | { readonly kind: "framesDropped"; readonly firstFrameIndex: number; readonly frameCount: number }
  | { readonly kind: "speechStarted"; readonly sample: number }
  | { readonly kind: "speechEnded"; readonly sample: number }
  | { readonly kind: "aheadOfRealTime"; readonly aheadSamples: number }
  | { readonly kind: "goingAway"; readonly reason: "max-age" | "shutdown"; readonly timeLeftMs: number };

/** What a model with styles can be asked for, and its own values. */
export interface StylingAbilities {
  readonly styles: readonly string[];
  readonly digest: string;
  readonly styleWidth: number;
  readonly movesHead: boolean;
  readonly samplers: readonly string[];
  readonly mostSteps: number;
  readonly sampler: string;
  readonly steps: number;
  readonly audioScale: number;
  readonly styleScale: number;
}

/** What a model that acts can be asked for. */
export interface ActingAbilities {
  /** 0 for a model without emotions. */
  readonly emotionWidth: number;
  readonly presets: readonly string[];
  readonly speakers: readonly string[];
  /** Changes act on whole steps of so many samples at 16 kHz. */
  readonly stepSamples: number;
  readonly styling: StylingAbilities | undefined;
}

/** A model of the server. */
export interface ModelInfo {
  readonly name: string;
  readonly version: string;
  readonly family: string;
  /** Look-ahead at 16 kHz. */
  readonly latencySamples: number;
  readonly curveSets: readonly string[];
  readonly hasPose: boolean;
  readonly acting: ActingAbilities | undefined;
}
