// Against a real server whose addresses the environment names; `tests/engine_plugins/test_web.py` starts it.

import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, connect as connectSocket, type Socket } from "node:net";
import { test } from "node:test";

import { Client, FacestreamError, PlaybackClock, type Frames, type StreamEvent } from "../src/index.js";

const URL = process.env["FACESTREAM_URL"] ?? "ws://127.0.0.1:8080";
const GUARDED_URL = process.env["FACESTREAM_GUARDED_URL"]; // of a server with the token "sésame"
const RATE = 16_000;

/** Noise that swells and fades: something to open the jaw by. The same every time. */
function speech(seconds: number, rate = RATE): Float32Array {
  let state = 1;
  return Float32Array.from({ length: Math.round(seconds * rate) }, (_, index) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    const swell = (1 - Math.cos((2 * Math.PI * 3 * index) / rate)) / 2;
    return 0.3 * swell * (state / 2 ** 31 - 1);
  });
}

interface Told {
  readonly frames: Frames[];
  readonly events: StreamEvent[];
}

async function readAll(stream: AsyncIterable<Frames | StreamEvent>, onFrames?: (told: Told) => void): Promise<Told> {
  const told: Told = { frames: [], events: [] };
  for await (const message of stream) {
    if (message.kind === "frames") {
      told.frames.push(message);
      onFrames?.(told);
    } else told.events.push(message);
  }
  return told;
}

function weightsOf(frames: readonly Frames[]): Float32Array {
  return Float32Array.from(frames.flatMap((run) => [...run.weights]));
}

function countOf(frames: readonly Frames[]): number {
  return frames.reduce((sum, run) => sum + run.count, 0);
}

function assertConsecutive(frames: readonly Frames[]): void {
  let next = 0;
  for (const run of frames) {
    assert.equal(run.firstIndex, next);
    next += run.count;
  }
}

function assertClose(actual: Float32Array, expected: Float32Array, tolerance: number): void {
  assert.equal(actual.length, expected.length);
  const worst = actual.reduce((most, value, index) => Math.max(most, Math.abs(value - expected[index]!)), 0);
  assert.ok(worst <= tolerance, `differs by ${worst}`);
}

/** A wire between client and server that can be cut. */
async function proxy(): Promise<{ url: string; cut: () => void; refuse: (isShut: boolean) => void; close: () => void }> {
  const target = new globalThis.URL(URL);
  const sockets = new Set<Socket>();
  let isShut = false;
  const server = createServer((inner) => {
    if (isShut) {
      inner.destroy();
      return;
    }
    const outer = connectSocket(Number(target.port), target.hostname);
    for (const [one, other] of [[inner, outer], [outer, inner]] as const) {
      sockets.add(one);
      one.pipe(other);
      one.on("error", () => other.destroy());
      one.on("close", () => {
        sockets.delete(one);
        other.destroy();
      });
    }
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  assert.ok(address !== null && typeof address === "object");
  return {
    url: `ws://127.0.0.1:${address.port}`,
    cut: () => sockets.forEach((socket) => socket.destroy()),
    refuse: (shut) => (isShut = shut),
    close: () => server.close(),
  };
}

const options = { sampleRateHz: RATE, seed: 1, encoding: "f32" } as const;

test("models are listed", async () => {
  const [model] = await new Client(URL).models();
  assert.ok(model !== undefined);
  assert.equal(model.name, "synthetic");
  assert.equal(model.latencySamples, 960);
  assert.deepEqual(model.curveSets, ["arkit52"]);
  assert.equal(model.hasPose, true);
  assert.equal(model.acting, undefined);
});

test("a stream and a clip of the same audio have the same frames", async () => {
  const client = new Client(URL);
  const pcm = speech(3);
  const stream = await client.animate({ ...options, frameRate: 60 });
  assert.equal(stream.info.curveNames.length, 52);
  assert.equal(stream.info.curveNames[17], "jawOpen");
  assert.deepEqual(stream.info.frameRate, { numerator: 60, denominator: 1 });
  assert.equal(stream.info.seed, 1n);
  const reading = readAll(stream);
  for (let start = 0; start < pcm.length; start += 640) await stream.send(pcm.subarray(start, start + 640));
  stream.finish();
  const { frames } = await reading;
  assertConsecutive(frames);
  assert.ok(countOf(frames) >= 180);
  assert.equal(frames[0]!.head.length, 4 * frames[0]!.count);
  const weights = weightsOf(frames);
  assert.ok(Math.max(...weights.filter((_, index) => index % 52 === 17)) > 0.3, "the jaw opens");
  const seen: number[] = [];
  const clip = await client.animateClip(pcm, { ...options, frameRate: 60 }, (run) => seen.push(run.count));
  assertClose(clip.frames.weights, weights, 1e-5);
  assert.equal(seen.reduce((sum, count) => sum + count, 0), clip.frames.count);
});

test("controls, markers and gaps come where they belong", async () => {
  const pcm = speech(2);
  const run = async (mouthStrength: number | undefined): Promise<Told> => {
    const stream = await new Client(URL).animate({ ...options, blinks: false, gaze: false });
    const reading = readAll(stream);
    await stream.send(pcm.subarray(0, RATE));
    if (mouthStrength !== undefined) await stream.control({ mouthStrength }, RATE);
    await stream.flush(7);
    await stream.send(pcm.subarray(RATE), RATE + 800);
    stream.finish();
    return reading;
  };
  const [plain, still] = [await run(undefined), await run(0)];
  const jaw = ({ frames }: Told): Float32Array => weightsOf(frames).filter((_, index) => index % 52 === 17);
  assertClose(jaw(still).slice(0, 30), jaw(plain).slice(0, 30), 1e-5);
  assert.ok(Math.max(...jaw(still).slice(40)) < 0.01);
  assert.ok(Math.max(...jaw(plain).slice(40)) > 0.2);
  assert.deepEqual(plain.events.find(({ kind }) => kind === "gap"), { kind: "gap", firstSample: RATE, sampleCount: 800 });
  const done = plain.events.find((event) => event.kind === "flushDone");
  assert.equal(done?.markerId, 7);
  assert.ok(plain.events.some(({ kind }) => kind === "speechStarted"));
});

test("a stream that breaks goes on without a seam", async () => {
  const wire = await proxy();
  const pcm = speech(6);
  const send = async (stream: { send(pcm: Float32Array): Promise<void> }): Promise<void> => {
    for (let start = 0; start < pcm.length; start += 800) {
      await stream.send(pcm.subarray(start, start + 800));
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  };
  try {
    const whole = await new Client(URL).animate(options);
    const expected = readAll(whole);
    await send(whole);
    whole.finish();
    const stream = await new Client(wire.url).animate(options);
    let cuts = 0;
    const reading = readAll(stream, ({ frames }) => {
      if (countOf(frames) < 40 * (cuts + 1) || cuts === 3) return;
      cuts++;
      wire.refuse(true); // the first tries meet nobody
      wire.cut();
      setTimeout(() => wire.refuse(false), 120);
    });
    await send(stream);
    stream.finish();
    const { frames } = await reading;
    assert.equal(cuts, 3);
    assertConsecutive(frames);
    assertClose(weightsOf(frames), weightsOf((await expected).frames), 1e-4);
  } finally {
    wire.close();
  }
});

test("a stream that may not resume tells its reader and its sender", async () => {
  const wire = await proxy();
  const stream = await new Client(wire.url).animate(options, { resume: false });
  const reading = assert.rejects(readAll(stream), (error: FacestreamError) => {
    assert.match(error.message, /connection to .* was lost/);
    return error.reason === "UNAVAILABLE";
  });
  await stream.send(speech(0.5));
  wire.cut();
  await reading;
  await assert.rejects(stream.send(speech(0.5)), { reason: "UNAVAILABLE" });
  wire.close();
});

test("errors have reason, field and words", async () => {
  const client = new Client(URL);
  await assert.rejects(client.animate({ model: "nobody" }), (error: FacestreamError) => {
    assert.match(error.message, /no model named 'nobody'; there is: synthetic/);
    return error.reason === "UNKNOWN_NAME";
  });
  await assert.rejects(client.animate({ frameRate: 240 }), { reason: "INVALID_VALUE", field: "config.frame_rate" });
  await assert.rejects(client.animate({ sampleRateHz: 4000 }), { reason: "INVALID_VALUE", field: "sampleRateHz" });
  await assert.rejects(client.animateClip(new Float32Array(0)), { reason: "BAD_AUDIO", field: "audio" });
  await assert.rejects(client.hearEmotion(speech(1)), FacestreamError);
  const stream = await client.animate({ ...options, encoding: "s16" });
  await assert.rejects(stream.send(Float32Array.of(0, Number.NaN)), { reason: "INVALID_VALUE", field: "pcm" });
  stream.cancel();
  const closed = await proxy();
  closed.close();
  await assert.rejects(new Client(closed.url).models(), (error: FacestreamError) => {
    assert.match(error.message, /is the server running there/);
    return error.reason === "UNAVAILABLE";
  });
});

test("a cancelled stream ends its reader at once", async () => {
  const stream = await new Client(URL).animate(options);
  const reading = readAll(stream);
  await stream.send(speech(0.5));
  stream.cancel();
  await reading;
});

test("tokens open the door", { skip: GUARDED_URL === undefined }, async () => {
  assert.equal((await new Client(GUARDED_URL!, { token: "sésame" }).models()).length, 1);
  for (const fields of [{}, { token: "other" }])
    await assert.rejects(new Client(GUARDED_URL!, fields).models(), { reason: "UNAUTHENTICATED" });
});

test("audio of any rate moves the jaw alike", async () => {
  const client = new Client(URL);
  for (const rate of [8000, 44100, 48000, 96000, 192000]) {
    const tone = Float32Array.from({ length: rate }, (_, index) => 0.3 * Math.sin((2 * Math.PI * 440 * index) / rate));
    const { frames, info } = await client.animateClip(tone, { sampleRateHz: rate, seed: 1 });
    const jaw = frames.weights.filter((_, index) => index % info.curveNames.length === 17);
    assert.ok(frames.count >= 30 && frames.count <= 42, `${frames.count} frames at ${rate} Hz`);
    assert.ok(jaw[20]! > 0.5 && jaw[20]! < 1, `the jaw is at ${jaw[20]} at ${rate} Hz`);
  }
});

test("frames play against the audio clock", async () => {
  const stream = await new Client(URL).animate(options);
  const clock = new PlaybackClock(stream.info, stream.sampleRateHz);
  const reading = (async () => {
    for await (const message of stream) if (message.kind === "frames") clock.add(message);
  })();
  assert.equal(clock.at(0).isStarved, true);
  await stream.send(speech(1));
  stream.finish();
  await reading;
  let most = 0;
  for (let sample = 0; sample < RATE; sample += 267) {
    const face = clock.at(sample);
    assert.equal(face.isStarved, false);
    most = Math.max(most, face.weights[17]!);
  }
  assert.ok(most > 0.3);
  const rest = clock.at(3 * RATE);
  assert.equal(rest.isStarved, true);
  assert.ok(rest.weights.every((weight) => weight === 0));
});
