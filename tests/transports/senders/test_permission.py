import ipaddress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from facestream.errors import Forbidden, InvalidValue
from facestream.transports.senders.permission import TargetPolicy, address_of_peer
from facestream.transports.senders.target import parse_target

CALLER = ipaddress.ip_address("10.0.0.7")
HERE = ipaddress.ip_address("127.0.0.1")


@pytest.mark.parametrize(
    ("host", "caller", "found"),
    [
        ("", CALLER, "10.0.0.7"),
        ("10.0.0.7", CALLER, "10.0.0.7"),
        ("127.0.0.1", HERE, "127.0.0.1"),
        ("localhost", HERE, "127.0.0.1"),
        ("[::1]", HERE, "::1"),
        ("[::ffff:10.0.0.7]", CALLER, "10.0.0.7"),
    ],
)
def test_a_caller_may_have_its_own_machine_sent_to(host: str, caller: ipaddress.IPv4Address, found: str) -> None:
    assert TargetPolicy(()).check(parse_target(f"livelink://{host}:11111"), caller).host == found


@pytest.mark.parametrize(
    "text",
    [
        "livelink://10.0.0.8",
        "livelink://localhost",
        "livelink://127.0.0.1",
        "livelink://studio.local",
        "livelink://:53",
    ],
)
def test_nobody_else_may(text: str) -> None:
    with pytest.raises(
        Forbidden, match=r"its caller \(10\.0\.0\.7, ports from 1024\).*send_targets lists; add '"
    ) as error:
        TargetPolicy(("192.168.0.0/16",)).check(parse_target(text), CALLER)
    assert text in str(error.value)
    assert error.value.code == "PERMISSION_DENIED"


@settings(max_examples=60)
@given(st.ip_addresses(), st.integers(1, 65535))
def test_no_address_is_open_by_itself(host: ipaddress.IPv4Address | ipaddress.IPv6Address, port: int) -> None:
    place = f"[{host}]" if host.version == 6 else str(host)
    mapped = getattr(host, "ipv4_mapped", None)
    if CALLER in (host, mapped):
        return
    with pytest.raises(Forbidden):
        TargetPolicy(()).check(parse_target(f"vmc://{place}:{port}"), CALLER)
    TargetPolicy((f"{place}:{port}",)).check(parse_target(f"vmc://{place}:{port}"), CALLER)


@pytest.mark.parametrize(
    ("entry", "text", "is_allowed"),
    [
        ("192.168.0.0/24", "vmc://192.168.0.99:5", True),
        ("192.168.0.0/24", "vmc://192.168.1.99:5", False),
        ("192.168.0.9:39539", "vmc://192.168.0.9", True),
        ("192.168.0.9:39539", "vmc://192.168.0.9:39540", False),
        ("Studio.local", "vmc://studio.LOCAL", True),
        ("studio.local", "vmc://other.local", False),
        ("[fd00::1]:39539", "vmc://[fd00::1]", True),
        ("0.0.0.0/0", "vmc://[fd00::1]", False),
    ],
)
def test_the_setting_opens_what_it_lists(entry: str, text: str, is_allowed: bool) -> None:
    policy = TargetPolicy((entry,))
    if is_allowed:
        policy.check(parse_target(text), CALLER)
    else:
        with pytest.raises(Forbidden):
            policy.check(parse_target(text), CALLER)


@pytest.mark.parametrize(
    "entry", ["", ":5", "host:0", "host:70000", "host:x", "10.0.0.0/99", "a/b", "10.0.0.300", "::1::"]
)
def test_entries_that_make_no_sense_are_refused(entry: str) -> None:
    with pytest.raises(InvalidValue, match=r"send_targets: got .*HOST, HOST:PORT"):
        TargetPolicy((entry,))


@pytest.mark.parametrize(
    ("peer", "address"),
    [
        ("ipv4:10.0.0.7:51234", "10.0.0.7"),
        ("ipv6:%5B::1%5D:51234", "::1"),
        ("ipv6:[fe80::1%25eth0]:5", "fe80::1"),
        ("ipv6:[::ffff:10.0.0.7]:5", "10.0.0.7"),
        ("unix:", "127.0.0.1"),
        ("unix:/run/face.sock", "127.0.0.1"),
        ("10.0.0.7:5", "10.0.0.7"),
        ("websocket:10.0.0.7:5", "10.0.0.7"),
        ("websocket:[::1]:5", "::1"),
        ("10.0.0.7", "10.0.0.7"),
        ("::1", "::1"),
        ("somebody", None),
        ("", None),
    ],
)
def test_the_callers_address_is_read_from_what_transports_say(peer: str, address: str | None) -> None:
    assert address_of_peer(peer) == (None if address is None else ipaddress.ip_address(address))


def test_a_caller_without_an_address_names_a_host() -> None:
    with pytest.raises(Forbidden, match="name a host"):
        TargetPolicy(()).check(parse_target("vmc://"), None)
    with pytest.raises(Forbidden, match="no address of its own"):
        TargetPolicy(()).check(parse_target("vmc://127.0.0.1"), None)
