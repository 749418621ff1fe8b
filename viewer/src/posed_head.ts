// The head where no GPU draws: posed on the processor, by the points that a shape really moves and by the shapes that are
// worn; one buffer, four draws, and a light that costs little (`plain_surface.ts`).
//
// In a software renderer the usual way, 52 targets read from a texture for every vertex and physical surfaces under five
// lights, costs a picture more than all the rest of the page.

import {
  BufferAttribute, BufferGeometry, DynamicDrawUsage, Group, InterleavedBuffer, InterleavedBufferAttribute, Matrix3, Mesh,
  type MeshStandardMaterial, Object3D, type ShaderMaterial, type SkinnedMesh, Vector3,
} from "three"; // prettier-ignore
import { type Head, Turning, type Worn } from "./head.js";
import { plainEye, plainSurface, surfaceOf } from "./plain_surface.js";

/** Position and normal. */
const WIDTH = 6;
/** A weight below moves no point by a pixel. */
const LEAST = 0.002;
/** A target moves a point that goes further than this (metres), or whose normal turns further. */
const STILL = [2e-6, 2e-6, 2e-6, 4e-3, 4e-3, 4e-3];

/** What one curve adds, for the points it moves: their numbers, and `WIDTH` values for each. */
interface Shape {
  readonly points: Uint16Array;
  readonly added: Float32Array;
}

export class PosedHead implements Head {
  readonly root = new Group();
  readonly #turning: Turning;
  readonly #rest: Float32Array;
  readonly #posed: InterleavedBuffer;
  readonly #shapes: ReadonlyMap<string, Shape>;
  readonly #neckTurn = new Matrix3();
  #names: readonly string[] = [];
  #worn: (Shape | undefined)[] = [];

  /** Reads the scene of the head's file, and leaves it as it is. */
  constructor(file: Object3D) {
    const place = new Turning(file);
    const meshes: Mesh[] = [];
    file.traverse((object) => {
      if ((object as Mesh).isMesh === true) meshes.push(object as Mesh);
    });
    const parts = meshes.filter((mesh) => !place.isEye(mesh));
    const count = parts.reduce((sum, mesh) => sum + mesh.geometry.getAttribute("position").count, 0);
    this.#rest = new Float32Array(WIDTH * count);
    const neck = place.neck.position;
    const surfaces = new Surfaces(count);
    const gathered = new Map<string, { points: number[]; added: number[] }>();
    let first = 0;
    for (const mesh of parts) {
      readPart(mesh, first, neck, this.#rest, gathered);
      surfaces.add(mesh, first);
      first += mesh.geometry.getAttribute("position").count;
    }
    this.#shapes = new Map(
      [...gathered].map(([name, { points, added }]) => [name, { points: Uint16Array.from(points), added: Float32Array.from(added) }]),
    );
    this.#posed = new InterleavedBuffer(this.#rest.slice(), WIDTH).setUsage(DynamicDrawUsage);
    const attributes = surfaces.attributes(this.#posed);
    for (const kind of ["front", "both", "blended"] as const)
      this.root.add(drawn(attributes, surfaces.indices[kind], plainSurface(kind, this.#neckTurn, neck)));
    const turned = new Group();
    turned.name = "neck";
    turned.position.copy(neck);
    for (const eye of place.eyes) turned.add(eyeball(eye));
    this.root.add(turned);
    this.#turning = new Turning(this.root);
  }

  get curveNames(): readonly string[] {
    return this.#names;
  }

  set curveNames(names: readonly string[]) {
    this.#names = names;
    this.#worn = names.map((name) => this.#shapes.get(name));
  }

  wear(face: Worn): void {
    const posed = this.#posed.array as Float32Array;
    posed.set(this.#rest);
    for (let column = 0; column < this.#worn.length; column++) {
      const [shape, weight] = [this.#worn[column], face.weights[column]!];
      if (shape === undefined || weight < LEAST) continue;
      const { points, added } = shape;
      for (let number = 0, from = 0; number < points.length; number++) {
        const to = WIDTH * points[number]!;
        for (let part = 0; part < WIDTH; part++) posed[to + part]! += weight * added[from++]!;
      }
    }
    this.#posed.needsUpdate = true;
    this.#turning.wear(face);
    this.#turning.neck.updateMatrix();
    this.#neckTurn.setFromMatrix4(this.#turning.neck.matrix);
  }
}

/** What is drawn of which points: colours and surfaces, and the triangles by how they are drawn. */
class Surfaces {
  readonly indices = { front: [] as number[], both: [] as number[], blended: [] as number[] };
  readonly #colours: Float32Array;
  readonly #surfaces: Float32Array;

  constructor(count: number) {
    this.#colours = new Float32Array(4 * count);
    this.#surfaces = new Float32Array(4 * count);
  }

  add(mesh: Mesh, first: number): void {
    const { geometry } = mesh;
    const name = (mesh.material as MeshStandardMaterial).name;
    const { tint, gloss, sharpness, inside, kind } = surfaceOf(name);
    const colour = geometry.getAttribute("color");
    const skinned = geometry.getAttribute("skinWeight");
    const joints = geometry.getAttribute("skinIndex");
    for (let point = 0; point < colour.count; point++) {
      const alpha = colour.itemSize > 3 ? colour.getW(point) : 1;
      this.#colours.set([tint.r * colour.getX(point), tint.g * colour.getY(point), tint.b * colour.getZ(point), alpha], 4 * (first + point));
      let follows = 1;
      if (skinned !== undefined && (mesh as SkinnedMesh).isSkinnedMesh) {
        const weights = [skinned.getX(point), skinned.getY(point), skinned.getZ(point), skinned.getW(point)];
        const bones = [joints.getX(point), joints.getY(point), joints.getZ(point), joints.getW(point)];
        const { skeleton } = mesh as SkinnedMesh;
        follows = weights.reduce((sum, weight, slot) => sum + (skeleton.bones[bones[slot]!]?.name === "neck" ? weight : 0), 0);
      }
      this.#surfaces.set([gloss, sharpness, inside, follows], 4 * (first + point));
    }
    const index = geometry.getIndex()!;
    for (let corner = 0; corner < index.count; corner++) this.indices[kind].push(first + index.getX(corner));
  }

  attributes(posed: InterleavedBuffer): BufferGeometry {
    return new BufferGeometry()
      .setAttribute("position", new InterleavedBufferAttribute(posed, 3, 0))
      .setAttribute("normal", new InterleavedBufferAttribute(posed, 3, 3))
      .setAttribute("colour", new BufferAttribute(this.#colours, 4))
      .setAttribute("surface", new BufferAttribute(this.#surfaces, 4));
  }
}

/** Places as the neck has them, and which points a target moves. */
function readPart(
  mesh: Mesh, first: number, neck: Vector3, rest: Float32Array,
  gathered: Map<string, { points: number[]; added: number[] }>,
): void {
  const { geometry } = mesh;
  const [position, normal] = [geometry.getAttribute("position"), geometry.getAttribute("normal")];
  // a skinned mesh stands where its file says, the others hang on the neck
  const moved = (mesh as SkinnedMesh).isSkinnedMesh ? neck : new Vector3();
  for (let point = 0; point < position.count; point++)
    rest.set(
      [
        position.getX(point) - moved.x, position.getY(point) - moved.y, position.getZ(point) - moved.z,
        normal.getX(point), normal.getY(point), normal.getZ(point),
      ],
      WIDTH * (first + point),
    ); // prettier-ignore
  for (const [name, target] of Object.entries(mesh.morphTargetDictionary ?? {})) {
    const [moves, turns] = [geometry.morphAttributes.position![target]!, geometry.morphAttributes.normal![target]!];
    const shape = gathered.get(name) ?? { points: [], added: [] };
    gathered.set(name, shape);
    for (let point = 0; point < position.count; point++) {
      const values = [
        moves.getX(point), moves.getY(point), moves.getZ(point), turns.getX(point), turns.getY(point), turns.getZ(point),
      ]; // prettier-ignore
      if (!values.some((value, part) => Math.abs(value) > STILL[part]!)) continue;
      shape.points.push(first + point);
      shape.added.push(...values);
    }
  }
} // prettier-ignore

function drawn(shared: BufferGeometry, index: readonly number[], material: ShaderMaterial): Mesh {
  const geometry = new BufferGeometry();
  for (const [name, attribute] of Object.entries(shared.attributes)) geometry.setAttribute(name, attribute);
  geometry.setIndex(index as number[]);
  const mesh = new Mesh(geometry, material);
  mesh.frustumCulled = false;
  const { tall } = material.uniforms;
  if (tall !== undefined) mesh.onBeforeRender = (renderer) => (tall.value = renderer.domElement.height);
  return mesh;
}

/** All of an eyeball as one mesh that only turns: its gaze is its rotation. */
function eyeball(node: Object3D): Object3D {
  const places: number[] = [];
  const index: number[] = [];
  node.traverse((object) => {
    const mesh = object as Mesh;
    if (mesh.isMesh !== true) return;
    const [position, corners] = [mesh.geometry.getAttribute("position"), mesh.geometry.getIndex()!];
    for (let corner = 0; corner < corners.count; corner++) index.push(places.length / 3 + corners.getX(corner));
    for (let point = 0; point < position.count; point++) places.push(position.getX(point), position.getY(point), position.getZ(point));
  });
  const geometry = new BufferGeometry().setAttribute("position", new BufferAttribute(Float32Array.from(places), 3));
  const eye = new Object3D();
  eye.name = node.name;
  eye.position.copy(node.position);
  eye.add(drawn(geometry, index, plainEye()));
  return eye;
}
