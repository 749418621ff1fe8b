import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from facestream.curves import ARKIT_NAMES, INDEX
from facestream.files.curve_names import curve_of, viseme_of
from facestream.visemes import MESH_NAMES, VISEMES

PREFIXES = ("", "blendShape1.", "head_geo.", "ARKit_", "Face:", "CC_Base_Body.", "rig|face.")


def snake(name: str) -> str:
    return "".join("_" + letter.lower() if letter.isupper() else letter for letter in name)


def short(name: str) -> str:
    return name.removesuffix("Left") + "_L" if name.endswith("Left") else name.removesuffix("Right") + "_R"


@settings(max_examples=30)
@given(name=st.sampled_from(ARKIT_NAMES), prefix=st.sampled_from(PREFIXES), data=st.data())
def test_any_usual_spelling_is_understood(name: str, prefix: str, data: st.DataObject) -> None:
    spellings = [name, name.upper(), name[0].upper() + name[1:], snake(name)]
    if name.endswith(("Left", "Right")):
        spellings += [short(name), short(name).replace("_", "."), snake(name).replace("_left", ".L")]
    assert curve_of(prefix + data.draw(st.sampled_from(spellings))) == INDEX[name]


@pytest.mark.parametrize(
    "name", ["", "_", "Left", "basis", "jaw", "openJaw", "viseme_aa", "eyeBlink", "mouth.L.R", "x"]
)
def test_other_names_are_no_curves(name: str) -> None:
    assert curve_of(name) is None


@pytest.mark.parametrize("prefix", PREFIXES)
def test_visemes_by_the_names_of_avatars(prefix: str) -> None:
    for index, name in enumerate(MESH_NAMES):
        assert viseme_of(prefix + name) == index
    assert viseme_of("aa") is None
    assert VISEMES.index("ih") == viseme_of("Viseme_I")
