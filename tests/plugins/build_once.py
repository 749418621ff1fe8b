"""What several tests build is built by the first of them, and kept until its sources change."""

import fcntl
import hashlib
import shutil
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """One process at a time; workers of the test suite share the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def build_once(folder: Path, sources: Iterable[Path], build: Callable[[Path], None]) -> Path:
    """The folder that `build` filled for these sources; a failed build leaves none."""
    digest = hashlib.sha256()
    for path in sorted(sources):
        digest.update(f"{path}\0".encode() + path.read_bytes())
    built = folder / digest.hexdigest()[:16]
    with locked(folder):
        if not (built / ".built").exists():
            for other in folder.iterdir():
                if other.is_dir():
                    shutil.rmtree(other)
            build(built)
            (built / ".built").touch()
    return built
