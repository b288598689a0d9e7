"""What one pass of a network frees is kept for the next, which takes as much. Free of torch.

glibc gives large buffers back to the system as soon as they are freed, and each page of a new one
costs a fault: hundreds a picture, up to a fifth of the time of a pass (bench/heap.py).
"""

import ctypes
import sys
from typing import Any

_TRIM_THRESHOLD, _TOP_PAD, _MMAP_THRESHOLD = -1, -2, -3  # of mallopt(3)
_GROWTH = 64 * 2**20  # bytes that the heap grows by at once
_SURE = 32 * 2**20  # bytes, the largest buffer that glibc before 2.35 can be told to keep
SERVING = 32 * 2**20, 256 * 2**20  # largest and most of `keep_freed`: photos go back
TRAINING = 2**30, 2**31 - 1  # the most that can be said: nothing does


def keep_freed(largest: int, most: int) -> None:
    """From now on, keep freed buffers of up to `largest` bytes, and `most` bytes in all.

    Does nothing where the C library is another.
    """
    libc: Any = ctypes.CDLL(None) if sys.platform == "linux" else None
    if not hasattr(libc, "mallopt"):
        return
    libc.mallopt(_MMAP_THRESHOLD, largest) or libc.mallopt(_MMAP_THRESHOLD, _SURE)
    libc.mallopt(_TRIM_THRESHOLD, most)
    libc.mallopt(_TOP_PAD, _GROWTH)
