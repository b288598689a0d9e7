"""How long pieces of work may take."""

from collections.abc import Callable
from math import inf
from threading import Condition, Thread
from time import monotonic
from types import TracebackType


class Watchdog:
    """Knows when the limits that run are over; one thread for all, since to begin one for each
    piece of work would cost as much as the piece.
    """

    def __init__(self) -> None:
        self._over_at: dict[TimeLimit, float] = {}
        self._changed = Condition()
        self._looks_at = inf
        Thread(target=self._watch, name="limits", daemon=True).start()

    def expect(self, limit: "TimeLimit", at: float) -> None:
        """The limit is over `at` that time of the monotonic clock."""
        with self._changed:
            self._over_at[limit] = at
            if at < self._looks_at:
                self._changed.notify()

    def forget(self, limit: "TimeLimit") -> None:
        with self._changed:
            self._over_at.pop(limit, None)

    def _watch(self) -> None:
        with self._changed:
            while True:
                now = monotonic()
                for limit in [one for one, at in self._over_at.items() if at <= now]:
                    del self._over_at[limit]
                    Thread(target=limit.over, daemon=True).start()
                self._looks_at = min(self._over_at.values(), default=inf)
                self._changed.wait(None if self._looks_at == inf else self._looks_at - now)


class TimeLimit:
    """Calls `over`, in a thread of its own, when what is done inside takes longer than `seconds`.

    Its clock can be held up while something else is done.
    """

    def __init__(self, watchdog: Watchdog, seconds: float, over: Callable[[], None]) -> None:
        self.over = over
        self._watchdog = watchdog
        self._left_s = seconds
        self._since: float | None = None

    def __enter__(self) -> "TimeLimit":
        self.go_on()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.hold()

    def go_on(self) -> None:
        """Let the clock run."""
        self._since = monotonic()
        self._watchdog.expect(self, self._since + self._left_s)

    def hold(self) -> None:
        """Stop the clock, until it is told to go on."""
        if self._since is not None:
            self._watchdog.forget(self)
            self._left_s -= monotonic() - self._since
            self._since = None
