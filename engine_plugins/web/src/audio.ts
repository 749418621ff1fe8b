// Sound of a browser: a microphone as chunks of samples, and the position of what is audible now.

import { FacestreamError } from "./errors.js";

/** Collects a worklet's pieces of 128 samples; runs on the audio thread, so it is text here. */
const WORKLET = `registerProcessor("facestream-capture", class extends AudioWorkletProcessor {
  constructor({ processorOptions: { chunk } }) {
    super();
    this.chunk = chunk;
    this.held = new Float32Array(chunk);
    this.count = 0;
  }
  process([[samples]]) {
    for (let start = 0; samples && start < samples.length; ) {
      const part = samples.subarray(start, start + this.chunk - this.count);
      this.held.set(part, this.count);
      this.count += part.length;
      start += part.length;
      if (this.count === this.chunk) {
        this.port.postMessage(this.held, [this.held.buffer]);
        this.held = new Float32Array(this.chunk);
        this.count = 0;
      }
    }
    return true;
  }
});`;

export interface CaptureOptions {
  /** Length of a chunk; 40 ms unless told. */
  readonly chunkMs?: number;
  /** Of the microphone. Unless told, echo is cancelled, and nothing else of the voice is changed. */
  readonly constraints?: MediaTrackConstraints;
}

/** Chunks of mono audio from a microphone, or from any node of an audio graph. */
export class Capture {
  private constructor(
    readonly sampleRateHz: number,
    private readonly source: AudioNode,
    private readonly worklet: AudioWorkletNode,
    private readonly tracks: readonly MediaStreamTrack[],
  ) {}

  /** Ask for the microphone. Throws `FacestreamError` with reason NO_MICROPHONE where there is none, or none is allowed. */
  static async microphone(
    context: AudioContext,
    onChunk: (samples: Float32Array) => void,
    options: CaptureOptions = {},
  ): Promise<Capture> {
    const audio = options.constraints ?? { echoCancellation: true, noiseSuppression: false, autoGainControl: false };
    let media: MediaStream;
    try {
      media = await navigator.mediaDevices.getUserMedia({ audio });
    } catch (error) {
      const told = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
      const help = "allow the page to use one; browsers ask only on https and localhost";
      throw new FacestreamError("NO_MICROPHONE", `no microphone (${told}); ${help}`);
    }
    return Capture.#of(context, context.createMediaStreamSource(media), media.getTracks(), onChunk, options);
  }

  /** What flows through `node`; it goes wherever it went before, too. */
  static async node(
    node: AudioNode,
    onChunk: (samples: Float32Array) => void,
    options: CaptureOptions = {},
  ): Promise<Capture> {
    return Capture.#of(node.context, node, [], onChunk, options);
  }

  static async #of(
    context: BaseAudioContext,
    source: AudioNode,
    tracks: readonly MediaStreamTrack[],
    onChunk: (samples: Float32Array) => void,
    options: CaptureOptions,
  ): Promise<Capture> {
    const address = URL.createObjectURL(new Blob([WORKLET], { type: "text/javascript" }));
    try {
      await context.audioWorklet.addModule(address);
    } finally {
      URL.revokeObjectURL(address);
    }
    const worklet = new AudioWorkletNode(context, "facestream-capture", {
      numberOfOutputs: 0,
      channelCount: 1,
      channelCountMode: "explicit",
      processorOptions: { chunk: Math.round((context.sampleRate * (options.chunkMs ?? 40)) / 1000) },
    });
    worklet.port.onmessage = (event: MessageEvent<Float32Array>) => onChunk(event.data);
    source.connect(worklet);
    return new Capture(context.sampleRate, source, worklet, tracks);
  }

  /** Stop, and let the microphone go. */
  close(): void {
    this.source.disconnect(this.worklet);
    this.worklet.port.onmessage = null;
    for (const track of this.tracks) track.stop();
  }
}

/** Which sample of a sound is audible now, when its first one was scheduled for `startedAt` (seconds of the context). */
export class AudioClock {
  constructor(
    private readonly context: AudioContext,
    private readonly startedAt: number,
    private readonly sampleRateHz: number,
  ) {}

  /** Negative before it begins. */
  sample(): number {
    return Math.floor((this.#audibleS() - this.startedAt) * this.sampleRateHz);
  }

  #audibleS(): number {
    const { contextTime = 0, performanceTime = 0 } = this.context.getOutputTimestamp?.() ?? {};
    if (contextTime > 0) return contextTime + (performance.now() - performanceTime) / 1000;
    return this.context.currentTime - (this.context.outputLatency || this.context.baseLatency || 0);
  }
}
