"""How speech is acted: in which emotion, how widely, by whom, and whether its motion is the likeliest or a sample; or,
by models with styles, in whose style (`styling`).

Only models that act take these (`Abilities` says what one has). An emotion is a point in the model's own space: a
Gaussian that was heard in speech, stored, or shipped with the model under a name.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal, Self

import numpy as np

from facestream.errors import InvalidValue
from facestream.styling import StyleAbilities, Styling, StylingChange
from facestream.types import Float32

SPEECH: Literal["speech"] = "speech"
"""The emotion that is heard in the speech itself."""

MAX_SPREAD = 4.0
MAX_TEMPERATURE = 10.0
_LARGEST_LOG_VARIANCE = 20.0


@dataclass(frozen=True, eq=False, slots=True)
class Emotion:
    """A Gaussian in a model's emotion space: `mean` [D] of unit length; `log_variance` [D] where it is known.

    Any finite vector but zero will do for `mean`: it is brought to unit length.
    """

    mean: Float32
    log_variance: Float32 | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "mean", _vector("emotion.mean", self.mean))
        length = float(np.linalg.norm(self.mean.astype(np.float64)))
        if not 1e-6 < length < 1e12:
            raise InvalidValue("emotion.mean", f"a vector of length {length:g}", "a direction: any length but zero")
        object.__setattr__(self, "mean", (self.mean / length).astype(np.float32))
        if self.log_variance is not None:
            spread = _vector("emotion.log_variance", self.log_variance)
            if spread.shape != self.mean.shape:
                allowed = f"{self.width} values, as many as the mean"
                raise InvalidValue("emotion.log_variance", f"{spread.size} values", allowed)
            if np.abs(spread).max() > _LARGEST_LOG_VARIANCE:
                allowed = f"values from -{_LARGEST_LOG_VARIANCE:g} to {_LARGEST_LOG_VARIANCE:g}"
                raise InvalidValue("emotion.log_variance", f"{np.abs(spread).max():g}", allowed)
            object.__setattr__(self, "log_variance", spread)

    @property
    def width(self) -> int:
        """Dimensions of the space."""
        return self.mean.size

    def save(self, path: Path) -> None:
        """Write `.npz` (`mean`, and `log_variance` where it is known)."""
        with path.open("wb") as file:
            if self.log_variance is None:
                np.savez(file, mean=self.mean)
            else:
                np.savez(file, mean=self.mean, log_variance=self.log_variance)

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read `.npz` as `save` writes it, or `.npy`: a mean [D], or mean and log-variance [2, D].

        Raises `InvalidValue` for a file that is neither.
        """
        allowed = "an .npz with 'mean', or an .npy with one vector or two; make one: facestream emotion extract CLIP"
        try:
            with path.open("rb") as file:
                stored = np.load(file, allow_pickle=False)
                if isinstance(stored, np.ndarray):
                    rows = [stored] if stored.ndim == 1 else list(stored)
                else:
                    rows = [stored[name] for name in ("mean", "log_variance") if name in stored.files]
                if len(rows) not in (1, 2):
                    raise ValueError(f"{len(rows)} vectors")
                return cls(*(np.asarray(row, np.float32) for row in rows))
        except InvalidValue:
            raise
        except (OSError, ValueError, EOFError) as error:
            raise InvalidValue("emotion", f"{path} ({error})", allowed) from None


@dataclass(frozen=True, slots=True)
class Sampling:
    """Codes of motion drawn from `softmax(logits / tau)`, by the stream's seed; 1 is as the network was trained."""

    tau_top: float = 1.0
    tau_bottom: float = 1.0

    def __post_init__(self) -> None:
        for name, value in (("tau_top", self.tau_top), ("tau_bottom", self.tau_bottom)):
            if not 0.0 < value <= MAX_TEMPERATURE:  # also refuses NaN
                allowed = f"a number above 0, at most {MAX_TEMPERATURE:g}; leave sampling out for the likeliest motion"
                raise InvalidValue(f"sampling.{name}", value, allowed)


LIKELIEST: Literal["likeliest"] = "likeliest"
"""No sampling: the same audio and emotion give the same motion, whatever the seed."""


@dataclass(frozen=True, slots=True)
class Acting:
    """What one stream is acted with; `speaker` is one of the model's, empty for its first."""

    emotion: Emotion | str = SPEECH
    spread: float = 0.0
    sampling: Sampling | None = None
    speaker: str = ""
    styling: Styling = field(default_factory=Styling)

    def changed(self, change: "ActingChange") -> "Acting":
        """The same with the values of `change` that are set."""
        sampling = change.codes if isinstance(change.codes, Sampling) else None
        return replace(
            self,
            emotion=self.emotion if change.emotion is None else change.emotion,
            spread=self.spread if change.spread is None else change.spread,
            sampling=self.sampling if change.codes is None else sampling,
            speaker=self.speaker if change.speaker is None else change.speaker,
            styling=self.styling if change.styling is None else self.styling.changed(change.styling),
        )


@dataclass(frozen=True, slots=True)
class ActingChange:
    """New values; `None` leaves one as it is.

    `emotion` is a vector, the name of a preset, or `SPEECH`; `spread` moves it by so many standard deviations of its
    Gaussian, along one direction that the stream's seed draws; `codes` is how motion is chosen.
    """

    emotion: Emotion | str | None = None
    spread: float | None = None
    codes: Sampling | Literal["likeliest"] | None = None
    speaker: str | None = None
    styling: StylingChange | None = None

    def __post_init__(self) -> None:
        if self.spread is not None and not 0.0 <= self.spread <= MAX_SPREAD:
            raise InvalidValue(
                "emotion_spread", self.spread, f"a number from 0 to {MAX_SPREAD:g}; 0 is the middle of the emotion"
            )

    @property
    def is_empty(self) -> bool:
        emotional = (self.emotion, self.spread, self.codes, self.speaker)
        return all(value is None for value in emotional) and (self.styling is None or self.styling.is_empty)

    def settled(self, after: Acting) -> "ActingChange":
        """The same with vectors in place of names, as they are in the resolved acting that it led to."""
        styling = self.styling
        if styling is not None and styling.style is not None:
            styling = replace(styling, style=after.styling.style)
        return replace(self, emotion=None if self.emotion is None else after.emotion, styling=styling)


@dataclass(frozen=True, slots=True)
class Abilities:
    """What a model that acts can be asked for. Changes act on whole steps of `step_samples` at 16 kHz.

    A model without emotions has an `emotion_width` of 0; only one with styles has `styling`.
    """

    emotion_width: int
    presets: Mapping[str, Emotion]
    speakers: tuple[str, ...]
    step_samples: int
    styling: StyleAbilities | None = None

    def resolved(self, acting: Acting) -> Acting:
        """`acting` with its preset's vector in place of the name. Raises `InvalidValue` for what the model lacks."""
        emotion, styling = acting.emotion, acting.styling
        if not self.emotion_width and replace(acting, styling=Styling()) != Acting():
            raise InvalidValue("acting", "an emotion, choice or speaker", "styling: this model has styles, no emotions")
        if self.styling is not None:
            styling = self.styling.resolved(styling)
        elif styling != Styling():
            raise InvalidValue("styling", "a value", "nothing: this model has no styles; ListModels tells which do")
        if isinstance(emotion, str) and emotion != SPEECH:
            if emotion not in self.presets:
                known = ", ".join(self.presets) or "none: this model has no presets"
                raise InvalidValue("preset", repr(emotion[:80]), known)
            emotion = self.presets[emotion]
        if isinstance(emotion, Emotion):
            if emotion.width != self.emotion_width:
                raise InvalidValue("emotion.mean", f"{emotion.width} values", f"exactly {self.emotion_width}")
            if acting.spread and emotion.log_variance is None:
                allowed = "0 for an emotion whose log_variance is not given"
                raise InvalidValue("emotion_spread", acting.spread, allowed)
        if acting.speaker and acting.speaker not in self.speakers:
            raise InvalidValue("speaker", repr(acting.speaker[:80]), f"one of {', '.join(self.speakers)}")
        return replace(acting, emotion=emotion, styling=styling)


def _vector(field: str, values: Float32) -> Float32:
    vector = np.asarray(values, np.float32)
    if vector.ndim != 1 or not vector.size:
        raise InvalidValue(field, f"an array of shape {vector.shape}", "one vector")
    if not np.isfinite(vector).all():
        raise InvalidValue(field, "NaN or infinity", "finite values")
    return vector
