// All weights as they are now: one bar each, named, in the groups in which a face is thought of.

const GROUPS: readonly (readonly [string, RegExp])[] = [
  ["Jaw", /^jaw/],
  ["Mouth", /^(mouth|tongue)/],
  ["Eyes", /^eye/],
  ["Brows, cheeks, nose", /^(brow|cheek|nose)/],
];
const [INK, SOFT, FAINT, WARM] = ["#eef0f1", "#a3abb2", "#6d757c", "#f0b37e"];
const HEADING = 1.5;
/** Share of a peak that is left after a second. */
const PEAK_LEFT = 0.25;
/** Time between two drawings; without a GPU each costs the processor that draws the head. */
const [FINE_MS, PLAIN_MS] = [45, 120];

interface Row {
  readonly name: string;
  /** Of the weights; -1 for a heading. */
  readonly column: number;
}

interface Lane {
  readonly name: string;
  readonly column: number;
  readonly x: number;
  readonly middle: number;
  readonly tall: number;
  readonly label: number;
  readonly left: number;
  readonly room: number;
  peak: number;
  /** What is drawn now. */
  ink: string;
  end: number;
  shownPeak: number;
}

export class Curves {
  readonly #context: CanvasRenderingContext2D;
  #rows: Row[] = [];
  #lanes: Lane[] = [];
  #names: readonly string[] = [];
  #drawnAt = 0;

  constructor(private readonly canvas: HTMLCanvasElement) {
    this.#context = canvas.getContext("2d")!;
  }

  set names(names: readonly string[]) {
    if (names === this.#names) return;
    this.#names = names;
    this.#lanes = [];
    this.#rows = GROUPS.flatMap(([heading, belongs]) => [
      { name: heading, column: -1 },
      ...names.flatMap((name, column) => (belongs.test(name) ? [{ name, column }] : [])),
    ]);
  }

  /** Names are written once, and again when the eye should find them; bars and peaks are drawn as they move. */
  draw(weights: ArrayLike<number>, now: number, isFine: boolean): void {
    const { canvas } = this;
    if (now - this.#drawnAt < (isFine ? FINE_MS : PLAIN_MS)) return;
    const [width, height] = [canvas.clientWidth, canvas.clientHeight];
    if (width === 0 || height === 0) return;
    const fade = PEAK_LEFT ** ((now - this.#drawnAt) / 1000);
    this.#drawnAt = now;
    const ratio = Math.min(devicePixelRatio, 2);
    const pen = this.#context;
    if (canvas.width !== Math.round(width * ratio) || canvas.height !== Math.round(height * ratio) || this.#lanes.length === 0) {
      [canvas.width, canvas.height] = [Math.round(width * ratio), Math.round(height * ratio)];
      pen.setTransform(ratio, 0, 0, ratio, 0, 0);
      this.#arrange(width, height);
    }
    for (const lane of this.#lanes) {
      const value = Math.min(1, weights[lane.column] ?? 0);
      lane.peak = Math.max(value, lane.peak * fade);
      const ink = value > 0.04 ? (value > 0.3 ? INK : SOFT) : FAINT;
      if (ink !== lane.ink) this.#write(lane, ink);
      const [end, peak] = [Math.round(lane.room * value * ratio) / ratio, Math.round(lane.room * lane.peak * ratio) / ratio];
      if (end === lane.end && peak === lane.shownPeak) continue;
      [lane.end, lane.shownPeak] = [end, peak];
      pen.clearRect(lane.left, lane.middle - 2, lane.room + 1, 4);
      pen.fillStyle = "rgb(255 255 255 / 7%)";
      pen.fillRect(lane.left, lane.middle - 1.5, lane.room, 3);
      pen.fillStyle = WARM;
      pen.fillRect(lane.left, lane.middle - 1.5, end, 3);
      if (lane.peak > 0.02) pen.fillRect(lane.left + peak - 1, lane.middle - 1.5, 1, 3);
    }
  }

  /** Where every row is; its heading is written, its name with its first bar. */
  #arrange(width: number, height: number): void {
    const pen = this.#context;
    const columns = height < 560 ? 2 : 1;
    const weight = (row: Row): number => (row.column < 0 ? HEADING : 1);
    const total = this.#rows.reduce((sum, row) => sum + weight(row), 0);
    const step = Math.min(15, (columns * height) / (total + HEADING));
    const across = (width - 14 * (columns - 1)) / columns;
    const label = columns > 1 ? 0.58 * across : 112;
    pen.clearRect(0, 0, width, height);
    pen.textBaseline = "middle";
    pen.font = `${Math.min(10.5, Math.max(7, step * 0.8))}px ${getComputedStyle(this.canvas).fontFamily}`;
    this.#lanes = [];
    let [x, y] = [0, 0];
    for (const row of this.#rows) {
      const tall = weight(row) * step;
      if (y + tall > height && x === 0 && columns > 1) [x, y] = [across + 14, 0];
      const middle = y + tall - step / 2;
      y += tall;
      if (row.column < 0) {
        pen.fillStyle = FAINT;
        pen.fillText(row.name, x, middle);
        continue;
      }
      const name = columns > 1 ? short(row.name) : spelled(row.name);
      const place = { x, middle, label, left: x + label, room: across - label, tall: step };
      this.#lanes.push({ ...place, name, column: row.column, peak: 0, ink: "", end: -1, shownPeak: -1 });
    }
  }

  #write(lane: Lane, ink: string): void {
    const pen = this.#context;
    lane.ink = ink;
    pen.clearRect(lane.x, lane.middle - lane.tall / 2, lane.label - 4, lane.tall);
    pen.fillStyle = ink;
    pen.fillText(lane.name, lane.x, lane.middle, lane.label - 4);
  }
}

/** `mouthSmileLeft` as `mouth smile left`. */
function spelled(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
}

function short(name: string): string {
  return spelled(name).replace(/^(mouth|eye|brow|cheek) /, "").replace(" left", " L").replace(" right", " R");
}
