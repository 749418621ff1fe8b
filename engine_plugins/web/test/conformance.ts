// Plays the conformance scenario (engine_plugins/conformance/README.md): in Node as
//   node conformance.js plan.txt report.json
// and in a page, whose address has ?plan= and ?report=.

import { Client, FacestreamError, PlaybackClock, type AnimationStream, type Frames, type StreamEvent } from "../src/index.js";

const CHUNKS_A_SECOND = 25;
const WAV_HEADER_BYTES = 44;
const PICTURE_MS = 1000 / 60;

interface Case {
  readonly case: string;
  readonly server: string;
  readonly audio: string;
  readonly token?: string;
  readonly model?: string;
  readonly seed: number;
  readonly frameRate: number;
  readonly slowReader: "wait" | "drop-oldest";
  readonly pace: "live" | "fast";
  readonly pause?: readonly number[];
  readonly readAfter: number;
  readonly cancelAfter: number;
  readonly draw?: readonly number[];
  readonly lose: readonly number[];
  readonly play?: number;
}

interface Entry {
  status: "finished" | "cancelled" | "failed";
  failure: string;
  message: string;
  curve_names: readonly string[];
  latency_samples: number;
  frames: number[][];
  events: (readonly [string, number, number])[];
  resumes: number;
  lost_samples: number;
  drawn: number[][];
  /** Of a stream that is played: position that was asked for, sample that was heard, starved, jawOpen. */
  pictures: number[][];
}

function caseOf(line: string): Case {
  const words = new Map(line.split(" ").map((word) => word.split("=", 2) as [string, string]));
  const take = (key: string): string | undefined => {
    const value = words.get(key);
    words.delete(key);
    return value;
  };
  const numbers = (key: string): number[] | undefined => take(key)?.split(",").map(Number);
  const [token, model, pause, draw, play] = [take("token"), take("model"), numbers("pause"), numbers("draw"), take("play")];
  take("together"); // all cases are played at once
  const one: Case = {
    case: take("case")!,
    server: take("server")!,
    audio: take("audio")!,
    seed: Number(take("seed")),
    frameRate: Number(take("frame_rate") ?? 30),
    slowReader: take("slow_reader") === "wait" ? "wait" : "drop-oldest",
    pace: take("pace") === "fast" ? "fast" : "live",
    readAfter: Number(take("read_after") ?? 0),
    cancelAfter: Number(take("cancel_after") ?? Infinity),
    lose: numbers("lose") ?? [0, 0],
    ...(token === undefined ? {} : { token }),
    ...(model === undefined ? {} : { model }),
    ...(pause === undefined ? {} : { pause }),
    ...(draw === undefined ? {} : { draw }),
    ...(play === undefined ? {} : { play: Number(play) }),
  };
  const [unknown] = words.keys();
  if (unknown !== undefined) throw new Error(`the plan says ${unknown}, which this runner does not know`);
  return one;
}

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

async function play(one: Case, read: (where: string) => Promise<ArrayBuffer>): Promise<Entry> {
  const file = await read(one.audio);
  const rate = new DataView(file).getUint32(24, true);
  const pcm = new Int16Array(file, WAV_HEADER_BYTES);
  const entry: Entry = {
    status: "finished", failure: "", message: "", curve_names: [], latency_samples: 0,
    frames: [], events: [], resumes: 0, lost_samples: 0, drawn: [], pictures: [],
  }; // prettier-ignore
  const runs: Frames[] = [];
  let stream: AnimationStream | undefined;
  try {
    const { token, model, seed, frameRate, slowReader } = one;
    const client = new Client(one.server, token === undefined ? {} : { token });
    stream = await client.animate({ sampleRateHz: rate, seed, frameRate, slowReader, ...(model === undefined ? {} : { model }) });
    entry.curve_names = stream.info.curveNames;
    entry.latency_samples = stream.info.latencySamples;
    let mayRead = (): void => {};
    const reading = new Promise<void>((resolve) => (mayRead = resolve)).then(() => listen(one, stream!, entry, runs));
    const played = one.play === undefined ? undefined : present(one.play, stream, runs, pcm.length, rate, entry);
    await Promise.all([reading, speak(one, stream, pcm, rate, mayRead, entry), played]);
  } catch (error) {
    if (!(error instanceof FacestreamError)) throw error;
    [entry.status, entry.failure, entry.message] = ["failed", wordFor(error.reason), error.message];
  }
  entry.resumes = stream?.resumeCount ?? 0;
  for (const run of runs)
    for (let place = 0; place < run.count; place++) {
      const index = run.firstIndex + place;
      entry.frames.push([index, Math.ceil((index * rate) / one.frameRate), ...rowOf(run, place)]);
    }
  if (one.draw !== undefined && stream !== undefined) entry.drawn = drawing(one, stream, runs, rate);
  return entry;
}

async function speak(
  one: Case, stream: AnimationStream, pcm: Int16Array, rate: number, mayRead: () => void, entry: Entry,
): Promise<void> {
  const chunk = rate / CHUNKS_A_SECOND;
  let begun = performance.now();
  for (let first = 0; first < pcm.length; first += chunk) {
    if (first >= one.readAfter) mayRead();
    const piece = pcm.subarray(first, first + chunk);
    const [sample, ms] = one.pause ?? [-1, 0];
    if (first <= sample! && sample! < first + chunk) {
      await sleep(ms!);
      begun += ms!;
    }
    if (one.pace === "live") await sleep(begun + (1000 * (first + piece.length)) / rate - performance.now());
    if (entry.status === "cancelled") return;
    await stream.send(piece);
  }
  stream.finish();
  mayRead();
}

/** A game: the sound is heard some time after its capture, and a picture 60 times a second shows the face of the moment. */
async function present(
  delayMs: number, stream: AnimationStream, runs: readonly Frames[], length: number, rate: number, entry: Entry,
): Promise<void> {
  const clock = new PlaybackClock(stream.info, rate);
  const jaw = stream.info.curveNames.indexOf("jawOpen");
  const heardFrom = performance.now() + delayMs;
  let taken = 0;
  for (let picture = 0; ; picture++) {
    await sleep(heardFrom + picture * PICTURE_MS - performance.now());
    const audible = ((performance.now() - heardFrom) * rate) / 1000;
    if (audible >= length) return;
    while (taken < runs.length) clock.add(runs[taken++]!);
    const face = clock.at(Math.floor(audible));
    entry.pictures.push([Math.floor(audible), audible, face.isStarved ? 1 : 0, face.weights[jaw]!]);
  }
}

async function listen(one: Case, stream: AnimationStream, entry: Entry, runs: Frames[]): Promise<void> {
  let count = 0;
  for await (const message of stream) {
    if (message.kind !== "frames") {
      entry.events.push(eventOf(message));
      continue;
    }
    runs.push(message);
    count += message.count;
    if (count >= one.cancelAfter) {
      entry.status = "cancelled";
      stream.cancel();
      return;
    }
  }
}

function rowOf(run: Frames, place: number): number[] {
  const curves = run.weights.length / run.count;
  const rotations = [run.head, run.leftEye, run.rightEye].map((part) => part.subarray(4 * place, 4 * place + 4));
  return [...run.weights.subarray(curves * place, curves * (place + 1)), ...rotations.flatMap((part) => [...part])];
}

/** One frame of a run. */
function frameOf(run: Frames, place: number): Frames {
  const curves = run.weights.length / run.count;
  const part = (values: Float32Array): Float32Array => values.subarray(4 * place, 4 * place + 4);
  return {
    kind: "frames",
    firstIndex: run.firstIndex + place,
    count: 1,
    weights: run.weights.subarray(curves * place, curves * (place + 1)),
    head: part(run.head),
    leftEye: part(run.leftEye),
    rightEye: part(run.rightEye),
  };
}

function drawing(one: Case, stream: AnimationStream, runs: readonly Frames[], rate: number): number[][] {
  const [step, lead, until] = one.draw as [number, number, number];
  const [first, count] = one.lose as [number, number];
  const isLost = (index: number): boolean => index >= first && index < first + count;
  const waiting = runs
    .flatMap((run) => Array.from({ length: run.count }, (_, place) => frameOf(run, place)))
    .filter((frame) => !isLost(frame.firstIndex));
  const clock = new PlaybackClock(stream.info, rate);
  const drawn: number[][] = [];
  for (let position = 0; position < until; position += step) {
    while (waiting[0] !== undefined && Math.ceil((waiting[0].firstIndex * rate) / one.frameRate) <= position + lead)
      clock.add(waiting.shift()!);
    const face = clock.at(position);
    drawn.push([position, face.isStarved ? 1 : 0, ...face.weights, ...face.head, ...face.leftEye, ...face.rightEye]);
  }
  return drawn;
}

function eventOf(event: StreamEvent): readonly [string, number, number] {
  switch (event.kind) {
    case "flushDone":
      return ["flush_done", 0, event.markerId];
    case "gap":
      return ["gap", event.firstSample, event.sampleCount];
    case "framesDropped":
      return ["frames_dropped", event.firstFrameIndex, event.frameCount];
    case "speechStarted":
      return ["speech_started", event.sample, 0];
    case "speechEnded":
      return ["speech_ended", event.sample, 0];
    case "aheadOfRealTime":
      return ["ahead_of_real_time", 0, event.aheadSamples];
    case "goingAway":
      return ["going_away", 0, 0];
  }
}

function wordFor(reason: string): string {
  const words: Readonly<Record<string, string>> = {
    INVALID_VALUE: "options",
    UNKNOWN_NAME: "options",
    UNAUTHENTICATED: "denied",
    BUSY: "unavailable",
    UNAVAILABLE: "unavailable",
    TIME_LIMIT: "time_limit",
    OUT_OF_ORDER: "protocol",
    OTHER_VERSION: "protocol",
  };
  return words[reason] ?? "server";
}

async function report(plan: string, client: string, read: (where: string) => Promise<ArrayBuffer>): Promise<string> {
  const cases = plan.trim().split("\n").map(caseOf);
  const entries = await Promise.all(cases.map((one) => play(one, read)));
  return JSON.stringify({
    client,
    transport: "websocket",
    cases: Object.fromEntries(cases.map((one, place) => [one.case, entries[place]])),
  });
}

async function inNode(plan: string, where: string): Promise<void> {
  const { readFile, writeFile } = await import("node:fs/promises");
  const read = async (path: string): Promise<ArrayBuffer> => {
    const bytes = await readFile(path);
    return bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length) as ArrayBuffer;
  };
  await writeFile(where, await report(await readFile(plan, "utf8"), "web-node", read));
}

async function inPage(address: URL): Promise<void> {
  const [plan, where] = [address.searchParams.get("plan")!, address.searchParams.get("report")!];
  const read = async (url: string): Promise<ArrayBuffer> => (await fetch(url)).arrayBuffer();
  const text = await (await fetch(plan)).text();
  await fetch(where, { method: "POST", body: await report(text, "web-page", read) });
}

if ("document" in globalThis) await inPage(new URL(document.location.href));
else await inNode(process.argv[2]!, process.argv[3]!);
