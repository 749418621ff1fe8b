// Surfaces for a renderer without a GPU: the same light as on the fine ones (`stage.ts`, `materials.ts`), written out for
// what a processor does quickly. Diffuse light that wraps around, one highlight, a bright edge; no maps, no shadows.

import { Color, DoubleSide, FrontSide, type Matrix3, ShaderMaterial, Vector3 } from "three";
import { EYE_COLOUR, SKIN_TINT } from "./materials.js";

export type Kind = "front" | "both" | "blended";

export interface Surface {
  readonly tint: Color;
  /** Strength of the highlight, and how small it is (0..1). */
  readonly gloss: number;
  readonly sharpness: number;
  /** 1 inside the mouth, where no light comes from behind the head, and less from before it. */
  readonly inside: number;
  readonly kind: Kind;
}

const skin = (shade: number): Color => SKIN_TINT.clone().multiplyScalar(shade);
const SURFACES: Record<string, Surface> = {
  skin: { tint: skin(1), gloss: 0.085, sharpness: 0, inside: 0, kind: "front" },
  lips: { tint: skin(1), gloss: 0.2, sharpness: 0.5, inside: 0, kind: "front" },
  tongue: { tint: skin(0.75), gloss: 0.12, sharpness: 0.5, inside: 1, kind: "front" },
  gums: { tint: skin(0.75), gloss: 0.12, sharpness: 0.5, inside: 1, kind: "front" },
  teeth: { tint: new Color(0.86, 0.83, 0.78), gloss: 0.2, sharpness: 1, inside: 1, kind: "front" },
  mouth: { tint: skin(0.18), gloss: 0, sharpness: 0, inside: 1, kind: "both" },
  lashes: { tint: new Color(1, 1, 1), gloss: 0, sharpness: 0, inside: 0, kind: "both" },
  brows: { tint: new Color(1, 1, 1), gloss: 0, sharpness: 0, inside: 0, kind: "blended" },
};

export function surfaceOf(name: string): Surface {
  const found = SURFACES[name];
  if (found === undefined) throw new Error(`the head has a surface ${name}, which this page can not draw`);
  return found;
}

/** Four lights as `stage.ts` has them, their strength divided by pi, as a diffuse surface sends it back. */
const LIT = /* glsl */ `
  const vec3 KEY = vec3(0.464, 0.523, 0.717), FILL = vec3(-0.845, 0.044, 0.534);
  const vec3 RIM = vec3(-0.504, 0.462, -0.757), HAIR = vec3(0.756, 0.21, -0.63);
  const vec3 KEY_COLOUR = vec3(0.796, 0.699, 0.60), FILL_COLOUR = vec3(0.101, 0.133, 0.183);
  const vec3 RIM_COLOUR = vec3(0.36, 0.43, 0.56), HAIR_COLOUR = vec3(0.35, 0.203, 0.114);
  const vec3 SKY = vec3(0.135, 0.155, 0.18), GROUND = vec3(0.036, 0.023, 0.018);
  const vec3 SPREAD = vec3(0.20, 0.12, 0.10);

  vec3 wrapped(float facing) { return clamp((facing + SPREAD) / (1.0 + SPREAD), 0.0, 1.0); }

  vec3 diffuseLight(vec3 n, float behind) {
    return wrapped(dot(n, KEY)) * KEY_COLOUR + wrapped(dot(n, FILL)) * FILL_COLOUR
      + behind * (wrapped(dot(n, RIM)) * RIM_COLOUR + wrapped(dot(n, HAIR)) * HAIR_COLOUR)
      + mix(GROUND, SKY, 0.5 + 0.5 * n.y);
  }

  /* Khronos' neutral tone mapping, exposure 1.12, then sRGB by square roots, which cost less than powers. */
  vec3 shown(vec3 colour) {
    colour *= 1.12;
    float least = min(colour.r, min(colour.g, colour.b));
    colour -= least < 0.08 ? least - 6.25 * least * least : 0.04;
    float peak = max(colour.r, max(colour.g, colour.b));
    float pressed = peak < 0.76 ? peak : 1.0 - 0.0576 / (peak - 0.52);
    colour *= pressed / max(peak, 1e-4);
    vec3 a = sqrt(max(colour, 0.0)), b = sqrt(a), c = sqrt(b);
    return 0.662002687 * a + 0.684122060 * b - 0.323583601 * c - 0.0225411470 * colour;
  }
`;

/**
 * `neckTurn` and `neck` are those of the head: its points are given as the neck has them at rest. The uniform `tall` is the
 * height of the picture, at whose foot the bust fades; a mask over the page would be laid anew on every picture.
 */
export function plainSurface(kind: Kind, neckTurn: Matrix3, neck: Vector3): ShaderMaterial {
  return new ShaderMaterial({
    uniforms: { neckTurn: { value: neckTurn }, neck: { value: neck }, tall: { value: 1 } },
    vertexShader: /* glsl */ `
      attribute vec4 colour, surface;
      uniform mat3 neckTurn;
      uniform vec3 neck;
      varying vec4 vColour;
      varying vec3 vNormal, vSurface;
      void main() {
        vec3 place = mix(position, neckTurn * position, surface.w) + neck;
        vNormal = mix(normal, neckTurn * normal, surface.w);
        vColour = colour;
        vSurface = surface.xyz;
        gl_Position = projectionMatrix * (viewMatrix * vec4(place, 1.0));
      }`,
    fragmentShader: /* glsl */ `
      uniform float tall;
      varying vec4 vColour;
      varying vec3 vNormal, vSurface;
      ${LIT}
      void main() {
        float faded = smoothstep(0.04, 0.3, gl_FragCoord.y / tall);
        vec3 n = normalize(vNormal);
        ${kind === "both" ? "n = gl_FrontFacing ? n : -n;" : ""}
        vec3 view = normalize(cameraPosition);
        vec3 colour = vColour.rgb * diffuseLight(n, 1.0 - vSurface.z) * (1.0 - 0.35 * vSurface.z);
        float shine = max(dot(n, normalize(KEY + view)), 0.0);
        shine *= shine; shine *= shine; shine *= shine;
        float tight = shine * shine; tight *= tight;
        float edge = 1.0 - max(dot(n, view), 0.0);
        edge *= edge;
        colour += vSurface.x * KEY_COLOUR * mix(shine, 3.0 * tight, vSurface.y);
        colour += (1.0 - vSurface.z) * 0.16 * edge * (RIM_COLOUR * max(dot(n, RIM), 0.0) + HAIR_COLOUR * max(dot(n, HAIR), 0.0));
        ${kind === "blended" ? "gl_FragColor = vec4(shown(colour), vColour.a);" : "gl_FragColor = vec4(shown(colour), 1.0) * faded;"}
      }`,
    side: kind === "front" ? FrontSide : DoubleSide,
    transparent: kind === "blended",
    depthWrite: kind !== "blended",
    toneMapped: false,
  });
}

export function plainEye(): ShaderMaterial {
  return new ShaderMaterial({
    vertexShader: /* glsl */ `
      varying vec3 vEye, vNormal;
      void main() {
        vEye = position;
        vNormal = mat3(modelMatrix) * position;
        gl_Position = projectionMatrix * (modelViewMatrix * vec4(position, 1.0));
      }`,
    fragmentShader: /* glsl */ `
      varying vec3 vEye, vNormal;
      ${LIT}
      void main() {
        vec3 n = normalize(vNormal);
        ${EYE_COLOUR}
        vec3 colour = seen * diffuseLight(n, 0.0) * (1.0 - 0.62 * smoothstep(0.05, 0.52, n.y));
        float shine = max(dot(n, normalize(KEY + normalize(cameraPosition))), 0.0);
        shine *= shine; shine *= shine; shine *= shine; shine *= shine; shine *= shine; shine *= shine; shine *= shine;
        gl_FragColor = vec4(shown(colour + 1.4 * shine), 1.0);
      }`,
    side: FrontSide,
    toneMapped: false,
  });
}
