// What frames are made of, and whether a server speaks of the same.

import { FacestreamError } from "./errors.js";
import type { Frames } from "./types.js";

/** Apple's 52 blendshapes in Apple's order: what `curveNames` of a stream names, in an order of the server's own. */
export const ARKIT_CURVES: readonly string[] = [
  "eyeBlinkLeft", "eyeLookDownLeft", "eyeLookInLeft", "eyeLookOutLeft", "eyeLookUpLeft", "eyeSquintLeft",
  "eyeWideLeft", "eyeBlinkRight", "eyeLookDownRight", "eyeLookInRight", "eyeLookOutRight", "eyeLookUpRight",
  "eyeSquintRight", "eyeWideRight", "jawForward", "jawLeft", "jawRight", "jawOpen", "mouthClose", "mouthFunnel",
  "mouthPucker", "mouthLeft", "mouthRight", "mouthSmileLeft", "mouthSmileRight", "mouthFrownLeft",
  "mouthFrownRight", "mouthDimpleLeft", "mouthDimpleRight", "mouthStretchLeft", "mouthStretchRight",
  "mouthRollLower", "mouthRollUpper", "mouthShrugLower", "mouthShrugUpper", "mouthPressLeft", "mouthPressRight",
  "mouthLowerDownLeft", "mouthLowerDownRight", "mouthUpperUpLeft", "mouthUpperUpRight", "browDownLeft",
  "browDownRight", "browInnerUp", "browOuterUpLeft", "browOuterUpRight", "cheekPuff", "cheekSquintLeft",
  "cheekSquintRight", "noseSneerLeft", "noseSneerRight", "tongueOut",
]; // prettier-ignore

const SAME = "use a server and a client of the same version";

/** What is wrong with a server whose first answer does not begin a stream. */
export function unstarted(): FacestreamError {
  return other("the server answered without 'started'; it speaks another version of facestream.v1");
}

/** Throws where a server's curves are not the 52, in whatever order. */
export function checkCurves(names: readonly string[]): void {
  const missing = ARKIT_CURVES.find((name) => !names.includes(name));
  if (missing !== undefined) throw other(`the server sends ${names.length} curves and not '${missing}'; ${SAME}`);
  const place = names.findIndex((name, index) => !ARKIT_CURVES.includes(name) || names.indexOf(name) !== index);
  if (place >= 0) throw other(`the server's curve ${place} is '${names[place]}', which is unknown or comes twice; ${SAME}`);
}

/** Throws where a run is not whole, or begins before the frame that is due. */
export function checkFrames(run: Frames, due: number): void {
  if (run.firstIndex < due) {
    const text = `the server sent frame ${run.firstIndex} behind frame ${due - 1}; frames must come in order`;
    throw new FacestreamError("OUT_OF_ORDER", text);
  }
  const turns = run.head.length > 0 ? 4 * run.count : 0;
  const isWhole =
    run.count > 0 &&
    run.weights.length === run.count * ARKIT_CURVES.length &&
    [run.head, run.leftEye, run.rightEye].every((rotations) => rotations.length === turns);
  if (isWhole) return;
  const told = `${run.weights.length} weights for ${run.count} frames of ${ARKIT_CURVES.length} curves`;
  throw other(`the server sent ${told}; ${SAME}`);
}

function other(text: string): FacestreamError {
  return new FacestreamError("OTHER_VERSION", text);
}
