"""What utterance number n of each synthetic source is: who speaks, which text, how fast.

Every recipe maps a number to an utterance and draws all its choices from a generator seeded by (seed, source, number),
so a corpus can be continued, split over processes, or made again.
"""

import zlib
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from facestream_models.corpus import flite, negatives, texts
from facestream_models.corpus.electronic import electronic_music
from facestream_models.corpus.espeak import Espeak
from facestream_models.corpus.kokoro import Kokoro, to_corpus_rate
from facestream_models.corpus.phones import UnknownPhoneError
from facestream_models.corpus.segments import pause, utterance
from facestream_models.corpus.store import Utterance

Settings = dict[str, Any]


class Recipe(Protocol):
    """Makes utterance `number` of one source."""

    def __call__(self, number: int) -> Utterance: ...


class KokoroRecipe:
    """Neural speech. With `held_out` the validation voices speak, otherwise all others, alone or blended."""

    def __init__(self, settings: Settings, seed: int, home: Path, *, held_out: bool = False) -> None:
        self._settings = settings
        self._seed = seed
        self._held_out = held_out
        self._synthesiser = Kokoro(home)

    def __call__(self, number: int) -> Utterance:
        random = np.random.default_rng([self._seed, int(self._held_out), number])
        settings = self._settings
        languages = settings["languages"]
        language = _draw(languages, random)
        speed, lead, tail = (float(random.uniform(*settings[name])) for name in ("speed", "lead", "tail"))
        if self._held_out:
            voice = str(random.choice(settings["held_out_voices"]))
            language = next(code for code, entry in languages.items() if entry["voices"] == voice[0])
        else:
            voice = self._training_voice(language, random)
        while True:
            text = _text(settings, languages[language]["texts"], random)
            try:
                speech = self._synthesiser.speak(text, language, voice, speed)
                break
            except ValueError:  # a text of symbols only, or too long: draw another
                continue
        audio = to_corpus_rate(speech.audio)
        peak = float(np.max(np.abs(audio)))
        return utterance(
            key=f"kokoro-{'validation' if self._held_out else 'train'}{series_suffix(settings)}-{number:06d}",
            source="kokoro",
            language=language,
            voice=voice,
            text=text,
            audio=audio * min(1.0, 0.95 / max(peak, 1e-6)),
            segments=speech.segments,
            lead=lead,
            tail=tail,
        )

    def _training_voice(self, language: str, random: np.random.Generator) -> str:
        settings = self._settings
        allowed = [voice for voice in self._synthesiser.voices if voice not in settings["held_out_voices"]]
        native = [voice for voice in allowed if voice[0] in settings["languages"][language]["voices"]]
        first = str(random.choice(allowed if random.random() < settings["foreign_voices"] else native))
        if random.random() >= settings["blends"]:
            return first
        second = str(random.choice(allowed))
        weight = float(random.uniform(0.35, 0.65))
        return f"{first}*{weight:.2f}+{second}*{1 - weight:.2f}"


class EspeakRecipe:
    """Formant speech of many accents and voice variants."""

    def __init__(self, settings: Settings, seed: int) -> None:
        self._settings = settings
        self._seed = seed
        self._synthesiser = Espeak()

    def __call__(self, number: int) -> Utterance:
        random = _generator(self._seed, "espeak", number)
        settings = self._settings
        name = _draw(settings["voices"], random)
        entry = settings["voices"][name]
        voice = f"{name}+{random.choice(settings['variants'])}"
        pace, pitch, pitch_range = (
            int(random.uniform(*settings[key])) for key in ("words_per_minute", "pitch", "pitch_range")
        )
        lead, tail = (float(random.uniform(*settings[key])) for key in ("lead", "tail"))
        while True:
            text = _text(settings, entry["texts"], random)
            try:
                audio, segments = self._synthesiser.speak(
                    text, voice, entry["language"], words_per_minute=pace, pitch=pitch, pitch_range=pitch_range
                )
                break
            except UnknownPhoneError:  # a foreign word: espeak-ng puts a language mark among the phones
                continue
        return utterance(
            key=f"espeak{series_suffix(settings)}-{number:06d}",
            source="espeak",
            language=entry["language"],
            voice=voice,
            text=text,
            audio=audio,
            segments=segments,
            lead=lead,
            tail=tail,
        )


class FliteRecipe:
    """English speech of five voices made from recordings."""

    def __init__(self, settings: Settings, seed: int) -> None:
        self._settings = settings
        self._seed = seed

    def __call__(self, number: int) -> Utterance:
        random = _generator(self._seed, "flite", number)
        voice = str(random.choice(flite.VOICES))
        pitch_mean = float(random.uniform(*self._settings["pitch_mean"]))
        stretch, lead, tail = (float(random.uniform(*self._settings[key])) for key in ("stretch", "lead", "tail"))
        text = _text(self._settings, "en", random)
        audio, segments = flite.speak(text, voice, stretch=stretch, pitch_mean=pitch_mean)
        return utterance(
            key=f"flite{series_suffix(self._settings)}-{number:06d}",
            source="flite",
            language="en-us",
            voice=voice,
            text=text,
            audio=audio,
            segments=segments,
            lead=lead,
            tail=tail,
        )


class NegativeRecipe:
    """Noise or music, mouth closed throughout. `kind` is "noise", "music" or "electronic"."""

    def __init__(self, settings: Settings, seed: int, kind: str) -> None:
        self._settings = settings
        self._seed = seed
        self._kind = kind

    def __call__(self, number: int) -> Utterance:
        random = _generator(self._seed, self._kind, number)
        seconds = float(random.uniform(*self._settings["seconds"]))
        if self._kind == "music":
            name, audio = "music", negatives.music(seconds, random)
        elif self._kind == "electronic":
            name, audio = "electronic", electronic_music(seconds, random) * 10 ** (random.uniform(-30, -1) / 20)
        else:
            name = list(negatives.NOISES)[number % len(negatives.NOISES)]
            audio = negatives.noise(name, seconds, random)
        return utterance(
            key=f"{self._kind}-{number:06d}",
            source=self._kind,
            language="",
            voice=name,
            text="",
            audio=audio,
            segments=[pause(0.0, len(audio) / negatives.RATE)],
        )


def _text(settings: Settings, language: str, random: np.random.Generator) -> str:
    return texts.wide_text(language, random) if settings.get("wide_texts") else texts.text(language, random)


def series_suffix(settings: Settings) -> str:
    """What tells the utterances of a further series from those of the first."""
    return f"-{settings['series']}" if "series" in settings else ""


def _generator(seed: int, source: str, number: int) -> np.random.Generator:
    return np.random.default_rng([seed, zlib.crc32(source.encode()), number])


def _draw(entries: dict[str, Settings], random: np.random.Generator) -> str:
    """A key of `entries` with a probability in proportion to its `share`."""
    shares = np.array([entry["share"] for entry in entries.values()], dtype=np.float64)
    return str(random.choice(list(entries), p=shares / shares.sum()))
