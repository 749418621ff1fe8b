"""The viewer's page in headless Chromium with software rendering: how long a sound takes to be a drawn face.

    npm ci --prefix viewer && facestream-bench viewer

First the example recording is the browser's microphone, at the pace of a voice. `voice_to_face` is the time from a
sample of that file to the picture that shows its frame; it is held against 120 ms, and it is made of

* `voice.look_ahead_ms`: what the model waits for by design, as the server announces it,
* `voice.server_ms`: from the last sample that a frame needs, sent, to the frame received: both ways and the server,
* `voice.waiting_ms`: in the chunk of 10 ms, for the server's next hop of 40 ms, for the next picture, and for frames
  that came late before,
* `voice.drawing_ms`: until WebGL tells that the picture is there.

Then the recording is played. It is sent ahead of its sound, so nobody waits for the look-ahead.
`played.behind_sound_ms` is how far the face of a picture, once it is there, is from the sound that is audible then,
`played.starved_share` how many pictures lacked their frame, `played.start_ms` the time from the wish to play to the
first face. What the browser's compositor and a screen take behind WebGL is in none of them.

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
    voice, played = found["voice"], found["played"]
    begun, drawing = np.array(voice["voiceToFace"]), float(np.median(voice["drawing"]))
    received = float(np.median(voice["neededToReceived"]))
    figures = {
        "viewer.voice_to_face_p50_ms": float(np.median(begun)) + drawing,
        "viewer.voice_to_face_p90_ms": float(np.quantile(begun, 0.9)) + drawing,
        "viewer.voice.look_ahead_ms": float(voice["lookAheadMs"]),
        "viewer.voice.server_ms": received,
        "viewer.voice.waiting_ms": float(np.median(begun)) - received - float(voice["lookAheadMs"]),
        "viewer.voice.drawing_ms": drawing,
        "viewer.played.behind_sound_p50_ms": float(np.median(np.abs(played["behindSound"]))),
        "viewer.played.behind_sound_p90_ms": float(np.quantile(np.abs(played["behindSound"]), 0.9)),
        "viewer.played.starved_share": played["starved"] / played["pictures"],
        "viewer.played.start_ms": float(played["started"]),
        "viewer.pixels.count": float(found["pixels"]),
    }
    for name in ("voice", "played"):
        figures[f"viewer.{name}.fps"] = 1000 / float(np.mean(found[name]["betweenPictures"]))
        figures[f"viewer.{name}.browser_cpu_ms"] = float(found[name]["cpuMsPerPicture"])
    notes = [
        f"window of {arguments.size}; without a GPU the page draws as many pixels as it has time for",
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
