// The recording as a wave: where it plays, and where to go on.

const [HEARD, AHEAD] = ["#f0b37e", "rgb(255 255 255 / 26%)"];
const BAR = 3;

export class Wave {
  readonly #context: CanvasRenderingContext2D;
  #sound: AudioBuffer | undefined;
  #bars: Float32Array = new Float32Array(0);
  #shown = "";
  /** Bars that are drawn as heard; none yet when not known. */
  #drawn: number | undefined;

  /** `onSeek` is given seconds. */
  constructor(
    private readonly canvas: HTMLCanvasElement,
    onSeek: (seconds: number) => void,
  ) {
    this.#context = canvas.getContext("2d")!;
    canvas.addEventListener("pointerdown", (event) => {
      if (this.#sound !== undefined) onSeek((event.offsetX / canvas.clientWidth) * this.#sound.duration);
    });
    canvas.addEventListener("keydown", (event) => {
      const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
      if (step === undefined || this.#sound === undefined) return;
      onSeek(Math.max(0, Math.min(this.#sound.duration, Number(canvas.ariaValueNow ?? 0) + step)));
      event.preventDefault();
    });
    new ResizeObserver(() => this.#measure()).observe(canvas);
  }

  set sound(sound: AudioBuffer | undefined) {
    this.#sound = sound;
    this.canvas.ariaValueMax = (sound?.duration ?? 0).toFixed(1);
    this.#measure();
  }

  draw(seconds: number): void {
    const { canvas } = this;
    const [width, height] = [canvas.clientWidth, canvas.clientHeight];
    const share = this.#sound === undefined ? 0 : seconds / this.#sound.duration;
    const state = `${width} ${Math.ceil(share * this.#bars.length)} ${this.#bars.length}`;
    if (state === this.#shown || width === 0) return;
    this.#shown = state;
    canvas.ariaValueNow = seconds.toFixed(1);
    const ratio = Math.min(devicePixelRatio, 2);
    const pen = this.#context;
    if (this.#drawn === undefined || canvas.width !== Math.round(width * ratio)) {
      [canvas.width, canvas.height] = [Math.round(width * ratio), Math.round(height * ratio)];
      pen.setTransform(ratio, 0, 0, ratio, 0, 0);
      this.#drawn = -1;
    }
    const played = Math.ceil(share * this.#bars.length);
    const [from, to] = this.#drawn < 0 ? [0, this.#bars.length] : [Math.min(played, this.#drawn), Math.max(played, this.#drawn)];
    this.#drawn = played;
    pen.clearRect(from * BAR, 0, (to - from) * BAR, height);
    for (let bar = from; bar < to; bar++) {
      const tall = Math.max(2, this.#bars[bar]! * height);
      pen.fillStyle = bar < played ? HEARD : AHEAD;
      pen.fillRect(bar * BAR, (height - tall) / 2, BAR - 1, tall);
    }
  }

  #measure(): void {
    const count = Math.floor(this.canvas.clientWidth / BAR);
    this.#bars = new Float32Array(Math.max(0, count));
    this.#shown = "";
    this.#drawn = undefined;
    const values = this.#sound?.getChannelData(0) ?? new Float32Array(0);
    const step = values.length / Math.max(1, count);
    let loudest = 1e-4;
    for (let bar = 0; bar < count; bar++) {
      let peak = 0;
      for (let index = Math.floor(bar * step); index < (bar + 1) * step && index < values.length; index += 4)
        peak = Math.max(peak, Math.abs(values[index]!));
      this.#bars[bar] = peak;
      loudest = Math.max(loudest, peak);
    }
    for (let bar = 0; bar < count; bar++) this.#bars[bar]! /= loudest;
  }
}
