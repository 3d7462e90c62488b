"""Generators as spans: open from the first step to the last, current only while the body runs.

The wrappers are generators themselves, so that `inspect` sees what it saw before. Each step runs
in the caller's own task, thread and context; only which span is current is changed for its time.
"""

from __future__ import annotations

import sys
from collections.abc import AsyncGenerator, Callable, Generator
from typing import TYPE_CHECKING, Any

from prefactor_trace import _guard
from prefactor_trace._context import Node, current, enter, leave, makes_block, note_frame
from prefactor_trace._output import Output

if TYPE_CHECKING:
    from prefactor_trace._instance import Instance
    from prefactor_trace._span import Span

__tracebackhide__ = True  # what is shown of an error is the user's own code


class Steps:
    """One run of a generator's body, step by step.

    Args:
        node: The span or instance that it is, which has not begun; ``None`` for one that is none
            and only has surroundings of its own.
        output: Takes the items.
        inside: What is current in the first step, where that is not `node`.
    """

    __slots__ = ("_inside", "_is_block", "_is_closing", "_is_in", "_node", "_output", "_outside")

    def __init__(
        self, node: Span | Instance | None, output: Output | None, inside: Node | None = None
    ) -> None:
        self._node: Any = node
        self._output = output
        self._inside = inside  # what is current in the body when it runs next
        self._outside: Node | None = None  # while it runs, what was current before this step
        self._is_in = False  # whether it runs now
        self._is_block = False  # contextlib or a fixture runs it: it is current all the time
        self._is_closing = False  # the consumer wants no more

    def begin(self) -> None:
        """Begin the span, in the context of whoever asks for the first item."""
        node, outer = self._node, current.get()
        if node is None:
            return
        if node._status == "pending" and not node._begin():
            self._node = None  # tracing is off, or not for this run
            self._inside = outer
            return
        self._outside, self._is_in = outer, True
        enter(node)
        self._inside = node
        wrapper = sys._getframe(1)
        self._is_block = makes_block(wrapper)
        if self._is_block:
            note_frame(node, wrapper)
        else:
            current.set(outer)
        self._outside, self._is_in = None, False

    def enter(self) -> None:
        """Be in the body."""
        if not self._is_block:
            self._outside = current.get()
            self._is_in = True
            current.set(self._inside)

    def leave(self) -> None:
        """Be outside again; what the body has entered is kept for its next step."""
        if not self._is_block:
            self._inside = current.get()
            current.set(self._outside)
            self._is_in = False
            self._outside = None

    def add(self, item: Any) -> None:
        """Take an item on its way to the consumer."""
        if self._output is not None and self._node is not None:
            self._output.add(item)

    def note_thrown(self, error: BaseException) -> None:
        """Note what the consumer throws into the body."""
        self._is_closing = issubclass(type(error), GeneratorExit)

    def finish(self, returned: Any = None) -> None:
        """End the span, since the body has returned."""
        if self._node is not None:
            self._keep_output(returned)
            self._leave_block()
            self._node._end("complete")
            self._let_go()

    def fail(self, error: BaseException) -> None:
        """End the span as `error`, which has left the body, says."""
        if self._node is not None:
            self._is_closing = issubclass(type(error), GeneratorExit)
            self._keep_output(None)
            self._leave_block()
            self._node._end_with(error)
            self._let_go()

    def abandon(self, error: BaseException) -> None:
        """End the span, if it has not ended, since a signal handler raised between two steps."""
        if self._is_in:
            self._is_in = False
            current.set(self._outside)
        if self._node is not None and self._node._instance is not None:
            leave(self._node)
            self.fail(error)

    def _keep_output(self, returned: Any) -> None:
        if self._output is None:
            return
        try:
            self._output.keep(self._node, returned, is_closing=self._is_closing)
        except Exception as error:  # noqa: BLE001
            _guard.log_fault("keeping the items of a generator", error)

    def _leave_block(self) -> None:
        if self._is_block:
            leave(self._node)

    def _let_go(self) -> None:
        self._node._token = None
        self._node = self._output = self._inside = None


def drive(steps: Steps, body: Any) -> Generator[Any, Any, Any]:
    """Run a generator, or another iterator, as `steps` say, with its whole protocol."""
    try:
        steps.begin()
        send = step = _sender(body)
        value: Any = None
        while True:
            steps.enter()
            try:
                item = step(value)
            except StopIteration as stop:
                steps.leave()
                steps.finish(stop.value)
                return stop.value
            except BaseException as error:
                steps.leave()
                steps.fail(error)
                raise
            finally:
                value = None  # or an exception would keep this frame, which keeps it
            steps.leave()
            steps.add(item)
            try:
                # What is thrown in goes on outside of this block: the body sees the context of
                # exceptions that it would see alone.
                value = yield item
                step = send
            except BaseException as error:  # noqa: BLE001
                steps.note_thrown(error)
                value, step = error, _thrower(body)
            finally:
                item = None
    except BaseException as error:
        steps.abandon(error)
        raise


async def drive_async(steps: Steps, body: Any) -> AsyncGenerator[Any, Any]:
    """Run an async generator, or another async iterator, as `steps` say."""
    try:
        steps.begin()
        send = _async_sender(body)
        step = _hidden_from_loop(send)
        value: Any = None
        while True:
            steps.enter()
            try:
                item = await step(value)
            except StopAsyncIteration:
                steps.leave()
                steps.finish()
                return
            except BaseException as error:
                steps.leave()
                steps.fail(error)
                raise
            finally:
                value = None
            steps.leave()
            steps.add(item)
            try:
                value = yield item
                step = send
            except BaseException as error:  # noqa: BLE001
                steps.note_thrown(error)
                value, step = error, _async_thrower(body)
            finally:
                item = None
    except BaseException as error:
        steps.abandon(error)
        raise


def _sender(body: Any) -> Callable[[Any], Any]:
    send = getattr(body, "send", None)
    if send is not None:
        return send  # type: ignore[no-any-return]

    def send_to_iterator(value: Any) -> Any:
        return next(body) if value is None else body.send(value)

    return send_to_iterator


def _thrower(body: Any) -> Callable[[BaseException], Any]:
    throw = getattr(body, "throw", None)
    if throw is not None:
        return throw  # type: ignore[no-any-return]

    def throw_past(error: BaseException) -> Any:
        # As `yield from` does with an iterator that takes no exceptions.
        if issubclass(type(error), GeneratorExit) and hasattr(body, "close"):
            body.close()
        raise error

    return throw_past


def _hidden_from_loop(send: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Return `send` for the first step of an async generator, which the event loop is not to see.

    A loop closes the async generators that it has seen when it shuts down, all at once, and those
    that nobody holds any more: this one is closed by the one around it, which the loop sees.
    """

    def take_first(value: Any) -> Any:
        hooks = sys.get_asyncgen_hooks()
        sys.set_asyncgen_hooks(None, _leave_open)
        try:
            return send(value)
        finally:
            sys.set_asyncgen_hooks(*hooks)

    return take_first


def _leave_open(body: Any) -> None:
    """Do nothing to an async generator that the garbage collector would close, and not await."""


def _async_sender(body: Any) -> Callable[[Any], Any]:
    send = getattr(body, "asend", None)
    if send is not None:
        return send  # type: ignore[no-any-return]
    return lambda _: body.__anext__()


def _async_thrower(body: Any) -> Callable[[BaseException], Any]:
    throw = getattr(body, "athrow", None)
    if throw is not None:
        return throw  # type: ignore[no-any-return]

    async def throw_past(error: BaseException) -> Any:
        if issubclass(type(error), GeneratorExit) and hasattr(body, "aclose"):
            await body.aclose()
        raise error

    return throw_past
