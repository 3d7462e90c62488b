"""Threads and executors that carry the context by themselves, once asked to.

After `carry_context` every `threading.Thread`, and all that is submitted to a `ThreadPoolExecutor`
or a `ProcessPoolExecutor`, goes on in the run and the span in which it was started, as if it had
been handed over with `prefactor_trace.propagate`.
"""

import functools
import threading
from collections.abc import Callable
from concurrent import futures
from typing import Any

from prefactor_trace import propagate

_originals: dict[tuple[type, str], Callable[..., Any]] = {}


def carry_context() -> None:
    """Have threads and executors carry the context, for the whole process; twice is harmless."""
    if _originals:
        return
    _replace(threading.Thread, "start", _start)
    for executor in (futures.ThreadPoolExecutor, futures.ProcessPoolExecutor):
        _replace(executor, "submit", _submit)


def stop_carrying() -> None:
    """Put threads and executors back as they were."""
    for (owner, name), original in _originals.items():
        setattr(owner, name, original)
    _originals.clear()


def _replace(owner: type, name: str, with_original: Callable[..., Any]) -> None:
    original = getattr(owner, name)
    _originals[owner, name] = original

    @functools.wraps(original)
    def replacement(*args: Any, **kwargs: Any) -> Any:
        return with_original(original, *args, **kwargs)

    setattr(owner, name, replacement)


def _start(original: Callable[..., Any], thread: threading.Thread) -> Any:
    if _is_the_programs(thread):
        carried = propagate(thread.run)

        def run() -> None:
            del thread.run  # a thread that refers to itself would stay until it is searched for
            carried()

        thread.run = run  # type: ignore[method-assign]
    return original(thread)


def _is_the_programs(thread: threading.Thread) -> bool:
    """Return whether a thread works for whoever starts it, not for all that it is given later."""
    target = getattr(thread, "_target", None)
    modules = [str(getattr(one, "__module__", "")) for one in (type(thread), target)]
    return not any(name.startswith(("concurrent.futures", "prefactor_trace")) for name in modules)


def _submit(
    original: Callable[..., Any],
    executor: futures.Executor,
    function: Callable[..., Any],
    /,
    *args: Any,
    **kwargs: Any,
) -> Any:
    return original(executor, propagate(function), *args, **kwargs)
