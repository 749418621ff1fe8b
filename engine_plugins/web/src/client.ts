// A server, and what can be asked of it.

import { answerOf, emotionOf, modelsOf } from "./answers.js";
import { Call, type Dialling, type Method, type WebSocketClass } from "./call.js";
import { checkCurves, checkFrames, unstarted } from "./curves.js";
import { FacestreamError } from "./errors.js";
import { PcmEncoder } from "./pcm.js";
import { audioRequest, configRequest, hearRequest } from "./requests.js";
import { AnimationStream } from "./stream.js";
import type { Emotion, Frames, ModelInfo, Pcm, StreamEvent, StreamInfo, StreamOptions } from "./types.js";

export interface ClientOptions {
  /** For servers that ask for one. It travels beside the address, never in it. */
  readonly token?: string;
  /** Where the platform has none of its own, as Node 20: that of the package `ws`. */
  readonly webSocket?: WebSocketClass;
}

/** A whole recording, animated. */
export interface Clip {
  readonly info: StreamInfo;
  /** All frames as one run. */
  readonly frames: Frames;
  readonly events: readonly StreamEvent[];
}

/** `new Client("ws://localhost:8080")`. It holds no connection of its own: each call has one. */
export class Client {
  readonly #dialling: Dialling;

  constructor(url: string, options: ClientOptions = {}) {
    const webSocket = options.webSocket ?? (globalThis.WebSocket as WebSocketClass | undefined);
    if (webSocket === undefined) {
      const text = "no WebSocket here; pass that of the package 'ws' as option webSocket, or use Node 22";
      throw new FacestreamError("INVALID_VALUE", text, "webSocket");
    }
    this.#dialling = { url, token: options.token, webSocket };
  }

  /** What the server can do; the first is its default. */
  async models(): Promise<ModelInfo[]> {
    const call = await this.#open("ListModels");
    call.halfClose(); // a request without fields has no bytes
    return modelsOf(await onlyAnswer(call));
  }

  /**
   * Open a live stream. With `resume` (the default) a lost connection is replaced by a new one that continues with the
   * next frame.
   */
  async animate(options: StreamOptions = {}, { resume = true } = {}): Promise<AnimationStream> {
    return new AnimationStream(() => new Call(this.#dialling, "Animate"), options, resume).open();
  }

  /** Animate a whole recording as fast as the server can; `onFrames` sees each run as it arrives. */
  async animateClip(pcm: Pcm, options: StreamOptions = {}, onFrames?: (frames: Frames) => void): Promise<Clip> {
    const encoder = new PcmEncoder(options);
    const call = await this.#open("AnimateClip");
    call.write(configRequest(options, encoder.format, options, undefined));
    const runs: Frames[] = [];
    const events: StreamEvent[] = [];
    let info: StreamInfo | undefined;
    try {
      for (let message = await call.read(); message !== undefined; message = await call.read()) {
        const answer = answerOf(message);
        if (answer?.kind === "started") {
          info = answer.info;
          checkCurves(info.curveNames);
          void sendAll(call, encoder.encode(pcm), info.chunkSamples * encoder.bytesPerSample);
        } else if (info === undefined) {
          break;
        } else if (answer?.kind === "frames") {
          checkFrames(answer, runs.reduce((sum, run) => sum + run.count, 0));
          runs.push(answer);
          onFrames?.(answer);
        } else if (answer !== undefined) events.push(answer);
      }
      if (info === undefined) throw unstarted();
    } catch (error) {
      call.cancel();
      throw error;
    }
    return { info, frames: joined(runs), events };
  }

  /**
   * The emotion of a reference clip, half a second to a minute of speech, for `emotion` of any stream. Of the options
   * `model` (by default the first that acts) and those of the audio count.
   */
  async hearEmotion(pcm: Pcm, options: StreamOptions = {}): Promise<Emotion> {
    const encoder = new PcmEncoder(options);
    const call = await this.#open("HearEmotion");
    call.write(hearRequest(options.model, encoder.format));
    const step = encoder.format.sampleRateHz * encoder.bytesPerSample;
    const [answer] = await Promise.all([onlyAnswer(call), sendAll(call, encoder.encode(pcm), step)]);
    return emotionOf(answer);
  }

  async #open(method: Method): Promise<Call> {
    const call = new Call(this.#dialling, method);
    await call.opened();
    return call;
  }
}

async function sendAll(call: Call, data: Uint8Array, step: number): Promise<void> {
  for (let start = 0; start < data.length && call.failure === undefined; start += step) {
    call.write(audioRequest(data.subarray(start, start + step)));
    await call.room();
  }
  call.halfClose();
}

async function onlyAnswer(call: Call): Promise<Uint8Array> {
  const answer = await call.read();
  if (answer === undefined) throw new FacestreamError("OUT_OF_ORDER", "the server ended the call without an answer");
  while ((await call.read()) !== undefined); // to its end, so that a failure behind the answer is one
  return answer;
}

function joined(runs: readonly Frames[]): Frames {
  const all = (part: (run: Frames) => Float32Array): Float32Array => {
    const values = new Float32Array(runs.reduce((sum, run) => sum + part(run).length, 0));
    let place = 0;
    for (const run of runs) {
      values.set(part(run), place);
      place += part(run).length;
    }
    return values;
  };
  return {
    kind: "frames",
    firstIndex: runs[0]?.firstIndex ?? 0,
    count: runs.reduce((sum, run) => sum + run.count, 0),
    weights: all((run) => run.weights),
    head: all((run) => run.head),
    leftEye: all((run) => run.leftEye),
    rightEye: all((run) => run.rightEye),
  };
}
