"""Figures of diffposetalk, on a bundle in miniature and on movers that do, or do not, what they are asked."""

from dataclasses import asdict, replace
from typing import NamedTuple

import numpy as np
import pytest
import torch

from facestream.curves import INDEX
from facestream.motion.head_rotation import quaternions_of
from facestream.polish.options import PolishOptions
from facestream.serving.clip import animate
from facestream.serving.live_stream import StreamOptions
from facestream.serving.pipelines import open_pipeline
from facestream.timebase import FrameRate
from facestream.types import joined_frames
from facestream_bench import diffposetalk_heads as heads
from facestream_bench import diffposetalk_speech as speech
from facestream_bench import diffposetalk_styles as styles
from facestream_bench import diffposetalk_takes as takes
from facestream_bench.diffposetalk_mover import FACE, Made, Mover
from facestream_bench.quality_sets import from_corpus
from facestream_models.corpus.speaking_style import TRAITS
from facestream_models.diffposetalk.compact import COMPACT
from facestream_models.diffposetalk.stages.style import StyleNetwork
from tests.deeptalk.acted import babbling
from tests.diffposetalk.speaking import spoken
from tests.diffposetalk.tiny_bundle import PIECES, SHAPE, STYLES, tiny_folder
from tests.serving.streams import babble, drain

NO_SEAMS = np.zeros(0, np.intp)


@pytest.fixture(scope="module")
def mover():
    return Mover(tiny_folder())


def swinging(frames, tempo=6.0, size=0.1):
    """A still face whose head nods evenly."""
    head = np.zeros((frames, 3), np.float32)
    head[:, 0] = size * np.sin(tempo * np.arange(frames) / 25.0)
    return Made(np.zeros((frames, FACE), np.float32), head, NO_SEAMS)


def held(number, frames=120):
    take = spoken(number, number, frames)
    return takes.Held(takes.audio_of(take), takes.true_motion(take), None, np.zeros(4, np.float32))


# The mover


@pytest.mark.parametrize("seconds", [1.0, 2.57])
def test_motion_is_that_of_the_runtime(mover, seconds):
    audio = babble(3, 16_000, seconds)
    pipeline = open_pipeline(str(tiny_folder()))
    options = StreamOptions(frame_rate=FrameRate(25), seed=5, polish=PolishOptions(blinks=False, gaze=False))
    frames = animate(audio, options, pipeline)
    made = mover.clip(audio, seed=5)
    assert len(made.face) == len(made.head) == -(-len(audio) // 640)
    np.testing.assert_allclose(quaternions_of(made.head), frames.pose.head[: len(made.head)], atol=1e-5)
    stream = pipeline.open(options)
    stream.push(audio)
    stream.finish()
    streamed = joined_frames(drain(pipeline, stream))
    live = mover.live(audio, seed=5)
    np.testing.assert_allclose(quaternions_of(live.head), streamed.pose.head[: len(live.head)], atol=1e-5)
    assert not np.allclose(live.head, made.head)


def test_seams_are_where_windows_begin(mover):
    audio = babble(3, 16_000, 3.0)
    hop = PIECES.hop_frames
    window = SHAPE.window - hop
    first = min(4 * hop, window)
    assert mover.live(audio).seams.tolist() == list(range(hop, 75, hop))
    assert mover.clip(audio).seams.tolist() == list(range(first, 75, window))


def test_a_style_that_is_asked_for_is_heeded_and_strength_0_is_nobodys(mover):
    audio = babble(3, 16_000, 1.0)
    bare = mover.clip(audio)
    assert np.array_equal(mover.clip(audio, mover.named(STYLES[0], 0.0)).face, bare.face)
    assert not np.array_equal(mover.clip(audio, mover.named(STYLES[0])).face, bare.face)
    given = mover.clip(audio, mover.styled(mover.styling.styles[STYLES[0]].vector))
    assert np.array_equal(given.face, mover.clip(audio, mover.named(STYLES[0])).face)
    assert mover.short_style(swinging(120)).shape == (SHAPE.style_count,)


# Takes


def test_a_take_is_like_itself_and_samples_differ(face):
    some = [held(number) for number in range(3)]
    motions = [take.true for take in some]
    own = takes.Moved(some, motions, [[one, one] for one in motions], motions[1:] + motions[:1])
    for take in some:
        object.__setattr__(take, "segments", from_corpus(babbling(1).utterance).segments)
    found = takes.score_takes(face, own)
    for name in ("lve_mm", "lips_mm", "face_mm", "fdd_1e-5m", "mod_mm", "diversity.face_mm", "diversity.head_deg"):
        assert found[name] == 0.0, name
        assert found.get(f"other_speech.{name}", 1.0) != 0.0, name
    assert found["other_speech.lve_mm"] > found["other_speech.lips_mm"] > 0.1
    assert found["closure"] == found["true_motion.closure"]
    assert found["accuracy"] == found["true_motion.accuracy"]
    apart = replace(own, samples=[[one, Made(one.face, one.head + np.float32([0.0, 0.02, 0.0]), NO_SEAMS)]
                                  for one in motions])  # fmt: skip
    assert takes.score_takes(face, apart)["diversity.head_deg"] == pytest.approx(np.degrees(0.02), rel=1e-4)


class Reader:
    """Reads the class that a motion wears as its first coefficient."""

    def classes(self, motion, samples):
        return motion[:, 0].astype(np.int64)


def test_classes_are_read_off_the_lips_of_the_take_that_says_them():
    said = from_corpus(babbling(2, syllables=4).utterance)
    classes = said.segments.frame_classes(len(said.audio) // 320 + 1)
    telling = Made(np.pad(classes[:, None], ((0, 0), (0, FACE - 1))), np.zeros((len(classes), 3)), NO_SEAMS)
    take = takes.Held(said.audio, telling, said.segments, np.zeros(4, np.float32))
    assert takes.read(Reader(), [telling], [take]) == 1.0
    late = replace(telling, face=np.roll(telling.face, 25, axis=0))
    assert takes.read(Reader(), [late], [take]) < 0.5


def test_a_mouth_that_opens_a_millimetre_more_is_so_far_off(face):
    weights = np.zeros((2, 52), np.float32)
    weights[:, INDEX["jawOpen"]] = [0.2, 0.4]
    openings = takes._opening_mm(face, face.profile.motion_of(weights))
    expected = 1000.0 * np.diff(face.profile.landmarks_of(weights)[:, :, 1], axis=0)[0]
    upper, lower = (face.profile.landmark_names.index(f"ibug_{n}") for n in (62, 66))
    assert openings[1] - openings[0] == pytest.approx(expected[upper] - expected[lower], abs=0.2)
    assert openings[1] - openings[0] > 3.0


def test_styles_of_takes_are_those_of_another_take_of_the_same_kind(mover):
    some = [spoken(speaker, number, 110, emotion) for speaker in (1, 2) for emotion in (0, 1) for number in (0, 1)]
    found = takes.held_takes([*some, spoken(3, 0, 110), spoken(1, 5, 60)], mover, 8)
    assert len(found) == 8, "the third speaker has no other take, and 60 frames are no style"
    partner = mover.style(takes.true_motion(some[1]))
    assert np.array_equal(found[0].style, partner)
    with pytest.raises(ValueError, match="8 takes of 4 s or more"):
        takes.held_takes(some, mover, 9)


# Heads


def test_a_head_that_moves_as_the_true_one_has_all_of_its_beats_and_speed():
    some = [held(number) for number in range(4)]
    own = takes.Moved(some, [take.true for take in some], [], [])
    found = heads.score_heads(own)
    assert found["beat_alignment"] == 1.0
    assert found["beat_alignment.other_take"] < 0.9
    for name in ("speed_deg_s.mean.share", "speed_deg_s.p95.share", "amplitude_deg.share", "voice_alignment.share"):
        assert found[name] == pytest.approx(1.0)
    slow = [Made(one.face, 0.5 * one.head, NO_SEAMS) for one in own.own]
    found = heads.score_heads(replace(own, own=slow))
    assert found["speed_deg_s.mean.share"] == pytest.approx(0.5, abs=1e-3)
    assert found["amplitude_deg.share"] == pytest.approx(0.5, abs=1e-3)


def test_a_head_that_moves_with_the_voice_is_told_from_one_that_does_not():
    some = [held(number, 200) for number in range(4)]
    with_voice = []
    for take in some:
        pitch = np.cumsum(0.01 * heads.loudness(take))  # the faster the louder
        with_voice.append(Made(take.true.face, np.pad(pitch[:, None], ((0, 0), (0, 2))).astype(np.float32), NO_SEAMS))
    found = heads.score_heads(takes.Moved(some, with_voice, [], []))
    assert found["r_loudness.made"] > 0.9
    assert abs(found["r_loudness.made.other_take"]) < 0.3


def test_jumps_at_seams_are_found_and_none_where_there_are_none(face):
    random = np.random.default_rng(0)
    seams = np.arange(96, 960, 96)
    smooth = replace(swinging(960), seams=seams)
    found = heads.score_seams(face, [smooth], random)
    assert found["head.share_above_p99"] <= 0.15
    assert found["count"] == len(seams)
    assert found["mixed.head.share_above_p99"] > 0.5
    jumping = smooth.head + 0.1 * np.cumsum(np.isin(np.arange(960), seams))[:, None].astype(np.float32)
    found = heads.score_seams(face, [replace(smooth, head=jumping)], random)
    assert found["head.share_above_p99"] == 1.0
    assert found["head.deg.p50"] > found["head.inside_deg.p99"] > found["head.inside_deg.p50"]


# Styles


class Asked(NamedTuple):
    vector: np.ndarray
    strength: float = 1.0


class Obedient:
    """Moves exactly in the style asked for: motion whose style is its mean head. Nobody's style is noise."""

    def __init__(self, jaws=None):
        self.jaws = jaws

    def style(self, made):
        return made.head.mean(axis=0)

    def styled(self, vector):
        return Asked(vector)

    def named(self, name, strength):
        return Asked(np.array([self.jaws[name]]), strength)

    def clip(self, audio, styling=None, seed=0):
        frames = len(audio) // 640
        random = np.random.default_rng([seed, len(audio), int(1e3 * abs(float(audio[0])))])
        face = np.zeros((frames, FACE), np.float32)
        if styling is not None and self.jaws:
            face[:, 50] = 0.1 + 0.1 * styling.strength * styling.vector[0]
        head = random.normal(size=3) if styling is None or self.jaws else styling.vector
        return Made(face, np.tile(np.float32(head), (frames, 1)), NO_SEAMS)


def speakers(count):
    random = np.random.default_rng(1)
    for number in range(count):
        motion = Made(np.zeros((400, FACE), np.float32), np.tile(np.float32(random.normal(size=3)), (400, 1)), NO_SEAMS)
        audio = (0.1 * random.normal(size=160_000)).astype(np.float32)
        yield styles.Speaker(motion, audio, np.full(len(TRAITS), 1.0 + number, np.float32))


def test_styles_are_found_again_where_they_are_obeyed():
    found = styles.score_retrieval(Obedient(), list(speakers(8)), 4, np.random.default_rng(2))
    assert found["rank1"] == found["other_stretch.rank1"] == found["true_motion.rank1"] == 1.0
    assert found["shuffled.rank1"] == 0.0
    assert found["no_style.rank1"] < 0.5
    assert found["chance"] == 1 / 8
    assert not any(name.startswith("judged") for name in found)


def test_a_judge_sees_for_itself():
    def other_eyes(made):
        return made.head[0, ::-1]

    dice = np.random.default_rng(3)

    def blind(made):
        return dice.normal(size=3)

    seen, unseen = (styles.score_retrieval(Obedient(), list(speakers(8)), 4, np.random.default_rng(2), judge=judge)
                    for judge in (other_eyes, blind))  # fmt: skip
    assert seen["judged.rank1"] == seen["judged.other_stretch.rank1"] == seen["judged.true_motion.rank1"] == 1.0
    assert seen["judged.shuffled.rank1"] == 0.0
    assert unseen["rank1"] == 1.0
    assert unseen["judged.rank1"] < 0.5


def test_a_judge_is_a_run_of_the_style_stage(tmp_path):
    torch.manual_seed(0)
    shape = replace(COMPACT, style_count=16)
    network = StyleNetwork(shape).eval()
    (tmp_path / "style").mkdir()
    torch.save({"weights": network.state_dict(), "facts": {"shape": asdict(shape)}}, tmp_path / "style" / "weights.pt")
    judge = styles.judge_in(tmp_path)
    made = swinging(130)
    made.face[:, 3], made.face[:, 50] = 0.4, np.linspace(0.0, 0.2, 130)
    assert judge(made).shape == (16,)
    motion = np.zeros((1, 100, 54), np.float32)
    motion[0, :, 3], motion[0, :, 50:53], motion[0, :, 53] = 0.4, made.head[:100], made.face[:100, 50]
    first = Made(made.face[:100], made.head[:100], NO_SEAMS)
    with torch.no_grad():
        np.testing.assert_allclose(judge(first), network(torch.from_numpy(motion))[0].numpy(), atol=1e-5)
    assert np.abs(judge(first) - judge(made)).max() > 1e-4


def test_strength_is_monotone_only_where_it_is_obeyed(face):
    said = [np.full(16_000, 0.1, np.float32)]
    names = {"open": ("jaw_scale", True), "reserved": ("jaw_scale", False)}
    found = styles.score_strength(Obedient({"open": 1.0, "reserved": -0.4}), face, said, names)
    assert found["monotone_share"] == found["open.is_monotone"] == 1.0
    assert found["open.jaw_scale.2.0"] > found["open.jaw_scale.1.0"] > found["open.jaw_scale.0.0"]
    assert found["reserved.jaw_scale.0.0"] == found["open.jaw_scale.0.0"]
    found = styles.score_strength(Obedient({"open": 1.0, "reserved": 1.0}), face, said, names)
    assert (found["monotone_share"], found["reserved.is_monotone"]) == (0.5, 0.0)
    assert styles.score_strength(Obedient({"open": 0.0, "reserved": 0.0}), face, said, names)["monotone_share"] == 0.0


def test_measures_measure_their_traits(face):
    weights = np.zeros((50, 52), np.float32)
    weights[:, INDEX["jawOpen"]] = np.linspace(0.0, 0.5, 50)
    weights[:, INDEX["mouthSmileLeft"]] = weights[:, INDEX["mouthSmileRight"]] = 0.2
    weights[::2, INDEX["browInnerUp"]] = 0.4
    made = Made(face.profile.motion_of(weights), swinging(50).head, NO_SEAMS)
    assert styles.MEASURES["jaw_scale"](face, made) == pytest.approx(0.475, abs=0.05)
    assert styles.MEASURES["smile_bias"](face, made) == pytest.approx(0.2, abs=0.05)
    assert styles.MEASURES["brow_gain"](face, made) == pytest.approx(0.2, abs=0.05)
    assert styles.MEASURES["resting_brows"](face, made) == pytest.approx(0.2, abs=0.05)
    assert styles.MEASURES["head_amplitude"](face, made) == pytest.approx(np.degrees(0.1) * 2**-0.5, rel=0.1)
    still = Made(np.zeros((50, FACE), np.float32), np.zeros((50, 3), np.float32), NO_SEAMS)
    assert max(abs(measure(face, still)) for measure in styles.MEASURES.values()) < 1e-3


def test_speakers_are_held_who_are_heard_long_enough():
    some = [spoken(speaker, number, 120) for speaker in (1, 2) for number in range(2)]
    found = styles.held_speakers([*some, spoken(3, 0, 120)])
    assert len(found) == 2
    one = found[0]
    assert len(one.audio) == 240 * 640
    np.testing.assert_allclose(one.motion.head[:120], some[0].head, atol=1e-3)
    np.testing.assert_allclose(one.motion.face[:120, :51], some[0].motion[:, :51], atol=2e-3)
    assert len(one.stretch(np.random.default_rng(0)).head) == styles.STRETCH_FRAMES


# Real speech


def test_clients_are_served_whole_by_hops_and_in_styles(face, mover):
    clip = from_corpus(babbling(3, syllables=5).utterance)
    folder = tiny_folder()
    heard = {"hops": speech.by_hops(face, folder)(clip.audio)}
    systems = speech.clients(face, folder, folder, [STYLES[0]])
    heard |= {name: system(clip.audio) for name, system in systems.items()}
    assert {one.curves.shape for one in heard.values()} == {clip.reference.shape}
    assert np.array_equal(heard["live"].curves, heard["diffposetalk"].curves), "the same folder for both"
    for name in ("hops", f"style.{STYLES[0]}"):
        assert not np.array_equal(heard[name].curves, heard["diffposetalk"].curves)
    made = speech.score_systems({"diffposetalk": lambda audio: heard["hops"], "live": lambda audio: heard["live"]},
                                [clip], {})  # fmt: skip
    assert np.isfinite(list(made.values())).all()
    fall = 100.0 * (made["live.prompts.closure"] - made["diffposetalk.prompts.closure"])
    assert made["behind_live.closure_points"] == pytest.approx(fall)
    assert 0.0 <= speech.score_heard(mover.source._graphs, [clip])["accuracy"] <= 1.0
