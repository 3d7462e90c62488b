"""What is called around a fork of the process, also of modules imported while it is prepared.

Python calls only what was registered before the fork began. But to prepare for one may import
further modules of this library, which have to prepare as well. Hence Python knows only the
functions here, and these go through a list that may grow meanwhile.
"""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Callable
from typing import NamedTuple

from prefactor_trace import _guard
from prefactor_trace._locks import free_all


class Rest(NamedTuple):
    """What is called around a fork. An exception of one is logged, and the others are called.

    Attributes:
        begin: Called before it, to bring to rest what must not be half done in the child.
        end: Called after it in the parent, also where `begin` has failed half-way.
        end_in_child: Called after it in the child.
    """

    begin: Callable[[], None]
    end: Callable[[], None]
    end_in_child: Callable[[], None]


_all: list[Rest] = []
_begun: list[Rest] = []
_one_fork = threading.RLock()  # several threads may fork, one after the other


def add(rest: Rest) -> None:
    """Have something called around every fork, also around one that is being prepared."""
    _all.append(rest)


def _begin() -> None:
    _one_fork.acquire()
    for rest in _all:  # which may grow meanwhile
        _begun.append(rest)
        _call(rest.begin)


def _end() -> None:
    while _begun:
        _call(_begun.pop().end)
    with contextlib.suppress(RuntimeError):  # interrupted before it was taken
        _one_fork.release()


def _end_in_child() -> None:
    global _one_fork  # noqa: PLW0603
    _one_fork = threading.RLock()
    _begun.clear()
    free_all()
    for rest in _all:
        _call(rest.end_in_child)


def _call(function: Callable[[], None]) -> None:
    try:
        function()
    except BaseException as error:  # noqa: BLE001  # Python would only print it
        _guard.log_fault("forking", error)


if hasattr(os, "register_at_fork"):  # Windows has no fork
    os.register_at_fork(before=_begin, after_in_parent=_end, after_in_child=_end_in_child)
