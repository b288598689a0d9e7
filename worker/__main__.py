"""`python -m worker`: one worker process, set up by the environment (worker/settings.py)."""

import os
import signal
import sys
from types import FrameType


def main() -> None:
    # Until `serve` sets its own: what it imports takes seconds.
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, _leave)
    # To be set before torch is loaded. Its threads wait for each other by spinning, which beside
    # any other busy program makes an edit eight times slower (measured: 1.1 s, not 0.14 s).
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    from worker.loading import NoDevice
    from worker.main import serve
    from worker.queue import QueueDown
    from worker.settings import BadSettings, Settings
    from worker.store import StoreDown
    from worker.tracing import TracingNotInstalled

    try:
        serve(Settings())
    except (BadSettings, NoDevice, QueueDown, StoreDown, TracingNotInstalled) as error:
        sys.exit(f"worker: {error}")


def _leave(number: int, frame: FrameType | None) -> None:
    """End at once: nothing was begun, and an exception in the middle of an import may be lost."""
    os._exit(128 + number)


if __name__ == "__main__":
    main()
