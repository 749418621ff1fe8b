// src/ and the web client -> the page's files. `node build.mjs [FOLDER]`; by default where the server finds them.

import { build } from "esbuild";
import { copyFile, mkdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const out = process.argv[2] ?? join(here, "../sdk_server/facestream/viewer");

await mkdir(out, { recursive: true });
await build({
  absWorkingDir: here,
  entryPoints: { viewer: "src/main.ts" },
  outdir: out,
  bundle: true,
  minify: true,
  format: "esm",
  target: "es2022",
  legalComments: "none",
  banner: { js: "/* facestream viewer. With three.js, Copyright 2010-2025 three.js authors, MIT licence. */" },
  logLevel: "warning",
});
await copyFile(join(here, "src/index.html"), join(out, "index.html"));
