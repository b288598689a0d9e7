"""`python -m worker`: one worker process, set up by the environment (worker/settings.py)."""

import sys

from worker.main import serve
from worker.queue import QueueDown
from worker.settings import Settings

if __name__ == "__main__":
    try:
        serve(Settings())
    except QueueDown as error:
        sys.exit(f"worker: {error}")
