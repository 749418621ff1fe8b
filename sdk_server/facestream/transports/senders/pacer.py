"""One thread that sends every face at its moment, for all streams of a process.

It is a thread of its own and no task of the event loop, for a loop that writes to a hundred clients is late by
milliseconds, and a face that is late by milliseconds shakes.
"""

import heapq
import logging
import threading
import time
from collections.abc import Callable
from datetime import datetime

from facestream.timebase import FrameRate
from facestream.transports.senders.moment import Moment
from facestream.transports.senders.presentation import Presentation, neutral_face
from facestream.transports.senders.target import Target
from facestream.transports.senders.udp import UdpSender
from facestream.types import Frames

log = logging.getLogger(__name__)

_DAY_S = 86_400.0


def seconds_of_day() -> float:
    """Since local midnight."""
    now = datetime.now()
    return (now - now.replace(hour=0, minute=0, second=0, microsecond=0)).total_seconds()


class Outlet:
    """One stream on its way to one target. Made by `Pacer.open`; its methods may be called from any thread."""

    def __init__(self, target: Target, rate: FrameRate, pacer: "Pacer", now: Callable[[], float]) -> None:
        self.target = target
        self.sender = UdpSender(target)
        self.over = threading.Event()
        """Set once everything was sent."""
        self.ticket = 0
        """Of the one entry in the pacer's schedule that counts."""
        self.presentation = Presentation(rate, target.delay_s)
        self.is_released = False
        self._encoder = target.encoder()
        self._rate = rate
        self._pacer = pacer
        self._now = now

    def add(self, frames: Frames) -> None:
        """Take over the next frames of the stream, as they come."""
        self._pacer.change(self, lambda: self.presentation.add(frames, self._now()))

    def finish(self) -> None:
        """No more frames; what waits is still shown."""
        self.is_released = True
        self._pacer.change(self, self.presentation.finish)

    def abandon(self) -> None:
        """The stream broke off; the face eases to rest."""
        self.is_released = True
        self._pacer.change(self, self.presentation.abandon)

    def show(self, midnight_s: float) -> None:
        """Send the face that is due; the pacer calls this."""
        shown = self.presentation.take()
        moment = Moment((shown.due_s - midnight_s) % _DAY_S, shown.stream_s, self._rate)
        for packet in self._encoder.packets(shown.face, moment):
            self._send(packet)

    def rest(self) -> None:
        """Send the face at rest at once: for a process that ends."""
        if self.sender.sent:
            for packet in self._encoder.packets(neutral_face(), Moment(seconds_of_day(), 0.0, self._rate)):
                self._send(packet)

    def close(self) -> None:
        """Nothing is sent any more."""
        self.sender.close()
        self.over.set()

    def _send(self, packet: bytes) -> None:
        had_failed = self.sender.failure is not None
        self.sender.send(packet)
        if self.sender.failure is not None and not had_failed:
            log.warning("a target can not be sent to", extra={"target": self.target.text, "why": self.sender.failure})


class Pacer:
    """The schedule of every outlet, and the thread that keeps it. Close it when done."""

    def __init__(
        self,
        *,
        now: Callable[[], float] = time.monotonic,
        day_s: Callable[[], float] = seconds_of_day,
        has_thread: bool = True,
    ) -> None:
        """Without a thread `send_due` is called by whoever keeps the clock."""
        self._now = now
        self._midnight_s = now() - day_s()
        self._has_thread = has_thread
        self._thread: threading.Thread | None = None
        self._schedule: list[tuple[float, int, Outlet]] = []
        self._outlets: set[Outlet] = set()
        self._tickets = 0
        self._is_closed = False
        self._changed = threading.Condition()

    def open(self, target: Target, rate: FrameRate) -> Outlet:
        """Open a target; may take as long as a name server does. Raises `InvalidValue`.

        A stream that has ended and still eases to rest there makes way: its client is back with a new one.
        """
        outlet = Outlet(target, rate, self, self._now)
        with self._changed:
            for other in [one for one in self._outlets if one.is_released and one.target == target]:
                self._end(other)
            self._outlets.add(outlet)
            if self._has_thread and self._thread is None:
                self._thread = threading.Thread(target=self._keep, name="facestream-pacer", daemon=True)
                self._thread.start()
        return outlet

    def change(self, outlet: Outlet, act: Callable[[], None]) -> None:
        """Do something to an outlet's presentation and keep the schedule true."""
        with self._changed:
            if outlet not in self._outlets:
                return
            act()
            first = self._schedule[0][0] if self._schedule else None
            self._enter(outlet)
            if self._schedule and (first is None or self._schedule[0][0] < first):
                self._changed.notify()

    def send_due(self) -> float | None:
        """Send what is due by now; gives when something is due next, `None` where nothing is."""
        with self._changed:
            while self._schedule:
                due_s, ticket, outlet = self._schedule[0]
                if ticket != outlet.ticket:
                    heapq.heappop(self._schedule)
                elif due_s > self._now():
                    return due_s
                else:
                    heapq.heappop(self._schedule)
                    outlet.show(self._midnight_s)
                    self._enter(outlet)
            return None

    def close(self) -> None:
        """Put every face to rest and end the thread."""
        with self._changed:
            self._is_closed = True
            for outlet in list(self._outlets):
                outlet.rest()
                self._end(outlet)
            self._changed.notify()
        if self._thread is not None:
            self._thread.join()

    def _keep(self) -> None:
        with self._changed:
            while not self._is_closed:
                due_s = self.send_due()
                self._changed.wait(None if due_s is None else max(0.0, due_s - self._now()))

    def _enter(self, outlet: Outlet) -> None:
        """Put an outlet's next moment into the schedule, in place of the one that stands there."""
        if outlet.presentation.is_over:
            self._end(outlet)
            return
        due_s = outlet.presentation.due_s
        self._tickets += 1
        outlet.ticket = self._tickets
        if due_s is not None:
            heapq.heappush(self._schedule, (due_s, outlet.ticket, outlet))

    def _end(self, outlet: Outlet) -> None:
        outlet.ticket = 0
        self._outlets.discard(outlet)
        outlet.close()
