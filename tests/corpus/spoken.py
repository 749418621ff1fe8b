"""A buzzing voice that says given phones: enough speech for a vocoder, made in a millisecond."""

import numpy as np

from facestream_models.corpus.phones import CLASSES, SILENCE, VOWELS
from facestream_models.corpus.store import SAMPLE_RATE, Utterance


def spoken(phones: list[tuple[int, int]], pitch_hz: float = 150.0, seed: int = 0) -> Utterance:
    """An utterance of `phones` (class, samples): vowels buzz, consonants hiss, pauses are silent."""
    random = np.random.default_rng(seed)
    ends = np.cumsum([length for _, length in phones])
    pieces = []
    for number, (label, length) in enumerate(phones):
        time = np.arange(length) / SAMPLE_RATE
        melody = pitch_hz * (1.0 + 0.15 * np.sin(2.0 * np.pi * 1.3 * (ends[number] / SAMPLE_RATE + time)))
        phase = 2.0 * np.pi * np.cumsum(melody) / SAMPLE_RATE
        buzz = sum(np.sin(k * phase) / k for k in range(1, 12)) * random.uniform(0.15, 0.3)
        hiss = random.normal(0.0, 0.02, length)
        pieces.append(np.zeros(length) if label == SILENCE else hiss + (buzz if label in VOWELS else 0.0))
    return Utterance(
        key=f"buzz-{seed}",
        source="buzz",
        language="en-us",
        voice="af_one*0.40+am_two*0.60",
        text="buzz",
        audio=np.rint(np.concatenate(pieces) * 20000.0).astype(np.int16),
        phones=tuple("_" if label == SILENCE else CLASSES[label] for label, _ in phones),
        classes=np.array([label for label, _ in phones], np.int8),
        starts=np.concatenate([[0], ends[:-1]]).astype(np.int32),
        ends=ends.astype(np.int32),
    )


def sentence(seed: int, syllables: int = 8) -> Utterance:
    """Random consonants and vowels between two pauses, at least one p b m, another pause in the middle."""
    random = np.random.default_rng(seed)
    consonants = [n for n in range(len(CLASSES)) if n not in VOWELS and n != SILENCE]
    phones = [(SILENCE, 6400)]
    for number in range(syllables):
        consonant = 1 if number == 2 else int(random.choice(consonants))
        phones += [
            (consonant, int(random.integers(960, 2400))),
            (int(random.choice(sorted(VOWELS))), int(random.integers(1600, 3200))),
        ]
        if number == syllables // 2:
            phones.append((SILENCE, 4800))
    return spoken([*phones, (SILENCE, 8000)], pitch_hz=float(random.uniform(90, 240)), seed=seed)
