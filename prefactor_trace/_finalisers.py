"""Finalisers that set a context variable, made safe where the interpreter does not do it.

Before CPython 3.12 the garbage collector may run in the midst of `ContextVar.set`, which goes on
afterwards with the mapping that the context had. A finaliser that sets a variable meanwhile (a
generator that is closed with a span open is enough) frees that mapping: the interpreter crashes.
"""

from __future__ import annotations

import contextvars
import gc
import sys
from collections import deque
from typing import Any

# One call of `set` allocates a few times, and each time the collector may run.
_COLLECTIONS_KEPT = 8

_kept: deque[contextvars.Context] = deque(maxlen=_COLLECTIONS_KEPT)


def protect() -> None:
    """Keep what each collection finds as the context until some collections later."""
    if sys.version_info < (3, 12) and _keep_context not in gc.callbacks:
        gc.callbacks.append(_keep_context)


def _keep_context(phase: str, info: dict[str, Any]) -> None:  # noqa: ARG001
    if phase == "start":
        _kept.append(contextvars.copy_context())
