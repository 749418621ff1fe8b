from dataclasses import dataclass, field
from pathlib import Path

import pytest

from facestream_models.deeptalk.stages.prior import PriorConfig
from facestream_models.training.config import from_values, read_config


@dataclass(frozen=True)
class Inner:
    sizes: tuple[int, ...] = (1, 2)
    rate: float = 0.5


@dataclass(frozen=True)
class Outer:
    name: str = "x"
    steps: int = 3
    quick: bool = False
    inner: Inner = field(default_factory=Inner)


def test_tables_become_dataclasses_and_the_rest_keeps_its_default() -> None:
    assert from_values({"steps": 5, "inner": {"sizes": [4, 5, 6], "rate": 1}}, Outer) == Outer(
        steps=5, inner=Inner((4, 5, 6), 1.0)
    )


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("colour = 1", "colour: no such key; known here: inner, name, quick, steps"),
        ("[inner]\nrat = 1", r"inner\.rat: no such key; known here: rate, sizes"),
        ("steps = 1.5", "steps: found 1.5, expected int"),
        ("steps = true", "steps: found True, expected int"),
        ("inner = 3", "inner: found 3, expected a table"),
        ("steps = ", "Invalid value"),
    ],
)
def test_each_mistake_is_named_with_its_file(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "wrong.toml"
    path.write_text(text)
    with pytest.raises(ValueError, match=said) as caught:
        read_config(path, Outer)
    assert str(path) in str(caught.value)


def test_the_shipped_configurations_are_read() -> None:
    folder = Path(__file__).parents[2] / "models" / "facestream_models" / "deeptalk" / "configs"
    assert read_config(folder / "prior_compact.toml", PriorConfig).shape.width == 64
