"""How long a piece of work may take."""

from collections.abc import Callable
from threading import Timer
from time import monotonic
from types import TracebackType


class TimeLimit:
    """Calls `over`, in a thread of its own, when what is done inside takes longer than `seconds`.

    Its clock can be held up while something else is done.
    """

    def __init__(self, seconds: float, over: Callable[[], None]) -> None:
        self._left_s = seconds
        self._over = over
        self._since = 0.0
        self._timer: Timer | None = None

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
        self._timer = Timer(self._left_s, self._over)
        self._timer.daemon = True
        self._timer.start()

    def hold(self) -> None:
        """Stop the clock, until it is told to go on."""
        if self._timer is not None:
            self._timer.cancel()
            self._left_s -= monotonic() - self._since
            self._timer = None
