"""Acts that are heard and have no face: the `[heard.*]` parts of a config of `emotional`, written into OUT/heard.

To hear an emotion takes more voices than to show it, and a face costs four times what its sound does. So a part says
many utterances again, one or two emotions each, a share of them in other voices, and faces for them are those of other
takes of the same emotion. A share `plain` is kept as it is beside that: recorded speech that nobody acted is neutral.
"""

import logging
import time
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from facestream_models.corpus.emotion_voice import take_apart
from facestream_models.corpus.prosody import quick_pitch_of
from facestream_models.corpus.speaking_style import speaker_of
from facestream_models.corpus.spoken_act import as_it_is, chance_of, plain_key, say_act, take_key
from facestream_models.corpus.store import SAMPLE_RATE, Utterance, stored_seconds
from facestream_models.corpus.take_store import SpokenActWriter
from facestream_models.corpus.visits import emotions_of_visit, persona_of_visit, share_of

HEARD = "heard"

log = logging.getLogger("facestream.corpus")


def make_heard(
    corpus: Path,
    out: Path,
    config: Mapping[str, Any],
    name: str,
    process: int = 0,
    skipped_texts: Collection[str] = frozenset(),
) -> None:
    """Write one process's acts of the part `heard.NAME` until they last its share of the hours or visits end."""
    settings, seed, processes = config[HEARD][name], config["seed"], config["processes"]
    wanted = settings["hours"] * 3600 / processes
    with SpokenActWriter(out / HEARD, f"{name}-p{process}", settings["acts_per_shard"]) as writer:
        stored = stored_seconds(writer.directory, writer.name)
        began, made = time.monotonic(), 0.0
        for visit in range(settings["visits"]):
            for utterance in share_of(corpus / "train", settings["sources"], process, processes):
                if utterance.text in skipped_texts or not _is_long_enough(utterance, settings["shortest_s"]):
                    continue
                if stored + made >= wanted:
                    return
                made += _visit(utterance, visit, settings, seed, writer)
            log.info(
                "%s %s: %.1f min stored, %.2f x real time",
                HEARD, writer.name, (stored + made) / 60, made / (time.monotonic() - began),
            )  # fmt: skip


def _visit(utterance: Utterance, visit: int, settings: Mapping[str, Any], seed: int, writer: SpokenActWriter) -> float:
    """Add what is missing of a visit of `utterance`; its seconds."""
    speaker = speaker_of(utterance.voice, persona_of_visit(utterance, visit, settings["personas_per_voice"], seed))
    made = 0.0
    if visit == 0 and plain_key(utterance) not in writer.finished_keys:
        chance = chance_of(plain_key(utterance), speaker, seed)
        if chance.random() < settings.get("plain", 0.0):
            writer.add(as_it_is(utterance, speaker))
            made += utterance.seconds
    emotions = [
        emotion
        for emotion in emotions_of_visit(utterance, visit, settings["acts_per_visit"], seed)
        if take_key(utterance, emotion, visit) not in writer.finished_keys
    ]
    if not emotions:
        return made
    voice = take_apart(utterance, quick_pitch_of(utterance.audio))
    for emotion in emotions:
        chance = chance_of(take_key(utterance, emotion, visit), speaker, seed)
        act, _ = say_act(voice, emotion, visit, speaker, seed, chance, settings["other_voices"])
        writer.add(act)
        made += act.seconds
    return made


def _is_long_enough(utterance: Utterance, shortest_s: float) -> bool:
    return len(utterance.audio) >= shortest_s * SAMPLE_RATE
