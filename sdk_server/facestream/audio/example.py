"""The recording that ships with the project."""

from pathlib import Path

_INSTALLED = Path(__file__).resolve().parents[1] / "examples"
_CHECKOUT = Path(__file__).resolve().parents[3] / "examples"

EXAMPLE = (_INSTALLED if _INSTALLED.is_dir() else _CHECKOUT) / "amiable.flac"
"""Shipped inside the wheel; in a checkout it lies in `examples/`."""
