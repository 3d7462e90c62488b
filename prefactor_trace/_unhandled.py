"""Why a run fails, where no span of it says so: a span is made that does.

A run itself has no place for an error. What one of its spans has failed with is told already.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from prefactor_trace import _guard
from prefactor_trace._capture import snapshot_error
from prefactor_trace._span import Span

if TYPE_CHECKING:
    from prefactor_trace._instance import Instance

UNHANDLED = "unhandled_exception"
"""Name of that span."""


def tell_unhandled(run: Instance, error: BaseException) -> None:
    """Make a span of the exception that leaves a run, unless a span of the run has told it."""
    if run.terminated or run._status != "active" or not run._has_begun:
        return
    try:
        told = snapshot_error(error)
        if not run._was_told(told):
            span = Span(run._home, UNHANDLED, parent=run)
            try:
                if span._start(None):
                    run._note_told(told)  # who is interrupted from here on may come again
            finally:
                span._exit(error)
    except Exception as fault:  # noqa: BLE001
        _guard.log_fault("describing why a run failed", fault)
