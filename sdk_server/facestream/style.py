"""A style: how someone moves while speaking, as the vector that one model's style encoder makes of their motion.

It is kept in a `.style` file, a few lines of JSON that name the model and the digest of its space of styles: what the
same numbers mean to another model, or to the same one trained anew, is another matter.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np

from facestream.errors import InvalidValue
from facestream.types import Float32

FORMAT, FORMAT_VERSION = "facestream-style", 1
LARGEST_FILE = 1 << 18
"""Bytes; a file of 128 numbers takes 3000."""

_MAKE_ONE = "make one: facestream style extract TAKE -o my.style"


@dataclass(frozen=True, eq=False, slots=True)
class Style:
    """`vector` [S], finite, of model `model` whose space of styles has the SHA-256 `digest`."""

    vector: Float32
    model: str
    digest: str

    def __post_init__(self) -> None:
        vector = np.asarray(self.vector, np.float32)
        if vector.ndim != 1 or not vector.size or not np.isfinite(vector).all():
            raise InvalidValue("style", f"numbers of shape {vector.shape}, or not finite", f"a vector; {_MAKE_ONE}")
        object.__setattr__(self, "vector", vector)

    def to_bytes(self) -> bytes:
        """Content of a `.style` file."""
        content = {
            "format": FORMAT,
            "version": FORMAT_VERSION,
            "model": self.model,
            "digest": self.digest,
            "style": [float(str(value)) for value in self.vector],  # the shortest text that gives the same float32
        }
        return (json.dumps(content, indent=1) + "\n").encode()

    @classmethod
    def from_bytes(cls, content: bytes, source: str = "the file sent") -> Self:
        """The style in the content of a `.style` file. Raises `InvalidValue`, naming `source`."""
        if len(content) > LARGEST_FILE:
            raise InvalidValue("style", f"{source} of {len(content)} bytes", f"at most {LARGEST_FILE}; {_MAKE_ONE}")
        try:
            found = json.loads(content)
            if not isinstance(found, dict) or found.get("format") != FORMAT:
                raise ValueError(f"it does not say format {FORMAT!r}")
            if found.get("version") != FORMAT_VERSION:
                raise ValueError(f"version {found.get('version')!r}, this release reads {FORMAT_VERSION}")
            model, digest, numbers = found["model"], found["digest"], found["style"]
            if not (isinstance(model, str) and isinstance(digest, str) and isinstance(numbers, list)):
                raise ValueError("model and digest must be texts, style a list")
            if not all(isinstance(number, int | float) and not isinstance(number, bool) for number in numbers):
                raise ValueError("style holds something else than numbers")
            return cls(np.array(numbers, np.float32), model, digest)
        except InvalidValue as error:
            raise InvalidValue("style", f"{source}: {error.received}", error.allowed) from None
        except (ValueError, KeyError, OverflowError, RecursionError) as error:
            raise InvalidValue("style", f"{source} ({error})", f"a .style file; {_MAKE_ONE}") from None

    def save(self, path: Path) -> None:
        """Write the `.style` file."""
        path.write_bytes(self.to_bytes())

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read a `.style` file. Raises `InvalidValue`."""
        try:
            with path.open("rb") as file:
                content = file.read(LARGEST_FILE + 1)
        except OSError as error:
            raise InvalidValue("style", f"{path} ({error.strerror})", f"a .style file; {_MAKE_ONE}") from None
        return cls.from_bytes(content, str(path))


@dataclass(frozen=True, slots=True)
class StyleSpace:
    """Where styles of one model live: `width` numbers of a norm within `norms`, and the `digest` of what makes them."""

    model: str
    digest: str
    width: int
    norms: tuple[float, float]

    def check(self, style: Style) -> None:
        """Refuse a style of another model or space, and numbers that no style encoder makes.

        Raises `InvalidValue`, one line that names both sides.
        """
        if (style.model, style.digest) != (self.model, self.digest):
            raise InvalidValue(
                "style",
                f"a style of {style.model} {style.digest[:12]}",
                f"styles of {self.model} {self.digest[:12]}; extract it from its take again with this model",
            )
        self.check_vector(style.vector)

    def check_vector(self, vector: Float32) -> None:
        """The same for bare numbers [S]."""
        if vector.shape != (self.width,):
            raise InvalidValue("style", f"{vector.size} numbers", f"{self.width}, as {self.model} has")
        norm, (least, most) = float(np.linalg.norm(vector)), self.norms
        if not least <= norm <= most:
            raise InvalidValue("style", f"norm {norm:.3g}", f"{least:.3g} to {most:.3g}; extract it with this model")


def mean_style(vectors: Float32) -> Float32:
    """The style [S] amid several [K, S]: the direction of their mean, as long as they are on average."""
    return blended(vectors, np.full(len(vectors), 1.0 / len(vectors)))


def blended(vectors: Float32, shares: "np.ndarray[tuple[int], np.dtype[np.float64]]") -> Float32:
    """Styles [K, S] in shares [K] that sum to 1, as long as they are on average: a shorter one would be no style.

    Raises `InvalidValue` for styles that cancel out.
    """
    mixed = shares @ vectors.astype(np.float64)
    length = float(np.linalg.norm(mixed))
    wanted = float(shares @ np.linalg.norm(vectors.astype(np.float64), axis=1))
    if length < 0.05 * wanted:
        raise InvalidValue("style", "styles that are the opposite of each other", "two that differ less, or one share")
    return np.asarray(mixed * (wanted / length), np.float32)
