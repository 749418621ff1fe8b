// The page: what is pressed becomes speaking, what is heard becomes a face, 60 times a second.

import { FacestreamError } from "@facestream/web";
import { Connection, type State } from "./connection.js";
import { Curves } from "./curves.js";
import { Figures, median } from "./figures.js";
import { Idle } from "./idle.js";
import { Panel } from "./panel.js";
import { HeardVoice, PlayedRecording, type Wishes } from "./speaking.js";
import { Stage } from "./stage.js";
import "./style.css";
import type { Take } from "./take.js";
import { csvOf, SHAPES } from "./take_csv.js";
import { glbOf } from "./take_glb.js";
import { Wave } from "./wave.js";

const HEAD = "open_head.glb";
const EXAMPLE = "example.flac";
const SHOWN_MS = 4500;
/** One picture of so many is timed. */
const TIMED_PICTURES = 8;

const element = <Kind extends HTMLElement>(id: string): Kind => document.getElementById(id) as Kind;
const STATES: Record<State, string> = {
  connecting: "Connecting",
  connected: "Connected",
  lost: "Server lost, trying again",
  refused: "Token needed",
};

class Viewer {
  readonly figures = new Figures();
  readonly panel = new Panel(() => void this.#restart(), (controls) => this.speaking?.control(controls));
  readonly connection: Connection;
  speaking: PlayedRecording | HeardVoice | undefined;
  readonly #wave = new Wave(element("wave"), (seconds) => void this.seek(seconds));
  readonly #curves = new Curves(element("curves"));
  #stage: Stage | undefined;
  #idle: Idle | undefined;
  #context: AudioContext | undefined;
  #sound: AudioBuffer | undefined;
  #position = 0;
  #isBusy = false;
  #recorded: Take | undefined;
  #isRecording = false;
  /** Whether the take was recorded on purpose, so that what is spoken on does not replace it. */
  #isChosen = false;
  #noticeTimer = 0;
  #figuresAt = 0;
  #pictures = 0;

  constructor() {
    const address = `${location.protocol === "https:" ? "wss" : "ws"}://${location.host}`;
    this.connection = new Connection(
      address,
      (state, why) => this.#connected(state, why),
      (models) => (this.panel.models = models),
      () => this.speaking !== undefined,
    );
    this.#listen();
    void this.#open();
  }

  /** Begin or end playing the recording; the example, when none was opened. */
  async play(): Promise<void> {
    if (this.speaking instanceof PlayedRecording) return this.#halt();
    this.#halt();
    await this.#begin(async (context) => {
      this.#sound ??= await this.#decoded(await (await fetch(EXAMPLE)).arrayBuffer(), "Example");
      if (this.#position >= this.#sound.duration - 0.05) this.#position = 0;
      const played = { context, sound: this.#sound, from: this.#position, output: context.destination };
      return PlayedRecording.begin(this.connection.client, this.#wishes(), this.figures, (failure) => this.#ended(failure), played);
    });
  }

  /** Begin or end listening to the microphone. */
  async listen(): Promise<void> {
    if (this.speaking instanceof HeardVoice) return this.#halt();
    this.#halt();
    await this.#begin((context) =>
      HeardVoice.begin(this.connection.client, this.#wishes(), this.figures, (failure) => this.#ended(failure), context),
    );
  }

  /** Take a file as the recording, and play it. */
  async load(file: File): Promise<void> {
    this.#halt();
    try {
      this.#sound = await this.#decoded(await file.arrayBuffer(), file.name);
    } catch {
      return this.#notice(`${file.name} is no recording that this browser can read. WAV, FLAC, MP3 and M4A work.`);
    }
    this.#position = 0;
    await this.play();
  }

  async seek(seconds: number): Promise<void> {
    const wasPlaying = this.speaking instanceof PlayedRecording;
    this.#halt();
    this.#position = seconds;
    if (wasPlaying) await this.play();
  }

  async #open(): Promise<void> {
    try {
      this.#stage = new Stage(element<HTMLCanvasElement>("head"));
      document.body.classList.toggle("is-plain", !this.#stage.isFine);
      await this.#stage.show(HEAD);
    } catch (failure) {
      const why = this.#stage === undefined ? "This browser draws no 3D (WebGL is off)." : `The head did not load (${told(failure)}).`;
      element("cover").textContent = why;
      return;
    }
    this.#idle = new Idle(SHAPES);
    this.#wear(SHAPES);
    document.body.classList.add("is-shown");
    requestAnimationFrame((now) => this.#draw(now));
  }

  #wear(names: readonly string[]): void {
    if (this.#stage !== undefined) this.#stage.curveNames = names;
    this.#curves.names = names;
  }

  #draw(frameAt: number): void {
    requestAnimationFrame((next) => this.#draw(next));
    if (this.#stage === undefined || this.#idle === undefined || !this.#stage.isDue(frameAt)) return;
    const now = performance.now();
    const drawingMs = median(this.figures.drawing) ?? 0;
    const face = this.speaking?.face(now, drawingMs) ?? this.#idle.face(now);
    this.#stage.head.wear(face);
    this.#stage.draw();
    this.figures.drawn(frameAt);
    if (this.#pictures++ % TIMED_PICTURES === 0) void this.#timePicture(this.#stage, now, drawingMs);
    document.body.classList.toggle("is-plain", !this.#stage.isFine);
    if (this.speaking instanceof PlayedRecording) this.#position = this.speaking.position;
    if (this.speaking instanceof HeardVoice) element("microphone").style.setProperty("--level", String(this.speaking.level));
    this.#wave.draw(this.#position);
    this.#curves.draw(face.weights, now, this.#stage.isFine);
    if (now - this.#figuresAt > 300) this.#tellFigures(now);
  }

  /** How long the picture that was begun at `begunAt` took, for which `expectedMs` were expected. */
  async #timePicture(stage: Stage, begunAt: number, expectedMs: number): Promise<void> {
    const took = (await stage.finished()) - begunAt;
    Figures.note(this.figures.drawing, took);
    if (this.speaking instanceof PlayedRecording) Figures.note(this.figures.behindSound, took - expectedMs);
  }

  #tellFigures(now: number): void {
    this.#figuresAt = now;
    const { speaking, figures } = this;
    const isVoice = speaking instanceof HeardVoice;
    const begun = median(isVoice ? figures.voiceToFace : figures.sentToReceived);
    const latency = begun === undefined ? undefined : begun + (isVoice ? (median(figures.drawing) ?? 0) : 0);
    const write = (id: string, text: string): void => {
      if (element(id).textContent !== text) element(id).textContent = text;
    };
    write("latency-name", isVoice ? "Voice to face" : "Sound to frame");
    write("latency", speaking === undefined || latency === undefined ? "–" : `${latency.toFixed(0)} ms`);
    write("lookahead", speaking === undefined ? "–" : `${speaking.lookAheadMs.toFixed(0)} ms`);
    const between = median(figures.betweenPictures);
    write("rate", between === undefined ? "–" : `${(1000 / between).toFixed(0)} fps`);
    write("buffered", speaking === undefined ? "–" : `${figures.buffered} frames`);
    const [at, all] = [this.#position, this.#sound?.duration ?? 0];
    write("time", isVoice ? "live" : `${clock(at)}${all > 0 ? ` / ${clock(all)}` : ""}`);
    if (this.#isRecording && this.#recorded !== undefined) write("take-told", `Recording ${clock(this.#recorded.seconds)}`);
  }

  /** With the audio that only a gesture of the reader may start. */
  async #begin(begin: (context: AudioContext) => Promise<PlayedRecording | HeardVoice>): Promise<void> {
    if (this.#isBusy) return;
    if (!this.connection.isThere) {
      this.connection.again();
      return this.#notice("The server is not there yet. This goes on by itself once it is.");
    }
    this.#isBusy = true;
    try {
      this.#context ??= new AudioContext({ latencyHint: "interactive" });
      await this.#context.resume();
      this.speaking = await begin(this.#context);
      this.#wear(this.speaking.curveNames);
      if (this.#isRecording) this.#recorded = this.speaking.take;
      else this.#isChosen = false;
    } catch (failure) {
      this.#failed(failure);
    } finally {
      this.#isBusy = false;
      this.#showSpeaking();
    }
  }

  #halt(): void {
    const { speaking } = this;
    if (speaking === undefined) return;
    if (speaking instanceof PlayedRecording) this.#position = speaking.position;
    this.speaking = undefined;
    this.#wear(SHAPES);
    if (speaking.take.count > 1) this.#keep(speaking.take);
    speaking.stop();
    this.#showSpeaking();
  }

  #ended(failure: unknown): void {
    const { speaking } = this;
    if (speaking === undefined) return;
    if (speaking.take.count > 0) this.#keep(speaking.take);
    const wasVoice = speaking instanceof HeardVoice;
    this.speaking = undefined;
    this.#wear(SHAPES);
    if (failure === undefined) this.#position = wasVoice ? this.#position : 0;
    else this.#failed(failure);
    this.#showSpeaking();
  }

  #failed(failure: unknown): void {
    this.#notice(told(failure));
    if (failure instanceof FacestreamError && failure.reason === "UNAVAILABLE") this.connection.again();
  }

  async #restart(): Promise<void> {
    const { speaking } = this;
    if (speaking === undefined) return;
    this.#halt();
    await (speaking instanceof HeardVoice ? this.listen() : this.play());
  }

  #wishes(): Wishes {
    return { model: this.panel.model, frameRate: this.#stage?.isFine === true ? 60 : 30, ...this.panel.controls };
  }

  async #decoded(data: ArrayBuffer, name: string): Promise<AudioBuffer> {
    this.#context ??= new AudioContext({ latencyHint: "interactive" });
    const sound = await this.#context.decodeAudioData(data);
    element("title").textContent = name;
    this.#wave.sound = sound;
    return sound;
  }

  /**
   * How the newest take looks, for tests: of up to 60 of its frames, and of the moments `shut` and `open` (seconds), which
   * share of the mouth's place is as dark as the inside of a mouth. Around a moment, what is most shut counts.
   */
  looks(moments: { shut: number[]; open: number[] }): { dark: number[]; jawOpen: number[]; shut: number[]; open: number[] } {
    const [take, stage] = [this.#recorded, this.#stage];
    if (take === undefined || stage === undefined) throw new Error("no take, or no picture");
    const perSecond = take.count / take.seconds;
    stage.curveNames = take.curveNames;
    const still = [0, 0, 0, 1];
    const look = (frame: number): number => {
      const weights = take.weights[Math.max(0, Math.min(take.count - 1, Math.round(frame)))]!;
      stage.head.wear({ weights, head: still, leftEye: still, rightEye: still });
      stage.reset();
      stage.draw();
      return stage.darkness();
    };
    const jaw = take.curveNames.indexOf("jawOpen");
    const frames = take.weights.map((_, frame) => frame).filter((frame) => frame % Math.ceil(take.count / 60) === 0);
    const around = (second: number): number => Math.min(...[-1, 0, 1, 2].map((step) => look(second * perSecond + step)));
    const looked = {
      dark: frames.map(look),
      jawOpen: frames.map((frame) => take.weights[frame]![jaw]!),
      shut: moments.shut.map(around),
      open: moments.open.map((second) => look(second * perSecond)),
    };
    this.#wear(SHAPES);
    return looked;
  }

  record(): void {
    this.#isRecording = !this.#isRecording;
    element("record").setAttribute("aria-pressed", String(this.#isRecording));
    if (this.#isRecording) {
      this.#recorded = this.speaking?.recordAnew();
      this.#isChosen = true;
      element("take").hidden = false;
      element("take-told").textContent = this.speaking === undefined ? "Records as soon as someone speaks" : "Recording";
    } else {
      this.speaking?.recordAnew();
      if (this.#recorded === undefined) element("take").hidden = true;
    }
    this.#offer();
  }

  /** What was just spoken is the take, unless a part of it was recorded. */
  #keep(take: Take): void {
    if (this.#isRecording) this.record();
    else if (!this.#isChosen) this.#recorded = take;
    this.#offer();
  }

  #offer(): void {
    const take = this.#recorded;
    const isReady = !this.#isRecording && take !== undefined && take.count > 1;
    for (const id of ["save-csv", "save-glb"]) element(id).hidden = !isReady;
    if (!isReady) return;
    element("take").hidden = false;
    element("take-told").textContent = `Take of ${take.seconds.toFixed(1)} s, ${take.count} frames`;
  }

  async #save(kind: "csv" | "glb"): Promise<void> {
    const take = this.#recorded;
    if (take === undefined) return;
    const content = kind === "csv" ? csvOf(take) : glbOf(take, await (await fetch(HEAD)).arrayBuffer());
    const link = document.createElement("a");
    link.href = URL.createObjectURL(content);
    link.download = `take.${kind}`;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
  }

  #connected(state: State, why: string | undefined): void {
    const before = document.body.dataset.state;
    document.body.dataset.state = state;
    element("connection").querySelector("b")!.textContent = STATES[state];
    element("connection").title = why ?? "";
    element("ask").hidden = state !== "refused";
    if (state === "connected" && before === "lost") this.#notice("The server is back.", true);
  }

  #notice(text: string, isGood = false): void {
    const notice = element("notice");
    notice.textContent = text;
    notice.classList.toggle("is-good", isGood);
    notice.hidden = false;
    clearTimeout(this.#noticeTimer);
    this.#noticeTimer = setTimeout(() => (notice.hidden = true), SHOWN_MS) as unknown as number;
  }

  #showSpeaking(): void {
    const isPlaying = this.speaking instanceof PlayedRecording;
    document.body.classList.toggle("is-playing", isPlaying);
    element("play").querySelector(".sr")!.textContent = isPlaying ? "Pause" : "Play";
    element("microphone").setAttribute("aria-pressed", String(this.speaking instanceof HeardVoice));
  }

  #listen(): void {
    const file = element<HTMLInputElement>("file");
    const pressed: Record<string, () => void> = {
      play: () => void this.play(),
      microphone: () => void this.listen(),
      open: () => file.click(),
      record: () => this.record(),
      "panel-toggle": () => this.#togglePanel(),
      "save-csv": () => void this.#save("csv"),
      "save-glb": () => void this.#save("glb"),
    };
    for (const [id, act] of Object.entries(pressed)) element(id).addEventListener("click", act);
    file.addEventListener("change", () => {
      const [chosen] = file.files ?? [];
      if (chosen !== undefined) void this.load(chosen);
      file.value = "";
    });
    const keys: Record<string, string> = { " ": "play", m: "microphone", o: "open", r: "record", c: "panel-toggle" };
    addEventListener("keydown", (event) => {
      const isTyping = event.target instanceof HTMLInputElement && event.target.type === "password";
      const isPressing = event.target instanceof HTMLButtonElement && event.key === " ";
      if (isTyping || isPressing || event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
      const id = keys[event.key.toLowerCase()];
      if (id !== undefined) element(id).click();
      else if (event.key === "Home") this.#stage?.reset();
      else return;
      event.preventDefault();
    });
    addEventListener("dragover", (event) => {
      event.preventDefault();
      document.body.classList.add("is-dropping");
    });
    for (const name of ["dragleave", "drop"] as const)
      addEventListener(name, (event) => {
        event.preventDefault();
        if (name === "drop" || event.relatedTarget === null) document.body.classList.remove("is-dropping");
        const dropped = name === "drop" ? event.dataTransfer?.files[0] : undefined;
        if (dropped !== undefined) void this.load(dropped);
      });
    element<HTMLFormElement>("ask").addEventListener("submit", (event) => {
      event.preventDefault();
      this.connection.token = element<HTMLInputElement>("token").value;
    });
    if (innerWidth <= 860) this.#togglePanel();
  }

  #togglePanel(): void {
    const isWide = document.body.classList.toggle("is-wide");
    element("panel-toggle").setAttribute("aria-expanded", String(!isWide));
  }
}

function told(failure: unknown): string {
  return failure instanceof Error ? failure.message : String(failure);
}

function clock(seconds: number): string {
  return `${Math.floor(seconds / 60)}:${String(Math.floor(seconds % 60)).padStart(2, "0")}`;
}

/** For tests and for the curious, in the browser's console. */
(globalThis as { viewer?: Viewer }).viewer = new Viewer();
