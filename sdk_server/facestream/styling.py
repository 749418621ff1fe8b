"""How a model with styles is asked to move: in whose style, how strongly, how far the head goes, how it is sampled."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Literal

import numpy as np

from facestream.errors import InvalidValue
from facestream.style import Style, StyleSpace, blended

NO_STYLE: Literal["none"] = "none"
"""Nobody's style in particular: the model moves as it does for anyone."""

MAX_STRENGTH = 2.0
MAX_HEAD_AMOUNT = 2.0
MAX_SCALE = 10.0

GuidanceMode = Literal["incremental", "independent"]
MODES: tuple[GuidanceMode, ...] = ("incremental", "independent")


DISTILLED: Literal["distilled"] = "distilled"
"""The sampler that asks a network which learned guidance and many steps of the model's own as few steps."""


@dataclass(frozen=True, slots=True)
class StyleBlend:
    """What lies between two styles (or the names of such): `share` of the second one, 0 to 1."""

    first: Style | str
    second: Style | str
    share: float

    def __post_init__(self) -> None:
        _check_range("styling.blend.share", self.share, 1.0)


StyleChoice = Style | StyleBlend | str
"""A style, the name of one that ships with the model, `NO_STYLE`, or a blend."""


@dataclass(frozen=True, slots=True)
class Styling:
    """What one stream is styled with; `None` is the model's own value."""

    style: StyleChoice = NO_STYLE
    strength: float = 1.0
    head_amount: float = 1.0
    sampler: str | None = None
    steps: int | None = None
    audio_scale: float | None = None
    style_scale: float | None = None
    guidance: GuidanceMode | None = None

    def changed(self, change: "StylingChange") -> "Styling":
        """The same with the values of `change` that are set."""
        named = {one.name: getattr(change, one.name) for one in fields(change)}
        return replace(self, **{name: value for name, value in named.items() if value is not None})


@dataclass(frozen=True, slots=True)
class StylingChange:
    """New values; `None` leaves one as it is.

    `strength` 0 to 2 multiplies the model's style scale: 0 is nobody's style, 1 as the model is meant. `head_amount` 0
    to 2 multiplies the rotation of the head: 0 holds it still, 1 is as the model moves it. `steps` are evaluations of
    the network a window, of `sampler`: without a name the model's own, or the distilled one where it has one and the
    steps are few (`StyleAbilities.sampling`). `audio_scale` and `style_scale`, 0 to 10, say how far speech and style
    are obeyed: 0 ignores, 1 takes as it is (and saves work), more overdoes. Raises `InvalidValue`.
    """

    style: StyleChoice | None = None
    strength: float | None = None
    head_amount: float | None = None
    sampler: str | None = None
    steps: int | None = None
    audio_scale: float | None = None
    style_scale: float | None = None
    guidance: GuidanceMode | None = None

    def __post_init__(self) -> None:
        for name, most in (
            ("strength", MAX_STRENGTH),
            ("head_amount", MAX_HEAD_AMOUNT),
            ("audio_scale", MAX_SCALE),
            ("style_scale", MAX_SCALE),
        ):
            if (value := getattr(self, name)) is not None:
                _check_range(f"styling.{name}", value, most)
        if self.guidance is not None and self.guidance not in MODES:
            raise InvalidValue("styling.guidance", repr(self.guidance[:40]), " or ".join(MODES))

    @property
    def is_empty(self) -> bool:
        return all(getattr(self, one.name) is None for one in fields(self))


@dataclass(frozen=True, slots=True)
class Distilled:
    """What a model's distilled network learned: 1 to `most_steps`, and scales from the least to the most.

    `audio_scale` is its own value, which may be another than that of the network that it learned from.
    """

    most_steps: int
    audio_scales: tuple[float, float]
    style_scales: tuple[float, float]
    audio_scale: float

    def check(self, steps: int | None, audio_scale: float, style_scale: float, guidance: GuidanceMode | None) -> None:
        """Raise `InvalidValue` for what it has not learned; `style_scale` is that of the model times the strength."""
        only = f"with sampler {DISTILLED!r}"
        if steps is not None and not 1 <= steps <= self.most_steps:
            raise InvalidValue("styling.steps", steps, f"1 to {self.most_steps} {only}")
        for name, scale, (least, most) in (
            ("styling.audio_scale", audio_scale, self.audio_scales),
            ("styling.style_scale times strength", style_scale, self.style_scales),
        ):
            if not least <= scale <= most:
                raise InvalidValue(name, scale, f"{least:g} to {most:g} {only}")
        if guidance not in (None, MODES[0]):
            raise InvalidValue("styling.guidance", repr(guidance), f"{MODES[0]} {only}")


@dataclass(frozen=True, slots=True)
class Sampling:
    """How motion is sampled; `style_scale` is without the strength."""

    sampler: str
    steps: int
    audio_scale: float
    style_scale: float
    guidance: GuidanceMode


@dataclass(frozen=True, slots=True)
class StyleAbilities:
    """What a model with styles can be asked for, and how it is sampled unless asked otherwise.

    `sampler` and `audio_scale` are those of the model's own network; `distilled` tells of the other one, where it has
    one. `steps` are those of recordings: a live hop is a window, too, and has less time.
    """

    space: StyleSpace
    styles: Mapping[str, Style]
    moves_head: bool
    samplers: tuple[str, ...]
    most_steps: int
    sampler: str
    steps: int
    live_steps: int
    audio_scale: float
    style_scale: float
    distilled: Distilled | None = None

    def sampling(self, styling: Styling, *, is_clip: bool) -> Sampling:
        """How `styling`, which must have been `resolved`, is sampled in recordings (`is_clip`) or live.

        Few steps are those of the distilled network unless a sampler is named, or something is asked for that it has
        not learned.
        """
        steps, style_scale = styling.steps or (self.steps if is_clip else self.live_steps), self._style_scale(styling)
        guidance = styling.guidance or MODES[0]
        if self.distilled is not None and styling.sampler in (None, DISTILLED):
            few = min(steps, self.distilled.most_steps) if styling.sampler == DISTILLED else steps
            audio_scale = _audio_scale(styling, self.distilled)
            try:
                self.distilled.check(few, audio_scale, styling.strength * style_scale, guidance)
                return Sampling(DISTILLED, few, audio_scale, style_scale, guidance)
            except InvalidValue:
                pass  # the model's own network can do it
        return Sampling(styling.sampler or self.sampler, steps, _audio_scale(styling, self), style_scale, guidance)

    def resolved(self, styling: Styling) -> Styling:
        """`styling` with its style's vector in place of a name or blend. Raises `InvalidValue` for what it lacks."""
        if styling.sampler is not None and styling.sampler not in self.samplers:
            raise InvalidValue("styling.sampler", repr(styling.sampler[:40]), f"one of {', '.join(self.samplers)}")
        if styling.steps is not None and not 1 <= styling.steps <= self.most_steps:
            raise InvalidValue("styling.steps", styling.steps, f"1 to {self.most_steps}")
        if not self.moves_head and styling.head_amount not in (0.0, 1.0):
            raise InvalidValue("styling.head_amount", styling.head_amount, "nothing: this model does not move the head")
        scale = self._style_scale(styling)
        if styling.strength * scale > MAX_SCALE:
            allowed = f"0 to {MAX_SCALE / scale:.3g} with a style_scale of {scale:g}"
            raise InvalidValue("styling.strength", styling.strength, allowed)
        if styling.sampler == DISTILLED and self.distilled is not None:
            audio_scale = _audio_scale(styling, self.distilled)
            self.distilled.check(styling.steps, audio_scale, styling.strength * scale, styling.guidance)
        return replace(styling, style=self._style(styling.style))

    def _style_scale(self, styling: Styling) -> float:
        return self.style_scale if styling.style_scale is None else styling.style_scale

    def _style(self, choice: StyleChoice) -> Style | Literal["none"]:
        if isinstance(choice, StyleBlend):
            pair = [self._known(one) for one in (choice.first, choice.second)]
            shares = np.array([1.0 - choice.share, choice.share])
            mixed = blended(np.stack([one.vector for one in pair]), shares)
            return Style(mixed, self.space.model, self.space.digest)
        return NO_STYLE if choice == NO_STYLE else self._known(choice)

    def _known(self, choice: Style | str) -> Style:
        if isinstance(choice, str):
            if choice not in self.styles:
                known = ", ".join(self.styles) or "none: this model has no named styles, send a .style file"
                raise InvalidValue("styling.name", repr(choice[:80]), known)
            return self.styles[choice]
        self.space.check(choice)
        return choice


def _audio_scale(styling: Styling, network: StyleAbilities | Distilled) -> float:
    return network.audio_scale if styling.audio_scale is None else styling.audio_scale


def _check_range(field: str, value: float, most: float) -> None:
    if not 0.0 <= value <= most or math.isnan(value):
        raise InvalidValue(field, value, f"a number from 0 to {most:g}")
