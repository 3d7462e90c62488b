"""Whose code a frame of the stack runs, the user's or this library's, and where they meet."""

from __future__ import annotations

import contextlib
import functools
import sys
from types import CodeType, FrameType
from typing import Any, NamedTuple

_OURS = ("prefactor_trace.", "wrapt.")
_AN_AGENT = "prefactor_trace.cli.demo"  # like a user's

# Modules whose functions call others on behalf of their own caller, who is to be found below them;
# and packages that call functions by themselves, with no code of the user's below.
_GO_BETWEENS = {"contextlib", "functools"}
_GO_BETWEEN_PACKAGES = ("anyio.", "trio.", "outcome.")
_RUNNERS = {"asyncio", "uvloop", "threading", "concurrent", "multiprocessing"}

_MOST_WRAPPERS = 16
_DECORATED = ("wrapped", "body")  # names of the user's function in the frames that lead on to it


class Place(NamedTuple):
    """A place in the user's code.

    Attributes:
        path: Path of the file.
        line: Number of the line.
        is_definition: Whether a function begins there that was called from elsewhere.
    """

    path: str
    line: int
    is_definition: bool


def is_ours(frame: FrameType) -> bool:
    """Return whether a frame runs code of this library, or of wrapt, which calls it."""
    name = frame.f_globals.get("__name__")
    if not isinstance(name, str) or not name.startswith(_OURS):
        return False
    return not name.startswith(_AN_AGENT)


def leads_on(frame: FrameType) -> bool:
    """Return whether a frame of ours is there to call what the user has written.

    Its module says so to pytest as well, which leaves such frames out of what it shows.
    """
    names = frame.f_globals
    return "__tracebackhide__" in names or str(names.get("__name__")).startswith("wrapt.")


def calling_line() -> str:
    """Return where this library was called from, as ``file:line``."""
    frame = _calling_frame()
    return "?" if frame is None else f"{frame.f_code.co_filename}:{frame.f_lineno}"


def calling_file() -> str | None:
    """Return the file that this library was called in; ``None`` for a prompt or a notebook."""
    frame = _calling_frame()
    path = None if frame is None else frame.f_code.co_filename
    return None if path is None or is_interactive(path) else path


def is_interactive(path: str) -> bool:
    """Return whether a path is of a prompt or a notebook's cell, where people try things again."""
    return path.startswith("<") or "ipykernel" in path


def _calling_frame() -> FrameType | None:
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and is_ours(frame):
        frame = frame.f_back
    return frame


def find_place(frame: FrameType | None) -> Place | None:
    """Return where the user's code called this library, which `frame` is of.

    A function that a thread or an event loop calls by itself has no caller to tell of: then it is
    where that function is defined, or ``None`` where there is none.
    """
    ours = []
    while frame is not None:
        name = str(frame.f_globals.get("__name__"))
        package = name.partition(".")[0]
        if is_ours(frame):
            ours.append(frame)
        elif package in _RUNNERS:
            break
        elif package not in _GO_BETWEENS and not name.startswith(_GO_BETWEEN_PACKAGES):
            return Place(frame.f_code.co_filename, frame.f_lineno, is_definition=False)
        frame = frame.f_back
    for one in ours:
        names = one.f_locals if leads_on(one) else {}
        for name in _DECORATED:
            code = _code_of(names.get(name))
            if code is not None:
                return Place(code.co_filename, code.co_firstlineno, is_definition=True)
    return None


def _code_of(called: Any) -> CodeType | None:
    """Return the code of a function below its decorators, or of a generator."""
    # The user's own objects may do anything when they are asked.
    with contextlib.suppress(Exception):
        for _ in range(_MOST_WRAPPERS):
            is_partial = isinstance(called, functools.partial)
            inner = called.func if is_partial else getattr(called, "__wrapped__", None)
            if inner is None:
                break
            called = inner
        call = getattr(type(called), "__call__", None)  # noqa: B004  # not whether, but which
        for owner, name in (
            (called, "__code__"),
            (called, "gi_code"),
            (called, "ag_code"),
            (call, "__code__"),
        ):
            code = getattr(owner, name, None)
            if isinstance(code, CodeType):
                return code
    return None
