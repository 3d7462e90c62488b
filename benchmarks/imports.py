"""How long importing takes, as `python -X importtime` says."""

from __future__ import annotations

import os
import re
import subprocess
import sys

PYDANTIC = "import pydantic"

_LINE = re.compile(r"^import time:\s+(\d+) \|", re.MULTILINE)
_MARK = "now it begins"
_NO_BYTECODE = "PYTHONDONTWRITEBYTECODE"


def import_ms(statements: str, after: str = "") -> float:
    """Return the milliseconds that a fresh interpreter takes for some imports.

    Args:
        statements: The imports.
        after: Imports that come before, and whose time is not counted.
    """
    begin = f"import sys; print({_MARK!r}, file=sys.stderr, flush=True)"
    # What was installed has its bytecode beside it; a checkout has it from the second time on.
    environ = {name: value for name, value in os.environ.items() if name != _NO_BYTECODE}
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-c", "\n".join([after, begin, statements])],
        capture_output=True,
        text=True,
        check=True,
        env=environ,
    )
    return read_trace(done.stderr)


def read_trace(text: str) -> float:
    """Return the milliseconds of all that was imported after the mark."""
    _, _, counted = text.partition(_MARK)
    return sum(map(int, _LINE.findall(counted))) / 1000
