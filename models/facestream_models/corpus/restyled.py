"""More faces for the voices there are.

    python -m facestream_models.corpus.restyled --takes DIR --out DIR --personas 1 2 3

Every take of DIR is acted again over the very same sound by further personas, each with a face and a head of its own.
So a network sees many times as many speakers, and that a voice does not tell how its speaker moves: only a style does.
Only the takes that `emotional` made have voices with the pitch of their personas.
"""

import argparse
import logging
import time
import zlib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from facestream.retarget.profile import RigProfile, load_profile
from facestream_models.corpus.coarticulation import FRAME_RATE
from facestream_models.corpus.emotional_take import EXTRAS, Take, acted_motion
from facestream_models.corpus.prosody import quick_pitch_of
from facestream_models.corpus.speaking_style import style_of
from facestream_models.corpus.take_store import TakeWriter, iterate_takes

log = logging.getLogger("facestream.corpus")


def restyled_speaker(speaker: str, persona: int) -> str:
    """Name of who speaks with the voice of `speaker` and another face."""
    return f"{speaker}/{persona}"


def heard_speaker(speaker: str) -> str:
    """Whose voice a speaker has, restyled or not."""
    return speaker.partition("/")[0]


def restyled(take: Take, pitch: NDArray[np.float64], persona: int, seed: int, profile: RigProfile) -> Take:
    """`take` with the face and head of that persona; `pitch` [M] is its F0 every 5 ms (`quick_pitch_of`)."""
    speaker = restyled_speaker(take.speaker, persona)
    style = style_of(speaker, seed)
    random = np.random.default_rng([seed, zlib.crc32(take.key.encode()), zlib.crc32(speaker.encode())])
    curves, head = acted_motion(take.utterance, pitch, take.act, style, random)
    every = FRAME_RATE // take.frame_rate
    shown = curves[::every].astype(np.float32)
    return replace(
        take,
        utterance=replace(take.utterance, key=f"{take.key}/{persona}"),
        speaker=speaker,
        traits=style.traits,
        curves=shown,
        motion=profile.motion_of(shown, EXTRAS),
        head=head[::every].astype(np.float32),
    )


def restyle(takes: Path, out: Path, personas: Sequence[int], seed: int) -> None:
    """Write every take of `takes` by each of `personas` into `out`, which may be the same folder.

    Goes on where it was stopped.
    """
    profile = load_profile()
    began, made = time.monotonic(), 0.0
    with TakeWriter(out, "restyled", profile.head_digest) as writer:
        for take in iterate_takes(takes, profile.head_digest):
            if take.speaker != heard_speaker(take.speaker):
                continue
            missing = [persona for persona in personas if f"{take.key}/{persona}" not in writer.finished_keys]
            if not missing:
                continue
            pitch = quick_pitch_of(take.utterance.audio)
            for persona in missing:
                writer.add(restyled(take, pitch, persona, seed, profile))
                made += take.seconds
        log.info("%.1f min of %d personas a speaker in %.0f s", made / 60, len(personas), time.monotonic() - began)


def main() -> None:
    """Command line."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", datefmt="%H:%M:%S")
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--takes", type=Path, required=True, help="folder of takes that `corpus.emotional` made")
    parser.add_argument("--out", type=Path, required=True, help="folder of the new ones; may be the same")
    parser.add_argument("--personas", type=int, nargs="+", required=True, help="numbers; each is a face of its own")
    parser.add_argument("--seed", type=int, default=20261121)
    arguments = parser.parse_args()
    restyle(arguments.takes, arguments.out, arguments.personas, arguments.seed)


if __name__ == "__main__":
    main()
