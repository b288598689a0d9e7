"""What the engine tells, and asks, of the requests that it works on."""

from worker.messages import Failure, Result


class Watch:
    """Hears how a pass goes on; this one listens to nothing and ends nothing.

    A request is named by its index among those of the pass.
    """

    def is_canceled(self, index: int) -> bool:
        """Whether nobody wants the result any more; asked before each picture."""
        return False

    def advanced(self, index: int, share: float) -> None:
        """So much of the request is done, from 0 to 1."""

    def finished(self, index: int, outcome: Result | Failure) -> None:
        """The request has ended; others of the pass may go on."""

    def between(self) -> None:
        """A step is done and the next not begun: something else may be done now."""
