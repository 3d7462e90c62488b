"""How tasks and runs are cancelled, in asyncio and beyond."""

from __future__ import annotations

# Cancellation of a task, by module and name: asking for the classes would import their libraries.
_CANCELLATIONS = {
    ("asyncio.exceptions", "CancelledError"),
    ("trio", "Cancelled"),
    ("trio._core._exceptions", "Cancelled"),
    ("prefactor_trace.exceptions", "PrefactorTerminated"),
}


def is_cancellation(error: BaseException) -> bool:
    """Return whether `error` is how a library cancels a task, or the platform a run."""
    return any((kind.__module__, kind.__name__) in _CANCELLATIONS for kind in type(error).__mro__)
