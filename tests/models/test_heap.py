"""Freed buffers are kept, so that the next pass finds its memory where the last one left it."""

import subprocess
import sys

import pytest

MEASURE = """
import ctypes, resource
from models.heap import SERVING, keep_freed

if {kept}:
    keep_freed(*SERVING)
libc = ctypes.CDLL(None)
libc.malloc.restype, libc.free.argtypes = ctypes.c_void_p, [ctypes.c_void_p]


def use():
    buffers = [libc.malloc(8 * 2**20) for _ in range(4)]
    for buffer in buffers:
        ctypes.memset(buffer, 1, 8 * 2**20)
    for buffer in buffers:
        libc.free(ctypes.c_void_p(buffer))


use()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
use()
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def faults(*, kept: bool) -> int:
    code = [sys.executable, "-c", MEASURE.format(kept=kept)]
    return int(subprocess.run(code, check=True, capture_output=True, text=True).stdout)


@pytest.mark.skipif(sys.platform != "linux", reason="asks glibc")
def test_a_second_pass_takes_no_new_pages_where_the_first_ones_are_kept() -> None:
    of_a_pass = 4 * 8 * 2**20 // 4096
    assert faults(kept=True) < of_a_pass / 100
    assert faults(kept=False) > of_a_pass / 2
