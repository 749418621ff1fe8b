"""A network between a client and a server of this machine: late, lossy, or cut."""

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

RETRANSMISSION_S = 0.2
"""What a lost segment costs on TCP: the shortest time-out of Linux, for everything behind it too."""


@dataclass
class Network:
    """What happens to each piece of data, both ways; order is kept, as TCP keeps it."""

    jitter_s: float = 0.0
    loss: float = 0.0
    seed: int = 0
    port: int = 0
    is_refusing: bool = False
    bytes_to_client: int = 0
    cut_after_bytes: int | None = None
    """The next connection breaks once it has given its client so many bytes."""
    hold_after_bytes: int | None = None
    """Behind so many bytes to its client, everything waits until `release`."""
    refuses_after_cut: bool = False
    """As a server that has died: nobody listens behind that any more."""
    _open: set[asyncio.StreamWriter] = field(default_factory=set)

    @property
    def is_holding(self) -> bool:
        return self.hold_after_bytes is not None and self.bytes_to_client > self.hold_after_bytes

    def release(self) -> None:
        """Deliver what was held, and what comes."""
        self.hold_after_bytes = None

    def delay_s(self, chance: random.Random) -> float:
        return chance.uniform(0, self.jitter_s) + (RETRANSMISSION_S if chance.random() < self.loss else 0)

    def cut(self) -> None:
        """Break every connection, as a server that dies."""
        for writer in list(self._open):
            writer.transport.abort()


@asynccontextmanager
async def network(server: str, **fields: object) -> AsyncIterator[Network]:
    """Stands before `server` (`host:port`) on a port of its own."""
    host, port = server.rsplit(":", 1)
    between = Network(**fields)
    chance = random.Random(between.seed)

    async def connect(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if between.is_refusing:
            writer.transport.abort()
            return
        upward_reader, upward_writer = await asyncio.open_connection(host, int(port))
        both = {writer, upward_writer}
        between._open |= both
        ways = [
            asyncio.create_task(_carry(between, chance, reader, upward_writer, counts=False)),
            asyncio.create_task(_carry(between, chance, upward_reader, writer, counts=True)),
        ]
        await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        for way in ways:
            way.cancel()
        for one in both:
            one.transport.abort()
        between._open -= both

    listening = await asyncio.start_server(connect, "127.0.0.1", 0)
    between.port = listening.sockets[0].getsockname()[1]
    try:
        yield between
    finally:
        listening.close()
        between.cut()


async def _carry(
    between: Network,
    chance: random.Random,
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    *,
    counts: bool,
) -> None:
    waiting: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()
    loop = asyncio.get_running_loop()

    async def deliver() -> None:
        while True:
            due, data = await waiting.get()
            await asyncio.sleep(max(0.0, due - loop.time()))
            while counts and between.is_holding:
                await asyncio.sleep(0.005)
            writer.write(data)
            await writer.drain()
            if counts:
                between.bytes_to_client += len(data)
                if between.cut_after_bytes is not None and between.bytes_to_client > between.cut_after_bytes:
                    between.cut_after_bytes = None
                    between.is_refusing = between.refuses_after_cut
                    between.cut()

    delivering = asyncio.create_task(deliver())
    due = 0.0
    try:
        with contextlib.suppress(ConnectionError):
            while data := await reader.read(16 * 1024):
                due = max(due, loop.time() + between.delay_s(chance))
                waiting.put_nowait((due, data))
        while not waiting.empty() and not delivering.done():
            await asyncio.sleep(0.005)
    finally:
        delivering.cancel()
