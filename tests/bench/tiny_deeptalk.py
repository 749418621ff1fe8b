"""An actor and a face of a few thousand random numbers, and takes to try them on."""

import torch

from facestream_bench.deeptalk_motion import Actor, Face, Onlookers
from facestream_bench.deeptalk_takes import Held
from facestream_models.corpus.emotions import EMOTIONS
from facestream_models.deeptalk.emotion_embedding import EmotionEmbedding, SequenceShape
from facestream_models.deeptalk.frame_emotion import FrameEmotion, FrameEmotionShape
from facestream_models.deeptalk.stages.generator import Judges
from facestream_models.encoders.compact_emotion import CompactEmotionEncoder
from facestream_models.metrics.face_mesh import shipped_mesh
from facestream_models.metrics.lip_reader import LipReader, LipReaderShape
from tests.deeptalk.acted import acted, babbling
from tests.deeptalk.tiny_bundle import TINY_COMPACT, WIDTH, tiny_compact

_FEATURES = 12
_FACE = SequenceShape(width=16, layers=1, longest=250, enters=_FEATURES, heads=2, hidden=24, embedding=WIDTH, dropout=0)


def tiny_actor():
    return Actor(tiny_compact())


def tiny_face():
    torch.manual_seed(8)
    encoder = CompactEmotionEncoder(TINY_COMPACT.emotion_encoder)
    frame_emotion = FrameEmotion(FrameEmotionShape(widths=(8, 8, 8, 8, 8, _FEATURES, 8)))
    reader = LipReader(LipReaderShape(width=8, layers=1))
    embedding = EmotionEmbedding(encoder, TINY_COMPACT.emotion, _FACE)
    return Face(Judges(shipped_mesh(), embedding, frame_emotion, reader), Onlookers(frame_emotion, reader))


def tiny_takes(of_each=2):
    return [
        Held.of(acted(1.0 + 0.3 * number, emotion, 10 * emotion + number))
        for emotion in range(len(EMOTIONS))
        for number in range(of_each)
    ]


def babble():
    return Held.of(babbling(3))
