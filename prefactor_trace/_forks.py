"""What has to rest while the process forks, though its module may be imported only by then.

Python calls before a fork what was registered when the fork began. What this library does before a
fork may import further modules, which have something to say in it.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import NamedTuple

from prefactor_trace._locks import free_all


class Rest(NamedTuple):
    """What is called around a fork.

    Attributes:
        begin: Called before it; what it brings to rest stays so.
        end: Called after it in the parent.
        end_in_child: Called after it in the child.
    """

    begin: Callable[[], None]
    end: Callable[[], None]
    end_in_child: Callable[[], None]


_all: list[Rest] = []
_begun: list[Rest] = []


def add(rest: Rest) -> None:
    """Have something rest during every fork, also during one that has begun."""
    _all.append(rest)


def _begin() -> None:
    for rest in _all:  # as long as more are added
        _begun.append(rest)
        rest.begin()


def _end() -> None:
    while _begun:
        _begun.pop().end()


def _end_in_child() -> None:
    _begun.clear()
    free_all()
    for rest in _all:
        rest.end_in_child()


if hasattr(os, "register_at_fork"):  # Windows has no fork
    os.register_at_fork(before=_begin, after_in_parent=_end, after_in_child=_end_in_child)
