"""`python -m worker.alive`: whether a worker on this host is ready, for a container's health check.

Ends with 0 if one has said so within the last seconds. Free of torch, so that asking is quick.
"""

import socket
import sys

from worker.queue import JobQueue, QueueDown
from worker.settings import BadSettings, Settings


def main() -> None:
    try:
        workers = JobQueue.from_settings(Settings()).workers()
    except (BadSettings, QueueDown) as error:
        sys.exit(f"worker: {error}")
    if not any(worker.host == socket.gethostname() for worker in workers):
        sys.exit("worker: none on this host is ready")


if __name__ == "__main__":
    main()
