"""Who may be sent to: a server that sends anywhere on request is a weapon in the hands of its callers.

Allowed are the caller's own address, on ports that need no privileges, and what the setting `send_targets` lists:
addresses, networks and names, each with a port or for all ports.
"""

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass, replace
from urllib.parse import unquote

from facestream.errors import Forbidden, InvalidValue
from facestream.transports.senders.target import Target

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

LEAST_PORT = 1024
"""Of the caller's own machine: what lies below answers for the system, not for a game."""

_LOOPBACK = ipaddress.ip_address("127.0.0.1")


@dataclass(frozen=True, slots=True)
class _Entry:
    place: Network | str
    port: int | None

    def allows(self, host: Address | str, port: int) -> bool:
        if self.port not in (None, port):
            return False
        if isinstance(self.place, str) or isinstance(host, str):
            return self.place == host
        return host in self.place


class TargetPolicy:
    """What one server allows."""

    def __init__(self, allowed: Sequence[str]) -> None:
        """Raises `InvalidValue` for an entry that makes no sense."""
        self._entries = [_entry(text) for text in allowed]

    def check(self, target: Target, caller: Address | None) -> Target:
        """`target` with its host filled in. Raises `Forbidden`; a name that is not listed is not even looked up."""
        host: Address | str
        if not target.host:
            if caller is None:
                raise Forbidden(f"send_to: got {target.text!r}, but the caller has no address of its own; name a host")
            host = caller
        else:
            host = _address(target.host) or target.host.lower()
        if host == "localhost":
            host = _LOOPBACK
        is_own = not isinstance(host, str) and caller is not None and _is_same_machine(host, caller)
        is_listed = any(entry.allows(host, target.port) for entry in self._entries)
        if not is_listed and not (is_own and target.port >= LEAST_PORT):
            own = "no address of its own" if caller is None else f"{caller}, ports from {LEAST_PORT}"
            raise Forbidden(
                f"send_to: got {target.text!r}; this server sends to its caller ({own}) and to what its setting "
                f"send_targets lists; add {_entry_text(host, target.port)!r} there"
            )
        return replace(target, host=str(host))


def address_of_peer(peer: str) -> Address | None:
    """The address in what a transport calls its peer (`ipv4:10.0.0.7:51234`, `[::1]:51234`), where there is one."""
    text = unquote(peer)
    for family in ("ipv4:", "ipv6:", "websocket:"):
        text = text.removeprefix(family)
    if text.startswith("unix:"):
        return _LOOPBACK
    host = text.partition("]")[0].removeprefix("[") if text.startswith("[") else text
    return _address(host) or _address(host.rpartition(":")[0])


def _address(text: str) -> Address | None:
    try:
        found = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return None
    if isinstance(found, ipaddress.IPv6Address) and found.ipv4_mapped is not None:
        return found.ipv4_mapped
    return found


def _is_same_machine(one: Address, other: Address) -> bool:
    return one == other or (one.is_loopback and other.is_loopback)


def _entry(text: str) -> _Entry:
    place, port = text.strip(), ""
    if place.startswith("["):
        place, _, port = place.removeprefix("[").partition("]")
        port = port.removeprefix(":")
    elif place.count(":") == 1:
        place, _, port = place.partition(":")
    allowed = "HOST, HOST:PORT, [IPV6]:PORT or NETWORK/BITS, for example 192.168.0.0/24"
    if not place or (port and not (port.isascii() and port.isdigit() and 0 < int(port) < 65536)):
        raise InvalidValue("send_targets", repr(text), allowed)
    number = int(port) if port else None
    single = _address(place)
    if single is not None:
        return _Entry(ipaddress.ip_network(single), number)
    try:
        return _Entry(ipaddress.ip_network(place, strict=False), number)
    except ValueError:
        if "/" in place or ":" in place or place.replace(".", "").isdigit():
            raise InvalidValue("send_targets", repr(text), allowed) from None
        return _Entry(place.lower(), number)


def _entry_text(host: Address | str, port: int) -> str:
    return f"[{host}]:{port}" if isinstance(host, ipaddress.IPv6Address) else f"{host}:{port}"
