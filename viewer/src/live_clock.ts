// Which position to draw now when frames come live, in bursts: as late as it must be for hardly any to be missing, no later.

/** So long slacks are remembered. */
const REMEMBERED_MS = 2000;
/** Share of the bursts that may be late: the face stands still for a moment rather than be late for seconds. */
const LATE_SHARE = 0.06;
/** A face may stand still before every burst for as long as one picture is to be seen, up to so long: 16 ms where 60 are drawn a
 * second, 33 where 30 are, which is 16 sooner and no less even. */
const MOST_HELD_MS = 34;
/** Share of a new picture's time in what pictures are taken to last. */
const NEW_SHARE = 0.1;
/** Most by which the position is moved, per millisecond of time, to a new slack. */
const PULL = 0.06;

export class LiveClock {
  readonly #slacks: { readonly at: number; readonly slack: number }[] = [];
  #offset: number | undefined;
  #askedAt = 0;
  #pictureMs = 16;

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
    const sorted = this.#slacks.map(({ slack }) => slack).sort((a, b) => a - b);
    const passed = now - this.#askedAt;
    this.#pictureMs += NEW_SHARE * (Math.min(passed, MOST_HELD_MS) - this.#pictureMs);
    const wanted = sorted[Math.floor(LATE_SHARE * sorted.length)]! + this.#pictureMs * this.samplesPerMs;
    const most = PULL * passed * this.samplesPerMs;
    const step = wanted - (this.#offset ?? wanted);
    this.#offset = (this.#offset ?? wanted) + Math.max(-4 * most, Math.min(most, step));
    this.#askedAt = now;
    return now * this.samplesPerMs + this.#offset;
  }
}
