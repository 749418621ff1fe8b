"""Styles of `facestream.v1` as values, and what a model can be asked for as messages."""

from facestream.errors import InvalidValue
from facestream.style import Style
from facestream.styling import NO_STYLE, GuidanceMode, StyleAbilities, StyleBlend, StyleChoice, StylingChange
from facestream.v1.acting_pb2 import GuidanceMode as WireMode
from facestream.v1.acting_pb2 import StyleAbilities as WireAbilities
from facestream.v1.acting_pb2 import StyleControls, StyleSource

_MODES: dict[int, GuidanceMode] = {
    WireMode.GUIDANCE_MODE_INCREMENTAL: "incremental",
    WireMode.GUIDANCE_MODE_INDEPENDENT: "independent",
}


def styling_names(acting: str) -> dict[str, str]:
    """Names within the `ActingControls` at `acting` of what is called otherwise below."""
    fields = ("strength", "head_amount", "steps", "sampler", "audio_scale", "style_scale", "guidance", "name")
    names = {f"styling.{name}": f"{acting}.styling.{name}" for name in (*fields, "blend.share")}
    return names | {"styling": f"{acting}.styling", "style": f"{acting}.styling.file"}


def styling_of(message: StyleControls) -> StylingChange:
    """Changed values; fields that are not set stay as they are. Raises `InvalidValue`."""
    if message.guidance and message.guidance not in _MODES:
        allowed = "GUIDANCE_MODE_INCREMENTAL (1) or GUIDANCE_MODE_INDEPENDENT (2)"
        raise InvalidValue("styling.guidance", message.guidance, allowed)
    return StylingChange(
        style=_style_of(message),
        strength=message.strength if message.HasField("strength") else None,
        head_amount=message.head_amount if message.HasField("head_amount") else None,
        sampler=message.sampler if message.HasField("sampler") else None,
        steps=message.steps if message.HasField("steps") else None,
        audio_scale=message.audio_scale if message.HasField("audio_scale") else None,
        style_scale=message.style_scale if message.HasField("style_scale") else None,
        guidance=_MODES.get(message.guidance),
    )


def style_abilities_of(abilities: StyleAbilities) -> WireAbilities:
    """What `ListModels` tells of a model with styles."""
    return WireAbilities(
        styles=list(abilities.styles),
        digest=abilities.space.digest,
        style_width=abilities.space.width,
        moves_head=abilities.moves_head,
        samplers=abilities.samplers,
        most_steps=abilities.most_steps,
        sampler=abilities.sampler,
        steps=abilities.steps,
        audio_scale=abilities.audio_scale,
        style_scale=abilities.style_scale,
    )


def _style_of(message: StyleControls) -> StyleChoice | None:
    match message.WhichOneof("style"):
        case "none":
            return NO_STYLE
        case "name":
            return _named(message.name)
        case "file":
            return Style.from_bytes(message.file)
        case "blend":
            blend = message.blend
            return StyleBlend(_source_of(blend.first), _source_of(blend.second), blend.share)
        case _:
            return None


def _source_of(message: StyleSource) -> Style | str:
    match message.WhichOneof("source"):
        case "name":
            return _named(message.name)
        case "file":
            return Style.from_bytes(message.file)
        case _:
            raise InvalidValue("styling.name", "a blend without one of its styles", "a name or a file for both")


def _named(name: str) -> str:
    if name == NO_STYLE:  # below, the word means no style
        raise InvalidValue("styling.name", repr(NO_STYLE), "a style of the model; for nobody's, set 'none'")
    return name
