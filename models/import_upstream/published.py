"""Of which systems published weights are read, and by what name and ending. Free of torch, for the
web process.
"""

from collections.abc import Mapping
from types import MappingProxyType

# Each has a file here.
SYSTEMS = ("tagan", "sisgan", "attngan", "stackgan", "stackgan_v2", "gan_int_cls")
KINDS: Mapping[str, str] = MappingProxyType(
    {
        ".pth": "weights",
        ".pt": "weights",
        ".vec": "vectors",
        ".txt": "vectors",
        ".pickle": "vocabulary",
        ".pkl": "vocabulary",
    }
)
DOMAIN_PATTERN = r"^[a-z0-9]+(-[a-z0-9]+)*$"  # it is a part of the checkpoint's id
