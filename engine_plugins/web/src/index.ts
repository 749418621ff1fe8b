export { AudioClock, Capture, type CaptureOptions } from "./audio.js";
export type { WebSocketClass } from "./call.js";
export { Client, type ClientOptions, type Clip } from "./client.js";
export { ARKIT_CURVES } from "./curves.js";
export { FacestreamError } from "./errors.js";
export { PlaybackClock, type Face, type PlaybackOptions } from "./playback.js";
export type { AnimationStream } from "./stream.js";
export type * from "./types.js";
