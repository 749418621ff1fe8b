"""When a server of this process read each chunk and wrote each run of frames: its own part of a client's latency.

Its clock is the machine's (CLOCK_MONOTONIC), which compiled clients read too, so what a client adds can be told in the
same run.
"""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from unittest.mock import patch

import numpy as np

from facestream.transports.grpc_service import GrpcCaller


@dataclass
class ServerTimes:
    """Of one stream over gRPC."""

    reads: list[float] = field(default_factory=list)
    writes: list[tuple[float, int, int]] = field(default_factory=list)
    """`(seconds, first frame, frames)`"""

    @contextmanager
    def noted(self) -> Iterator[None]:
        """Note the times of every call until it is left."""
        read, write = GrpcCaller.read, GrpcCaller.write

        async def noted_read(caller: GrpcCaller) -> Any:
            message = await read(caller)
            if message is not None and message.HasField("audio"):
                self.reads.append(time.monotonic())
            return message

        async def noted_write(caller: GrpcCaller, message: Any) -> None:
            if message.HasField("frames"):
                run = message.frames
                self.writes.append((time.monotonic(), run.first_frame_index, run.frame_count))
            await write(caller, message)

        with patch.object(GrpcCaller, "read", noted_read), patch.object(GrpcCaller, "write", noted_write):
            yield

    def figures(self, sent: Sequence[float], arrived: Sequence[float], from_frame: int = 0) -> dict[str, float]:
        """Milliseconds from a chunk to its frames: in the server, and from `sent`, when the client handed over each
        chunk, to `arrived`, when it held each frame (seconds).
        """
        reads = np.array(self.reads)
        server, whole = [], []
        for written, first, count in self.writes:
            chunk = int(np.searchsorted(reads, written)) - 1
            for frame in range(max(first, from_frame), min(first + count, len(arrived))):
                server.append(1000 * (written - reads[chunk]))
                whole.append(1000 * (arrived[frame] - sent[chunk]))
        figures = {}
        for percent in (50, 99):
            figures[f"server_p{percent}_ms"] = float(np.percentile(server, percent))
            figures[f"chunk_to_frame_p{percent}_ms"] = float(np.percentile(whole, percent))
            figures[f"client_adds_p{percent}_ms"] = float(np.percentile(np.subtract(whole, server), percent))
        figures["p99_beyond_server_ms"] = figures["chunk_to_frame_p99_ms"] - figures["server_p99_ms"]
        return figures
