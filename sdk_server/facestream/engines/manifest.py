"""`manifest.json` of a model bundle: one strict schema for each family, and no key beyond it."""

from fractions import Fraction
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, field_validator, model_validator

from facestream.engines.base import SILENCE

SCHEMA_VERSION = 1
MAX_LOOKAHEAD_SAMPLES = 1280
"""80 ms at 16 kHz: the most that a motion row of a live model may look ahead."""

Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
_GraphFile = Annotated[str, Field(pattern=r"^[^/\\]+\.onnx$")]
_Axes = list[int | str]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class InputSpec(_Strict):
    """One graph input that is not state; `pcm` is `["B", "640*S"]` where a hop takes 640 samples."""

    name: str
    shape: _Axes


class StateSpec(_Strict):
    """One state tensor: graph input `name`, output `next_` + `name`; the shape has no batch axis."""

    name: str = Field(pattern=r"^state_\w+$")
    shape: list[Annotated[int, Field(gt=0)]]


class Outputs(_Strict):
    """Layout of a motion row: expression, jaw, then the named extras."""

    expression: Literal[50]
    jaw: Literal[3]
    extras: list[str]


class BundleManifest(_Strict):
    """What every model bundle says. All keys are required, unknown keys are refused."""

    schema_version: Literal[1]
    name: str = Field(pattern=r"^[a-z0-9][a-z0-9-]*$")
    version: str = Field(min_length=1)
    sample_rate_hz: Literal[16000]
    motion_rate: str = Field(pattern=r"^[1-9]\d*/[1-9]\d*$")
    outputs: Outputs
    phone_classes: list[str]
    licence: str = Field(min_length=1)
    training: dict[str, Any]
    files: dict[str, Sha256]

    @field_validator("files")
    @classmethod
    def _inside_the_folder(cls, files: dict[str, str]) -> dict[str, str]:
        for path in files:
            if Path(path).is_absolute() or ".." in Path(path).parts or "\\" in path:
                raise ValueError(f"{path!r} leaves the bundle folder")
        return files

    def _must_list(self, kind: str, file: str | None) -> None:
        if file is not None and file not in self.files:
            raise ValueError(f"files has no entry for the {kind} {file!r}")


class LiveManifest(BundleManifest):
    """One causal graph with state: PCM in, motion and phone classes out.

    `hop_graph` is the same for a single hop, with only those moments of a state that the hop hears, evenly spaced from
    the oldest on, and output `new_` + `name` for those that it adds; bundles of before have none.
    """

    family: Literal["live"]
    graph: _GraphFile
    hop_graph: _GraphFile | None = None
    hop_samples: int = Field(ge=160, le=5120, multiple_of=32)
    lookahead_samples: int = Field(ge=0, le=MAX_LOOKAHEAD_SAMPLES)
    inputs: list[InputSpec]
    states: list[StateSpec]
    phone_classes: list[str] = Field(min_length=1)
    head_digest: Sha256

    @property
    def motions_per_hop(self) -> Fraction:
        """Motion rows that one hop gives; a whole number in a valid manifest."""
        return Fraction(self.motion_rate) * self.hop_samples / self.sample_rate_hz

    @model_validator(mode="after")
    def _consistent(self) -> "LiveManifest":
        self._must_list("graph", self.graph)
        self._must_list("hop_graph", self.hop_graph)
        if self.motions_per_hop.denominator != 1 or self.motions_per_hop < 1:
            raise ValueError(f"{self.hop_samples} samples a hop are no whole number of rows at {self.motion_rate} Hz")
        furthest = self.lookahead_samples + self.hop_samples - int(self.hop_samples / self.motions_per_hop)
        if furthest > MAX_LOOKAHEAD_SAMPLES:
            raise ValueError(f"the first row of a hop looks {furthest} samples ahead, at most {MAX_LOOKAHEAD_SAMPLES}")
        if "pcm" not in [spec.name for spec in self.inputs]:
            raise ValueError("inputs has no 'pcm'")
        if SILENCE not in self.phone_classes:
            raise ValueError(f"phone_classes has no {SILENCE!r}")
        return self


class GraphSpec(_Strict):
    """One graph of several: axes of its inputs and outputs, a number or text where a caller chooses."""

    file: _GraphFile
    inputs: dict[str, _Axes]
    outputs: dict[str, _Axes]


class LiveWindow(_Strict):
    """How a network that is not causal is run live: codes seen before and behind the one that is given out."""

    past_codes: int = Field(ge=1, le=24)
    ahead_codes: int = Field(ge=1, le=8)


class Hearing(_Strict):
    """How the emotion of a recording is heard: in the loudest `codes` of every `every`, 9.9 s at most."""

    codes: int = Field(ge=4, le=62)
    every: int = Field(ge=4, le=62)


class DeepTalkManifest(BundleManifest):
    """Graphs `hear` (an emotion) and `move` (codes and their motion); where words are heard from left to right a third
    one, `listen`, which gives what `move` takes of them and has state.

    `presets` and `profile` are files of the bundle: named emotions, and the rig profile of a head that is not the open
    one. `head_digest` is null where the user's head was not at hand: such a bundle gives motion, but no ARKit weights.
    `phone_classes` are those of the `phone` output of `listen`; empty where there is no such graph.
    """

    family: Literal["deeptalk"]
    graphs: list[GraphSpec] = Field(min_length=2, max_length=3)
    code_samples: Literal[2560]
    longest_samples: int = Field(ge=2560 * 32, multiple_of=2560)
    window: LiveWindow
    hearing: Hearing
    emotion_width: int = Field(ge=2, le=4096)
    codes: int = Field(ge=2, le=65536)
    speakers: list[str] = Field(min_length=1)
    presets: str | None
    profile: str | None
    head_digest: Sha256 | None

    @model_validator(mode="after")
    def _consistent(self) -> "DeepTalkManifest":
        for graph in self.graphs:
            self._must_list("graph", graph.file)
        self._must_list("presets", self.presets)
        self._must_list("profile", self.profile)
        if self.motion_rate != "25/1":
            raise ValueError(f"a code has 4 frames at 25/1 Hz, got {self.motion_rate}")
        if self.outputs.extras:
            raise ValueError(f"the network gives expression and jaw only, got extras {self.outputs.extras}")
        if len(set(self.speakers)) != len(self.speakers):
            raise ValueError("a speaker is named twice")
        return self


class FrameWindow(_Strict):
    """What a diffusion network makes at once: `frames`, behind `past` frames that it is given."""

    frames: int = Field(ge=1, le=1000)
    past: int = Field(ge=1, le=100)


class FramePieces(_Strict):
    """How a diffusion network is run in pieces, all counts in frames.

    Live, a window is filled with up to `known_frames` that were given out before, `hop_frames` new ones, and
    `ahead_frames` that are made again later; audio is waited for as far. Speech is heard from `context_frames` before
    what is new, in recordings and, where it is not heard hop by hop, live.
    """

    hop_frames: int = Field(ge=1, le=25)
    ahead_frames: int = Field(ge=0, le=25)
    known_frames: int = Field(ge=0, le=1000)
    context_frames: int = Field(ge=0, le=1000)


SamplerName = Literal["ddpm", "ddim", "dpm-solver++"]
SAMPLER_NAMES: tuple[SamplerName, ...] = ("ddpm", "ddim", "dpm-solver++")


class Sampling(_Strict):
    """How a diffusion model is sampled unless a caller says otherwise; `live_steps` where hops have time for fewer."""

    sampler: SamplerName
    steps: int = Field(ge=1, le=500)
    live_steps: int | None = Field(default=None, ge=1, le=500)
    audio_scale: float = Field(ge=0.0, le=10.0)
    style_scale: float = Field(ge=0.0, le=10.0)


_Scale = Annotated[float, Field(ge=0.0, le=10.0)]
_Range = Annotated[list[_Scale], Field(min_length=2, max_length=2)]


class DistilledNetwork(_Strict):
    """What the network of few steps learned: at most so many, and scales of guidance from the least to the most.

    `audio_scale` is the one that it takes unless a caller says otherwise. Its live windows are shorter: up to
    `known_frames` that were given out before, what is new as in `FramePieces`, and `beyond_frames` that are not meant,
    which stand for all that would lie behind the end of a whole window.
    """

    most_steps: int = Field(ge=1, le=500)
    audio_scales: _Range
    style_scales: _Range
    audio_scale: _Scale | None = None
    known_frames: int = Field(ge=0, le=1000)
    beyond_frames: int = Field(ge=1, le=1000)


class DiffPoseTalkManifest(BundleManifest):
    """Four graphs: `speech` (features; with state where it hears hop by hop), `memory` (what a window hears), `denoise`
    (one evaluation) and `style` (of a reference clip); a fifth, `stride`, where there is a `distilled` network.

    Motion inside the graphs is normalised by the file `statistics`, whose numbers have the digest `motion_space`: a
    style belongs to the space that it was made in, and has a norm within `style_norms`. `learned` holds the vectors
    that stand in for a missing past, style or speech. `styles` (named ones) and `profile` (of a head that is not the
    open one) may be missing. A frame describes the sample `instant_samples` behind the beginning of its
    `frame_samples`. `normalised_audio` tells whether `speech` expects mean 0 and deviation 1. `phone_classes` are those
    of its `phone` output; empty where it has none.
    """

    family: Literal["diffposetalk"]
    graphs: list[GraphSpec] = Field(min_length=4, max_length=5)
    frame_samples: Literal[640]
    instant_samples: int = Field(ge=0, lt=640)
    normalised_audio: bool
    window: FrameWindow
    pieces: FramePieces
    diffusion_steps: int = Field(ge=1, le=10_000)
    sampling: Sampling
    distilled: DistilledNetwork | None
    head_rotation: bool
    identity_width: int = Field(ge=0, le=1000)
    style_width: int = Field(ge=2, le=4096)
    style_norms: list[Annotated[float, Field(gt=0.0, le=1e4)]] = Field(min_length=2, max_length=2)
    statistics: str
    motion_space: Sha256
    learned: str
    styles: str | None
    profile: str | None
    head_digest: Sha256 | None

    @property
    def distilled_frames(self) -> int:
        """Of a live window of the network of few steps; 0 where there is none."""
        if self.distilled is None:
            return 0
        new = self.pieces.hop_frames + self.pieces.ahead_frames
        return self.distilled.known_frames + new + self.distilled.beyond_frames

    @property
    def distilled_audio_scale(self) -> float:
        """Of the network of few steps unless a caller says otherwise; without one of its own that of `sampling`."""
        own = None if self.distilled is None else self.distilled.audio_scale
        return self.sampling.audio_scale if own is None else own

    @model_validator(mode="after")
    def _consistent(self) -> "DiffPoseTalkManifest":
        for graph in self.graphs:
            self._must_list("graph", graph.file)
        for kind in ("statistics", "learned", "styles", "profile"):
            self._must_list(kind, getattr(self, kind))
        if self.motion_rate != "25/1":
            raise ValueError(f"a frame of {self.frame_samples} samples is one of 25/1 Hz, got {self.motion_rate}")
        if self.outputs.extras:
            raise ValueError(f"the network gives expression, jaw and head only, got extras {self.outputs.extras}")
        pieces = self.pieces
        filled = pieces.known_frames + pieces.hop_frames + pieces.ahead_frames
        if filled > self.window.frames or 2 * pieces.hop_frames > self.window.frames:
            raise ValueError(f"live fills {filled} of {self.window.frames} frames of a window, which holds two hops")
        if self.distilled_frames > self.window.frames:
            raise ValueError(
                f"live windows of {self.distilled_frames} distilled frames, {self.window.frames} are whole"
            )
        if pieces.context_frames % pieces.hop_frames:
            raise ValueError(f"{pieces.context_frames} frames of context are no whole hops of {pieces.hop_frames}")
        if (most := max(self.sampling.steps, self.sampling.live_steps or 1)) > self.diffusion_steps:
            raise ValueError(f"{most} sampling steps of {self.diffusion_steps} diffusion steps")
        if (expected := 4 + (self.distilled is not None)) != len(self.graphs):
            raise ValueError(f"{len(self.graphs)} graphs, expected {expected}: distilled is {self.distilled}")
        return self


Manifest = LiveManifest | DeepTalkManifest | DiffPoseTalkManifest
MANIFESTS: TypeAdapter[Manifest] = TypeAdapter(Annotated[Manifest, Field(discriminator="family")])
FAMILIES = ("live", "deeptalk", "diffposetalk")
