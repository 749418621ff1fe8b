"""How one stream is acted, and which changes of that wait for their hop."""

from collections import deque
from collections.abc import Callable

from facestream.acting import Abilities, Acting, ActingChange
from facestream.errors import InvalidValue


class ActingQueue:
    """Changes in the order of their hops; of two at one hop the later one wins. Used under the stream's lock."""

    def __init__(
        self,
        abilities: Abilities | None,
        start: ActingChange | None,
        check: Callable[[Acting], None] = lambda acting: None,
    ) -> None:
        """Raises `InvalidValue` for what the model (without `abilities`: any at all) does not have.

        `check` raises it for what the model has and this machine has no time for.
        """
        self._abilities = abilities
        self._check = check
        self._waiting: deque[tuple[int, ActingChange]] = deque()
        self.acting = Acting()
        if start is not None and not start.is_empty:
            self.acting = self._checked(self.acting, start)
        elif abilities is not None:
            check(self.acting)

    def insert(self, hop: int, change: ActingChange) -> None:
        """Act otherwise from `hop` on. Raises `InvalidValue`, and keeps nothing then."""
        place = len(self._waiting)
        while place and self._waiting[place - 1][0] > hop:
            place -= 1
        before = self.acting
        for _, earlier in tuple(self._waiting)[:place]:
            before = before.changed(earlier)
        after = self._checked(before, change)
        self._waiting.insert(place, (hop, change.settled(after)))

    def next_hop(self, hops_done: int) -> int | None:
        """First hop beyond `hops_done` at which something changes."""
        if not self._waiting:
            return None
        return next((hop for hop, _ in tuple(self._waiting) if hop > hops_done), None)

    def due(self, hops_done: int) -> Acting | None:
        """How hop `hops_done` is acted, where that has changed since it was last asked."""
        changed = None
        while self._waiting and self._waiting[0][0] <= hops_done:
            changed = self.acting = self.acting.changed(self._waiting.popleft()[1])
        return changed

    def _checked(self, before: Acting, change: ActingChange) -> Acting:
        if self._abilities is None:
            raise InvalidValue(
                "acting",
                "a value",
                "nothing: this model can not act, its controls are mouth_strength, blinks and gaze; ListModels tells "
                "which models can",
            )
        acting = self._abilities.resolved(before.changed(change))
        self._check(acting)
        return acting
