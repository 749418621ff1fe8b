"""Stage `embedding-whole`: speech, heard as a whole, finds its way to faces that stay.

An encoder without features of moments (`CompactEmotionShape.channels` 0) has so little to learn that it needs no
windows of takes: a batch is acts that are heard, with or without a face of their own, and faces of other takes of the
same emotions, whose places in the space were found once. Terms are those of stage `embedding`.
"""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from facestream_models.corpus.emotions import EMOTIONS
from facestream_models.corpus.spoken_act import SpokenAct
from facestream_models.deeptalk.compact import CompactShape
from facestream_models.deeptalk.emotion_distance import meeting_terms, retrieval_similarity
from facestream_models.deeptalk.emotion_embedding import EmotionEmbedding, EmotionGaussian, SequenceShape
from facestream_models.deeptalk.frame_emotion import FrameEmotion
from facestream_models.deeptalk.stages.emotion_manners import EmotionManners, Said
from facestream_models.deeptalk.stages.usual_faces import FIRST_LOG_VARIANCE, class_loss, shown_faces, usual_faces
from facestream_models.deeptalk.stages.windows import TakeWindows
from facestream_models.encoders.compact_emotion import CompactEmotionEncoder, CompactEmotionShape
from facestream_models.training.run import RunConfig


@dataclass(frozen=True)
class WholeEmbeddingConfig:
    """`rows` acts a batch. `faces_of` is a folder beside the output: the embedding whose faces stay.

    Acts are those of the folders `heard` of the data, half of them as if `recorded`; neutral ones of recorded voices
    are drawn `recorded_neutral` times as often. `retrieval` and `classes` weigh terms as in `EmbeddingConfig`.
    """

    faces_of: str
    heard: tuple[str, ...] = ("train", "heard")
    rows: int = 256
    retrieval: float = 0.5
    classes: float = 1.0
    recorded: bool = True
    recorded_neutral: float = 5.0
    run: RunConfig = field(default_factory=RunConfig)
    encoder: CompactEmotionShape = field(default_factory=lambda: CompactShape().emotion_encoder)
    speech: SequenceShape = field(default_factory=lambda: CompactShape().emotion)


class FacesThatStay(NamedTuple):
    """The `weights` of an embedding, all but its speech side of use here, and the `shape` of its expression side."""

    shape: SequenceShape
    weights: Mapping[str, Tensor]


class WholeEmbeddingStage:
    """`acts` are heard, `takes` shown; `judge` is the classifier that `faces` are seen by.

    Only the speech side learns. Raises ValueError for an encoder that hears moments.
    """

    def __init__(
        self,
        config: WholeEmbeddingConfig,
        acts: Iterable[SpokenAct],
        held_out: Iterable[SpokenAct],
        takes: TakeWindows,
        judge: FrameEmotion,
        faces: FacesThatStay,
    ) -> None:
        if config.encoder.channels:
            raise ValueError(f"channels {config.encoder.channels}: 0 is needed, an encoder that hears the whole alone")
        self.config = config
        self.encoder = CompactEmotionEncoder(config.encoder)
        self.embedding = EmotionEmbedding(self.encoder, config.speech, faces.shape)
        kept = {name: value for name, value in faces.weights.items() if not name.startswith("speech.")}
        self.embedding.load_state_dict(kept, strict=False)
        for name, parameter in self.embedding.named_parameters():
            parameter.requires_grad_(name not in kept)
        nn.init.constant_(self.embedding.speech.embedding.variance_head.map.bias, FIRST_LOG_VARIANCE)
        self.judge = judge
        self.said = EmotionManners(
            acts, self.encoder, recorded=config.recorded, recorded_neutral=config.recorded_neutral
        )
        self.held_out = EmotionManners(held_out, self.encoder).whole
        self._shown = shown_faces(takes, judge, self.embedding)
        self._usual = usual_faces(self._shown)
        self._showing = [torch.nonzero(self._shown.emotion == number).flatten() for number in range(len(EMOTIONS))]
        if config.speech.usual:
            self.embedding.speech.embedding.usual.copy_(self._usual.mean)

    @property
    def network(self) -> nn.Module:
        return self.embedding

    @property
    def facts(self) -> Mapping[str, Any]:
        shapes = {name: asdict(getattr(self.config, name)) for name in ("encoder", "speech")}
        shapes["expression"] = asdict(self.embedding.expression.shape)
        return {"shapes": shapes, "training_seconds": round(self.said.seconds)}

    def terms(self, random: np.random.Generator, progress: float) -> dict[str, Tensor]:
        del progress
        said = self.said.draw(self.config.rows, random)
        speech = self._heard(self.embedding, said)
        face = self._drawn_faces(said.emotion, random)
        scale, shift = self.embedding.scale, self.embedding.shift
        terms = meeting_terms(speech, face, said.emotion, scale, shift, self.config.retrieval)
        if self.config.classes:
            terms["classes"] = self.config.classes * class_loss(speech, self._usual, said.emotion, scale)
        return terms

    def figures(self, network: nn.Module) -> dict[str, float]:
        """Share of held-out acts that are nearest to the usual face of their emotion, each emotion counting alike."""
        assert isinstance(network, EmotionEmbedding)
        found = retrieval_similarity(self._heard(network, self.held_out), self._usual).argmax(dim=1)
        right = (found == self.held_out.emotion).float()
        each = [right[self.held_out.emotion == emotion] for emotion in range(len(EMOTIONS))]
        return {"usual_face_found": float(torch.stack([one.mean() for one in each if len(one)]).mean())}

    @staticmethod
    def _heard(network: EmotionEmbedding, said: Said) -> EmotionGaussian:
        encoder = network.speech.encoder
        assert isinstance(encoder, CompactEmotionEncoder)
        gaussian: EmotionGaussian = network.speech.embedding.undecided(encoder.features_of_whole(said.manner))
        return gaussian

    def _drawn_faces(self, emotion: Tensor, random: np.random.Generator) -> EmotionGaussian:
        """For each `emotion` [B] the face of a random take of it."""
        several = [self._showing[one] for one in emotion.tolist()]
        chosen = torch.stack([takes[int(random.integers(len(takes)))] for takes in several])
        return EmotionGaussian(*(part[chosen] for part in self._shown.face))
