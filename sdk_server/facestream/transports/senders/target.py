"""Where a stream's frames go, as people write it: `livelink://192.168.0.7:11111?subject=Hero`.

    livelink://HOST[:11111]?subject=NAME                    Live Link Face, stock Unreal
    vmc://HOST[:39539]?names=pascal|camel|vrm0|vrm1&bones=on    VMC, VRM tools
    ifacialmocap://HOST[:49983]                             iFacialMocap's receivers

No host means the caller's own machine. Every target also knows `delay_ms`, how long a frame waits for its moment, and
`source_port`, the local port to send from.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlsplit

from facestream.errors import InvalidValue
from facestream.transports.senders import ifacialmocap, live_link, vmc
from facestream.transports.senders.moment import Encoder


@dataclass(frozen=True, slots=True)
class _Kind:
    default_port: int
    options: tuple[str, ...]
    encoder: Callable[[Mapping[str, str]], Encoder]


KINDS = {
    "livelink": _Kind(live_link.DEFAULT_PORT, live_link.OPTIONS, live_link.LiveLinkEncoder),
    "vmc": _Kind(vmc.DEFAULT_PORT, vmc.OPTIONS, vmc.VmcEncoder),
    "ifacialmocap": _Kind(ifacialmocap.DEFAULT_PORT, ifacialmocap.OPTIONS, ifacialmocap.IFacialMocapEncoder),
}

DEFAULT_DELAY_MS = 60
"""Covers one frame at 24 a second and the jitter of a busy server; a presentation learns of more by itself."""

_LONGEST_DELAY_MS = 5000
_COMMON = ("delay_ms", "source_port")
_LONGEST = 300
_FIELD = "send_to"


@dataclass(frozen=True, slots=True)
class Target:
    """A target that makes sense; whether it may be sent to, and is there, is found out later.

    `host` is empty for the caller's own machine; `source_port` is 0 for any.
    """

    text: str
    kind: str
    host: str
    port: int
    delay_s: float
    source_port: int
    options: Mapping[str, str]

    def encoder(self) -> Encoder:
        """A new encoder for this target. Raises `InvalidValue` for an option's value."""
        try:
            return KINDS[self.kind].encoder(self.options)
        except InvalidValue as error:
            raise InvalidValue(f"{_FIELD}, {error.field}", error.received, error.allowed) from None


def parse_target(text: str) -> Target:
    """Raises `InvalidValue` naming the part that is wrong and what is allowed."""
    if len(text) > _LONGEST:
        raise InvalidValue(_FIELD, f"{len(text)} characters", f"at most {_LONGEST}")
    scheme, colon, _ = text.partition("://")
    if not colon or scheme.lower() not in KINDS:
        raise InvalidValue(_FIELD, repr(text), f"{', '.join(f'{kind}://HOST:PORT' for kind in KINDS)}")
    kind = KINDS[scheme.lower()]
    try:
        parts = urlsplit(text)
        host, port = parts.hostname or "", parts.port
    except ValueError as error:
        raise InvalidValue(_FIELD, f"{text!r} ({error})", "HOST:PORT with a port from 1 to 65535") from None
    if port == 0:
        raise InvalidValue(_FIELD, repr(text), "a port from 1 to 65535")
    if parts.username is not None or parts.path.strip("/") or parts.fragment:
        raise InvalidValue(_FIELD, repr(text), f"{scheme}://HOST:PORT and options behind a ?, nothing else")
    options = _options(text, parts.query, (*kind.options, *_COMMON))
    delay_ms = _number(options.pop("delay_ms", str(DEFAULT_DELAY_MS)), "delay_ms", 0, _LONGEST_DELAY_MS)
    source_port = _number(options.pop("source_port", "0"), "source_port", 0, 65535)
    target = Target(text, scheme.lower(), host, port or kind.default_port, delay_ms / 1000, source_port, options)
    target.encoder()
    return target


def _options(text: str, query: str, known: tuple[str, ...]) -> dict[str, str]:
    try:
        pairs = parse_qsl(query, keep_blank_values=True, strict_parsing=bool(query))
    except ValueError:
        raise InvalidValue(_FIELD, repr(text), "options as name=value, joined by &") from None
    options = dict(pairs)
    for name, _ in pairs:
        if name not in known:
            raise InvalidValue(f"{_FIELD}, option", repr(name), ", ".join(known))
    if len(options) < len(pairs):
        raise InvalidValue(_FIELD, repr(text), "each option once")
    return options


def _number(text: str, name: str, least: int, most: int) -> int:
    if not (text.isascii() and text.isdigit() and least <= int(text) <= most):
        raise InvalidValue(f"{_FIELD}, {name}", repr(text), f"{least} to {most}")
    return int(text)
