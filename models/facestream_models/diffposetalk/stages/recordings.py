"""Long recordings of single speakers, put together from their acted takes.

A window of the denoiser is four seconds and it is trained on two of them in a row, while a take is one sentence. So the
takes of a speaker are played one after the other, sorted by emotion, with a pause between two of them in which the
voice is silent and the face and head go from the last pose to the next one. What a speaker hears himself say is heard
once, over all of it; faces that share a voice (`corpus.restyled`) share what is heard of it.
"""

import hashlib
import zlib
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from facestream.types import EXPRESSION_COUNT
from facestream_models.corpus.emotional_take import Take
from facestream_models.corpus.restyled import heard_speaker
from facestream_models.corpus.speaking_style import even_traits
from facestream_models.corpus.spoken_motion import spoken_motion
from facestream_models.diffposetalk.shape import FRAME_RATE, FRAME_SAMPLES

_PAUSE_FRAMES = (8, 25)
"""0.3 to 1 s."""
_SILENT_FRAMES = 50

Hear = Callable[[Tensor], Tensor]
"""Audio [1, 640 F] in -1..1 to content [1, F, C]."""


class Windows(NamedTuple):
    """`motion` [B, F, 54] (expression, head rotation, opening of the jaw), `content` [B, F, C] (C = 0 where nothing was
    heard), `emotion` [B, F] (index, that of the coming take in a pause); `recording` [B] numbers speakers.
    """

    motion: Tensor
    content: Tensor
    emotion: Tensor
    recording: Tensor


@dataclass(frozen=True, eq=False)
class _Recording:
    motion: npt.NDArray[np.float16]
    content: npt.NDArray[np.float16]
    emotion: npt.NDArray[np.int64]


class Recordings:
    """One recording a speaker. `hear` gives contents; without it there are none.

    Raises ValueError where there is no take, or one of another frame rate.
    """

    def __init__(self, takes: Iterable[Take], hear: Hear | None = None) -> None:
        by_speaker: dict[str, list[Take]] = defaultdict(list)
        for take in takes:
            if take.frame_rate != FRAME_RATE:
                raise ValueError(
                    f"take {take.key!r} has {take.frame_rate} frames a second; DiffPoseTalk is trained at {FRAME_RATE}"
                )
            by_speaker[take.speaker].append(take)
        if not by_speaker:
            raise ValueError("no takes to train on; make some with `python -m facestream_models.corpus.emotional`")
        self.speakers = sorted(by_speaker)
        self.traits = even_traits(np.stack([by_speaker[speaker][0].traits for speaker in self.speakers]))
        """[N, 10] of the speakers, see `even_traits`."""
        heard = None if hear is None else _HeardOnce(hear)
        self._recordings = [_joined(by_speaker[speaker], heard) for speaker in self.speakers]
        self.silence = torch.zeros(0) if hear is None else _silent(hear)
        """Content [C] of silence that lasts."""

    @property
    def seconds(self) -> float:
        return sum(len(recording.motion) for recording in self._recordings) / FRAME_RATE

    def motion(self) -> npt.NDArray[np.float32]:
        """Every frame of all recordings [F, 54]."""
        return np.concatenate([recording.motion for recording in self._recordings]).astype(np.float32)

    def long_enough(self, frames: int) -> list[int]:
        """Numbers of the recordings that have windows of so many frames."""
        return [number for number, found in enumerate(self._recordings) if len(found.motion) >= frames]

    def draw(self, rows: int, frames: int, random: np.random.Generator, *, distinct: bool = False) -> Windows:
        """Random windows of F frames, of as many speakers where they shall be `distinct`.

        Longer recordings are drawn more often, unless they are distinct. Raises ValueError where there are too few.
        """
        usable = self.long_enough(frames)
        if not usable or (distinct and len(usable) < rows):
            wanted = rows if distinct else 1
            raise ValueError(f"{len(usable)} speakers have {frames} frames or more; {wanted} are needed")
        places = np.array([len(self._recordings[number].motion) - frames + 1 for number in usable])
        share = None if distinct else places / places.sum()
        chosen = random.choice(len(usable), size=rows, replace=not distinct, p=share)
        return self.cut([(usable[n], int(random.integers(places[n]))) for n in chosen], frames)

    def cut(self, places: Sequence[tuple[int, int]], frames: int) -> Windows:
        """The windows of F frames that begin at these (recording, frame)."""
        found = [(self._recordings[number], slice(first, first + frames)) for number, first in places]
        return Windows(
            torch.from_numpy(np.stack([recording.motion[cut] for recording, cut in found])).float(),
            torch.from_numpy(np.stack([recording.content[cut] for recording, cut in found])).float(),
            torch.from_numpy(np.stack([recording.emotion[cut] for recording, cut in found])),
            torch.tensor([number for number, _ in places]),
        )

    def random_place(self, number: int, frames: int, random: np.random.Generator) -> int:
        """The first frame of a random window of that recording."""
        return int(random.integers(len(self._recordings[number].motion) - frames + 1))

    def spread(self, rows: int, frames: int) -> Windows:
        """`rows` windows of speakers in turn that depend on nothing but the data: what validation measures."""
        random = np.random.default_rng(0)
        usable = self.long_enough(frames)
        if not usable:
            raise ValueError(f"no speaker has {frames} frames")
        numbers = [usable[row % len(usable)] for row in range(rows)]
        return self.cut([(number, self.random_place(number, frames, random)) for number in numbers], frames)


class _HeardOnce:
    """What is heard of samples, int16 [640 F], as float16 [F, C]; the same array for the same samples."""

    def __init__(self, hear: Hear) -> None:
        self._hear = hear
        self._known: dict[bytes, npt.NDArray[np.float16]] = {}

    def __call__(self, samples: npt.NDArray[np.int16]) -> npt.NDArray[np.float16]:
        name = hashlib.sha256(samples.tobytes()).digest()
        if name not in self._known:
            with torch.no_grad():
                content = self._hear(torch.from_numpy(samples.astype(np.float32) / 32768.0)[None])
            self._known[name] = content[0].half().numpy()
        return self._known[name]


def _joined(takes: list[Take], hear: _HeardOnce | None) -> _Recording:
    """The takes of one speaker in a fixed order, pauses between them; the same pauses for all faces of a voice."""
    takes = sorted(takes, key=lambda take: (take.act.emotion, take.key))
    random = np.random.default_rng(zlib.crc32(heard_speaker(takes[0].speaker).encode()))
    motions, audios, emotions = [], [], []
    last: npt.NDArray[np.float32] | None = None
    for take in takes:
        # Expression and the opening of the jaw; what turns or shifts it is left to the retarget.
        spoken = spoken_motion(take)[:, : EXPRESSION_COUNT + 1]
        motion = np.concatenate([spoken[:, :-1], take.head, spoken[:, -1:]], axis=1)
        frames = len(take.utterance.audio) // FRAME_SAMPLES  # whole ones, so that sound and motion stay together
        motion = motion[:frames].astype(np.float32)
        audio = take.utterance.audio[: frames * FRAME_SAMPLES]
        if last is not None:
            pause = int(random.integers(_PAUSE_FRAMES[0], _PAUSE_FRAMES[1] + 1))
            motion = np.concatenate([_between(last, motion[0], pause), motion])
            audio = np.concatenate([np.zeros(pause * FRAME_SAMPLES, np.int16), audio])
        last = motion[-1]
        motions.append(motion)
        audios.append(audio)
        emotions.append(np.full(len(motion), take.act.emotion))
    motion, audio = np.concatenate(motions), np.concatenate(audios)
    content = np.zeros((len(motion), 0), np.float16) if hear is None else hear(audio)
    return _Recording(motion.astype(np.float16), content, np.concatenate(emotions))


def _between(first: npt.NDArray[np.float32], last: npt.NDArray[np.float32], frames: int) -> npt.NDArray[np.float32]:
    """`frames` poses that lead from `first` to `last`, neither of them included, without a jerk at either end."""
    time = np.arange(1, frames + 1) / (frames + 1)
    share = time**3 * (10.0 - 15.0 * time + 6.0 * time**2)
    return (first + share[:, None] * (last - first)).astype(np.float32)


def _silent(hear: Hear) -> Tensor:
    with torch.no_grad():
        return hear(torch.zeros(1, _SILENT_FRAMES * FRAME_SAMPLES))[0, _SILENT_FRAMES // 2].half().float()
