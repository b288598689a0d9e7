"""Ends every process of `wordbrush up` when the supervisor is gone, however that came about.

It leads their process group and waits at the other end of a pipe that only the supervisor holds
open. When the pipe closes without this process having been ended first, the supervisor died.
"""

import os
import signal
import sys
import time

GRACE_S = 2.0  # what the queue server takes to write its last lines is far less


def main() -> None:
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    sys.stdin.buffer.read()
    os.killpg(0, signal.SIGTERM)
    time.sleep(GRACE_S)
    os.killpg(0, signal.SIGKILL)


if __name__ == "__main__":
    main()
