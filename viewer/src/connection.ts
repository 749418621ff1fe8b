// Whether the server is there. It is asked for its models: at once, and again while the page waits or nothing is spoken.

import { Client, FacestreamError, type ModelInfo } from "@facestream/web";

export type State = "connecting" | "connected" | "lost" | "refused";

const AGAIN_MS = [500, 1000, 2000, 3000];
const CALM_MS = 5000;
const TOKEN = "facestream.token";

export class Connection {
  #state: State = "connecting";
  #failures = 0;
  #timer: number | undefined;
  #client: Client;

  /** `onState` is told why the state is what it is, where there is more to say than its name. */
  constructor(
    private readonly address: string,
    private readonly onState: (state: State, why: string | undefined) => void,
    private readonly onModels: (models: readonly ModelInfo[]) => void,
    /** Whether a stream tells anyway that the server is there. */
    private readonly isInUse: () => boolean,
  ) {
    this.#client = this.#made();
    void this.#ask();
  }

  get client(): Client {
    return this.#client;
  }

  get isThere(): boolean {
    return this.#state === "connected";
  }

  /** A token for a server that asked for one. */
  set token(token: string) {
    sessionStorage.setItem(TOKEN, token);
    this.#client = this.#made();
    this.again();
  }

  /** Ask now: a call failed, or the reader wants it. */
  again(): void {
    clearTimeout(this.#timer);
    void this.#ask();
  }

  #made(): Client {
    const token = sessionStorage.getItem(TOKEN);
    return new Client(this.address, token === null ? {} : { token });
  }

  async #ask(): Promise<void> {
    try {
      if (!this.isThere || !this.isInUse()) this.onModels(await this.#client.models());
      this.#failures = 0;
      this.#tell("connected", undefined);
    } catch (failure) {
      const isRefused = failure instanceof FacestreamError && failure.reason === "UNAUTHENTICATED";
      this.#failures++;
      // once may be a moment of much to do
      const before = this.#state === "connected" && this.#failures > 1 ? "lost" : this.#state;
      this.#tell(isRefused ? "refused" : before, failure instanceof Error ? failure.message : String(failure));
      if (isRefused) return;
    }
    const wait = this.#failures === 0 ? CALM_MS : AGAIN_MS[Math.min(this.#failures, AGAIN_MS.length) - 1]!;
    this.#timer = setTimeout(() => void this.#ask(), wait) as unknown as number;
  }

  #tell(state: State, why: string | undefined): void {
    if (state === this.#state && state === "connected") return;
    this.#state = state;
    this.onState(state, why);
  }
}
