// A take as an animation of the open head: the head's own file with tracks added, as `facestream animate` makes it.

import type { Take } from "./take.js";

const [MAGIC, JSON_CHUNK, BINARY_CHUNK] = [0x46546c67, 0x4e4f534a, 0x004e4942];
const TURNED = ["neck", "eye_left", "eye_right"];

interface Document {
  accessors: object[];
  bufferViews: object[];
  buffers: { byteLength: number }[];
  meshes: { extras?: { targetNames?: string[] } }[];
  nodes: { name?: string; mesh?: number }[];
  animations?: object[];
}

/** `head` is the file of the head at rest. */
export function glbOf(take: Take, head: ArrayBuffer): Blob {
  const [document, binary] = opened(head);
  const added: Float32Array[] = [];
  let end = binary.byteLength;

  const store = (values: Float32Array, type: "SCALAR" | "VEC4", bounds: object = {}): number => {
    document.bufferViews.push({ buffer: 0, byteOffset: end, byteLength: values.byteLength });
    const count = type === "VEC4" ? values.length / 4 : values.length;
    document.accessors.push({ bufferView: document.bufferViews.length - 1, componentType: 5126, count, type, ...bounds });
    added.push(values);
    end += values.byteLength;
    return document.accessors.length - 1;
  };

  const { numerator, denominator } = take.frameRate;
  const times = Float32Array.from({ length: take.count }, (_, index) => (index * denominator) / numerator);
  const clock = store(times, "SCALAR", { min: [0], max: [times.at(-1) ?? 0] });
  const samplers: object[] = [];
  const channels: object[] = [];
  const track = (node: number, path: "rotation" | "weights", values: Float32Array): void => {
    samplers.push({ input: clock, interpolation: "LINEAR", output: store(values, path === "rotation" ? "VEC4" : "SCALAR") });
    channels.push({ sampler: samplers.length - 1, target: { node, path } });
  };
  document.nodes.forEach((node, place) => {
    const part = TURNED.indexOf(node.name ?? "");
    const names = node.mesh === undefined ? undefined : document.meshes[node.mesh]?.extras?.targetNames;
    if (part >= 0) track(place, "rotation", rows(take.rotations, (turns) => turns?.[part as 0] ?? [0, 0, 0, 1]));
    else if (names !== undefined) {
      const columns = names.map((name) => take.curveNames.indexOf(name));
      track(place, "weights", rows(take.weights, (row) => columns.map((column) => (column < 0 ? 0 : row[column]!))));
    }
  });
  const extras = { facestream: { frame_rate: [numerator, denominator], first_index: 0 } };
  document.animations = [{ name: "take", samplers, channels, extras }, ...(document.animations ?? [])];
  document.buffers = [{ byteLength: end }];
  return packed(document, [binary, ...added], end);
}

function rows<Row>(all: readonly Row[], of: (row: Row) => ArrayLike<number>): Float32Array {
  return Float32Array.from(all.flatMap((row) => Array.from(of(row))));
}

function opened(file: ArrayBuffer): [Document, Uint8Array] {
  const view = new DataView(file);
  if (view.getUint32(0, true) !== MAGIC || view.getUint32(16, true) !== JSON_CHUNK) throw new Error("the head is no GLB file");
  const length = view.getUint32(12, true);
  const document = JSON.parse(new TextDecoder().decode(new Uint8Array(file, 20, length))) as Document;
  return [document, new Uint8Array(file, 28 + length)];
}

function packed(document: Document, parts: readonly ArrayBufferView[], length: number): Blob {
  const json = new TextEncoder().encode(JSON.stringify(document));
  const padding = " ".repeat((4 - (json.length % 4)) % 4);
  const text = json.length + padding.length;
  const words = (...values: number[]): Uint8Array => new Uint8Array(Uint32Array.from(values).buffer);
  return new Blob(
    [
      words(MAGIC, 2, 28 + text + length, text, JSON_CHUNK), json, padding, words(length, BINARY_CHUNK),
      ...parts,
    ] as BlobPart[],
    { type: "model/gltf-binary" },
  ); // prettier-ignore
}
