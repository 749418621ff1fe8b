"""Built engines on disk: each under everything it depends on, written whole or not at all, read only if unchanged."""

import hashlib
import logging
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path

log = logging.getLogger(__name__)

_MARK = b"facestream engine 1 "
_HEADER = len(_MARK) + hashlib.sha256().digest_size * 2 + 1


@dataclass(frozen=True, slots=True)
class CacheKey:
    """What a file was made from; another value of any of these is another file.

    `kind` is `engine`, `timing` or `kernels`; `bundle` and `shapes` are digests, `library` a name with its version,
    `device` a name with its compute capability.
    """

    kind: str
    bundle: str
    graph: str
    library: str
    device: str
    precision: str
    shapes: str

    @property
    def file(self) -> str:
        """A name that a person can place, and that no other key has."""
        told = "\n".join((self.kind, self.bundle, self.graph, self.library, self.device, self.precision, self.shapes))
        digest = hashlib.sha256(told.encode()).hexdigest()
        return f"{Path(self.graph).stem}-{self.precision}-{digest[:32]}.{self.kind}"


class EngineCache:
    """Files in `folder`, which is made when the first one is written. Nothing here fails: what is lost is time."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._has_complained = False

    def load(self, key: CacheKey) -> bytes | None:
        """What was stored under `key`; `None` where there is nothing, or nothing that can be trusted."""
        path = self.folder / key.file
        try:
            stored = path.read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            self._complain(f"{path}: can not be read ({error.strerror})")
            return None
        data = stored[_HEADER:]
        if stored[:_HEADER] != _header(data):
            log.warning("%s: the file is broken and is made again", path)
            return None
        return data

    def store(self, key: CacheKey, data: bytes) -> bool:
        """Keep `data`; `False`, and one line in the log, where the folder does not take it."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            with tempfile.NamedTemporaryFile(dir=self.folder, prefix=".", delete=False) as file:
                try:
                    file.write(_header(data))
                    file.write(data)
                    file.close()
                    os.replace(file.name, self.folder / key.file)
                except BaseException:
                    Path(file.name).unlink(missing_ok=True)
                    raise
        except OSError as error:
            self._complain(f"{self.folder}: can not be written ({error.strerror})")
            return False
        return True

    def _complain(self, what: str) -> None:
        if not self._has_complained:
            log.warning("%s; engines are built at every start: set engine_cache to a folder of yours", what)
        self._has_complained = True


def default_folder() -> Path:
    """Where programs of this user keep what they can make again."""
    if os.name == "nt":
        base = os.environ.get("LOCALAPPDATA")
        return Path(base or Path.home() / "AppData" / "Local") / "facestream" / "engines"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "facestream" / "engines"


def _header(data: bytes) -> bytes:
    return _MARK + hashlib.sha256(data).hexdigest().encode() + b"\n"
