// The open head's file, and what every way of drawing it has in common.

import { type Group, type Object3D, Quaternion } from "three";
import { GLTFLoader } from "three/examples/jsm/loaders/GLTFLoader.js";

/** Weights by the stream's columns; rotations as quaternions x y z w. */
export interface Worn {
  readonly weights: Float32Array;
  readonly head: ArrayLike<number>;
  readonly leftEye: ArrayLike<number>;
  readonly rightEye: ArrayLike<number>;
}

/** A head in a scene that can put on a face. */
export interface Head {
  readonly root: Object3D;
  /** Which curve each column of the weights is. */
  curveNames: readonly string[];
  wear(face: Worn): void;
}

/** Eyeballs turn by rotation; their gaze targets are for rigs that know weights only. */
export const GAZE = /^eyeLook/;

export async function loadHead(address: string): Promise<Group> {
  return (await new GLTFLoader().loadAsync(address)).scene;
}

/** The nodes that turn. */
export class Turning {
  readonly neck: Object3D;
  readonly eyes: readonly [Object3D, Object3D];
  readonly #turn = new Quaternion();

  constructor(root: Object3D) {
    const node = (name: string): Object3D => {
      const found = root.getObjectByName(name);
      if (found === undefined) throw new Error(`the head has no node ${name}`);
      return found;
    };
    this.neck = node("neck");
    this.eyes = [node("eye_left"), node("eye_right")];
  }

  wear(face: Worn): void {
    this.neck.quaternion.copy(this.#of(face.head));
    this.eyes[0].quaternion.copy(this.#of(face.leftEye));
    this.eyes[1].quaternion.copy(this.#of(face.rightEye));
  }

  isEye(object: Object3D | null): boolean {
    return object !== null && (this.eyes.includes(object) || this.isEye(object.parent));
  }

  #of(values: ArrayLike<number>): Quaternion {
    return this.#turn.set(values[0] ?? 0, values[1] ?? 0, values[2] ?? 0, values[3] ?? 1);
  }
}
