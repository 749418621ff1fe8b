// What can be asked of the server's models, as controls. Only what the chosen model can do is shown.

import type { Controls, ModelInfo } from "@facestream/web";

const element = <Kind extends HTMLElement>(id: string): Kind => document.getElementById(id) as Kind;
const OWN = "from speech";
const PLAIN = "none";
const FAMILIES: Record<string, string> = { live: "fastest", deeptalk: "emotions", diffposetalk: "styles" };

export class Panel {
  #models: readonly ModelInfo[] = [];
  #model: ModelInfo | undefined;
  #emotion: string | undefined;
  #style: string | undefined;

  /** `onModel` when another model is chosen, `onControls` with what else changed. */
  constructor(
    private readonly onModel: () => void,
    private readonly onControls: (controls: Controls) => void,
  ) {
    this.#slider("mouth", (mouthStrength) => ({ mouthStrength }));
    this.#slider("spread", (emotionSpread) => ({ emotionSpread }));
    this.#slider("style-strength", (strength) => ({ styling: { strength } }));
    this.#slider("head-amount", (headAmount) => ({ styling: { headAmount } }));
    for (const name of ["blinks", "gaze"] as const) {
      const input = element<HTMLInputElement>(name);
      input.addEventListener("change", () => this.onControls({ [name]: input.checked }));
    }
  }

  get model(): string | undefined {
    return this.#model?.name;
  }

  set models(models: readonly ModelInfo[]) {
    const same = models.map(({ name }) => name).join() === this.#models.map(({ name }) => name).join();
    this.#models = models;
    if (same) return;
    this.#model = models.find(({ name }) => name === this.#model?.name) ?? models[0];
    this.#show();
  }

  /** Everything as it stands, for a new stream. */
  get controls(): Controls {
    const acting = this.#model?.acting;
    const number = (id: string): number => Number(element<HTMLInputElement>(id).value);
    const checked = (id: string): boolean => element<HTMLInputElement>(id).checked;
    const face = { mouthStrength: number("mouth"), blinks: checked("blinks"), gaze: checked("gaze") };
    const styling = acting?.styling;
    return {
      ...face,
      ...(acting !== undefined && acting.emotionWidth > 0
        ? { emotion: this.#emotion ?? "speech", emotionSpread: number("spread") }
        : {}),
      ...(styling === undefined
        ? {}
        : {
            styling: {
              style: this.#style ?? null,
              strength: number("style-strength"),
              ...(styling.movesHead ? { headAmount: number("head-amount") } : {}),
            },
          }),
    };
  }

  #show(): void {
    const acting = this.#model?.acting;
    options(
      element("models"), this.#models.map(({ name }) => name), this.#model?.name,
      (name) => {
        this.#model = this.#models.find((model) => model.name === name);
        [this.#emotion, this.#style] = [undefined, undefined];
        this.#show();
        this.onModel();
      },
      (name) => FAMILIES[this.#models.find((model) => model.name === name)?.family ?? ""],
    ); // prettier-ignore
    const emotions = acting !== undefined && acting.emotionWidth > 0;
    element("emotion-section").hidden = !emotions;
    if (emotions)
      options(element("emotions"), [OWN, ...acting.presets], this.#emotion ?? OWN, (name) => {
        this.#emotion = name === OWN ? undefined : name;
        this.#show();
        this.onControls({ emotion: this.#emotion ?? "speech" });
      });
    const styling = acting?.styling;
    element("style-section").hidden = styling === undefined;
    if (styling !== undefined)
      options(element("styles"), [PLAIN, ...styling.styles], this.#style ?? PLAIN, (name) => {
        this.#style = name === PLAIN ? undefined : name;
        this.#show();
        this.onControls({ styling: { style: this.#style ?? null } });
      });
    element("head-amount").parentElement!.hidden = styling?.movesHead !== true;
  }

  #slider(id: string, controls: (value: number) => Controls): void {
    const input = element<HTMLInputElement>(id);
    const tell = (): void => {
      input.style.setProperty("--share", `${(100 * input.valueAsNumber) / Number(input.max)}%`);
      input.parentElement!.querySelector("output")!.textContent = input.valueAsNumber.toFixed(2);
    };
    tell();
    input.addEventListener("input", tell);
    input.addEventListener("change", () => this.onControls(controls(input.valueAsNumber)));
  }
}

/** One choice of several: arrow keys move it, as in any group of radio buttons. */
function options(
  group: HTMLElement, names: readonly string[], chosen: string | undefined, onChoice: (name: string) => void,
  note: (name: string) => string | undefined = () => undefined,
): void {
  const hadFocus = group.contains(document.activeElement);
  group.replaceChildren(
    ...names.map((name) => {
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = name;
      button.setAttribute("role", "radio");
      button.setAttribute("aria-checked", String(name === chosen));
      button.tabIndex = name === chosen ? 0 : -1;
      const told = note(name);
      if (told !== undefined) {
        const small = document.createElement("small");
        small.textContent = told;
        button.append(small);
      }
      button.addEventListener("click", () => onChoice(name));
      button.addEventListener("keydown", (event) => {
        const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
        if (step === undefined) return;
        event.preventDefault();
        event.stopPropagation();
        onChoice(names[(names.indexOf(name) + step + names.length) % names.length]!);
      });
      return button;
    }),
  );
  if (hadFocus) group.querySelector<HTMLElement>("[aria-checked=true]")?.focus();
} // prettier-ignore
