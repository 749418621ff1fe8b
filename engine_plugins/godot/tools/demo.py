"""The demo as a whole Godot project: the demo's own files, the add-on, the open head, a line to say.

    python engine_plugins/godot/tools/demo.py FOLDER

Then open FOLDER/project.godot with Godot 4.4 or later. Needs `facestream`, for its reader of sound files.
"""

import shutil
import sys
from pathlib import Path

import soundfile

_GODOT = Path(__file__).resolve().parents[1]
_ROOT = _GODOT.parents[1]
_HEAD = _ROOT / "models/facestream_bundles/head/open_head.glb"
_SPEECH = _ROOT / "examples/amiable.flac"


def write_demo(folder: Path) -> None:
    """Make `folder`, or bring one up to date that was made before."""
    shutil.copytree(_GODOT / "demo", folder, dirs_exist_ok=True)
    shutil.copytree(_GODOT / "addons", folder / "addons", dirs_exist_ok=True)
    shutil.copyfile(_HEAD, folder / "open_head.glb")
    samples, rate = soundfile.read(_SPEECH)
    soundfile.write(folder / "speech.wav", samples, rate, subtype="PCM_16")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: demo.py FOLDER")
    write_demo(Path(sys.argv[1]))
