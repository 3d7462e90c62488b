"""What has to rest while the process forks, though its module may be imported only by then.

Python calls before a fork what was registered when the fork began. What this library does before a
fork may import further modules, which have something to say in it.
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
        begin: Called before it; what it brings to rest stays so.
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
    """Have something rest during every fork, also during one that has begun."""
    _all.append(rest)


def _begin() -> None:
    _one_fork.acquire()
    for rest in _all:  # as long as more are added
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
