from dataclasses import replace
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from facestream_models.corpus.emotional_take import Take
from facestream_models.corpus.emotions import EMOTIONS, NEUTRAL
from facestream_models.corpus.spoken_act import SpokenAct
from facestream_models.deeptalk.audio import emotion_waveform
from facestream_models.deeptalk.emotion_embedding import EmotionEmbedding, SequenceShape, drawn_to_likeliest, unit
from facestream_models.deeptalk.frame_emotion import FrameEmotion, FrameEmotionShape
from facestream_models.deeptalk.stages.emotion_manners import EmotionManners
from facestream_models.deeptalk.stages.frame_emotion import FrameEmotionConfig, FrameEmotionStage
from facestream_models.deeptalk.stages.usual_faces import shown_faces, usual_faces
from facestream_models.deeptalk.stages.whole_embedding import FacesThatStay, WholeEmbeddingConfig, WholeEmbeddingStage
from facestream_models.deeptalk.stages.windows import SeenTakes, TakeWindows
from facestream_models.encoders.compact_emotion import CompactEmotionEncoder, CompactEmotionShape
from facestream_models.training.run import Run, RunConfig
from tests.deeptalk.acted import acted

SMALL = FrameEmotionShape(widths=(16, 16, 16, 16, 16, 16, 16), normalised_features=True, dropout=0.0)
FACES = SequenceShape(width=16, layers=1, longest=250, enters=SMALL.feature_width, heads=2, hidden=16)
SPEECH = SequenceShape(width=16, layers=0, longest=250, cuts=True, heads=2, hidden=16, dropout=0.0, usual=8)
EAR = CompactEmotionShape(channels=0, width=16, hidden=32)
CONFIG = WholeEmbeddingConfig(
    "faces",
    rows=32,
    recorded=False,
    encoder=EAR,
    speech=SPEECH,
    run=RunConfig(steps=40, learning_rate=5e-3, warmup_steps=1, averaging=0.9),
)


def take(emotion: int, seed: int) -> Take:
    """A take whose pitch tells its emotion."""
    made = acted(2.4, emotion, seed)
    time = np.arange(len(made.utterance.audio)) / 16_000
    phase = 2 * np.pi * (110.0 + 40.0 * emotion) * time
    tones = sum(np.sin(n * phase + seed) / n for n in range(1, 8)) * np.abs(
        np.sin(2 * np.pi * (1.5 + 0.01 * seed) * time)
    )
    return replace(made, utterance=replace(made.utterance, audio=(3000 * tones).astype(np.int16)))


TAKES = [take(number % 8, number) for number in range(24)]
ACTS = [SpokenAct(one.utterance, one.act, one.speaker) for one in TAKES]


@cache
def judge() -> FrameEmotion:
    """Tells these faces apart."""
    config = FrameEmotionConfig(rows=64, run=RunConfig(steps=60, learning_rate=1e-2, warmup_steps=1), shape=SMALL)
    torch.manual_seed(0)
    takes = TakeWindows(TAKES)
    learned = FrameEmotionStage(config, SeenTakes(takes, takes), SeenTakes(takes, takes))
    with TemporaryDirectory() as folder:
        run = Run(learned, config.run, Path(folder))
        run.train()
    learned.network.load_state_dict(run.average)
    network = learned.network
    assert isinstance(network, FrameEmotion)
    return network


def stage(config: WholeEmbeddingConfig = CONFIG, takes: list[Take] = TAKES) -> WholeEmbeddingStage:
    torch.manual_seed(0)
    faces = EmotionEmbedding(CompactEmotionEncoder(EAR), SPEECH, FACES)
    torch.nn.init.constant_(faces.expression.variance_head.map.bias, -6.0)
    return WholeEmbeddingStage(
        config, ACTS, ACTS, TakeWindows(takes), judge(), FacesThatStay(FACES, faces.state_dict())
    )


def test_manners_are_those_of_acts_and_of_pieces_of_them_a_little_moved() -> None:
    encoder = CompactEmotionEncoder(EAR)
    manners = EmotionManners(ACTS, encoder)
    audio = torch.from_numpy(np.stack([act.utterance.audio for act in ACTS]).astype(np.float32) / 32768.0)
    wholes = encoder.whole(encoder.sound(emotion_waveform(audio)))
    torch.testing.assert_close(manners.whole.manner, wholes, atol=2e-3, rtol=1e-3)
    said, again = (manners.draw(400, np.random.default_rng(0)) for _ in range(2))
    assert torch.equal(said.manner, again.manner)
    spread = wholes.std(dim=0)
    told = spread > 1e-3
    apart = ((said.manner[:, None] - wholes[None]) / spread)[:, :, told].square().mean(dim=2).sqrt()
    nearest = apart.argmin(dim=1)
    assert torch.equal(manners.whole.emotion[nearest], said.emotion)
    assert 0.05 < float(apart.amin(dim=1).median()) < 0.2
    with pytest.raises(ValueError, match="no acts to learn from"):
        EmotionManners([], encoder)


def test_what_people_say_who_act_nothing_is_drawn_more_often() -> None:
    recorded = [replace(act, utterance=replace(act.utterance, source="grid")) for act in ACTS]
    manners = EmotionManners(recorded, CompactEmotionEncoder(EAR), recorded_neutral=7.0)
    drawn = manners.draw(2000, np.random.default_rng(0)).emotion
    assert float((drawn == NEUTRAL).float().mean()) == pytest.approx(0.5, abs=0.05)
    usual = EmotionManners(ACTS, CompactEmotionEncoder(EAR), recorded_neutral=7.0).draw(2000, np.random.default_rng(0))
    assert float((usual.emotion == NEUTRAL).float().mean()) == pytest.approx(1 / 8, abs=0.03)


def test_speech_learns_its_way_to_faces_that_stay(tmp_path: Path) -> None:
    learning = stage()
    before = {name: value.clone() for name, value in learning.network.state_dict().items()}
    run = Run(learning, CONFIG.run, tmp_path)
    assert run.figures()["usual_face_found"] < 0.5
    assert run.train()["usual_face_found"] > 0.7
    after = learning.network.state_dict()
    assert all(torch.equal(after[name], before[name]) for name in after if not name.startswith("speech."))
    # what is used is drawn to the usual faces, which are those of the takes
    torch.testing.assert_close(after["speech.embedding.usual"], usual_faces_of(learning).mean)
    assert set(learning.facts["shapes"]) == {"encoder", "speech", "expression"}


def usual_faces_of(learning: WholeEmbeddingStage):
    return usual_faces(shown_faces(TakeWindows(TAKES), learning.judge, learning.embedding))


def test_what_can_not_be_learned_from_is_refused() -> None:
    with pytest.raises(ValueError, match="channels 8: 0 is needed"):
        stage(replace(CONFIG, encoder=replace(EAR, channels=8)))
    with pytest.raises(ValueError, match=f"no take acts {EMOTIONS[0]} clearly"):
        stage(takes=TAKES[1:8])


@settings(max_examples=50)
@given(st.integers(0, 2**32 - 1), st.integers(0, 7), st.floats(0.0, 0.9))
def test_a_mean_is_drawn_to_the_likeliest_and_neutral_is_likelier(seed: int, number: int, aside: float) -> None:
    random = torch.Generator().manual_seed(seed)
    usual, other = unit(torch.randn(8, 128, generator=random)), unit(torch.randn(1, 128, generator=random))
    mean = unit((1.0 - aside) * usual[number : number + 1] + aside * 0.5 * other)
    drawn = drawn_to_likeliest(mean, usual)
    torch.testing.assert_close(drawn.norm(dim=1), torch.ones(1))
    near = (mean @ usual.T)[0]
    near[NEUTRAL] += 0.1
    first, second = near.topk(2).values
    if first - second > 0.15:  # else it lies between two
        torch.testing.assert_close(drawn[0], unit(mean + 3.0 * usual[near.argmax()])[0], atol=2e-3, rtol=0.0)
    between = drawn_to_likeliest(unit(usual[NEUTRAL] + 1.05 * usual[1:2]), usual)
    assert float(between @ usual[NEUTRAL]) > float(between @ usual[1])
