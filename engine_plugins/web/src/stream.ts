// A live stream as its user holds it: audio in, frames out, and a new call when one breaks.
//
// The client keeps the last seconds of audio. When the connection is lost it opens a new call, sends two seconds of audio
// again so that the model settles, and asks for frames from the first one it has not received. Whoever reads the frames
// sees no seam.

import { answerOf } from "./answers.js";
import type { Call } from "./call.js";
import { checkCurves, checkFrames, unstarted } from "./curves.js";
import { FacestreamError, isPassing } from "./errors.js";
import { AudioHistory } from "./history.js";
import { PcmEncoder } from "./pcm.js";
import { audioRequest, configRequest, controlRequest, flushRequest, type ResumePoint } from "./requests.js";
import type { Controls, Frames, Pcm, StreamEvent, StreamInfo, StreamOptions } from "./types.js";

const PRIMING_S = 2;
const HISTORY_S = 10;
const RESUME_WITHIN_MS = 10_000;
/** New calls in a row that may break without one new frame. */
const BARREN_RESUMES = 3;

/** Made by `Client.animate`. Iterate over it for frames and events while audio is sent. */
export class AnimationStream implements AsyncIterable<Frames | StreamEvent> {
  readonly #encoder: PcmEncoder;
  readonly #history: AudioHistory;
  #controls: Controls;
  #call: Call | undefined;
  #info: StreamInfo | undefined;
  #markers: { readonly sample: number; readonly markerId: number }[] = [];
  #nextSample = 0;
  #nextFrame = 0;
  #isFinished = false;
  #isCancelled = false;
  #willGoAway = false;
  #barrenResumes = 0;
  #resumeCount = 0;
  #failure: unknown;

  /** For `Client.animate`. */
  constructor(
    private readonly dial: () => Call,
    private readonly options: StreamOptions,
    private readonly resumes: boolean,
  ) {
    this.#encoder = new PcmEncoder(options);
    this.#history = new AudioHistory(this.#encoder.bytesPerSample, HISTORY_S * this.#encoder.format.sampleRateHz);
    this.#controls = options;
  }

  /** For `Client.animate`: open the first call. */
  async open(): Promise<this> {
    [this.#call, this.#info] = await this.#openCall(undefined);
    return this;
  }

  /** What the server said: curve names, frame rate, look-ahead, limits. */
  get info(): StreamInfo {
    if (this.#info === undefined) throw new FacestreamError("OUT_OF_ORDER", "the stream is not open");
    return this.#info;
  }

  /** Rate of the samples that positions count: the audio's own, or a part of it where that is beyond 48 kHz. */
  get sampleRateHz(): number {
    return this.#encoder.format.sampleRateHz;
  }

  /** How many calls replaced one that was lost. */
  get resumeCount(): number {
    return this.#resumeCount;
  }

  /** Samples sent so far. */
  get sentSamples(): number {
    return this.#nextSample;
  }

  /**
   * Send audio. `firstSample` beyond the audio sent so far leaves a gap, which the server fills with silence.
   *
   * Resolves once there is room for more (the server takes about two seconds ahead). Throws what ended the stream.
   */
  async send(pcm: Pcm, firstSample?: number): Promise<void> {
    if (this.#isFinished) throw new FacestreamError("OUT_OF_ORDER", "the stream is finished; open another");
    const data = this.#encoder.encode(pcm);
    if (firstSample !== undefined) this.#nextSample = firstSample;
    const step = this.info.chunkSamples * this.#encoder.bytesPerSample;
    for (let start = 0; start < data.length; start += step) {
      const piece = data.subarray(start, start + step);
      this.#history.add(this.#nextSample, piece);
      this.#nextSample += piece.length / this.#encoder.bytesPerSample;
      await this.#write(audioRequest(piece, start === 0 ? firstSample : undefined));
    }
  }

  /** Change the motion from `atSample` on, by default from the next sample sent. */
  async control(controls: Controls, atSample?: number): Promise<void> {
    const { styling } = controls;
    const merged = styling === undefined ? this.#controls.styling : { ...this.#controls.styling, ...styling };
    this.#controls = { ...this.#controls, ...controls, ...(merged === undefined ? {} : { styling: merged }) };
    await this.#write(controlRequest(controls, atSample));
  }

  /** Ask for a `flushDone` event behind the last frame of the audio sent so far. */
  async flush(markerId: number): Promise<void> {
    this.#markers.push({ sample: this.#nextSample, markerId });
    await this.#write(flushRequest(markerId));
  }

  /** No more audio: the remaining frames follow, then iteration ends. */
  finish(): void {
    this.#isFinished = true;
    this.#opened().halfClose();
  }

  /** End the stream now. */
  cancel(): void {
    this.#isCancelled = true;
    this.#call?.cancel();
  }

  /** Frames and events in the order in which they belong. One reader at a time. */
  async *[Symbol.asyncIterator](): AsyncGenerator<Frames | StreamEvent> {
    while (true) {
      const call = this.#opened();
      let message: Uint8Array | undefined;
      try {
        message = await call.read();
      } catch (error) {
        await this.#reopen(error);
        continue;
      }
      if (message === undefined) return;
      const answer = answerOf(message);
      if (answer === undefined || answer.kind === "started") continue;
      try {
        this.#note(answer);
      } catch (error) {
        this.#failure = error; // for the sender, too
        this.cancel();
        throw error;
      }
      yield answer;
    }
  }

  #opened(): Call {
    if (this.#call === undefined) throw new FacestreamError("OUT_OF_ORDER", "the stream is not open");
    return this.#call;
  }

  #note(answer: Frames | StreamEvent): void {
    switch (answer.kind) {
      case "frames":
        checkFrames(answer, this.#nextFrame);
        this.#received(answer.firstIndex + answer.count);
        break;
      case "framesDropped":
        this.#received(answer.firstFrameIndex + answer.frameCount);
        break;
      case "flushDone":
        this.#markers = this.#markers.filter(({ markerId }) => markerId !== answer.markerId);
        break;
      case "goingAway":
        this.#willGoAway = true;
    }
  }

  #received(nextFrame: number): void {
    this.#nextFrame = nextFrame;
    this.#barrenResumes = 0;
    this.#history.forgetBefore(this.#primingStart());
  }

  /**
   * What is written has been noted before. So on a call that is lost nothing need be done: the reader opens a new one,
   * which has it too.
   */
  async #write(request: Uint8Array<ArrayBuffer>): Promise<void> {
    if (this.#failure !== undefined) throw this.#failure;
    const call = this.#opened();
    call.write(request);
    await call.room();
    if (call.failure !== undefined && !this.#mayResume(call.failure)) throw call.failure;
  }

  async #openCall(resume: ResumePoint | undefined): Promise<[Call, StreamInfo]> {
    const call = this.dial();
    try {
      await call.opened();
      call.write(configRequest(this.options, this.#encoder.format, this.#controls, { resume }));
      const message = await call.read();
      const answer = message === undefined ? undefined : answerOf(message);
      if (answer?.kind !== "started") throw unstarted();
      checkCurves(answer.info.curveNames);
      return [call, answer.info];
    } catch (error) {
      call.cancel();
      throw error;
    }
  }

  #mayResume(error: unknown): boolean {
    if (!(error instanceof FacestreamError)) return false;
    const passes = isPassing(error) || (error.reason === "TIME_LIMIT" && this.#willGoAway);
    return this.resumes && !this.#isCancelled && passes && this.#barrenResumes < BARREN_RESUMES;
  }

  /** Replace a call that `error` has ended by one that continues it, or throw where that is of no use. */
  async #reopen(error: unknown): Promise<void> {
    if (!this.#mayResume(error)) throw error;
    const giveUpAt = performance.now() + RESUME_WITHIN_MS;
    for (let delayMs = 50; ; delayMs = Math.min(1000, 2 * delayMs)) {
      try {
        return await this.#continueOnNewCall();
      } catch (failure) {
        if (!this.#mayResume(failure) || performance.now() + delayMs > giveUpAt) throw failure;
      }
      await new Promise((resolve) => setTimeout(resolve, delayMs));
    }
  }

  async #continueOnNewCall(): Promise<void> {
    const start = this.#primingStart();
    const token = this.info.resumeToken;
    const [call, info] = await this.#openCall({ token, firstSample: start, firstFrameIndex: this.#nextFrame });
    if (this.#isCancelled) {
      call.cancel();
      return;
    }
    [this.#call, this.#info] = [call, info];
    this.#willGoAway = false;
    this.#barrenResumes++;
    this.#resumeCount++;
    // all at once, with nothing awaited: audio that is sent meanwhile is either in the history now or behind it
    const markers = [...this.#markers];
    for (const { first, data } of this.#history.since(start)) {
      while (markers[0] !== undefined && markers[0].sample <= first) call.write(flushRequest(markers.shift()!.markerId));
      call.write(audioRequest(data, first));
    }
    for (const { markerId } of markers) call.write(flushRequest(markerId));
    if (this.#isFinished) call.halfClose();
  }

  /**
   * Where audio must start again: two seconds before the next frame, on a multiple of 800 ms, which is a whole number of
   * any model's steps, so that the new call computes the very same ones.
   */
  #primingStart(): number {
    const rate = this.sampleRateHz;
    const { numerator, denominator } = this.info.frameRate;
    const grid = rate % 5 === 0 ? (4 * rate) / 5 : 4 * rate;
    const wanted = Math.ceil((this.#nextFrame * rate * denominator) / numerator) - PRIMING_S * rate;
    const start = Math.max(0, Math.floor(wanted / grid) * grid);
    const held = this.#history.firstSample; // later than that only for a reader who is ten seconds behind
    return start >= held ? start : Math.ceil(held / grid) * grid;
  }
}
