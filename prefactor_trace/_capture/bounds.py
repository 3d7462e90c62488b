"""How much of a value is copied, and what says that a part was left out."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Iterable
from typing import Any

from prefactor_trace._capture.classes import class_name
from prefactor_trace._notes import TRUNCATED

MAX_DEPTH = 64
"""Levels of containers in each other."""

MAX_NODES = 10_000
"""Values and containers in all."""


def first_of(items: Iterable[Any]) -> list[Any]:
    """Return as many items of a container as are ever copied: a large one is not gone through."""
    return list(itertools.islice(items, MAX_NODES + 1))


def items_of(value: dict[Any, Any]) -> Iterable[tuple[Any, Any]]:
    """Return the items of a dict, or the first ones of a large one, though others change it."""
    if dict.__len__(value) > MAX_NODES:
        with contextlib.suppress(RuntimeError):  # it was changed
            return first_of(dict.items(value))
    return dict.copy(value).items()  # in one step, in which nobody else has a turn


def left_out(bound: str, kind: type) -> dict[str, Any]:
    """Return what stands in the place of a container that is not copied.

    Args:
        bound: What it would exceed: ``"depth"``, ``"nodes"``, or ``"cycle"``.
        kind: Its class.
    """
    return {TRUNCATED: True, "type": class_name(kind), "bound": bound}
