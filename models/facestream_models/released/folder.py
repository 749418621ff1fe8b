"""The folder of a bundle that is being converted: whole at once or not at all."""

import hashlib
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from facestream.errors import InvalidValue


def check_output(output: Path) -> None:
    """Raise `InvalidValue` where no new folder can be made, before any work is done."""
    if output.exists() or not output.parent.is_dir():
        raise InvalidValue("output", output, "a folder that does not exist yet, inside one that does")


@contextmanager
def new_folder(output: Path) -> Iterator[Path]:
    """A hidden folder that becomes `output` when the block ends well, and leaves nothing behind when it does not."""
    check_output(output)
    with tempfile.TemporaryDirectory(dir=output.parent, prefix=f".{output.name}-") as made:
        folder = Path(made) / output.name
        folder.mkdir()
        yield folder
        shutil.move(folder, output)


def sha256(path: Path) -> str:
    """Digest of a file, read by pieces: checkpoints are a gigabyte."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
