// Someone speaks, a face comes: one stream to the server, from a recording that is played or from a microphone.

import {
  type AnimationStream, AudioClock, Capture, type Client, type Controls, type Face, type Frames, PlaybackClock, type StreamEvent,
} from "@facestream/web"; // prettier-ignore
import { Figures, Passings } from "./figures.js";
import { LiveClock } from "./live_clock.js";
import { Take } from "./take.js";

const CHUNK_S = 0.04;
/** Of a microphone's chunks: the server's hop is full a little behind 40 ms, and then waits for the chunk that it is in. */
const VOICE_CHUNK_MS = 10;
/** Of the first chunk: the server's resampler holds back 2 ms, so that a hop is full just before a later chunk ends. */
const FIRST_CHUNK_MS = 2.5;
/** A live model's own rate: the newest frame is then at the very end of what it has heard. */
const VOICE_FRAME_RATE = 50;
/** How far ahead of what is heard a recording is sent: enough to bridge a hiccup, little enough for controls to act soon. */
const AHEAD_S = 0.6;
const CUE_S = 0.05;

export interface Wishes extends Controls {
  readonly model: string | undefined;
  readonly frameRate: number;
}

/** What both kinds of speaking have in common: frames come in and are kept by position. */
abstract class Speaking {
  take: Take;
  protected readonly clock: PlaybackClock;
  protected readonly sent = new Passings();
  protected newest = -Infinity;
  #isOver = false;

  protected constructor(
    protected readonly stream: AnimationStream,
    protected readonly figures: Figures,
    protected readonly onEnd: (failure: unknown) => void,
  ) {
    this.take = new Take(stream.info);
    this.clock = new PlaybackClock(stream.info, stream.sampleRateHz);
    figures.clear();
    void this.#read();
  }

  /** The face for a picture that is begun at `now` and is there `drawingMs` later. */
  abstract face(now: number, drawingMs: number): Face;

  get curveNames(): readonly string[] {
    return this.stream.info.curveNames;
  }

  get lookAheadMs(): number {
    return (1000 * this.stream.info.latencySamples) / this.stream.sampleRateHz;
  }

  /** Keep what comes from now on only. */
  recordAnew(): Take {
    return (this.take = new Take(this.stream.info));
  }

  control(controls: Controls): void {
    void this.stream.control(controls).catch((failure: unknown) => this.end(failure));
  }

  stop(): void {
    this.end(undefined);
  }

  protected get isOver(): boolean {
    return this.#isOver;
  }

  protected end(failure: unknown): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.stream.cancel();
    this.close();
    this.onEnd(failure);
  }

  protected abstract close(): void;

  protected abstract received(now: number): void;

  /** The first sample behind the frame `index`. */
  protected sampleOf(index: number): number {
    const { numerator, denominator } = this.stream.info.frameRate;
    return Math.ceil((index * this.stream.sampleRateHz * denominator) / numerator);
  }

  async #read(): Promise<void> {
    try {
      for await (const answer of this.stream) this.#note(answer);
    } catch (failure) {
      this.end(failure);
    }
  }

  #note(answer: Frames | StreamEvent): void {
    if (answer.kind !== "frames" || this.#isOver) return;
    const now = performance.now();
    this.received(now);
    this.clock.add(answer);
    this.take.add(answer);
    this.newest = this.sampleOf(answer.firstIndex + answer.count - 1);
    const sentAt = this.sent.of(this.newest);
    if (sentAt !== undefined) Figures.note(this.figures.sentToReceived, now - sentAt);
    const completeAt = this.sent.of(this.sampleOf(answer.firstIndex) + this.stream.info.latencySamples - 1);
    if (completeAt !== undefined) Figures.note(this.figures.neededToReceived, now - completeAt);
    this.figures.buffered = this.clock.bufferedFrames;
  }
}

/** A recording, heard and sent; the face follows what is audible. */
export class PlayedRecording extends Speaking {
  #source: AudioBufferSourceNode | undefined;
  #heard: AudioClock | undefined;
  #wishedAt: number | undefined;

  private constructor(
    stream: AnimationStream,
    figures: Figures,
    onEnd: (failure: unknown) => void,
    private readonly context: AudioContext,
    private readonly sound: AudioBuffer,
    /** Seconds into the recording at which this playing begins. */
    private readonly from: number,
    private readonly output: AudioNode,
  ) {
    super(stream, figures, onEnd);
    void this.#send().catch((failure: unknown) => this.end(failure));
  }

  static async begin(
    client: Client, wishes: Wishes, figures: Figures, onEnd: (failure: unknown) => void,
    played: { context: AudioContext; sound: AudioBuffer; from: number; output: AudioNode },
  ): Promise<PlayedRecording> {
    const wishedAt = performance.now();
    const { model, ...others } = wishes;
    const options = { ...others, sampleRateHz: played.sound.sampleRate, ...(model === undefined ? {} : { model }) };
    const stream = await client.animate(options);
    const recording = new PlayedRecording(stream, figures, onEnd, played.context, played.sound, played.from, played.output);
    recording.#wishedAt = wishedAt;
    return recording;
  } // prettier-ignore

  /** Seconds into the recording that are audible now. */
  get position(): number {
    const heard = this.#heard === undefined ? 0 : Math.max(0, this.#heard.sample()) / this.stream.sampleRateHz;
    return Math.min(this.sound.duration, this.from + heard);
  }

  override face(now: number, drawingMs: number): Face {
    const heard = this.#heard?.sample() ?? -1;
    if (heard < 0) return this.clock.at(-1);
    // what will be audible when the picture is there
    const face = this.clock.at(heard + Math.round((drawingMs * this.stream.sampleRateHz) / 1000));
    if (this.#wishedAt !== undefined) this.figures.started = now + drawingMs - this.#wishedAt;
    this.#wishedAt = undefined;
    if (this.from + heard / this.stream.sampleRateHz < this.sound.duration) {
      this.figures.pictures++;
      if (face.isStarved) this.figures.starved++;
    }
    return face;
  }

  protected override received(): void {
    if (this.#source !== undefined) return;
    const source = this.context.createBufferSource();
    source.buffer = this.sound;
    source.connect(this.output);
    const startsAt = this.context.currentTime + CUE_S;
    source.start(startsAt, this.from);
    // the mouth closes behind the last sound
    source.onended = () => setTimeout(() => this.end(undefined), 500);
    this.#source = source;
    this.#heard = new AudioClock(this.context, startsAt, this.stream.sampleRateHz);
  }

  protected override close(): void {
    if (this.#source === undefined) return;
    this.#source.onended = null;
    this.#source.stop();
    this.#source.disconnect();
  }

  async #send(): Promise<void> {
    const rate = this.sound.sampleRate;
    const samples = mono(this.sound);
    const step = Math.round(CHUNK_S * rate);
    const first = Math.round(this.from * rate);
    for (let start = first; start < samples.length && !this.isOver; start += step) {
      while (!this.isOver && start / rate - this.position > AHEAD_S) await new Promise((resolve) => setTimeout(resolve, 20));
      const chunk = samples.subarray(start, start + step);
      await this.stream.send(chunk);
      this.sent.add(this.stream.sentSamples, performance.now());
    }
    if (!this.isOver) this.stream.finish();
  }
}

/** A microphone: the face follows the voice as closely as frames come. */
export class HeardVoice extends Speaking {
  readonly #live: LiveClock;
  readonly #spoken = new Passings();
  #capture: Capture | undefined;
  #shown = -1;
  /** Loudness of the newest sound, 0 to 1. */
  level = 0;

  private constructor(stream: AnimationStream, figures: Figures, onEnd: (failure: unknown) => void) {
    super(stream, figures, onEnd);
    this.#live = new LiveClock(stream.sampleRateHz / 1000);
  }

  static async begin(
    client: Client, wishes: Wishes, figures: Figures, onEnd: (failure: unknown) => void, context: AudioContext,
  ): Promise<HeardVoice> {
    let voice: HeardVoice | undefined;
    const capture = await Capture.microphone(context, (chunk) => voice?.hear(chunk), { chunkMs: VOICE_CHUNK_MS });
    try {
      const { model, ...others } = wishes;
      const options = { ...others, frameRate: VOICE_FRAME_RATE, sampleRateHz: capture.sampleRateHz, ...(model === undefined ? {} : { model }) };
      voice = new HeardVoice(await client.animate(options), figures, onEnd);
      voice.#capture = capture;
      return voice;
    } catch (failure) {
      capture.close();
      throw failure;
    }
  } // prettier-ignore

  hear(captured: Float32Array): void {
    if (this.isOver) return;
    const isFirst = this.stream.sentSamples === 0;
    const chunk = isFirst ? captured.subarray(-this.#samplesOf(FIRST_CHUNK_MS)) : captured;
    const loudness = Math.min(1, 4 * Math.sqrt(chunk.reduce((sum, value) => sum + value * value, 0) / chunk.length));
    this.level += 0.3 * (loudness - this.level);
    const now = performance.now();
    void this.stream.send(chunk).catch((failure: unknown) => this.end(failure));
    this.sent.add(this.stream.sentSamples, now);
    this.#spoken.add(this.stream.sentSamples, now);
  }

  override face(now: number): Face {
    const sample = this.#live.sample(now);
    const face = this.clock.at(sample);
    // the first picture that shows a chunk's end tells how long its sound took
    const spokenAt = this.#spoken.of(sample);
    if (spokenAt !== undefined && sample > this.#shown && !face.isStarved) {
      const age = (this.#endOf(sample) - sample) / (this.stream.sampleRateHz / 1000);
      Figures.note(this.figures.voiceToFace, now - spokenAt + age);
      this.#shown = sample;
    }
    return face;
  }

  protected override received(now: number): void {
    this.#live.received(this.newest, now);
  }

  protected override close(): void {
    this.#capture?.close();
  }

  /** End of the chunk in which `sample` lies: its sound was as much older than the chunk when that was handed over. */
  #endOf(sample: number): number {
    const [first, chunk] = [this.#samplesOf(FIRST_CHUNK_MS), this.#samplesOf(VOICE_CHUNK_MS)];
    return first + Math.max(0, Math.ceil((sample + 1 - first) / chunk)) * chunk;
  }

  #samplesOf(ms: number): number {
    return Math.round((ms * this.stream.sampleRateHz) / 1000);
  }
}

function mono(sound: AudioBuffer): Float32Array {
  if (sound.numberOfChannels === 1) return sound.getChannelData(0);
  const mixed = new Float32Array(sound.length);
  for (let channel = 0; channel < sound.numberOfChannels; channel++) {
    const values = sound.getChannelData(channel);
    for (let index = 0; index < mixed.length; index++) mixed[index]! += values[index]! / sound.numberOfChannels;
  }
  return mixed;
}
