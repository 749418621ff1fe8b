// What is said of servers of another kind, whose addresses the environment has as JSON; `tests/engine_plugins/test_web.py`
// starts them.

import assert from "node:assert/strict";
import { test } from "node:test";

import { Client, FacestreamError, PlaybackClock } from "../src/index.js";

const SERVERS: Readonly<Record<string, string>> = JSON.parse(process.env["FACESTREAM_FAULTS"] ?? "{}");
const OPENED = 0.5; // of every curve that they send
const WORDS: Readonly<Record<string, readonly [string, string]>> = {
  "other version": ["OTHER_VERSION", "answered without 'started'"],
  "a curve less": ["OTHER_VERSION", "sends 51 curves and not 'tongueOut'"],
  "another curve": ["OTHER_VERSION", "sends 52 curves and not 'tongueOut'"],
  "narrow frames": ["OTHER_VERSION", "sent 51 weights for 1 frames of 52 curves"],
  "out of order": ["OUT_OF_ORDER", "sent frame 4 behind frame 8"],
  "no TLS": ["UNAVAILABLE", "with TLS (else use ws://)"],
};

for (const [what, [reason, words]] of Object.entries(WORDS))
  test(`${what}: reader and sender are told, in one sentence`, async () => {
    const told = (error: FacestreamError): boolean => {
      assert.ok(error instanceof FacestreamError);
      assert.ok(error.message.includes(words), error.message);
      assert.ok(!error.message.includes("\n"));
      return error.reason === reason;
    };
    const client = new Client(SERVERS[what]!);
    await assert.rejects(client.animateClip(new Float32Array(1600)), told);
    let playback: PlaybackClock | undefined;
    await assert.rejects(async () => {
      const stream = await client.animate();
      playback = new PlaybackClock(stream.info, stream.sampleRateHz);
      try {
        for await (const message of stream) if (message.kind === "frames") playback.add(message);
      } finally {
        await assert.rejects(stream.send(new Float32Array(1600)), told);
      }
    }, told);
    if (what !== "out of order") return;
    assert.equal(playback!.at(2000).weights[0], OPENED, "what came before is shown");
    playback!.at(8000);
    assert.ok(playback!.at(16000).weights.every((weight) => weight === 0), "then the face rests");
  });
