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
  /** Milliseconds from a sound in hand to its face drawn, of the newest frames drawn live. */
  readonly voiceToFace: number[] = [];
  /** Milliseconds from sound sent to its frame received. */
  readonly sentToReceived: number[] = [];
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
    this.voiceToFace.length = this.sentToReceived.length = this.betweenPictures.length = 0;
    this.buffered = 0;
  }
}

export function median(values: readonly number[]): number | undefined {
  if (values.length === 0) return undefined;
  return [...values].sort((a, b) => a - b)[values.length >> 1];
}
