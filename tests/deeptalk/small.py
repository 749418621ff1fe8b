"""A DEEPTalk of a few thousand numbers, for tests of what does not depend on size."""

import torch

from facestream_models.deeptalk.emotion_embedding import SequenceShape
from facestream_models.deeptalk.generator import GeneratorShape
from facestream_models.deeptalk.motion_prior import MotionPriorShape
from facestream_models.deeptalk.system import DeepTalk, DeepTalkShape
from facestream_models.encoders.emotion2vec import Emotion2VecShape
from facestream_models.encoders.speech_transformer import SpeechTransformerShape

SMALL = DeepTalkShape(
    content=SpeechTransformerShape(
        channels=16, width=32, layers=2, heads=4, hidden=48, position_kernel=8, position_groups=4, dropout=0,
        layer_drop=0,
    ),
    emotion_encoder=Emotion2VecShape(
        channels=16, width=48, heads=12, hidden=32, lower_layers=1, upper_layers=1, tokens=3, position_depth=2,
        position_groups=4,
    ),
    emotion=SequenceShape(width=48, layers=1, longest=60, cuts=True, hidden=32, dropout=0),
    prior=MotionPriorShape(width=16, codes=32, hidden=24, decoder_hidden=24, dropout=0),
    generator=GeneratorShape(
        content=32, width=16, hidden=24, predictor_width=32, predictor_layers=2, codes=32, dropout=0
    ),
)  # fmt: skip


def small_system():
    torch.manual_seed(5)
    network = DeepTalk(SMALL)
    for parameter in network.parameters():
        if parameter.ndim > 1:
            torch.nn.init.normal_(parameter, std=parameter[0].numel() ** -0.5)
    return network.eval()
