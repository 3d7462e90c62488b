"""Where in the user's code something was said, so that an error can show it."""

from __future__ import annotations

import sys
from types import FrameType

from prefactor_trace._frames import is_ours


def caller() -> str:
    """Return where this library was called from, as ``file:line``."""
    frame = _frame()
    return "?" if frame is None else f"{frame.f_code.co_filename}:{frame.f_lineno}"


def source() -> str | None:
    """Return the file that this library was called in; ``None`` for a prompt or a notebook."""
    frame = _frame()
    path = None if frame is None else frame.f_code.co_filename
    return None if path is None or is_interactive(path) else path


def _frame() -> FrameType | None:
    frame: FrameType | None = sys._getframe(2)
    while frame is not None and is_ours(frame):
        frame = frame.f_back
    return frame


def is_interactive(place: str) -> bool:
    """Return whether a place is a prompt or a notebook's cell, where people try things again."""
    return place.startswith("<") or "ipykernel" in place
