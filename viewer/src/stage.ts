// Where the head is seen: lights, camera, and a picture when one is asked for.

import {
  BackSide, Color, DirectionalLight, type Group, HemisphereLight, Mesh, MeshBasicMaterial, NeutralToneMapping, type Object3D,
  PCFSoftShadowMap, PerspectiveCamera, PlaneGeometry, PMREMGenerator, Scene, SphereGeometry, type Texture, Vector3, WebGLRenderer,
} from "three"; // prettier-ignore
import { type Head, loadHead } from "./head.js";
import { MorphedHead } from "./morphed_head.js";
import { PosedHead } from "./posed_head.js";
import { Quality } from "./quality.js";

const DISTANCE = 0.92;
const LOOK_AT = new Vector3(0, -0.012, 0);
const MOUTH = new Vector3(0, -0.052, 0.055);
const MOUTH_SIZE = new Vector3(0.018, 0.02, 0);
const MOST_YAW = 1.25;
const MOST_PITCH = 0.5;
const FENCE_MS = 3;
/** Least time between two plain pictures: what a processor saves goes to whoever speaks, and to the server beside it. */
const PLAIN_MS = 30;

/** What draws WebGL here, in the browser's words. */
function rendererOf(): string {
  const context = document.createElement("canvas").getContext("webgl2");
  if (context === null) return "none";
  const told = context.getExtension("WEBGL_debug_renderer_info");
  const name = String(context.getParameter(told?.UNMASKED_RENDERER_WEBGL ?? context.RENDERER));
  context.getExtension("WEBGL_lose_context")?.loseContext();
  return name;
}

export class Stage {
  readonly #renderer: WebGLRenderer;
  readonly #scene = new Scene();
  readonly #camera = new PerspectiveCamera(20, 1, 0.1, 5);
  readonly #quality: Quality;
  #file: Group | undefined;
  #fine: Head | undefined;
  #plain: Head | undefined;
  #shown: Object3D | undefined;
  #names: readonly string[] = [];
  #drawnAt = 0;
  #yaw = 0;
  #pitch = 0;
  #wantedYaw = 0;
  #wantedPitch = 0;

  /** Throws where the browser has no WebGL. */
  constructor(private readonly canvas: HTMLCanvasElement) {
    this.#quality = new Quality(rendererOf(), new URLSearchParams(location.search).get("quality"));
    this.#renderer = new WebGLRenderer({ canvas, antialias: this.isFine, alpha: true, powerPreference: "high-performance" });
    this.#renderer.toneMapping = NeutralToneMapping;
    this.#renderer.toneMappingExposure = 1.12;
    this.#renderer.setClearColor(new Color(0), 0);
    if (this.isFine) this.#light();
    this.#listen();
    new ResizeObserver(() => this.#fit()).observe(canvas);
    this.#fit();
  }

  /** Whether a GPU draws, or something as quick; `?quality=fine` or `plain` in the address says otherwise. */
  get isFine(): boolean {
    return this.#quality.step.isFine;
  }

  async show(address: string): Promise<void> {
    this.#file = await loadHead(address);
    this.#change();
    this.#renderer.compile(this.#scene, this.#camera);
  }

  /** The head that is drawn. */
  get head(): Head {
    if (this.#file === undefined) throw new Error("no head is shown yet");
    if (this.isFine) return (this.#fine ??= new MorphedHead(this.#file));
    return (this.#plain ??= new PosedHead(this.#file));
  }

  set curveNames(names: readonly string[]) {
    this.#names = names;
    this.head.curveNames = names;
  }

  /** Whether a picture is due at `now`, and how finely it is drawn from now on. */
  isDue(now: number): boolean {
    const between = now - this.#drawnAt;
    if (!this.isFine && between < PLAIN_MS) return false;
    if (this.#drawnAt > 0 && this.#quality.drawn(between)) this.#change();
    this.#drawnAt = now;
    return true;
  }

  draw(): void {
    this.#yaw += 0.16 * (this.#wantedYaw - this.#yaw);
    this.#pitch += 0.16 * (this.#wantedPitch - this.#pitch);
    const flat = Math.cos(this.#pitch) * DISTANCE;
    this.#camera.position.set(
      LOOK_AT.x + Math.sin(this.#yaw) * flat, LOOK_AT.y + 0.02 + Math.sin(this.#pitch) * DISTANCE, Math.cos(this.#yaw) * flat,
    ); // prettier-ignore
    this.#camera.lookAt(LOOK_AT);
    this.#renderer.render(this.#scene, this.#camera);
  }

  /** Resolves with the time (`performance.now`) at which the picture just drawn is there, as far as WebGL tells. */
  async finished(): Promise<number> {
    const context = this.#renderer.getContext() as WebGL2RenderingContext;
    const fence = context.fenceSync(context.SYNC_GPU_COMMANDS_COMPLETE, 0)!;
    context.flush();
    while (context.clientWaitSync(fence, 0, 0) === context.TIMEOUT_EXPIRED && !context.isContextLost())
      await new Promise((resolve) => setTimeout(resolve, FENCE_MS));
    context.deleteSync(fence);
    return performance.now();
  }

  /** Share of the place between the lips that is dark, in the picture just drawn; seen from the front. */
  darkness(): number {
    const [width, height] = [40, 28];
    const middle = MOUTH.clone().project(this.#camera);
    const corner = MOUTH.clone().add(MOUTH_SIZE).project(this.#camera);
    const across = (corner.x - middle.x) * this.canvas.width;
    const down = (corner.y - middle.y) * this.canvas.height;
    const small = new OffscreenCanvas(width, height).getContext("2d")!;
    const [x, y] = [((middle.x + 1) / 2) * this.canvas.width, ((1 - middle.y) / 2) * this.canvas.height];
    small.drawImage(this.canvas, x - across / 2, y - down / 2, across, down, 0, 0, width, height);
    const { data } = small.getImageData(0, 0, width, height);
    let dark = 0;
    for (let place = 0; place < data.length; place += 4) if (data[place]! + data[place + 1]! + data[place + 2]! < 150) dark++;
    return dark / (width * height);
  }

  /** Back to the front. */
  reset(): void {
    this.#wantedYaw = this.#wantedPitch = 0;
  }

  turn(yaw: number, pitch: number): void {
    this.#wantedYaw = Math.max(-MOST_YAW, Math.min(MOST_YAW, this.#wantedYaw + yaw));
    this.#wantedPitch = Math.max(-MOST_PITCH, Math.min(MOST_PITCH, this.#wantedPitch + pitch));
  }

  /** Draw as finely as is right now. */
  #change(): void {
    const { head } = this;
    head.curveNames = this.#names;
    if (this.#shown !== undefined) this.#scene.remove(this.#shown);
    this.#scene.add((this.#shown = head.root));
    this.#renderer.shadowMap.enabled = this.isFine;
    this.#fit();
  }

  /** Plain surfaces have this light built in (`plain_surface.ts`). */
  #light(): void {
    const key = new DirectionalLight(0xfff0e2, 2.5);
    key.position.set(0.55, 0.62, 0.85);
    const fill = new DirectionalLight(0xa9bfdc, 0.8);
    fill.position.set(-0.95, 0.05, 0.6);
    const rim = new DirectionalLight(0xcfe0ff, 2.3);
    rim.position.set(-0.6, 0.55, -0.9);
    const hair = new DirectionalLight(0xffc99a, 1.1);
    hair.position.set(0.9, 0.25, -0.75);
    this.#scene.add(key, fill, rim, hair, new HemisphereLight(0xa9b4c0, 0x4d4038, 0.55));
    this.#renderer.shadowMap.type = PCFSoftShadowMap;
    key.castShadow = true;
    key.shadow.mapSize.set(1024, 1024);
    key.shadow.bias = -0.0006;
    key.shadow.normalBias = 0.0025;
    key.shadow.radius = 5;
    const box = key.shadow.camera;
    [box.left, box.right, box.top, box.bottom, box.near, box.far] = [-0.17, 0.17, 0.17, -0.2, 0.6, 1.8];
    this.#scene.environment = this.#softboxes();
    this.#scene.environmentIntensity = 0.5;
  }

  /** What wet and polished things mirror: a dark room with two soft boxes. */
  #softboxes(): Texture {
    const room = new Scene();
    room.add(new Mesh(new SphereGeometry(5, 24, 16), new MeshBasicMaterial({ color: 0x15181c, side: BackSide })));
    const box = (width: number, height: number, strength: number, x: number, y: number, z: number): void => {
      const panel = new Mesh(new PlaneGeometry(width, height), new MeshBasicMaterial({ color: new Color().setScalar(strength) }));
      panel.position.set(x, y, z);
      panel.lookAt(0, 0, 0);
      room.add(panel);
    };
    box(2.2, 2.6, 9, 2.6, 2.4, 2.6);
    box(1.2, 3, 3.2, -3.4, 0.6, 1.8);
    box(4, 0.9, 5, 0, 3.5, -2.4);
    const generator = new PMREMGenerator(this.#renderer);
    const texture = generator.fromScene(room, 0.03).texture;
    generator.dispose();
    return texture;
  }

  #listen(): void {
    const { canvas } = this;
    canvas.addEventListener("pointerdown", (event) => canvas.setPointerCapture(event.pointerId));
    canvas.addEventListener("pointermove", (event) => {
      if (canvas.hasPointerCapture(event.pointerId)) this.turn(-event.movementX * 0.006, event.movementY * 0.004);
    });
    canvas.addEventListener("dblclick", () => this.reset());
  }

  #fit(): void {
    const { clientWidth: width, clientHeight: height } = this.canvas;
    if (width === 0 || height === 0) return;
    const most = Math.min(devicePixelRatio, 2);
    const ratio = Math.min(most, Math.sqrt(this.#quality.step.pixels / (width * height)));
    this.#renderer.setPixelRatio(ratio);
    this.#renderer.setSize(width, height, false);
    this.#camera.aspect = width / height;
    // the whole head in a narrow window, too
    this.#camera.fov = width < height ? 20 * Math.min(1.9, 0.86 * (height / width)) : 20;
    this.#camera.updateProjectionMatrix();
  }
}
