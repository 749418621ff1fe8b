// How finely the head is drawn: more coarsely while pictures come late, finely again when they have long been in time.

export interface Step {
  /** Whether a GPU's surfaces are drawn, or the plain ones. */
  readonly isFine: boolean;
  /** Most pixels of a picture. */
  readonly pixels: number;
}

const STEPS: readonly Step[] = [
  { isFine: true, pixels: Infinity },
  { isFine: true, pixels: 600_000 },
  { isFine: false, pixels: 360_000 },
  { isFine: false, pixels: 200_000 },
  { isFine: false, pixels: 110_000 },
  { isFine: false, pixels: 60_000 },
];
const WITHOUT_GPU = 3;
/** Milliseconds between two pictures that are too many, and so few that there may be time to spare. */
const [LATE_MS, PROMPT_MS] = [45, 36];
/** Longer is no slowness: the page was hidden, or the reader's machine slept. */
const ELSEWHERE_MS = 600;
/** Pictures that are judged together. */
const JUDGED = 16;
/** Time in which a finer step is not tried; twice as long after each one that was too much. */
const [FIRST_CALM_MS, MOST_CALM_MS] = [4000, 64_000];

export class Quality {
  readonly #finest: number;
  readonly #coarsest: number;
  #at: number;
  #between: number[] = [];
  #since = 0;
  #calmMs = FIRST_CALM_MS;
  #rose = false;

  /** `drawnBy` is the renderer in the browser's words; `wanted` is "fine", "plain" or nothing in particular. */
  constructor(drawnBy: string, wanted: string | null) {
    const isSoftware = /swiftshader|llvmpipe|software|basic render/i.test(drawnBy);
    this.#finest = wanted === "plain" || (wanted !== "fine" && isSoftware) ? WITHOUT_GPU : 0;
    this.#coarsest = wanted === "fine" ? 0 : STEPS.length - 1;
    this.#at = this.#finest === 0 ? 0 : WITHOUT_GPU;
  }

  get step(): Step {
    return STEPS[this.#at]!;
  }

  /** A picture came `betweenMs` behind the one before it. Returns whether the step is another one now. */
  drawn(betweenMs: number): boolean {
    if (betweenMs > ELSEWHERE_MS) return false;
    this.#since += betweenMs;
    this.#between.push(betweenMs);
    if (this.#between.length < JUDGED) return false;
    const middle = this.#between.sort((a, b) => a - b)[JUDGED >> 1]!;
    this.#between = [];
    if (middle > LATE_MS && this.#at < this.#coarsest) {
      if (this.#rose) this.#calmMs = Math.min(2 * this.#calmMs, MOST_CALM_MS);
      return this.#goTo(this.#at + 1, false);
    }
    if (middle < PROMPT_MS && this.#at > this.#finest && this.#since > this.#calmMs) return this.#goTo(this.#at - 1, true);
    return false;
  }

  #goTo(place: number, rose: boolean): boolean {
    [this.#at, this.#rose, this.#since] = [place, rose, 0];
    return true;
  }
}
