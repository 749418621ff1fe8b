/** The newest audio of a stream by sample position, to be sent again when the stream breaks. */
export class AudioHistory {
  #pieces: { readonly first: number; readonly data: Uint8Array }[] = [];

  constructor(
    private readonly bytesPerSample: number,
    private readonly longestSamples: number,
  ) {}

  /** Oldest sample held; 0 before anything was. */
  get firstSample(): number {
    return this.#pieces[0]?.first ?? 0;
  }

  add(first: number, data: Uint8Array): void {
    this.#pieces.push({ first, data });
    this.forgetBefore(first + data.length / this.bytesPerSample - this.longestSamples);
  }

  /** Drop pieces that end at or before `sample`; the newest one always stays. */
  forgetBefore(sample: number): void {
    let count = 0;
    while (count + 1 < this.#pieces.length && this.#pieces[count + 1]!.first <= sample) count++;
    this.#pieces.splice(0, count);
  }

  /** Everything at or after `sample`. */
  *since(sample: number): Generator<{ first: number; data: Uint8Array }> {
    for (const { first, data } of this.#pieces) {
      const cut = Math.max(0, sample - first) * this.bytesPerSample;
      if (cut < data.length) yield { first: first + cut / this.bytesPerSample, data: data.subarray(cut) };
    }
  }
}
