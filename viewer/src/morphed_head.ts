// The head as a GPU draws it: morph targets in the vertex shader, physical surfaces.

import type { Mesh, Object3D } from "three";
import { GAZE, type Head, Turning, type Worn } from "./head.js";
import { dress } from "./materials.js";

export class MorphedHead implements Head {
  readonly #turning: Turning;
  readonly #dictionaries: { readonly names: Record<string, number>; readonly influences: number[]; isEye: boolean }[] = [];
  readonly #meshes: { readonly influences: number[]; readonly columns: number[] }[] = [];
  #names: readonly string[] = [];

  /** Takes over the scene of the head's file. */
  constructor(readonly root: Object3D) {
    dress(root);
    this.#turning = new Turning(root);
    root.traverse((object) => {
      const mesh = object as Mesh;
      if (mesh.isMesh !== true) return;
      mesh.frustumCulled = false;
      const { morphTargetDictionary: names, morphTargetInfluences: influences } = mesh;
      if (names !== undefined && influences !== undefined)
        this.#dictionaries.push({ names, influences, isEye: this.#turning.isEye(mesh) });
    });
  }

  get curveNames(): readonly string[] {
    return this.#names;
  }

  set curveNames(names: readonly string[]) {
    if (names === this.#names) return;
    this.#names = names;
    this.#meshes.length = 0;
    for (const { names: places, influences, isEye } of this.#dictionaries) {
      influences.fill(0);
      this.#meshes.push({ influences, columns: names.map((name) => (isEye && GAZE.test(name) ? -1 : (places[name] ?? -1))) });
    }
  }

  wear(face: Worn): void {
    for (const { influences, columns } of this.#meshes)
      for (let column = 0; column < columns.length; column++) {
        const place = columns[column]!;
        if (place >= 0) influences[place] = face.weights[column]!;
      }
    this.#turning.wear(face);
  }
}
