// Where the head is seen: lights, camera, and a picture when one is asked for.

import {
  BackSide, Color, DirectionalLight, HemisphereLight, Mesh, MeshBasicMaterial, NeutralToneMapping, PCFSoftShadowMap,
  PerspectiveCamera, PlaneGeometry, PMREMGenerator, Scene, SphereGeometry, type Texture, Vector3, WebGLRenderer,
} from "three"; // prettier-ignore
import { Head } from "./head.js";

const DISTANCE = 0.92;
const LOOK_AT = new Vector3(0, -0.012, 0);
const MOUTH = new Vector3(0, -0.052, 0.055);
const MOUTH_SIZE = new Vector3(0.018, 0.02, 0);
const MOST_YAW = 1.25;
const MOST_PITCH = 0.5;
/** Without a GPU, so many pixels are drawn in time. */
const SOFTWARE_PIXELS = 80_000;

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
  /** Whether a GPU draws; `?quality=fine` or `plain` in the address says otherwise. */
  readonly isFine: boolean;
  /** What draws, in the browser's words. */
  readonly drawnBy: string;
  #head: Head | undefined;
  #yaw = 0;
  #pitch = 0;
  #wantedYaw = 0;
  #wantedPitch = 0;

  /** Throws where the browser has no WebGL. */
  constructor(private readonly canvas: HTMLCanvasElement) {
    this.drawnBy = rendererOf();
    const wanted = new URLSearchParams(location.search).get("quality");
    this.isFine = wanted === "fine" || (wanted !== "plain" && !/swiftshader|llvmpipe|software|basic render/i.test(this.drawnBy));
    this.#renderer = new WebGLRenderer({ canvas, antialias: this.isFine, alpha: true, powerPreference: "high-performance" });
    this.#renderer.toneMapping = NeutralToneMapping;
    this.#renderer.toneMappingExposure = 1.12;
    this.#renderer.setClearColor(new Color(0), 0);
    this.#light();
    this.#listen();
    new ResizeObserver(() => this.#fit()).observe(canvas);
    this.#fit();
  }

  async show(address: string): Promise<Head> {
    this.#head = await Head.load(address, this.isFine);
    this.#scene.add(this.#head.root);
    this.#renderer.compile(this.#scene, this.#camera);
    return this.#head;
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

  #light(): void {
    const key = new DirectionalLight(0xfff0e2, 2.5);
    key.position.set(0.55, 0.62, 0.85);
    const fill = new DirectionalLight(0xa9bfdc, 0.8);
    fill.position.set(-0.95, 0.05, 0.6);
    const rim = new DirectionalLight(0xcfe0ff, this.isFine ? 2.3 : 1);
    rim.position.set(-0.6, 0.55, -0.9);
    const hair = new DirectionalLight(0xffc99a, 1.1);
    hair.position.set(0.9, 0.25, -0.75);
    this.#scene.add(key, fill, rim, hair, new HemisphereLight(0xa9b4c0, 0x4d4038, this.isFine ? 0.55 : 0.85));
    if (!this.isFine) return;
    this.#renderer.shadowMap.enabled = true;
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
    const ratio = this.isFine ? most : Math.min(most, Math.sqrt(SOFTWARE_PIXELS / (width * height)));
    this.#renderer.setPixelRatio(ratio);
    this.#renderer.setSize(width, height, false);
    this.#camera.aspect = width / height;
    // the whole head in a narrow window, too
    this.#camera.fov = width < height ? 20 * Math.min(1.9, 0.86 * (height / width)) : 20;
    this.#camera.updateProjectionMatrix();
  }
}
