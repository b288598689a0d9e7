"""The command `wordbrush`, which is also `python -m app`.

Its own imports are few, so that Ctrl-C is heard from nearly the first moment on: those of the
commands take most of a second.
"""

import os
import signal
import sys
from types import FrameType

_INTERRUPTED = 128 + signal.SIGINT  # as shells have it


def main() -> None:
    """Entry point of the console script. Ctrl-C ends it quietly, unless a command has an ending of
    its own for that.
    """
    if is_heard := signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, _leave)
    from app.cli import main as run

    try:
        if is_heard:
            signal.signal(signal.SIGINT, signal.default_int_handler)
        run()
    except KeyboardInterrupt:
        sys.exit(_INTERRUPTED)


def _leave(number: int, frame: FrameType | None) -> None:
    """End at once: nothing was begun, and an exception in the middle of an import may be lost."""
    os._exit(_INTERRUPTED)


if __name__ == "__main__":
    main()
