"""Pictures of every emotion at every intensity: `python -m facestream_models.corpus.emotional_sheet --corpus DIR ...`.

One utterance of the corpus is acted by one speaker in all emotions. A row is an emotion; its columns are an open vowel
at each intensity, then a closure of the lips, a rounded vowel and a pause at full intensity. What looks wrong here is
wrong in the targets.
"""

import argparse
import zlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from facestream.curves import INDEX, columns, sided
from facestream.preview.face import FACE, render_face
from facestream_models.corpus.coarticulation import FRAME_RATE
from facestream_models.corpus.emotion_voice import Voice, draw_shift, say_again, take_apart
from facestream_models.corpus.emotional_take import acted_motion
from facestream_models.corpus.emotions import EMOTIONS, INTENSITIES, Act
from facestream_models.corpus.phones import INDEX as CLASS
from facestream_models.corpus.phones import SILENCE
from facestream_models.corpus.prosody import phrases_of
from facestream_models.corpus.speaking_style import style_of
from facestream_models.corpus.store import SAMPLE_RATE, Utterance, iterate

_MOMENTS = ("closure", "rounded", "pause")
_NAME_HEIGHT = 22
_PAPER, _INK = (22, 24, 27), (236, 238, 240)


def emotion_sheet(voice: Voice, speaker: str, seed: int, tile_size: int = 200) -> Image.Image:
    """The sheet of one utterance by one speaker. A tile costs about 0.2 s."""
    tiles: list[tuple[str, NDArray[np.float64], NDArray[np.float64]]] = []
    for emotion, name in enumerate(EMOTIONS):
        for intensity in INTENSITIES:
            utterance, curves, head = _acted(voice, Act(emotion, intensity), speaker, seed)
            frame = _open_vowel(utterance, curves)
            tiles.append((f"{name} {intensity:.1f}", curves[frame], head[frame]))
        for moment in _MOMENTS:
            frame = _moment(moment, utterance, curves)
            tiles.append((f"{name} 1.0 {moment}", curves[frame], head[frame]))
    across = len(INTENSITIES) + len(_MOMENTS)
    height = tile_size + _NAME_HEIGHT
    sheet = Image.new("RGB", (across * tile_size, len(EMOTIONS) * height), _PAPER)
    draw = ImageDraw.Draw(sheet)
    for number, (name, weights, rotation) in enumerate(tiles):
        left, top = number % across * tile_size, number // across * height
        picture = render_face(weights.astype(np.float32), quaternion_of(rotation), tile_size, framing=FACE)
        sheet.paste(Image.fromarray(picture), (left, top))
        draw.text((left + 4, top + tile_size + 4), name, fill=_INK)
    return sheet


def quaternion_of(rotation: NDArray[np.floating]) -> NDArray[np.float32]:
    """Quaternion x y z w of a rotation vector `[3]`."""
    angle = float(np.linalg.norm(rotation))
    axis = rotation * (0.5 * np.sinc(angle / (2.0 * np.pi)))
    return np.append(axis, np.cos(0.5 * angle)).astype(np.float32)


def _acted(
    voice: Voice, act: Act, speaker: str, seed: int
) -> tuple[Utterance, NDArray[np.float64], NDArray[np.float64]]:
    random = np.random.default_rng([seed, zlib.crc32(EMOTIONS[act.emotion].encode())])
    utterance, f0 = say_again(voice, draw_shift(act, random), random)
    return utterance, *acted_motion(utterance, f0, act, style_of(speaker, seed), random)


def _open_vowel(utterance: Utterance, curves: NDArray[np.float64]) -> int:
    """The widest mouth within the phrases while the eyes are open."""
    open_eyes = curves[:, sided("eyeBlink")].mean(axis=1) < 0.3
    return int(np.argmax(np.where(open_eyes, curves[:, INDEX["jawOpen"]] - curves[:, INDEX["mouthClose"]], -1.0)))


def _moment(moment: str, utterance: Utterance, curves: NDArray[np.float64]) -> int:
    times = np.arange(len(curves)) / FRAME_RATE
    begin, finish = phrases_of(utterance)[0][0], phrases_of(utterance)[-1][1]
    if moment == "rounded":
        merit = curves[:, columns("mouthFunnel", "mouthPucker")].sum(axis=1)
    else:
        merit = np.zeros(len(curves))
        wanted = CLASS["PP"] if moment == "closure" else SILENCE
        for label, start, end in zip(utterance.classes, utterance.starts, utterance.ends, strict=True):
            middle = (start + end) / 2 / SAMPLE_RATE
            if label == wanted and (moment == "closure" or begin < middle < finish):
                merit = np.maximum(merit, np.exp(-np.abs(times - middle) / 0.05))
        if moment == "pause" and not merit.any():
            merit = np.exp(-np.abs(times - (finish + 0.15)) / 0.05)
    open_eyes = curves[:, sided("eyeBlink")].mean(axis=1) < 0.3
    return int(np.argmax(np.where(open_eyes, merit, -1.0)))


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--corpus", type=Path, required=True, help="directory that `corpus.generate` filled")
    parser.add_argument("--out", type=Path, required=True, help="PNG to write")
    parser.add_argument("--speaker", default="af_heart#0", help="whose speaking style")
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    closing = (u for u in iterate(arguments.corpus / "train", {"kokoro"}) if CLASS["PP"] in u.classes)
    long_enough = next(u for u in closing if 2.0 < u.seconds < 4.0)
    emotion_sheet(take_apart(long_enough), arguments.speaker, arguments.seed).save(arguments.out, optimize=True)


if __name__ == "__main__":
    main()
