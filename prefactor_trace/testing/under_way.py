"""Which recordings are under way: one inside another, never two side by side.

A recording is of the whole process. Two at a time would each get a part of what both are to have.
"""

from __future__ import annotations

import threading
from contextvars import ContextVar
from typing import NamedTuple

from prefactor_trace.exceptions import UsageError


class _Recording(NamedTuple):
    """A recording that is under way.

    Attributes:
        recorder: What records.
        is_block: Whether it is that of a ``with`` block, which only this block is to be in; one
            of a fixture may have others in it wherever they begin.
    """

    recorder: object
    is_block: bool


_lock = threading.Lock()
_all: list[_Recording] = []
_around: ContextVar[tuple[object, ...]] = ContextVar("recordings_around", default=())


def begin(recorder: object, *, is_block: bool) -> None:
    """Note that a recording begins.

    Raises:
        UsageError: It is that of a block, and so is another that this one is not in.
    """
    around = _around.get()
    with _lock:
        newest = _all[-1] if _all else None
        if is_block and newest and newest.is_block and newest.recorder not in around:
            raise UsageError(
                "another recording is under way, begun in another task or thread, and a recording"
                " is of the whole process: record all of them in one, each in an instance of its"
                " own, or one after the other"
            )
        _all.append(_Recording(recorder, is_block))
    if is_block:
        _around.set((*around, recorder))


def end(recorder: object) -> None:
    """Note that a recording is over."""
    with _lock:
        _all[:] = [one for one in _all if one.recorder is not recorder]
    _around.set(tuple(one for one in _around.get() if one is not recorder))
