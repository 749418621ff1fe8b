import tomllib
from pathlib import Path

import facestream_models.corpus as corpus
from facestream_models.corpus.generate import QUICK_SOURCES, SOURCES, fill, generate_quick
from facestream_models.corpus.recipes import NegativeRecipe
from facestream_models.corpus.store import CorpusWriter, iterate

CONFIG = Path(corpus.__file__).parent / "configs" / "live_v1.toml"


def test_the_committed_config_is_complete() -> None:
    config = tomllib.loads(CONFIG.read_text(encoding="utf-8"))
    assert set(SOURCES) <= set(config)
    assert len(config["kokoro"]["held_out_voices"]) >= 3
    assert sum(entry["share"] for entry in config["kokoro"]["languages"].values()) == 1.0


def test_a_stopped_corpus_goes_on_where_it_was(tmp_path: Path) -> None:
    recipe = NegativeRecipe({"seconds": [1.0, 2.0]}, 7, "noise")
    fill(CorpusWriter(tmp_path / "whole", "noise", 4), recipe, 20 / 3600)
    fill(CorpusWriter(tmp_path / "parts", "noise", 4), recipe, 8 / 3600)
    fill(CorpusWriter(tmp_path / "parts", "noise", 4), recipe, 20 / 3600)
    whole, parts = list(iterate(tmp_path / "whole")), list(iterate(tmp_path / "parts"))
    assert [u.key for u in whole] == [u.key for u in parts]
    assert all((left.audio == right.audio).all() for left, right in zip(whole, parts, strict=True))
    assert all(u.classes.tolist() == [0] for u in whole)


def test_quick_sources_write_into_train(tmp_path: Path) -> None:
    config = {"seed": 1, "noise": {"seconds": [1.0, 1.5], "hours": 3 / 3600, "utterances_per_shard": 10}}
    generate_quick(tmp_path, config, ["noise"])
    assert "noise" in QUICK_SOURCES
    assert {u.source for u in iterate(tmp_path / "train")} == {"noise"}
