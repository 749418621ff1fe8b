"""Stage `embedding`: speech and face of one emotion meet in one space (specification, section 1.3).

Both sides of a batch are matched by emotion label, as the released arguments ask: two takes of one emotion belong
together whoever speaks. Beside the paper's loss there is `retrieval`, the choice among the faces of a batch, which
learns far sooner; 0 leaves it out. `classes` is the choice among the mean faces of the eight emotions, which draws
speech that is unsure to the likeliest of them and not to neutral, the one that all others are near. The features of the
face come from the frozen classifier of stage `frame-emotion`.

To go on with speech alone, faces kept, and match plain speech (three recorded voices and many synthetic ones) to
neutral faces was tried and left out (2026-11-21; 250 steps, 26 minutes of recorded voices acted by the vocoder among
the takes). New clips of a voice that it knew came to look neutral (GRID .21 to .92, 24 clips), those of other prompts
hardly did: English .04 to .12, French .42 to .50, Spanish .75 as before. Three voices are too few to tell a voice from
a mood.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from facestream_models.corpus.emotions import EMOTIONS
from facestream_models.deeptalk.audio import emotion_waveform
from facestream_models.deeptalk.emotion_distance import meeting_terms, retrieval_similarity
from facestream_models.deeptalk.emotion_embedding import EmotionEmbedding, EmotionGaussian, SequenceShape
from facestream_models.deeptalk.frame_emotion import FrameEmotion
from facestream_models.deeptalk.stages.emotion_sounds import EmotionSounds
from facestream_models.deeptalk.stages.usual_faces import FIRST_LOG_VARIANCE, class_loss, shown_faces, usual_faces
from facestream_models.deeptalk.stages.windows import SeenTakes, Windows
from facestream_models.encoders.compact_emotion import CompactEmotionEncoder, CompactEmotionShape
from facestream_models.training.run import RunConfig

_SPEECH = SequenceShape(width=128, layers=2, longest=250, cuts=True, heads=4, hidden=256, dropout=0.0, every=2)
_EXPRESSION = replace(_SPEECH, layers=1, enters=128, cuts=False)


@dataclass(frozen=True)
class EmbeddingConfig:
    """Windows of `shortest` to `longest` frames at 25 Hz (2 s in the paper), `rows` of them a batch.

    Pooling by rank weighs ranks by how many there are, so a network that met one length only knows no other. With
    `recorded` half of the sounds are `as_recorded`. `in_codes_of` is that of `FrameEmotionConfig`. `faces_of` is a
    folder beside the output: an embedding whose faces, and all that was trained on their places, stay as they are while
    speech learns anew; `classes` needs that. `speech_of` is the other way round, for a new judge of frames: what speech
    sounds like stays, and faces find their way to it.
    """

    rows: int = 64
    shortest: int = 50
    longest: int = 50
    validation_frames: int = 50
    rounds: int = 40
    retrieval: float = 0.0
    classes: float = 0.0
    in_codes_of: str = ""
    recorded: bool = False
    faces_of: str = ""
    speech_of: str = ""
    run: RunConfig = field(default_factory=RunConfig)
    encoder: CompactEmotionShape = field(default_factory=lambda: CompactEmotionShape(dropout=0.2, hidden_dropout=0.2))
    speech: SequenceShape = _SPEECH
    expression: SequenceShape = _EXPRESSION


class EmbeddingStage:
    """Windows of speech and face in, one space out. `rounds` is how often each held-out window meets new rivals."""

    def __init__(
        self, config: EmbeddingConfig, training: SeenTakes, held_out: SeenTakes, frame_emotion: FrameEmotion
    ) -> None:
        if config.classes and not config.faces_of:
            raise ValueError(f"classes {config.classes}: only where faces stay; name an embedding in faces_of")
        self.config, self.training, self.held_out = config, training, held_out
        self.frame_emotion = frame_emotion.eval().requires_grad_(False)
        self.encoder = CompactEmotionEncoder(config.encoder)
        self.embedding = EmotionEmbedding(self.encoder, config.speech, config.expression)
        self.sounds = EmotionSounds(training.true, self.encoder, recorded=config.recorded)
        self.speech_stays = False
        self._usual: EmotionGaussian | None = None
        for side in (self.embedding.speech.embedding, self.embedding.expression):
            nn.init.constant_(side.variance_head.map.bias, FIRST_LOG_VARIANCE)

    def keep_faces(self, weights: Mapping[str, Tensor]) -> None:
        """Take the expression side and the measure of distance from the `weights` of an embedding, for good."""
        self._keep({name: value for name, value in weights.items() if not name.startswith("speech.")})

    def keep_speech(self, weights: Mapping[str, Tensor]) -> None:
        """Take the speech side from the `weights` of an embedding, for good."""
        self._keep({name: value for name, value in weights.items() if name.startswith("speech.")})
        self.speech_stays = True

    def _keep(self, kept: Mapping[str, Tensor]) -> None:
        self.embedding.load_state_dict(kept, strict=False)
        for name, parameter in self.embedding.named_parameters():
            parameter.requires_grad_(name not in kept)

    @property
    def network(self) -> nn.Module:
        return self.embedding

    @property
    def facts(self) -> Mapping[str, Any]:
        shapes = {name: asdict(getattr(self.config, name)) for name in ("encoder", "speech", "expression")}
        return {"shapes": shapes, "training_seconds": round(self.training.true.seconds)}

    def terms(self, random: np.random.Generator, progress: float) -> dict[str, Tensor]:
        del progress
        frames = int(random.integers(self.config.shortest, self.config.longest + 1))
        windows = self.training.either(random).draw(self.config.rows, frames, random)
        if self.speech_stays:
            self.embedding.speech.eval()
        with torch.set_grad_enabled(not self.speech_stays):
            speech = self.embedding.speech.embedding(self.encoder.features(self.sounds.cut(windows, random)))
        face = self._face(self.embedding, windows)
        scale, shift = self.embedding.scale, self.embedding.shift
        terms = meeting_terms(speech, face, windows.emotion, scale, shift, self.config.retrieval)
        if self.config.classes:
            terms["classes"] = self.config.classes * self.class_loss(speech, windows.emotion)
        return terms

    def class_loss(self, speech: EmotionGaussian, emotion: Tensor) -> Tensor:
        """How unlikely `speech` finds the usual face of its `emotion` `[B]` among those of all eight, which stay."""
        if self._usual is None:
            self._usual = usual_faces(shown_faces(self.training.true, self.frame_emotion, self.embedding))
        return class_loss(speech, self._usual, emotion, self.embedding.scale)

    def figures(self, network: nn.Module) -> dict[str, float]:
        """Retrieval at rank 1 among one window of each of the eight emotions, both ways; chance is one eighth."""
        random = np.random.default_rng(0)
        speech_to_face, face_to_speech = [], []
        for _ in range(self.config.rounds):
            windows = self.held_out.true.one_of_each(len(EMOTIONS), self.config.validation_frames, random)
            similarity = retrieval_similarity(*self._both(network, windows))
            truth = torch.arange(len(EMOTIONS))
            speech_to_face.append((similarity.argmax(dim=1) == truth).float().mean())
            face_to_speech.append((similarity.argmax(dim=0) == truth).float().mean())
        return {
            "speech_to_face_rank1": float(torch.stack(speech_to_face).mean()),
            "face_to_speech_rank1": float(torch.stack(face_to_speech).mean()),
        }

    def _both(self, network: nn.Module, windows: Windows) -> tuple[EmotionGaussian, EmotionGaussian]:
        assert isinstance(network, EmotionEmbedding)
        speech = network.speech(emotion_waveform(windows.audio))
        return speech, self._face(network, windows)

    def _face(self, network: EmotionEmbedding, windows: Windows) -> EmotionGaussian:
        gaussian: EmotionGaussian = network.expression(self.frame_emotion.features(windows.motion))
        return gaussian
