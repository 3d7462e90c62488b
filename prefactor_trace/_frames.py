"""Whose code a frame of the stack runs: the user's, or this library's on the way to it."""

from __future__ import annotations

from types import FrameType

_OURS = ("prefactor_trace.", "wrapt.")
_AN_AGENT = "prefactor_trace.cli.demo"  # like a user's


def is_ours(frame: FrameType) -> bool:
    """Return whether a frame runs code of this library, or of wrapt, which calls it."""
    name = str(frame.f_globals.get("__name__"))
    return name.startswith(_OURS) and not name.startswith(_AN_AGENT)


def leads_on(frame: FrameType) -> bool:
    """Return whether a frame of ours is there to call what the user has written.

    Its module says so to pytest as well, which leaves such frames out of what it shows.
    """
    names = frame.f_globals
    return "__tracebackhide__" in names or str(names.get("__name__")).startswith("wrapt.")
