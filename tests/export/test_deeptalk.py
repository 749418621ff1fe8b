"""From a trained network to frames: the bundle that the exporter writes, opened and used as the runtime does."""

from pathlib import Path

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from facestream.acting import Acting
from facestream.engines.bundle import Bundle
from facestream.engines.deeptalk import DeepTalkGraphs
from facestream.motion.deeptalk import DeepTalkMotion
from facestream.serving.clip import animate
from facestream.serving.live_stream import StreamOptions
from facestream.serving.pipelines import open_pipeline
from facestream_models.corpus.phones import CLASSES
from facestream_models.deeptalk.audio import CODE_SAMPLES
from tests.deeptalk.tiny_bundle import tiny_compact, write_tiny_deeptalk
from tests.serving.streams import babble
from tests.serving.test_deeptalk import fresh_state


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny_deeptalk(tmp_path_factory.mktemp("compact"))


def test_a_recording_moves_as_torch_moves_it(folder: Path) -> None:
    network = tiny_compact()
    motion = DeepTalkMotion(DeepTalkGraphs(Bundle.open(folder)))
    samples = babble(1, 16000, 2.08)[None]
    assert samples.shape[1] == 13 * CODE_SAMPLES
    part = motion.whole_clips.next_part(0, None, 13)
    found = motion.whole_clips.step(samples, fresh_state(motion, Acting(speaker="speaker-02")), part)
    with torch.no_grad():
        speech = torch.from_numpy(samples)
        quiet = torch.zeros(1, 26, network.shape.generator.codes)
        speaker = F.one_hot(torch.tensor([1]), 3).float()
        made = network(speech, network.hear_emotion(speech).mean, speaker, quiet[:, :13], quiet)
    np.testing.assert_allclose(found.motion[:, 1::2], made.motion.numpy(), atol=1e-4)
    with torch.no_grad():
        heard = network.content.whole(torch.from_numpy(samples))
        said = network.generator.content(heard.content)
    np.testing.assert_allclose(motion.hear_words(samples).speech, said.numpy(), atol=1e-4)
    np.testing.assert_allclose(found.phone, heard.phone.numpy(), atol=1e-4)
    np.testing.assert_allclose(found.phone.sum(axis=2), 1.0, atol=1e-4)


def test_the_bundle_makes_faces_and_names_its_speakers(folder: Path) -> None:
    pipeline = open_pipeline(str(folder))
    assert pipeline.model.phone_classes == CLASSES
    assert pipeline.model.abilities is not None
    assert pipeline.model.abilities.speakers == ("speaker-01", "speaker-02", "speaker-03")
    frames = animate(babble(2, 16000, 1.0), StreamOptions(), pipeline)
    assert frames.count == 39
    assert "silence" in frames.extras
