// Surfaces of the head. Skin lets red light through at grazing angles, eyes are wet and have an iris, the mouth is dark
// inside: what the file's plain materials can not say.

import {
  Color, DoubleSide, type Material, type Mesh, MeshPhysicalMaterial, MeshStandardMaterial, type Object3D, ShaderChunk,
} from "three"; // prettier-ignore

const LIGHTS = ShaderChunk.lights_physical_pars_fragment;

/** Takes the orange out of the file's colours, which are made for flatter light. */
export const SKIN_TINT = new Color(0.93, 1.02, 1.1);

type Shader = { vertexShader: string; fragmentShader: string };

/** Light that wraps around the terminator, red the farthest: a cheap stand-in for scattering under the skin. */
const WRAPPED = /* glsl */ `
  vec3 spread = SKIN_SPREAD;
  vec3 facing = vec3(dot(geometryNormal, directLight.direction));
  vec3 irradiance = clamp((facing + spread) / (1.0 + spread), 0.0, 1.0);
  irradiance *= directLight.color;
`;

/** Inside a mouth no light arrives from behind the head. */
const SHELTERED = "float open = smoothstep(-0.05, 0.45, directLight.direction.z);";

/** Pores and unevenness, by place on the head at rest, so that they stay where they are on the skin. */
const PORES = /* glsl */ `
  float hash3(vec3 p) { p = fract(p * 0.3183099 + 0.1); p *= 17.0; return fract(p.x * p.y * p.z * (p.x + p.y + p.z)); }
  float noise3(vec3 x) {
    vec3 i = floor(x), f = fract(x); f = f * f * (3.0 - 2.0 * f);
    return mix(mix(mix(hash3(i), hash3(i + vec3(1,0,0)), f.x), mix(hash3(i + vec3(0,1,0)), hash3(i + vec3(1,1,0)), f.x), f.y),
      mix(mix(hash3(i + vec3(0,0,1)), hash3(i + vec3(1,0,1)), f.x), mix(hash3(i + vec3(0,1,1)), hash3(i + vec3(1,1,1)), f.x), f.y), f.z);
  }
`;

/** Put the surfaces on. They are for a GPU; without one `plain_surface.ts` takes their place. */
export function dress(root: Object3D): void {
  const made = new Map<string, Material>();
  root.traverse((object) => {
    const mesh = object as Mesh;
    if (mesh.isMesh !== true) return;
    const plain = mesh.material as MeshStandardMaterial;
    const known = made.get(plain.name) ?? surface(plain);
    made.set(plain.name, known);
    mesh.material = known;
    mesh.castShadow = ["skin", "lips"].includes(plain.name);
    mesh.receiveShadow = plain.name !== "lashes";
  });
}

function surface(plain: MeshStandardMaterial): Material {
  switch (plain.name) {
    case "skin":
      return skin(plain, true, 0.56, "vec3(0.20, 0.12, 0.10)");
    case "lips":
      return skin(plain, true, 0.36, "vec3(0.22, 0.11, 0.08)", 1, true);
    case "tongue":
    case "gums":
      return skin(plain, false, 0.4, "vec3(0.2, 0.08, 0.06)", 0.75, true);
    case "mouth":
      return skin(plain, false, 0.85, "vec3(0.1, 0.02, 0.02)", 0.28, true);
    case "white":
    case "iris":
    case "pupil":
      return eye();
    case "teeth": {
      const material = plain.clone();
      material.color = new Color(0.86, 0.83, 0.78);
      material.roughness = 0.28;
      material.onBeforeCompile = (shader: Shader) => {
        shader.fragmentShader = lit(shader.fragmentShader, "vec3(0.12)", true);
      };
      material.customProgramCacheKey = () => "teeth";
      return material;
    }
    case "brows": {
      const material = plain.clone();
      material.depthWrite = false;
      return material;
    }
    default:
      return plain;
  }
}

function skin(plain: MeshStandardMaterial, hasPores: boolean, roughness: number, spread: string, shade = 1, isInside = false): Material {
  const material = new MeshStandardMaterial({
    vertexColors: true, roughness, metalness: 0, side: plain.name === "mouth" ? DoubleSide : plain.side,
    color: SKIN_TINT.clone().multiplyScalar(shade),
  }); // prettier-ignore
  material.name = plain.name;
  material.onBeforeCompile = (shader: Shader) => {
    let fragment = lit(shader.fragmentShader, spread, isInside);
    if (hasPores) {
      shader.vertexShader = shader.vertexShader
        .replace("#include <common>", "#include <common>\nvarying vec3 vPlace;")
        .replace("#include <begin_vertex>", "#include <begin_vertex>\nvPlace = position;");
      fragment = fragment
        .replace("#include <common>", `#include <common>\nvarying vec3 vPlace;\n${PORES}`)
        .replace(
          "#include <normal_fragment_maps>",
          `#include <normal_fragment_maps>
          vec3 spot = vPlace * 1900.0;
          float middle = noise3(spot);
          vec3 slope = vec3(noise3(spot + vec3(0.6, 0, 0)), noise3(spot + vec3(0, 0.6, 0)), noise3(spot + vec3(0, 0, 0.6))) - middle;
          normal = normalize(normal - 0.10 * (mat3(viewMatrix) * slope));`,
        )
        .replace(
          "#include <roughnessmap_fragment>",
          `#include <roughnessmap_fragment>
          float uneven = noise3(vPlace * 160.0);
          roughnessFactor *= 0.86 + 0.28 * uneven;
          diffuseColor.rgb *= 0.97 + 0.06 * noise3(vPlace * 90.0) ;
          diffuseColor.r *= 1.0 + 0.03 * (uneven - 0.5);`,
        );
    }
    shader.fragmentShader = fragment;
  };
  material.customProgramCacheKey = () => `skin ${plain.name}`;
  return material;
}

/** three.js lights physical surfaces in one chunk; its cosine is what changes. */
function lit(fragment: string, spread: string, isInside: boolean): string {
  let lights = LIGHTS.replace("vec3 irradiance = dotNL * directLight.color;", WRAPPED.replace("SKIN_SPREAD", spread));
  if (isInside) lights = lights.replace("irradiance *= directLight.color;", `${SHELTERED}\nirradiance *= open * directLight.color;`)
    .replace("reflectedLight.directSpecular += irradiance", "reflectedLight.directSpecular += dotNL * open * directLight.color");
  else lights = lights.replace("reflectedLight.directSpecular += irradiance", "reflectedLight.directSpecular += dotNL * directLight.color");
  return fragment.replace("#include <lights_physical_pars_fragment>", lights);
}

/** `seen` of a place `vEye` on an eyeball by its angle from the axis: sclera, limbus, iris with fibres, pupil. */
export const EYE_COLOUR = /* glsl */ `
  vec3 gaze = normalize(vEye);
  float away = degrees(acos(clamp(gaze.z, -1.0, 1.0)));
  float around = atan(gaze.y, gaze.x);
  float fibre = 0.5 + 0.5 * sin(around * 31.0 + 2.2 * sin(around * 7.0)) * sin(around * 53.0 + away * 0.35);
  vec3 amber = mix(vec3(0.105, 0.06, 0.032), vec3(0.21, 0.13, 0.07), smoothstep(19.0, 12.0, away));
  amber *= 0.72 + 0.5 * fibre * smoothstep(10.0, 15.0, away);
  amber *= mix(1.0, 0.22, smoothstep(20.0, 25.5, away));
  vec3 white = mix(vec3(0.74, 0.71, 0.68), vec3(0.56, 0.38, 0.34), smoothstep(38.0, 80.0, away));
  vec3 seen = mix(amber, white, smoothstep(24.2, 27.0, away));
  seen = mix(vec3(0.004), seen, smoothstep(10.2, 11.8, away));
`;

/** A whole eyeball, wet, and shaded where the upper lid lies. */
function eye(): Material {
  const material = new MeshPhysicalMaterial({ roughness: 0.14, metalness: 0, clearcoat: 1, clearcoatRoughness: 0.03 });
  material.name = "eye";
  material.onBeforeCompile = (shader: Shader) => {
    shader.vertexShader = shader.vertexShader
      .replace("#include <common>", "#include <common>\nvarying vec3 vEye;")
      .replace("#include <begin_vertex>", "#include <begin_vertex>\nvEye = position;");
    shader.fragmentShader = shader.fragmentShader
      .replace("#include <common>", "#include <common>\nvarying vec3 vEye;")
      .replace(
        "#include <color_fragment>",
        `${EYE_COLOUR}
        diffuseColor.rgb = seen * (1.0 - 0.62 * smoothstep(0.05, 0.52, normalize(vNormal).y));`,
      );
  };
  material.customProgramCacheKey = () => "eye";
  return material;
}
