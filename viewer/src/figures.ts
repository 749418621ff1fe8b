// What the page measures of itself: how long a sound takes to be a drawn face, frames a second, frames in hand.

const KEPT = 240;

/** Times at which positions of a sound passed a point. */
export class Passings {
  readonly #marks: { readonly sample: number; readonly at: number }[] = [];

  /** `sample` is the end of what passed at `at` (ms). */
  add(sample: number, at: number): void {
    this.#marks.push({ sample, at });
    if (this.#marks.length > 4 * KEPT) this.#marks.splice(0, KEPT);
  }

  /** When `sample` passed, if that is still known. */
  of(sample: number): number | undefined {
    return this.#marks.find((mark) => mark.sample > sample)?.at;
  }
}

export class Figures {
  /** Milliseconds from a sound in hand to the drawing of its face begun, of the newest pictures drawn live. */
  readonly voiceToFace: number[] = [];
  /** Milliseconds from sound sent to its frame received. */
  readonly sentToReceived: number[] = [];
  /** Milliseconds from the last sound that a frame needs, sent, to the frame received: network and server. */
  readonly neededToReceived: number[] = [];
  /** Milliseconds from the drawing of a picture begun to the picture there, of some pictures. */
  readonly drawing: number[] = [];
  /** Milliseconds by which the face of a picture, once it is there, is later than the sound that is audible then. */
  readonly behindSound: number[] = [];
  /** Pictures of a recording while it sounds, and those of them whose frame was missing. */
  pictures = 0;
  starved = 0;
  /** Milliseconds from the wish to play a recording to its first face. */
  started: number | undefined;
  /** Milliseconds between drawn pictures. */
  readonly betweenPictures: number[] = [];
  buffered = 0;
  #drawnAt = 0;

  static note(values: number[], value: number): void {
    values.push(value);
    if (values.length > KEPT) values.shift();
  }

  drawn(at: number): void {
    if (this.#drawnAt > 0 && at - this.#drawnAt < 1000) Figures.note(this.betweenPictures, at - this.#drawnAt);
    this.#drawnAt = at;
  }

  clear(): void {
    for (const values of [this.voiceToFace, this.sentToReceived, this.neededToReceived, this.drawing, this.behindSound, this.betweenPictures])
      values.length = 0;
    this.buffered = this.pictures = this.starved = 0;
  }
}

export function median(values: readonly number[]): number | undefined {
  if (values.length === 0) return undefined;
  return [...values].sort((a, b) => a - b)[values.length >> 1];
}
