import pytest

from facestream.curves import (
    ALPHABETICAL_NAMES,
    ARKIT_NAMES,
    CSV_NAMES,
    INDEX,
    MIRROR_PAIRS,
    OPPOSED_PAIRS,
    columns,
    sided,
)

# engine-formats, table 1.2: canonical, CSV and alphabetical index of shapes whose three positions differ the most
POSITIONS = [
    ("eyeBlinkLeft", 0, 0, 8),
    ("jawLeft", 15, 16, 23),
    ("jawRight", 16, 15, 25),
    ("jawOpen", 17, 17, 24),
    ("mouthLeft", 21, 22, 32),
    ("mouthRight", 22, 21, 38),
    ("browInnerUp", 43, 43, 2),
    ("tongueOut", 51, 51, 51),
]


@pytest.mark.parametrize(("name", "canonical", "csv", "alphabetical"), POSITIONS)
def test_three_orders(name: str, canonical: int, csv: int, alphabetical: int) -> None:
    assert INDEX[name] == ARKIT_NAMES.index(name) == canonical
    assert CSV_NAMES.index(name) == csv
    assert ALPHABETICAL_NAMES.index(name) == alphabetical


def test_orders_are_permutations_of_52_names() -> None:
    assert len(set(ARKIT_NAMES)) == 52
    assert sorted(CSV_NAMES) == sorted(ARKIT_NAMES) == list(ALPHABETICAL_NAMES)


def test_pairs_name_existing_curves() -> None:
    assert len(MIRROR_PAIRS) == 20
    named = {name for pair in (*MIRROR_PAIRS, *OPPOSED_PAIRS) for name in pair}
    assert named <= set(ARKIT_NAMES)
    assert columns("jawOpen", "mouthClose") == [17, 18]
    assert sided("mouthSmile") == [23, 24]
