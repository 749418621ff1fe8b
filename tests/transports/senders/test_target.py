from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from facestream.errors import InvalidValue
from facestream.transports.senders.target import KINDS, parse_target


@pytest.mark.parametrize(
    ("text", "kind", "host", "port"),
    [
        ("livelink://192.168.0.7", "livelink", "192.168.0.7", 11111),
        ("livelink://studio.local:12000?subject=Hero%20two", "livelink", "studio.local", 12000),
        ("VMC://[::1]:39540?names=vrm1&bones=on", "vmc", "::1", 39540),
        ("vmc://", "vmc", "", 39539),
        ("ifacialmocap://:49983?delay_ms=0&source_port=50000", "ifacialmocap", "", 49983),
    ],
)
def test_targets_are_understood(text: str, kind: str, host: str, port: int) -> None:
    target = parse_target(text)
    assert (target.kind, target.host, target.port) == (kind, host, port)
    assert target.encoder() is not target.encoder()


def test_options_are_those_of_the_kind() -> None:
    target = parse_target("livelink://h:1234?subject=Hero%20two&delay_ms=100&source_port=4000")
    assert target.options == {"subject": "Hero two"}
    assert (target.delay_s, target.source_port) == (0.1, 4000)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("udp://host:1", "got 'udp://host:1'; allowed: livelink://HOST:PORT, vmc://HOST:PORT, ifacialmocap://"),
        ("host:11111", "allowed: livelink://HOST:PORT"),
        ("", "allowed: livelink://HOST:PORT"),
        ("livelink://h:0", "a port from 1 to 65535"),
        ("livelink://h:65536", "a port from 1 to 65535"),
        ("livelink://h:port", "a port from 1 to 65535"),
        ("livelink://[::1:5", "HOST:PORT"),
        ("livelink://h/path", "options behind a"),
        ("livelink://user@h", "options behind a"),
        ("livelink://h?names=camel", "option: got 'names'; allowed: subject, delay_ms, source_port"),
        ("livelink://h?subject", "name=value"),
        ("livelink://h?subject=a&subject=b", "each option once"),
        ("livelink://h?subject=", "send_to, subject: got ''"),
        ("vmc://h?names=vrm2", "send_to, names: got 'vrm2'; allowed: pascal, camel, vrm0, vrm1"),
        ("livelink://h?delay_ms=-1", "delay_ms: got '-1'; allowed: 0 to 5000"),
        ("livelink://h?delay_ms=9999", "delay_ms: got '9999'"),
        ("livelink://h?source_port=70000", "source_port: got '70000'; allowed: 0 to 65535"),
        ("livelink://" + "h" * 300, "got 311 characters; allowed: at most 300"),
    ],
)
def test_what_is_wrong_is_told_in_one_line(text: str, said: str) -> None:
    with pytest.raises(InvalidValue, match="send_to") as error:
        parse_target(text)
    assert said in str(error.value)
    assert "\n" not in str(error.value)


@settings(max_examples=60)
@given(st.sampled_from(["", *(f"{kind}://" for kind in KINDS)]), st.text(max_size=30))
def test_any_text_is_a_target_or_one_error(start: str, rest: str) -> None:
    with suppress(InvalidValue):
        assert 1 <= parse_target(start + rest).port <= 65535
