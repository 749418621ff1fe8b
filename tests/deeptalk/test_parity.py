"""The released graph's own activations, reproduced from pseudo-random weights."""

import gc
import re

import pytest
import torch

from facestream_models.deeptalk.audio import content_waveform, emotion_waveform, pad_to_codes
from facestream_models.deeptalk.emotion_distance import embedding_loss
from facestream_models.deeptalk.emotion_embedding import EmotionEmbedding, EmotionGaussian
from facestream_models.deeptalk.frame_emotion import FrameEmotion
from facestream_models.deeptalk.motion_prior import MotionPrior
from facestream_models.deeptalk.official_weights import DEEPTALK, FRAME_EMOTION, MOTION_PRIOR, fill
from facestream_models.deeptalk.official_weights import EMOTION_EMBEDDING as EMBEDDING_FILE
from facestream_models.deeptalk.system import DeepTalk
from facestream_models.encoders.emotion2vec import Emotion2Vec
from tests.deeptalk.golden import EMBEDDING, GOLDEN, PRIOR, assert_golden, motion, speech, weights

CLOSE = 1e-4
MOTION = 1e-3


def is_used(name):
    """Whether use needs it: half of the released numbers stay unfilled, and the test takes half the time."""
    return not re.search(r"DEE\.exp_encoder|_(encoder|mean|uncertainty)_layer\.", name)


@pytest.fixture(scope="module")
def prior():
    network = MotionPrior()
    fill(network, weights("DEEPTalk", PRIOR), MOTION_PRIOR, "golden")
    return network


@pytest.fixture(scope="module")
def frame_emotion():
    network = FrameEmotion()
    fill(network, weights("FER"), FRAME_EMOTION, "golden")
    return network


def test_the_motion_prior_finds_and_decodes_the_codes(prior):
    with torch.no_grad():
        found = prior(motion())
    assert found.top_codes[0].tolist() == GOLDEN["vq_codes_top"]
    assert found.bottom_codes[0].tolist() == GOLDEN["vq_codes_bottom"]
    assert_golden(found.motion, "vq_recon", MOTION)
    assert float(found.commitment) == pytest.approx(GOLDEN["vq_loss"], abs=CLOSE)


def test_a_transposed_convolution_read_sideways_would_show(prior):
    sideways = weights("DEEPTalk", PRIOR)
    sideways["upsample_t.weight"] = sideways["upsample_t.weight"].transpose(0, 1)
    network = MotionPrior()
    fill(network, sideways, MOTION_PRIOR, "golden")
    with torch.no_grad(), pytest.raises(AssertionError):
        assert_golden(network(motion()).motion, "vq_recon", MOTION)


def test_the_frame_classifier_gives_its_logits_and_the_features_that_bypass_its_norms(frame_emotion):
    with torch.no_grad():
        assert_golden(frame_emotion(motion()[0]), "fer_logits", CLOSE)
        assert_golden(frame_emotion.features(motion()), "fer_feature", CLOSE)


def test_what_is_heard_is_normalised_in_two_ways():
    padded = pad_to_codes(speech())
    assert padded.shape == (1, GOLDEN["padded_samples"])
    assert_golden(content_waveform(padded), "wav_norm_content", 2e-6)
    assert_golden(emotion_waveform(padded), "wav_norm_emotion", 2e-6)


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_the_emotion_embedding_gives_both_gaussians_and_their_loss(frame_emotion):
    network = EmotionEmbedding(Emotion2Vec())
    fill(
        network, weights("DEEPTalk", EMBEDDING, of=lambda name: "encoder_layer." not in name), EMBEDDING_FILE, "golden"
    )
    with torch.no_grad():
        waveform = emotion_waveform(pad_to_codes(speech()))
        assert_golden(network.speech.encoder(waveform), "emotion2vec_out", CLOSE)
        heard = network.speech(waveform)
        seen = network.expression(frame_emotion.features(motion()))
    assert_golden(heard.mean, "dee_audio_mean", CLOSE)
    assert_golden(heard.log_variance, "dee_audio_logvar", CLOSE)
    assert_golden(seen.mean, "dee_exp_mean", CLOSE)
    assert_golden(seen.log_variance, "dee_exp_logvar", CLOSE)

    def pair(first, second, log_variance):
        return EmotionGaussian(torch.cat([first, second]), (log_variance - 5).repeat(2, 1))

    loss = embedding_loss(
        pair(heard.mean, -heard.mean, heard.log_variance),
        pair(seen.mean, seen.mean.flip(1), seen.log_variance),
        torch.eye(2),
        network.scale,
        network.shift,
    )
    assert float(loss) == pytest.approx(GOLDEN["csd_loss_batch2"]["value"], abs=1e-3)
    gc.collect()


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_the_whole_system_gives_the_released_motion():
    network = DeepTalk()
    fill(network, weights("DEEPTalk", of=is_used), DEEPTALK, "golden")
    padded = pad_to_codes(speech())
    actor = torch.eye(32)[:1]
    with torch.no_grad():
        content = network.content(content_waveform(padded))
        assert_golden(content, "wav2vec2_out", CLOSE)
        assert_golden(network.generator.content(content), "sequence_encoder_out", CLOSE)
        emotion = network.hear_emotion(padded)
        assert_golden(emotion.mean, "dee_audio_mean", CLOSE)
        assert_golden(emotion.log_variance, "dee_audio_logvar", CLOSE)
        quiet = torch.zeros(1, 13, 256)
        found = network(padded, emotion.mean, actor, quiet, quiet.repeat(1, 2, 1))
        assert torch.equal(network.clip(speech(), raw=True), found.motion)
        assert torch.equal(network.clip(speech()), found.motion[:, :50])
    assert_golden(found.top, "logits_top", CLOSE)
    assert_golden(found.bottom, "logits_bottom", CLOSE)
    assert found.top.argmax(dim=2)[0].tolist() == GOLDEN["codes_top"]
    assert found.bottom.argmax(dim=2)[0].tolist() == GOLDEN["codes_bottom"]
    for name, logits in (("min_logit_gap_top", found.top), ("min_logit_gap_bottom", found.bottom)):
        first, second = logits.topk(2, dim=2).values.unbind(dim=2)
        assert float((first - second).min()) == pytest.approx(GOLDEN[name], abs=CLOSE)
    assert_golden(found.motion, "motion", MOTION)
    torch.testing.assert_close(found.motion[0, 10], torch.tensor(GOLDEN["motion_frame10"]), atol=MOTION, rtol=0)
    gc.collect()
