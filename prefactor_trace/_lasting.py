"""What a plain function returns that goes on after it: the span lasts until that has ended too."""

from __future__ import annotations

import inspect
import types
import weakref
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from prefactor_trace import _guard
from prefactor_trace._capture import attribute_of, ids_of, module_of
from prefactor_trace._context import enter, leave
from prefactor_trace._generate import Steps, drive, drive_async

if TYPE_CHECKING:
    from prefactor_trace._instance import Instance
    from prefactor_trace._output import Output
    from prefactor_trace._span import Span

__tracebackhide__ = True  # what is shown of an error is the user's own code

AT_ONCE = ids_of(type(None), bool, int, float, str, bytes, list, dict, tuple, set)
"""Types that are known to be finished: most of what functions return."""

Keep = Callable[[Any, Any], None]
MakeOutput = Callable[[], "Output | None"]


def outlast(node: Span | Instance, result: Any, output: MakeOutput, keep: Keep) -> Any:
    """Return what to hand out in place of `result` so that `node` ends with it.

    Args:
        node: Span or instance of the function, which has begun.
        result: What the function returned.
        output: Makes what takes the items of a generator.
        keep: Takes what comes out in the end.

    Returns:
        Something of the same type, or ``None`` where `result` is finished as it is.
    """
    kind = type(result)
    driven: Any = None
    # One that was stepped before came from elsewhere: it is not this function's work.
    if kind is types.GeneratorType:
        if inspect.getgeneratorstate(result) != inspect.GEN_CREATED:
            return None
        driven = _drive(drive, Steps(node, output()), result)
    elif kind is types.AsyncGeneratorType:
        if _was_stepped(result):
            return None
        driven = _drive(drive_async, Steps(node, output()), result)
    elif kind is types.CoroutineType:
        if inspect.getcoroutinestate(result) != inspect.CORO_CREATED:
            return None
        driven = _await(node, result, keep)
        # Nobody may ever await it, and then nothing of it runs that could end the span.
        weakref.finalize(driven, _end_never_awaited, node).atexit = False
    if driven is not None:
        driven.__name__, driven.__qualname__ = result.__name__, result.__qualname__
        return driven
    # Not by `hasattr`, which may run code of the agent's, and raise into it.
    if attribute_of(kind, "__await__") and attribute_of(kind, "add_done_callback"):
        result.add_done_callback(lambda future: _end_with_future(node, future, keep))
        return result
    if module_of(kind) == "contextlib" and hasattr(result, "gen"):
        return _outlast_block(node, result)
    return None


def _was_stepped(generator: Any) -> bool:
    """Return whether an async generator has begun, as `inspect` says it from Python 3.12 on."""
    frame = generator.ag_frame
    if frame is None or generator.ag_running:
        return True
    if hasattr(generator, "ag_suspended"):
        return bool(generator.ag_suspended)
    import opcode  # seldom, and in old Pythons alone

    # Before its first step it is where it was made, or nowhere yet.
    at: int = frame.f_lasti
    return at >= 0 and opcode.opname[frame.f_code.co_code[at]] != "RETURN_GENERATOR"


def _outlast_block(node: Span | Instance, block: Any) -> Any:
    """Have a block that contextlib made of a generator run it under `node`."""
    is_sync = type(block.gen) is types.GeneratorType
    block.gen = _drive(drive if is_sync else drive_async, Steps(node, None), block.gen)
    return block


def _drive(drive_it: Callable[[Steps, Any], Any], steps: Steps, body: Any) -> Any:
    """Return what runs a body; the span ends with it, also if nobody ever asks for an item."""
    driven = drive_it(steps, body)
    weakref.finalize(driven, _end_never_read, steps).atexit = False
    return driven


async def _await(node: Span | Instance, coroutine: Any, keep: Keep) -> Any:
    enter(node)
    try:
        __tracebackhide__ = True  # notebooks and debuggers look for it here
        result = await coroutine
    except BaseException as error:
        leave(node)
        node._end_with(error)
        raise
    keep(node, result)
    leave(node)
    node._end("complete")
    return result


def _end_never_awaited(node: Span | Instance) -> None:
    try:
        node._end("cancelled")
    except Exception as fault:  # noqa: BLE001
        _guard.log_fault("ending a span that nobody waited for", fault)


def _end_never_read(steps: Steps) -> None:
    if steps._node is None or steps._inside is not None:  # it has begun, and so it ends by itself
        return
    try:
        steps.fail(GeneratorExit())  # it is a stream left early
    except Exception as fault:  # noqa: BLE001
        _guard.log_fault("ending a span that nobody read", fault)


def _end_with_future(node: Span | Instance, future: Any, keep: Keep) -> None:
    try:
        # `exception()` would count as looked at, and silence the loop's warning.
        error = getattr(future, "_exception", None)
        if future.cancelled():
            node._end("cancelled")
        elif error is not None:
            node._end_with(error)
        else:
            keep(node, future.result())
            node._end("complete")
    except Exception as fault:  # noqa: BLE001
        _guard.log_fault("ending a span with its future", fault)
