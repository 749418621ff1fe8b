"""Puts stages together from files: configuration, takes, head.

The shipped weights came about in this order, each in a folder of one place (configuration -> folder):

    prior_compact -> prior-1, frame_emotion, lip_reader, prior_judged_compact -> prior,
    embedding_compact -> embedding-1, embedding_speech_compact -> embedding-2, embedding_faces_compact -> embedding-3,
    embedding_recorded_compact -> embedding, with which generator-2 began, and of stage embedding-whole
    embedding_whole_compact -> embedding,
    generator_1_compact, generator_2_compact, and for measuring frame_emotion_onlooker and lip_reader_onlooker in
    a folder `onlookers`, where `prior` is found again. `live` is a run of the network of that name.
"""

from collections.abc import Callable, Mapping
from itertools import chain
from pathlib import Path

import torch

from facestream.retarget.profile import load_profile
from facestream_models.corpus.take_store import iterate_spoken_acts, iterate_takes
from facestream_models.deeptalk.compact import CompactDeepTalk, CompactShape
from facestream_models.deeptalk.emotion_embedding import EmotionEmbedding, SequenceShape
from facestream_models.deeptalk.frame_emotion import FrameEmotion, FrameEmotionShape
from facestream_models.deeptalk.motion_prior import MotionPrior, MotionPriorShape
from facestream_models.deeptalk.stages.embedding import EmbeddingConfig, EmbeddingStage
from facestream_models.deeptalk.stages.frame_emotion import FrameEmotionConfig, FrameEmotionStage
from facestream_models.deeptalk.stages.generator import GeneratorConfig, GeneratorStage, Judges
from facestream_models.deeptalk.stages.lip_reader import LipReaderConfig, LipReaderStage
from facestream_models.deeptalk.stages.prior import PriorConfig, PriorJudges, PriorStage
from facestream_models.deeptalk.stages.whole_embedding import FacesThatStay, WholeEmbeddingConfig, WholeEmbeddingStage
from facestream_models.deeptalk.stages.windows import SeenTakes, TakeWindows
from facestream_models.encoders.compact_emotion import CompactEmotionEncoder, CompactEmotionShape
from facestream_models.live.weights import load_network
from facestream_models.metrics.face_mesh import shipped_mesh
from facestream_models.metrics.lip_reader import LipReader, LipReaderShape
from facestream_models.training.config import from_values, read_config
from facestream_models.training.run import WEIGHTS, Run, load_stage


def takes_of(data: Path, part: str) -> TakeWindows:
    """The takes of `data`/`part`, whose motion must be that of the shipped head."""
    return TakeWindows(iterate_takes(data / part, load_profile().head_digest))


def seen_takes(data: Path, part: str, runs: Path, prior: str) -> SeenTakes:
    """The takes of `data`/`part`, beside them as the prior in the folder `prior` of `runs`, if any, says them."""
    takes = takes_of(data, part)
    return SeenTakes(takes, takes.in_codes(load_prior(runs, prior)) if prior else takes)


def build_prior(config_file: Path, data: Path, out: Path) -> Run:
    """Stage `prior`."""
    config = read_config(config_file, PriorConfig)
    torch.manual_seed(config.run.seed)
    judges = PriorJudges(load_frame_emotion(out.parent), load_lip_reader(out.parent)) if config.judged else None
    stage = PriorStage(config, takes_of(data, "train"), takes_of(data, "validation"), shipped_mesh(), judges)
    if config.begin_with:
        stage.prior.load_state_dict(load_stage(out.parent, config.begin_with)["weights"])
    return Run(stage, config.run, out)


def build_frame_emotion(config_file: Path, data: Path, out: Path) -> Run:
    """Stage `frame-emotion`."""
    config = read_config(config_file, FrameEmotionConfig)
    torch.manual_seed(config.run.seed)
    training, held_out = (seen_takes(data, part, out.parent, config.in_codes_of) for part in ("train", "validation"))
    return Run(FrameEmotionStage(config, training, held_out), config.run, out)


def build_embedding(config_file: Path, data: Path, out: Path) -> Run:
    """Stage `embedding`; takes the classifier from the folder `frame-emotion` beside `out`."""
    config = read_config(config_file, EmbeddingConfig)
    torch.manual_seed(config.run.seed)
    classifier = load_frame_emotion(out.parent)
    training, held_out = (seen_takes(data, part, out.parent, config.in_codes_of) for part in ("train", "validation"))
    stage = EmbeddingStage(config, training, held_out, classifier)
    if config.faces_of:
        stage.keep_faces(load_stage(out.parent, config.faces_of)["weights"])
    if config.speech_of:
        stage.keep_speech(load_stage(out.parent, config.speech_of)["weights"])
    return Run(stage, config.run, out)


def build_whole_embedding(config_file: Path, data: Path, out: Path) -> Run:
    """Stage `embedding-whole`; what is heard lies in the folders `heard` of its config under `data`."""
    config = read_config(config_file, WholeEmbeddingConfig)
    torch.manual_seed(config.run.seed)
    faces = load_stage(out.parent, config.faces_of)
    acts = chain.from_iterable(iterate_spoken_acts(data / folder) for folder in config.heard)
    stage = WholeEmbeddingStage(
        config,
        acts,
        iterate_spoken_acts(data / "validation"),
        takes_of(data, "train"),
        load_frame_emotion(out.parent),
        FacesThatStay(from_values(faces["facts"]["shapes"]["expression"], SequenceShape), faces["weights"]),
    )
    return Run(stage, config.run, out)


def build_lip_reader(config_file: Path, data: Path, out: Path) -> Run:
    """Stage `lip-reader`."""
    config = read_config(config_file, LipReaderConfig)
    torch.manual_seed(config.run.seed)
    training, held_out = (seen_takes(data, part, out.parent, config.in_codes_of) for part in ("train", "validation"))
    stage = LipReaderStage(config, training, held_out, shipped_mesh())
    return Run(stage, config.run, out)


def build_generator(config_file: Path, data: Path, out: Path) -> Run:
    """Stages `generator-1` and `generator-2`; what they build on lies in the folders of the other stages beside `out`.

    The content encoder is that of a run of the `live` network in the folder `live`. Stage 2 goes on from stage 1.
    """
    config = read_config(config_file, GeneratorConfig)
    torch.manual_seed(config.run.seed)
    runs = out.parent
    live = runs / "live" / WEIGHTS
    if not live.exists():
        raise FileNotFoundError(f"{live}: not there; train the live network into {live.parent} first")
    prior, judges = load_stage(runs, "prior"), load_judges(runs)
    shapes = load_stage(runs, "embedding")["facts"]["shapes"]
    listener = load_network(live)
    system = CompactDeepTalk(
        CompactShape(
            live=listener.shape,
            emotion_encoder=from_values(shapes["encoder"], CompactEmotionShape),
            emotion=from_values(shapes["speech"], SequenceShape),
            prior=from_values(prior["facts"]["shape"], MotionPriorShape),
            generator=config.shape,
        )
    )
    system.content.network.load_state_dict(listener.state_dict())
    system.emotion.load_state_dict(judges.embedding.speech.state_dict())
    system.prior.load_state_dict(prior["weights"])
    if out.name == "generator-2":
        system.generator.load_state_dict(load_stage(runs, "generator-1")["weights"])
    return Run(
        GeneratorStage(config, takes_of(data, "train"), takes_of(data, "validation"), system, judges), config.run, out
    )


def load_judges(runs: Path) -> Judges:
    """The networks under `runs` that say what a motion is worth."""
    meeting = load_stage(runs, "embedding")
    shapes = meeting["facts"]["shapes"]
    speech, face = (from_values(shapes[name], SequenceShape) for name in ("speech", "expression"))
    embedding = EmotionEmbedding(
        CompactEmotionEncoder(from_values(shapes["encoder"], CompactEmotionShape)), speech, face
    )
    embedding.load_state_dict(meeting["weights"])
    return Judges(shipped_mesh(), embedding, load_frame_emotion(runs), load_lip_reader(runs))


def load_lip_reader(runs: Path) -> LipReader:
    """The lip reader that stage `lip-reader` left in its folder under `runs`."""
    stored = load_stage(runs, "lip-reader")
    network = LipReader(from_values(stored["facts"]["shape"], LipReaderShape))
    network.load_state_dict(stored["weights"])
    return network


def load_prior(runs: Path, name: str) -> MotionPrior:
    """The motion prior in the folder `name` under `runs`."""
    stored = load_stage(runs, name)
    network = MotionPrior(from_values(stored["facts"]["shape"], MotionPriorShape))
    network.load_state_dict(stored["weights"])
    return network


def load_frame_emotion(runs: Path) -> FrameEmotion:
    """The classifier that stage `frame-emotion` left in its folder under `runs`."""
    stored = load_stage(runs, "frame-emotion")
    network = FrameEmotion(from_values(stored["facts"]["shape"], FrameEmotionShape))
    network.load_state_dict(stored["weights"])
    return network


STAGES: Mapping[str, Callable[[Path, Path, Path], Run]] = {
    "frame-emotion": build_frame_emotion,
    "embedding": build_embedding,
    "embedding-whole": build_whole_embedding,
    "lip-reader": build_lip_reader,
    "prior": build_prior,
    "generator-1": build_generator,
    "generator-2": build_generator,
}
"""Stage -> what makes its run from config file, data folder and output folder."""
