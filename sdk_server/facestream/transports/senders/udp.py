"""The socket of one target: found, opened, and told apart by what can be wrong with it."""

import errno
import socket

from facestream.errors import InvalidValue
from facestream.transports.senders.target import Target

_LOOPBACK = "127.0.0.1"


class UdpSender:
    """Datagrams to one address. Nobody has to be there: who listens later sees the face from then on."""

    def __init__(self, target: Target) -> None:
        """Find the host and open a socket; may take seconds where a name server is asked.

        Raises `InvalidValue` for a host that is not found or can not be reached, and for a source port that is taken.
        """
        self.sent = 0
        """Packets handed to the network."""
        self.refused = 0
        """Times that the other machine said that nobody listens there."""
        self.failure: OSError | None = None
        """What the network said last, where it took no packet."""
        self._socket = _connected(target)

    def send(self, packet: bytes) -> None:
        """Hand a packet to the network, or count why not; never waits, never raises."""
        try:
            try:
                self._socket.send(packet)
            except ConnectionRefusedError:  # of a packet before this one
                self.refused += 1
                self._socket.send(packet)
        except ConnectionRefusedError:
            self.refused += 1
        except OSError as error:
            self.failure = error
        else:
            self.sent += 1

    def close(self) -> None:
        """Safe more than once."""
        self._socket.close()


def _connected(target: Target) -> socket.socket:
    host = target.host or _LOOPBACK
    try:
        found = socket.getaddrinfo(host, target.port, type=socket.SOCK_DGRAM)
    except (OSError, UnicodeError) as error:
        told = getattr(error, "strerror", None) or error
        raise InvalidValue("send_to", repr(target.text), f"a host that can be found; {host}: {told}") from None
    family, kind, protocol, _, address = found[0]
    opened = socket.socket(family, kind, protocol)
    try:
        opened.setblocking(False)
        if target.source_port:
            _bind(opened, target)
        opened.connect(address)
    except OSError as error:
        opened.close()
        if error.errno == errno.EACCES:
            raise InvalidValue("send_to", repr(target.text), "one host; this is an address of many") from None
        told = f"a host that can be reached from here; {host}: {error.strerror}"
        raise InvalidValue("send_to", repr(target.text), told) from None
    except InvalidValue:
        opened.close()
        raise
    return opened


def _bind(opened: socket.socket, target: Target) -> None:
    try:
        opened.bind(("", target.source_port))
    except OSError as error:
        allowed = "a local port that is free and may be used, or none"
        raise InvalidValue("send_to, source_port", f"{target.source_port} ({error.strerror})", allowed) from None
