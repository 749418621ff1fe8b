"""Training windows: what the corpus holds, as mel power and targets, cut and mixed at random.

Utterances are kept in memory as mel decibels (float16) and targets; five hours take about 350 MB. A window starts
anywhere in an utterance and runs on into others of the same source and language, so nothing is padded and streams
begin mid-word as they do in life. Some windows are *spliced*: cut where one phone gives way to the next and put
together again in another order, so that texts can not be learned by heart.
"""

from collections import defaultdict
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from facestream_models.corpus.augment import Augmenter, noise_waveform
from facestream_models.corpus.coarticulation import CURVES
from facestream_models.corpus.phones import CLASSES, SILENCE
from facestream_models.corpus.store import Utterance
from facestream_models.corpus.targets import Targets, targets_of
from facestream_models.encoders.mel import FRAMES_PER_STEP, TAIL, MelPower
from facestream_models.live.network import STEP_SAMPLES

Float32 = NDArray[np.float32]
UNKNOWN = np.float16("nan")
GRID = "grid"
"""Source of the utterances whose lips were measured too."""

_JOINTS_TRIED = 24
_STAYS_WITH_THE_VOICE = 0.85


@dataclass(frozen=True)
class Item:
    """One utterance of S steps: mel `decibels` [2 S, bands], targets by step, `lips` [S] (measured, or NaN).

    `joints` are the steps at which another phone class begins.
    """

    decibels: NDArray[np.float16]
    classes: NDArray[np.float16]
    curves: NDArray[np.float16]
    contacts: NDArray[np.float16]
    lips: NDArray[np.float16]
    labelled: bool
    joints: NDArray[np.intp]

    @property
    def steps(self) -> int:
        return len(self.classes)


class Batch(NamedTuple):
    """`power` [B, 2 S, bands]; targets at the instants of steps 0..S-1; `labelled` [B, S] is 0 where only lips are."""

    power: torch.Tensor
    classes: torch.Tensor
    curves: torch.Tensor
    contacts: torch.Tensor
    lips: torch.Tensor
    labelled: torch.Tensor


@dataclass(frozen=True)
class Mixture:
    """How batches are drawn. `shares` weighs the sources; the others are shares of all rows.

    Within a source, languages have the share of their time, times their weight in `languages` (1 where not named).
    `spliced` is the share of speech windows, other than those with measured lips, that are put together from pieces
    of at least `pieces[0]` to `pieces[1]` steps, evenly drawn; a piece goes on to the end of its phone.
    """

    shares: dict[str, float] = field(default_factory=lambda: {"kokoro": 1.0})
    languages: dict[str, float] = field(default_factory=dict)
    negatives: float = 0.08
    lips: float = 0.06
    spliced: float = 0.0
    pieces: tuple[int, int] = (15, 60)


class MelReader:
    """Waveforms to mel decibels, the same arithmetic as inside the network's graph."""

    def __init__(self, bands: int) -> None:
        self.mel = MelPower(bands)

    def __call__(self, audio: NDArray[np.floating] | NDArray[np.int16]) -> NDArray[np.float16]:
        """`audio` [T] int16 or float -> decibels [2 ceil(T / 320), bands]."""
        scale = 1.0 / 32768.0 if audio.dtype == np.int16 else 1.0
        samples = torch.from_numpy(np.asarray(audio, dtype=np.float32) * np.float32(scale))
        samples = torch.nn.functional.pad(samples, (0, -len(samples) % STEP_SAMPLES))
        with torch.no_grad():
            power, _ = self.mel(samples[None], torch.zeros(1, TAIL))
            return (10.0 * torch.log10(power[0].clamp(min=1e-12))).half().numpy()


class Unchanged(Augmenter):
    """No room, no channel, no noise: what validation hears."""

    def __call__(self, power: Float32, noise: Float32, clearest_db: float = 32.0) -> Float32:
        del noise, clearest_db
        return power


class Material:
    """Everything to train on, by source."""

    def __init__(self, bands: int, random: np.random.Generator, noises: int = 150) -> None:
        self.bands = bands
        self.random = random
        self.read_mel = MelReader(bands)
        self.augment = Augmenter(bands, random)
        self.speech: dict[tuple[str, str], list[Item]] = defaultdict(list)
        """By source and language."""
        self.lips: list[Item] = []
        self._lips_of: dict[str, Float32] = {}
        self.noise = [self.read_mel(0.3 * noise_waveform(12.0, random)) for _ in range(noises)]
        self.music: list[NDArray[np.float16]] = []

    def add(self, utterance: Utterance) -> None:
        """Take one utterance; one without any speech becomes background and a lesson in keeping the mouth shut."""
        decibels = self.read_mel(utterance.audio)
        if np.all(utterance.classes == SILENCE):
            self.music.append(decibels)
            return
        targets = targets_of(utterance)
        lips = self._lips_of.get(utterance.key.rsplit("-", 1)[-1]) if utterance.source == GRID else None
        measured = np.full(len(targets.classes), UNKNOWN) if lips is None else _fitted(lips, len(targets.classes))
        group = (utterance.source, utterance.language)
        self.speech[group].append(_item(decibels, targets, measured, labelled=True))

    def add_lips(self, key: str, audio: NDArray[np.floating], lips: Float32) -> None:
        """Take a clip with measured lip distance [F at 50 Hz]; its phones may follow as an utterance of that key."""
        decibels = self.read_mel(audio)
        steps = len(decibels) // FRAMES_PER_STEP
        nothing = Targets(*(np.zeros((steps, width), np.float32) for width in (len(CLASSES), len(CURVES), 2)))
        self.lips.append(_item(decibels, nothing, _fitted(lips, steps), labelled=False))
        self._lips_of[key] = lips

    def seconds(self) -> dict[str, float]:
        """Seconds of each source."""
        found: dict[str, float] = defaultdict(float)
        for (source, _), items in self.speech.items():
            found[source] += sum(item.steps for item in items) * 0.02
        found["lips"] = sum(item.steps for item in self.lips) * 0.02
        found["music"] = sum(len(decibels) for decibels in self.music) * 0.01
        return dict(found)

    def draw_with(self, random: np.random.Generator) -> None:
        """Take all randomness of the next batches from `random`."""
        self.random = self.augment.random = random

    def batch(self, rows: int, steps: int, mixture: Mixture) -> Batch:
        """Random windows of S steps through random channels."""
        groups = self._groups(mixture)
        windows = [self._speech_window(steps, mixture, groups) for _ in range(rows)]
        silent = self.random.random(rows) < mixture.negatives
        background = np.stack([self._alone(steps) if alone else self._background(steps) for alone in silent])
        power = np.stack([window.power for window in windows])
        power = np.where(silent[:, None, None], self.augment.alone(background), self.augment(power, background))
        parts = [np.stack([np.asarray(w[n], np.float32) for w in windows]) for n in range(1, 6)]
        for row in np.flatnonzero(silent):
            parts[0][row] = np.eye(parts[0].shape[2], dtype=np.float32)[SILENCE]
            parts[1][row], parts[2][row], parts[3][row], parts[4][row] = 0.0, 0.0, np.nan, 1.0
        return Batch(torch.from_numpy(power), *(torch.from_numpy(part) for part in parts))

    def _groups(self, mixture: Mixture) -> dict[tuple[str, str], float]:
        """Probability of each group that has a share."""
        amounts = {
            (source, language): sum(item.steps for item in items) * mixture.languages.get(language, 1.0)
            for (source, language), items in self.speech.items()
            if mixture.shares.get(source, 0.0) > 0.0
        }
        if not amounts:
            raise ValueError(f"no source of {sorted(self.speech)} has a share in {mixture.shares}")
        whole: dict[str, float] = defaultdict(float)
        for (source, _), amount in amounts.items():
            whole[source] += amount
        weights = {group: mixture.shares[group[0]] * amount / whole[group[0]] for group, amount in amounts.items()}
        total = sum(weights.values())
        return {group: weight / total for group, weight in weights.items()}

    def _speech_window(self, steps: int, mixture: Mixture, groups: dict[tuple[str, str], float]) -> "_Window":
        if self.lips and self.random.random() < mixture.lips:
            return self._window(self.lips, steps)
        chosen = int(self.random.choice(len(groups), p=list(groups.values())))
        source, language = list(groups)[chosen]
        items = self.speech[source, language]
        spliced = source != GRID and self.random.random() < mixture.spliced
        return self._spliced_window(items, steps, mixture.pieces) if spliced else self._window(items, steps)

    def _spliced_window(self, items: list[Item], steps: int, lengths: tuple[int, int]) -> "_Window":
        """Pieces of 0.3-1.2 s from phone to phone, mostly of one utterance, joined where the curves nearly meet."""
        pieces: list[tuple[Item, int, int]] = []
        item = items[int(self.random.integers(len(items)))]
        first, missing = int(self.random.integers(item.steps)), steps
        while missing > 0:
            wanted = first + int(self.random.integers(*lengths))
            later = item.joints[item.joints >= wanted]
            last = min(int(later[0]) if len(later) else item.steps, first + missing)
            pieces.append((item, first, last))
            missing -= last - first
            end = item.curves[last - 1]
            if self.random.random() > _STAYS_WITH_THE_VOICE:
                item = items[int(self.random.integers(len(items)))]
            tried = self.random.choice(item.joints, _JOINTS_TRIED) if len(item.joints) else np.zeros(1, np.intp)
            first = int(tried[np.abs(item.curves[tried] - end).sum(axis=1).argmin()])
        return _joined(pieces)

    def _window(self, items: list[Item], steps: int) -> "_Window":
        pieces: list[tuple[Item, int, int]] = []
        missing = steps
        while missing > 0:
            item = items[int(self.random.integers(len(items)))]
            first = int(self.random.integers(item.steps)) if not pieces else 0
            last = min(item.steps, first + missing)
            pieces.append((item, first, last))
            missing -= last - first
        return _joined(pieces)

    def _alone(self, steps: int) -> Float32:
        """Mel power [2 S, bands] of a sound that must leave the mouth shut: mostly music, the hardest."""
        bank = self.music if self.music and self.random.random() < 0.75 else self.noise
        power = self._track(bank, steps)
        if self.random.random() < 0.4:  # two pieces at once: an arrangement that no single one has
            other = self._track(bank, steps)
            power = power + other * np.float32(10.0 ** self.random.uniform(-1.0, 1.0) * power.mean() / other.mean())
        return power

    def _background(self, steps: int) -> Float32:
        """Mel power [2 S, bands] to mix speech with: noise, music or a few other voices."""
        kind = self.random.random()
        if kind > 0.15:
            return self._track(self.music if self.music and kind < 0.5 else self.noise, steps)
        voices = [items for items in self.speech.values() if items]
        several = int(self.random.integers(3, 7))
        chosen = [voices[int(self.random.integers(len(voices)))] for _ in range(several)]
        return np.asarray(np.sum([self._window(items, steps).power for items in chosen], axis=0), dtype=np.float32)

    def _track(self, bank: list[NDArray[np.float16]], steps: int) -> Float32:
        pieces = []
        missing = FRAMES_PER_STEP * steps
        while missing > 0:
            track = bank[int(self.random.integers(len(bank)))]
            first = int(self.random.integers(len(track) // 2 + 1))
            pieces.append(track[first : first + missing])
            missing -= len(pieces[-1])
        return _to_power(np.concatenate(pieces))


class _Window(NamedTuple):
    power: Float32
    classes: NDArray[np.float16]
    curves: NDArray[np.float16]
    contacts: NDArray[np.float16]
    lips: NDArray[np.float16]
    labelled: NDArray[np.float64]


def _joined(pieces: list[tuple[Item, int, int]]) -> _Window:
    """Steps `first` to `last` of each item, one after the other."""
    decibels = np.concatenate([i.decibels[FRAMES_PER_STEP * a : FRAMES_PER_STEP * b] for i, a, b in pieces])
    return _Window(
        _to_power(decibels),
        np.concatenate([i.classes[a:b] for i, a, b in pieces]),
        np.concatenate([i.curves[a:b] for i, a, b in pieces]),
        np.concatenate([i.contacts[a:b] for i, a, b in pieces]),
        np.concatenate([i.lips[a:b] for i, a, b in pieces]),
        np.concatenate([np.full(b - a, float(i.labelled)) for i, a, b in pieces]),
    )


def _item(decibels: NDArray[np.float16], targets: Targets, lips: NDArray[np.float16], *, labelled: bool) -> Item:
    classes, curves, contacts = (part.astype(np.float16) for part in targets)
    joints = np.flatnonzero(np.diff(classes.argmax(axis=1))) + 1
    return Item(decibels, classes, curves, contacts, lips, labelled, joints)


def _fitted(lips: Float32, steps: int) -> NDArray[np.float16]:
    """Lips at exactly `steps` instants: the last value goes on."""
    return np.interp(np.arange(steps), np.arange(len(lips)), lips).astype(np.float16)


def _to_power(decibels: NDArray[np.float16]) -> Float32:
    return np.asarray(np.power(np.float32(10.0), decibels.astype(np.float32) * np.float32(0.1)))
