"""How tasks and runs are cancelled, in asyncio and beyond."""

from __future__ import annotations

from prefactor_trace._capture import members

# Cancellation of a task, by module and name: asking for the classes would import their libraries.
_CANCELLATIONS = {
    ("asyncio.exceptions", "CancelledError"),
    ("greenlet", "GreenletExit"),  # how gevent and eventlet kill one
    ("trio", "Cancelled"),
    ("trio._core._exceptions", "Cancelled"),
    ("prefactor_trace.exceptions", "PrefactorTerminated"),
}


_COROUTINE = 0x80 | 0x100  # flags of code; `inspect` is slow to load


def is_cancellation(error: BaseException) -> bool:
    """Return whether `error` is how a library cancels a task, or the platform a run.

    So is a group that holds nothing else, as trio's nurseries raise it, and the `GeneratorExit`
    that closes a coroutine before its end, such as that of a task whose loop was closed.
    """
    if issubclass(type(error), GeneratorExit):
        trace = error.__traceback__
        return trace is not None and bool(trace.tb_frame.f_code.co_flags & _COROUTINE)
    if any((kind.__module__, kind.__name__) in _CANCELLATIONS for kind in type(error).__mro__):
        return True
    inner = members(error)
    return bool(inner) and all(map(is_cancellation, inner))
