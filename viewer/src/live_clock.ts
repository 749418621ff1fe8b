// Which position to draw now when frames come live, in bursts: as late as it must be for none to be missing, no later.

/** So long the least slack is remembered. */
const REMEMBERED_MS = 2000;
/** Most by which the position is moved, per millisecond of time, to a new slack. */
const PULL = 0.06;

export class LiveClock {
  readonly #slacks: { readonly at: number; readonly slack: number }[] = [];
  #offset: number | undefined;
  #askedAt = 0;

  constructor(private readonly samplesPerMs: number) {}

  /** Frames came at `now`; until then `newest` was the last sample they reached. */
  received(newest: number, now: number): void {
    if (!Number.isFinite(newest)) return;
    this.#slacks.push({ at: now, slack: newest - now * this.samplesPerMs });
    while (this.#slacks[0]!.at < now - REMEMBERED_MS) this.#slacks.shift();
  }

  /** The position to draw; negative before frames came twice. */
  sample(now: number): number {
    if (this.#slacks.length === 0) return -1;
    const wanted = Math.min(...this.#slacks.map(({ slack }) => slack));
    const most = PULL * (now - this.#askedAt) * this.samplesPerMs;
    const step = wanted - (this.#offset ?? wanted);
    this.#offset = (this.#offset ?? wanted) + Math.max(-4 * most, Math.min(most, step));
    this.#askedAt = now;
    return now * this.samplesPerMs + this.#offset;
  }
}
