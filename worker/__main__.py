"""`python -m worker`: one worker process, set up by the environment (worker/settings.py)."""

import os
import sys

from worker.queue import QueueDown
from worker.settings import BadSettings, Settings
from worker.store import StoreDown
from worker.tracing import TracingNotInstalled


def main() -> None:
    # To be set before torch is loaded. Its threads wait for each other by spinning, which beside
    # any other busy program makes an edit eight times slower (measured: 1.1 s, not 0.14 s).
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    from worker.loading import NoDevice
    from worker.main import serve

    try:
        serve(Settings())
    except (BadSettings, NoDevice, QueueDown, StoreDown, TracingNotInstalled) as error:
        sys.exit(f"worker: {error}")


if __name__ == "__main__":
    main()
