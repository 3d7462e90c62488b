"""How tasks and runs are cancelled, in asyncio and beyond."""

from __future__ import annotations

from prefactor_trace._capture import bases_of, members, module_of, qualified_name

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
    # One by one: groups may stand in each other deeper than the stack is, and one in many places.
    left, seen = [error], {id(error)}
    while left:
        one = left.pop()
        if _cancels(one):
            continue
        inner = members(one)
        if not inner:
            return False
        left += [member for member in inner if id(member) not in seen]
        seen.update(map(id, inner))
    return True


def _cancels(error: BaseException) -> bool:
    if issubclass(type(error), GeneratorExit):
        trace = error.__traceback__
        return trace is not None and bool(trace.tb_frame.f_code.co_flags & _COROUTINE)
    kinds = bases_of(type(error))
    return any((module_of(kind), qualified_name(kind)) in _CANCELLATIONS for kind in kinds)
