"""Where faces of takes are in an embedding, and the usual face of each emotion among them."""

from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

from facestream_models.corpus.emotions import EMOTIONS
from facestream_models.deeptalk.audio import FRAME_RATE
from facestream_models.deeptalk.emotion_distance import sampled_distance
from facestream_models.deeptalk.emotion_embedding import EmotionEmbedding, EmotionGaussian, unit
from facestream_models.deeptalk.frame_emotion import FrameEmotion
from facestream_models.deeptalk.stages.heard_takes import CLEAR
from facestream_models.deeptalk.stages.windows import TakeWindows

FIRST_LOG_VARIANCE = -6.0
"""128 variances then add up to 0.3: beside squared distances of 0 to 4, and not 128 as those of a standard normal."""
_LONGEST_FACE = 10 * FRAME_RATE


class ShownFaces(NamedTuple):
    """Where the faces of takes are, [takes, D]; their `emotion` [takes] and `intensity` [takes]."""

    face: EmotionGaussian
    emotion: Tensor
    intensity: Tensor


@torch.no_grad()
def shown_faces(takes: TakeWindows, judge: FrameEmotion, embedding: EmotionEmbedding) -> ShownFaces:
    """The faces of `takes`, up to ten seconds of each, by the features of `judge`."""
    learning = embedding.training
    judge.eval()
    embedding.eval()
    wholes = [
        (embedding.expression(judge.features(take.motion[:, :_LONGEST_FACE])), take.emotion, take.intensity)
        for take in takes.whole()
    ]
    embedding.train(learning)
    faces, emotions, intensities = zip(*wholes, strict=True)
    together = EmotionGaussian(*(torch.cat(part) for part in zip(*faces, strict=True)))
    return ShownFaces(together, torch.cat(emotions), torch.cat(intensities))


def usual_faces(shown: ShownFaces) -> EmotionGaussian:
    """Of each emotion the mean of the faces of its clear acts, `[8, D]`. Raises ValueError where one has none."""
    clear = shown.intensity >= CLEAR
    chosen = [clear & (shown.emotion == emotion) for emotion in range(len(EMOTIONS))]
    missing = [name for name, these in zip(EMOTIONS, chosen, strict=True) if not bool(these.any())]
    if missing:
        raise ValueError(f"no take acts {', '.join(missing)} clearly; each emotion needs one")
    means = unit(torch.stack([shown.face.mean[these].mean(dim=0) for these in chosen]))
    return EmotionGaussian(means, torch.full_like(means, FIRST_LOG_VARIANCE))


def class_loss(speech: EmotionGaussian, usual: EmotionGaussian, emotion: Tensor, scale: Tensor) -> Tensor:
    """How unlikely `speech` [B] finds the `usual` face of its `emotion` [B] among those of all eight."""
    return F.cross_entropy(-scale * sampled_distance(speech, usual), emotion)
