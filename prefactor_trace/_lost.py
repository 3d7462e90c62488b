"""Where a span belongs that begins outside of its tracer's runs: in a bare thread, mostly."""

from __future__ import annotations

import logging
import sys
import threading
from typing import TYPE_CHECKING

from prefactor_trace import _guard
from prefactor_trace._context import Node, _first_that_counts, outer_of
from prefactor_trace._untraced import Untraced

if TYPE_CHECKING:
    from prefactor_trace._home import Home

# What stands between a thread's beginning and the user's code, by the first part of its module.
_BETWEEN = {"prefactor_trace", "wrapt", "threading", "concurrent", "asyncio", "multiprocessing"}


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
        node = _first_that_counts(outer_of(node))
    if outer is not None or threading.get_ident() == threading.main_thread().ident:
        return None
    runs = [run for run in home.open_runs if run._status == "active"]
    if runs:
        _warn(schema_name, is_only_one=len(runs) == 1)
    return runs[0] if len(runs) == 1 else None


def _warn(schema_name: str, *, is_only_one: bool) -> None:
    place = _call_site()
    _guard.log_seldom(
        logging.WARNING,
        f"lost context {schema_name} {place}",
        "prefactor_trace: span %r began in a thread that does not know its run%s; it was put %s."
        " Hand the thread prefactor_trace.propagate(function) in place of the function",
        schema_name,
        place,
        "at the top of the only open run" if is_only_one else "into the ambient instance",
        every=float("inf"),
    )


def _call_site() -> str:
    """Return where the user's code began the span, as far as that is on the stack."""
    frame = sys._getframe(1)
    while frame.f_back is not None:
        name = str(frame.f_globals.get("__name__"))
        if name.partition(".")[0] not in _BETWEEN:
            return f" at {frame.f_code.co_filename}:{frame.f_lineno}"
        frame = frame.f_back
    return ""
