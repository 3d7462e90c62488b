"""Stray spans: where one belongs that begins in no run of its tracer's, as in a bare thread."""

from __future__ import annotations

import logging
import sys
import threading
from typing import TYPE_CHECKING

from prefactor_trace import _guard
from prefactor_trace._context import Node, first_that_counts, outer_of
from prefactor_trace._frames import find_place
from prefactor_trace._untraced import Untraced

if TYPE_CHECKING:
    from prefactor_trace._home import Home


def find_node(home: Home, outer: Node | None, schema_name: str) -> Node | None:
    """Return the node of `home` that a span has to nest in, ``None`` for the ambient instance.

    Args:
        home: Home of the span.
        outer: What the code is in, which is none of `home`.
        schema_name: Name of the span, for the log.
    """
    node = outer
    while node is not None:
        if node._home is home or isinstance(node, Untraced):
            return node
        node = first_that_counts(outer_of(node))
    if outer is not None or threading.get_ident() == threading.main_thread().ident:
        return None
    runs = [run for run in home._open_runs if run._status == "active"]
    if runs:
        _warn(schema_name, is_only_one=len(runs) == 1)
    return runs[0] if len(runs) == 1 else None


def _warn(schema_name: str, *, is_only_one: bool) -> None:
    place = find_place(sys._getframe(1))
    began = "began"
    if place is not None:
        where = f"{place.path}:{place.line}"
        began = f"began at {where}"
        if place.is_definition:
            began = f"(of the function at {where}) began"
    _guard.log_once(
        logging.WARNING,
        f"lost context {schema_name} {place}",
        "prefactor_trace: span %r %s in a thread that does not know its run; it was put %s."
        " Hand the thread prefactor_trace.propagate(function) in place of the function",
        schema_name,
        began,
        "at the top of the only open run" if is_only_one else "into the ambient instance",
    )
