from pathlib import Path

import pytest

from facestream.errors import InvalidValue
from facestream.settings import Settings


def test_each_source_beats_the_one_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = tmp_path / "server.toml"
    config.write_text('port = 1\nmax_clips = 2\nidle_timeout_s = 3.5\ntokens = ["a", "b"]\n')
    assert Settings.load().port == 50051
    loaded = Settings.load(config)
    assert (loaded.port, loaded.max_clips, loaded.idle_timeout_s) == (1, 2, 3.5)
    assert [token.get_secret_value() for token in loaded.tokens] == ["a", "b"]
    monkeypatch.setenv("FACESTREAM_PORT", "4")
    assert Settings.load(config).port == 4
    assert Settings.load(config, port=5, max_clips=None).port == 5
    assert Settings.load(config, port=5, max_clips=None).max_clips == 2


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("prot = 1", "prot: got an unknown key; allowed: did you mean port"),
        ("port = 70000", "port: got 70000; allowed: .*65535"),
        ("port = 'x'", "port: got 'x'"),
        ("tls_key = 'k.pem'", "tls_certificate and tls_key go together"),
        ("log_format = 'xml'", "log_format: got 'xml'; allowed: .*'json' or 'text'"),
        ("port = ", "config: got .*a TOML file"),
    ],
)
def test_a_bad_file_is_one_clear_error(tmp_path: Path, text: str, words: str) -> None:
    config = tmp_path / "server.toml"
    config.write_text(text)
    with pytest.raises(InvalidValue, match=words):
        Settings.load(config)


def test_a_missing_file_is_not_ignored(tmp_path: Path) -> None:
    with pytest.raises(InvalidValue, match=r"config: got .*No such file"):
        Settings.load(tmp_path / "nothing.toml")


def test_a_misspelt_variable_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FACESTREAM_MAX_STREAM", "5")
    with pytest.raises(InvalidValue, match="did you mean FACESTREAM_MAX_STREAMS"):
        Settings.load()


def test_tokens_do_not_show() -> None:
    assert "secret" not in repr(Settings.load(tokens=["secret"]))
