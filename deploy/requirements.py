"""What pyproject.toml names, with the extras that are given, a line each: pip install -r takes it.

python deploy/requirements.py worker s3 > requirements.txt
"""

import sys
import tomllib
from pathlib import Path


def requirements(project: Path, extras: list[str]) -> list[str]:
    """The dependencies in `project`, those of the `extras` too."""
    named = tomllib.loads(project.read_text())["project"]
    optional = named["optional-dependencies"]
    return [*named["dependencies"], *(one for extra in extras for one in optional[extra])]


if __name__ == "__main__":
    listed = requirements(Path("pyproject.toml"), sys.argv[1:])
    sys.stdout.write("".join(f"{one}\n" for one in listed))
