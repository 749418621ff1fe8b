// The open head in the scene: its meshes, how a face of weights and rotations is put on, and how it lives when idle.

import { type Group, type Mesh, type Object3D, Quaternion } from "three";
import { GLTFLoader } from "three/examples/jsm/loaders/GLTFLoader.js";
import { dress } from "./materials.js";

/** Weights by the stream's columns; rotations as quaternions x y z w. */
export interface Worn {
  readonly weights: Float32Array;
  readonly head: ArrayLike<number>;
  readonly leftEye: ArrayLike<number>;
  readonly rightEye: ArrayLike<number>;
}

const GAZE = /^eyeLook/;

export class Head {
  readonly root: Group;
  readonly #meshes: { readonly influences: number[]; readonly columns: number[]; readonly isEye: boolean }[] = [];
  readonly #neck: Object3D;
  readonly #eyes: readonly [Object3D, Object3D];
  readonly #turn = new Quaternion();
  #names: readonly string[] = [];
  readonly #dictionaries: { readonly names: Record<string, number>; readonly influences: number[]; isEye: boolean }[] = [];

  private constructor(root: Group) {
    this.root = root;
    const node = (name: string): Object3D => {
      const found = root.getObjectByName(name);
      if (found === undefined) throw new Error(`the head has no node ${name}`);
      return found;
    };
    this.#neck = node("neck");
    this.#eyes = [node("eye_left"), node("eye_right")];
    const within = (object: Object3D | null): boolean =>
      object !== null && (this.#eyes.includes(object) || within(object.parent));
    root.traverse((object) => {
      const mesh = object as Mesh;
      if (mesh.isMesh !== true) return;
      mesh.frustumCulled = false;
      if (mesh.morphTargetDictionary !== undefined && mesh.morphTargetInfluences !== undefined)
        this.#dictionaries.push({
          names: mesh.morphTargetDictionary,
          influences: mesh.morphTargetInfluences,
          isEye: within(mesh),
        });
    });
  }

  static async load(address: string, isFine: boolean): Promise<Head> {
    const loaded = await new GLTFLoader().loadAsync(address);
    dress(loaded.scene, isFine);
    return new Head(loaded.scene);
  }

  /** Which curve each column of the weights is. */
  set curveNames(names: readonly string[]) {
    if (names === this.#names) return;
    this.#names = names;
    this.#meshes.length = 0;
    for (const { names: places, influences, isEye } of this.#dictionaries) {
      influences.fill(0);
      this.#meshes.push({ influences, columns: names.map((name) => places[name] ?? -1), isEye });
    }
  }

  wear(face: Worn): void {
    const { weights } = face;
    for (const { influences, columns, isEye } of this.#meshes)
      for (let column = 0; column < columns.length; column++) {
        const place = columns[column]!;
        // eyeballs turn by rotation; their gaze targets are for rigs that know weights only
        if (place >= 0) influences[place] = isEye && GAZE.test(this.#names[column]!) ? 0 : weights[column]!;
      }
    this.#neck.quaternion.copy(this.#of(face.head));
    this.#eyes[0].quaternion.copy(this.#of(face.leftEye));
    this.#eyes[1].quaternion.copy(this.#of(face.rightEye));
  }

  #of(values: ArrayLike<number>): Quaternion {
    return this.#turn.set(values[0] ?? 0, values[1] ?? 0, values[2] ?? 0, values[3] ?? 1);
  }
}
