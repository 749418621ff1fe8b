"""Packages of npm that tests use as they are: pinned, their contents checked, kept."""

import hashlib
import subprocess
import tempfile
from pathlib import Path

from tests.plugins.build_once import locked


def fetched(folder: Path, name: str, package: str, sha256: str) -> Path:
    """`folder / name`, with what `package` (`name@version`) has; fetched where it is not there yet."""
    found = folder / name
    with locked(folder):
        if not found.exists():
            found.parent.mkdir(parents=True, exist_ok=True)
            _fetch(found, package, sha256)
    return found


def _fetch(into: Path, package: str, sha256: str) -> None:
    with tempfile.TemporaryDirectory(dir=into.parent) as beside:
        command = ["npm", "pack", "--silent", "--pack-destination", beside, package]
        told = subprocess.run(command, capture_output=True, text=True, check=False)
        assert told.returncode == 0, told.stdout + told.stderr
        (archive,) = Path(beside).glob("*.tgz")
        received = hashlib.sha256(archive.read_bytes()).hexdigest()
        assert received == sha256, f"{package} is not what was pinned: {received}"
        subprocess.run(["tar", "-xzf", archive, "-C", beside], check=True)
        (Path(beside) / "package").rename(into)
