"""The viewer's page in headless Chromium with software rendering: how long a sound takes to be a drawn face.

    npm ci --prefix viewer && facestream-bench viewer

The example recording is the browser's microphone. `voice_to_face` is the time from a sample of it to the picture that
shows its frame: the chunk of 40 ms it waits in, both ways over loopback, the model's look-ahead, the clock that bridges
unevenness, and the wait for a picture. Then the recording is played, and pictures a second are counted.
`browser_cpu_ms` is the processor time of all the browser's processes for one picture, whatever else keeps the cores
busy. Needs Node and Chromium. Writes `benchmarks/results/viewer.json`.
"""

import argparse
import json
import os
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

from facestream.audio.example import EXAMPLE
from facestream.errors import InvalidValue
from facestream_bench.command import add_output, publish
from facestream_bench.server_process import running_server

_PAGE = Path(__file__).resolve().parents[2] / "viewer"


def main(words: Sequence[str] | None = None) -> None:
    """Measure and write the result file."""
    parser = argparse.ArgumentParser(
        "facestream-bench viewer", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seconds", type=float, default=8, help="of voice, and of playing")
    parser.add_argument("--size", default="960x600", help="of the window")
    add_output(parser)
    arguments = parser.parse_args(words)
    if not (_PAGE / "node_modules").is_dir():
        raise InvalidValue("viewer", "no packages in viewer/", "a checkout after `npm ci --prefix viewer`")
    with running_server("live", 4, viewer=True, websocket_port=0) as server:
        found = _measured(f"http://{server.web_address}/", arguments.seconds, arguments.size)
    voice = np.array(found["voice"]["voiceToFace"])
    figures = {
        "viewer.voice_to_face_p50_ms": float(np.median(voice)),
        "viewer.voice_to_face_p90_ms": float(np.quantile(voice, 0.9)),
        "viewer.pixels.count": float(found["pixels"]),
    }
    for name in ("voice", "played"):
        figures[f"viewer.{name}.fps"] = 1000 / float(np.mean(found[name]["betweenPictures"]))
        figures[f"viewer.{name}.browser_cpu_ms"] = float(found[name]["cpuMsPerPicture"])
    notes = [
        f"window of {arguments.size}; without a GPU the page draws fewer pixels than the window has",
        "server, browser and software renderer share the cores",
    ]
    for key, value in figures.items():
        print(f"{key:32} {value:.4g}")
    publish("viewer", figures, parser, arguments, notes)


def _measured(page: str, seconds: float, size: str) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        samples, rate = soundfile.read(EXAMPLE)
        wav = Path(folder) / "speech.wav"
        soundfile.write(wav, samples, rate, subtype="PCM_16")
        environment = os.environ | {"PAGE": page, "WAV": str(wav), "SECONDS": str(seconds), "SIZE": size}
        done = subprocess.run(
            ["node", "test/measure.mjs"], cwd=_PAGE, env=environment, capture_output=True, text=True, check=False
        )
    if done.returncode != 0:
        raise InvalidValue("viewer", done.stderr.strip()[-400:], "Node, and Chromium at /usr/bin/chromium")
    found: dict[str, Any] = json.loads(done.stdout)
    return found
