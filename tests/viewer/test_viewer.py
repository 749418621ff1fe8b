"""The viewer's page: what is committed is what its sources make, and a browser can talk to a server through it."""

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from facestream.audio.example import EXAMPLE
from facestream.cli.phones import read_phones
from facestream.curves import INDEX
from facestream.files.csv import read_csv
from facestream.files.gltf_head import shipped_head_glb
from facestream.files.gltf_reader import read_gltf_take
from facestream.transports.server import VIEWER
from tests.docs.markdown import ROOT

SECONDS = 2.6
SHUT, OPEN = ("p", "b", "m"), ("aa", "ae", "ay", "ow", "ao", "ah", "eh")

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the page's sources with their packages; a checkout is left as it was."""
    if shutil.which("npm") is None:
        pytest.skip("npm is not here; it comes with Node")
    folder = tmp_path_factory.mktemp("viewer")
    unwanted = shutil.ignore_patterns("node_modules", "dist", "build")
    shutil.copytree(ROOT / "viewer", folder / "viewer", ignore=unwanted)
    shutil.copytree(ROOT / "engine_plugins" / "web", folder / "engine_plugins" / "web", ignore=unwanted)
    run("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline", folder=folder / "viewer")
    return folder / "viewer"


def run(*words: str, folder: Path) -> str:
    done = subprocess.run(words, cwd=folder, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, f"{' '.join(words)}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def test_the_shipped_page_is_what_its_sources_make(sources: Path, tmp_path: Path) -> None:
    run("node", "build.mjs", str(tmp_path), folder=sources)
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(path.name for path in VIEWER.iterdir())
    for path in tmp_path.iterdir():
        assert path.read_bytes() == (VIEWER / path.name).read_bytes(), f"{path.name}: run `npm run build` in viewer/"
    assert sum(path.stat().st_size for path in VIEWER.iterdir()) < 800_000


def test_types_hold(sources: Path) -> None:
    run("npx", "tsc", "--noEmit", folder=sources)


VALIDATE = """
import { readFileSync } from "node:fs";
import validator from "gltf-validator";
import { GLTFLoader } from "three/examples/jsm/loaders/GLTFLoader.js";
const data = new Uint8Array(readFileSync(process.argv[2]));
const { issues } = await validator.validateBytes(data);
if (issues.numErrors > 0) {
  console.log(JSON.stringify({ errors: issues.numErrors }));
  process.exit();
}
const { scene, animations } = await new GLTFLoader().parseAsync(data.buffer, "");
const faces = [];
scene.traverse((mesh) => mesh.isMesh && faces.push(Object.keys(mesh.morphTargetDictionary ?? {}).length));
console.log(JSON.stringify({ errors: issues.numErrors, warnings: issues.numWarnings,
  targets: Math.max(...faces), meshes: faces.length, tracks: animations[0]?.tracks.length ?? 0 }));
"""


def validated(sources: Path, path: Path) -> dict[str, int]:
    """What Khronos' validator and three.js say of a file."""
    (sources / "validate.mjs").write_text(VALIDATE)
    found: dict[str, int] = json.loads(run("node", "validate.mjs", str(path), folder=sources))
    return found


def test_the_head_is_valid_and_three_js_loads_it(sources: Path, tmp_path: Path) -> None:
    found = validated(sources, shipped_head_glb())
    assert (found["errors"], found["warnings"], found["targets"], found["tracks"]) == (0, 0, 52, 0)
    assert found["meshes"] == 16
    broken = shipped_head_glb().read_bytes().replace(b'"count":51', b'"count":52', 1)
    (tmp_path / "broken.glb").write_bytes(broken)
    assert validated(sources, tmp_path / "broken.glb")["errors"] > 0


class Served:
    """A server process with the page, on one port, that can be killed and begun again."""

    def __init__(self) -> None:
        self.port = 0
        self.begin()

    def begin(self) -> None:
        words = [sys.executable, "-m", "facestream.cli.main", "serve", "--viewer", "--port", "0", "--print-address"]
        words += ["--websocket-port", str(self.port), "--log-level", "warning"]
        self._process = subprocess.Popen(words, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout is not None
        self._process.stdout.readline()
        self.port = int(self._process.stdout.readline().rpartition(":")[2])

    def kill(self) -> None:
        self._process.send_signal(signal.SIGKILL)
        self._process.wait(30)
        assert self._process.stdout is not None
        self._process.stdout.close()


@pytest.fixture
def served() -> Iterator[Served]:
    server = Served()
    yield server
    server.kill()


def test_a_reader_uses_the_page(sources: Path, served: Served, tmp_path: Path) -> None:
    if not Path("/usr/bin/chromium").exists():
        pytest.skip("Chromium is not here: apt-get install chromium")
    samples, rate = soundfile.read(EXAMPLE)
    soundfile.write(tmp_path / "speech.wav", samples[: int(SECONDS * rate)], rate, subtype="PCM_16")
    phones = [phone for phone in read_phones(EXAMPLE) if phone.end_s < SECONDS - 0.1]
    moments = {
        "shut": [(phone.start_s + phone.end_s) / 2 for phone in phones if phone.phone in SHUT],
        "open": [(phone.start_s + phone.end_s) / 2 for phone in phones if phone.phone in OPEN],
    }
    environment = {
        "PAGE": f"http://127.0.0.1:{served.port}/", "WAV": str(tmp_path / "speech.wav"), "OUT": str(tmp_path),
        "MOMENTS": json.dumps(moments),
    }  # fmt: skip
    steps: dict[str, Any] = {}
    with subprocess.Popen(
        ["node", "test/page.mjs"], cwd=sources, env=os.environ | environment, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            told = json.loads(line)
            steps[told["step"]] = told
            if told["step"] == "restart":
                served.kill()
            elif told["step"] == "lost":
                served.begin()
    assert process.returncode == 0, steps

    assert steps["shown"]["models"] == 1
    assert (steps["played"]["label"], steps["played"]["title"]) == ("Pause", "speech.wav")
    assert steps["end"]["errors"] == []
    assert steps["end"]["foreign"] == []

    # pixels: the mouth's place darkens as the jaw opens, and on every bilabial shows no more than the line of shut lips
    looked = steps["looked"]
    dark, jaw = np.array(looked["dark"]), np.array(looked["jawOpen"])
    assert len(dark) > 40
    assert jaw[0] == 0
    assert np.corrcoef(dark, jaw)[0, 1] > 0.6
    assert dark[jaw > np.quantile(jaw, 0.85)].mean() > 2 * dark[jaw < np.quantile(jaw, 0.3)].mean()
    assert len(looked["shut"]) >= 4
    assert max(looked["shut"]) < dark[0], looked
    assert max(looked["open"]) > 2 * dark[0], looked

    # files: what the page writes, the package reads
    csv, glb = read_csv(tmp_path / "take.csv"), read_gltf_take(tmp_path / "take.glb")
    np.testing.assert_allclose(csv.weights[:, INDEX["jawOpen"]], glb.weights[:, INDEX["jawOpen"]], atol=1e-6)
    assert csv.weights[:, INDEX["jawOpen"]].max() > 0.1
    found = validated(sources, tmp_path / "take.glb")
    assert (found["errors"], found["targets"]) == (0, 52)
    assert found["tracks"] >= 7

    assert len(steps["heard"]["voiceToFace"]) > 20
    assert "back" in steps
