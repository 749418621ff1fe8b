// A take as the Live Link Face app writes it, which Unreal imports. The same columns and digits as `facestream animate`.

import { anglesOf, type Take } from "./take.js";

/** The app's order of the shapes, in which it writes their names with a capital. */
export const SHAPES: readonly string[] = (
  "eyeBlinkLeft eyeLookDownLeft eyeLookInLeft eyeLookOutLeft eyeLookUpLeft eyeSquintLeft eyeWideLeft " +
  "eyeBlinkRight eyeLookDownRight eyeLookInRight eyeLookOutRight eyeLookUpRight eyeSquintRight " +
  "eyeWideRight jawForward jawRight jawLeft jawOpen mouthClose mouthFunnel mouthPucker mouthRight " +
  "mouthLeft mouthSmileLeft mouthSmileRight mouthFrownLeft mouthFrownRight mouthDimpleLeft " +
  "mouthDimpleRight mouthStretchLeft mouthStretchRight mouthRollLower mouthRollUpper mouthShrugLower " +
  "mouthShrugUpper mouthPressLeft mouthPressRight mouthLowerDownLeft mouthLowerDownRight " +
  "mouthUpperUpLeft mouthUpperUpRight browDownLeft browDownRight browInnerUp browOuterUpLeft " +
  "browOuterUpRight cheekPuff cheekSquintLeft cheekSquintRight noseSneerLeft noseSneerRight tongueOut "
).trim().split(" "); // prettier-ignore
const ROTATIONS = ["Head", "LeftEye", "RightEye"].flatMap((part) => ["Yaw", "Pitch", "Roll"].map((axis) => part + axis));
const TIMECODE_RATE = 60;

export function csvOf(take: Take): Blob {
  const capital = (name: string): string => name[0]!.toUpperCase() + name.slice(1);
  const lines = [["Timecode", "BlendShapeCount", ...SHAPES.map(capital), ...ROTATIONS].join(",")];
  const columns = SHAPES.map((name) => take.curveNames.indexOf(name));
  const { numerator, denominator } = take.frameRate;
  take.weights.forEach((weights, index) => {
    const shapes = columns.map((column) => (column < 0 ? 0 : weights[column]!));
    const turns = take.rotations[index]?.flatMap((turn) => anglesOf(turn)) ?? ROTATIONS.map(() => 0);
    const cells = [...shapes, ...turns].map((value) => (value + 0).toFixed(10));
    lines.push([timecode((index * denominator) / numerator), SHAPES.length + ROTATIONS.length, ...cells].join(","));
  });
  return new Blob([lines.join("\n") + "\n"], { type: "text/csv" });
}

/** `HH:MM:SS:FF.mmm`; `mmm` is thousandths of a frame. */
export function timecode(seconds: number): string {
  const thousandths = Math.round(seconds * TIMECODE_RATE * 1000);
  const two = (value: number): string => String(value).padStart(2, "0");
  const frames = Math.floor(thousandths / 1000);
  const whole = Math.floor(frames / TIMECODE_RATE);
  const clock = [Math.floor(whole / 3600) % 24, Math.floor(whole / 60) % 60, whole % 60, frames % TIMECODE_RATE];
  return `${clock.map(two).join(":")}.${String(thousandths % 1000).padStart(3, "0")}`;
}
