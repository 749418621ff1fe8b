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

export class Curves {
  readonly #context: CanvasRenderingContext2D;
  #rows: { readonly name: string; readonly column: number }[] = [];
  #names: readonly string[] = [];
  #peaks = new Float32Array(0);
  #drawnAt = 0;

  constructor(private readonly canvas: HTMLCanvasElement) {
    this.#context = canvas.getContext("2d")!;
  }

  set names(names: readonly string[]) {
    if (names === this.#names) return;
    this.#names = names;
    this.#peaks = new Float32Array(names.length);
    this.#rows = GROUPS.flatMap(([heading, belongs]) => [
      { name: heading, column: -1 },
      ...names.flatMap((name, column) => (belongs.test(name) ? [{ name, column }] : [])),
    ]);
  }

  draw(weights: ArrayLike<number>, now: number): void {
    const { canvas } = this;
    const [width, height] = [canvas.clientWidth, canvas.clientHeight];
    if (width === 0 || height === 0 || now - this.#drawnAt < 45) return;
    const fade = PEAK_LEFT ** ((now - this.#drawnAt) / 1000);
    this.#drawnAt = now;
    const ratio = Math.min(devicePixelRatio, 2);
    if (canvas.width !== Math.round(width * ratio) || canvas.height !== Math.round(height * ratio))
      [canvas.width, canvas.height] = [Math.round(width * ratio), Math.round(height * ratio)];
    const pen = this.#context;
    pen.setTransform(ratio, 0, 0, ratio, 0, 0);
    pen.clearRect(0, 0, width, height);
    const columns = height < 560 ? 2 : 1;
    const weight = (row: { column: number }): number => (row.column < 0 ? HEADING : 1);
    const total = this.#rows.reduce((sum, row) => sum + weight(row), 0);
    const step = Math.min(15, (columns * height) / (total + HEADING));
    const lane = (width - 14 * (columns - 1)) / columns;
    pen.textBaseline = "middle";
    let [x, y] = [0, 0];
    for (const row of this.#rows) {
      const tall = weight(row) * step;
      if (y + tall > height && x === 0 && columns > 1) [x, y] = [lane + 14, 0];
      const middle = y + tall - step / 2;
      y += tall;
      pen.font = `${Math.min(10.5, Math.max(7, step * 0.8))}px ${getComputedStyle(canvas).fontFamily}`;
      if (row.column < 0) {
        pen.fillStyle = FAINT;
        pen.fillText(row.name, x, middle);
        continue;
      }
      const value = weights[row.column] ?? 0;
      const peak = Math.max(value, this.#peaks[row.column]! * fade);
      this.#peaks[row.column] = peak;
      const label = columns > 1 ? 0.58 * lane : 112;
      pen.fillStyle = value > 0.04 ? (value > 0.3 ? INK : SOFT) : FAINT;
      pen.fillText(columns > 1 ? short(row.name) : spelled(row.name), x, middle, label - 4);
      const [left, room] = [x + label, lane - label];
      pen.fillStyle = "rgb(255 255 255 / 7%)";
      pen.fillRect(left, middle - 1.5, room, 3);
      pen.fillStyle = WARM;
      pen.fillRect(left, middle - 1.5, room * Math.min(1, value), 3);
      pen.fillRect(left + room * Math.min(1, peak) - 1, middle - 1.5, peak > 0.02 ? 1 : 0, 3);
    }
  }
}

/** `mouthSmileLeft` as `mouth smile left`. */
function spelled(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
}

function short(name: string): string {
  return spelled(name).replace(/^(mouth|eye|brow|cheek) /, "").replace(" left", " L").replace(" right", " R");
}
