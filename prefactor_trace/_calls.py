"""What a call of a decorated function does: it makes a span, or a run, for the body to run in."""

from __future__ import annotations

import functools
import inspect
from collections.abc import AsyncGenerator, Callable, Coroutine, Generator
from typing import TYPE_CHECKING, Any, cast

from prefactor_trace import _guard
from prefactor_trace._arguments import Arguments
from prefactor_trace._capture import snapshot
from prefactor_trace._context import leave
from prefactor_trace._generate import Steps, drive, drive_async
from prefactor_trace._idle import is_left_out
from prefactor_trace._kinds import Kind, described, name_of
from prefactor_trace._lasting import AT_ONCE, outlast
from prefactor_trace._output import Output
from prefactor_trace._plain import plain_span
from prefactor_trace._schema import SpanOptions
from prefactor_trace._span import Span

if TYPE_CHECKING:
    from prefactor_trace._instance import Instance

__tracebackhide__ = True  # what is shown of an error is the user's own code

Wrapper = Callable[[Callable[..., Any], Any, tuple[Any, ...], dict[str, Any]], Any]


class Calls:
    """Makes the spans of one decorated function."""

    __slots__ = ("_arguments", "_name", "_options", "_parent", "_span_options", "home", "mark")

    def __init__(self, function: Any, template: Span) -> None:
        self.home = template._home
        self._name = template.schema_name or name_of(function)
        self._options = template._options or SpanOptions()
        self._span_options = self._options if self._options.sensitive else None
        self._parent = template._parent
        self._arguments = Arguments(function)
        self._arguments.ignore(self._options.ignore, name_of(function))
        # A second decorator with an equal mark is the same as the first, and adds nothing.
        self.mark: object = ("span", self._name, self.home)
        self.home._registry.note(self._name, self._options, described(function, self._options))

    def begin(
        self, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any], *, copied: bool = False
    ) -> Span | None:
        """Return the span of one call, or ``None`` while tracing is off.

        Args:
            instance: The object of a method.
            args: What the call is given by position.
            kwargs: What the call is given by name.
            copied: Whether the arguments are copied now, since the span may begin later.
        """
        home = self.home
        pipeline = home._get_pipeline()
        if pipeline is None or (home._may_leave_out and is_left_out(home)):
            return None
        if self._parent is None and self._span_options is None:
            span: Span = plain_span(home, self._name, None)
        else:
            span = Span(home, self._name, None, self._parent, self._span_options)
        if _wanted(self._options.capture_input, pipeline.settings.capture_inputs):
            try:
                payload = self._arguments.to_payload(instance, args, kwargs)
                span._payload = payload
                if copied and payload:
                    span._payload, span._size = snapshot(payload)
            except Exception as error:  # noqa: BLE001
                _guard.log_fault(f"capturing the arguments of {self._name}", error)
        return span

    def keep(self, span: Any, result: Any) -> None:
        """Take what a call returned, unless its body has set a result of its own."""
        if span._result is None and self._wants_output:
            span.set_result({"result": None} if result is None else result)

    def output(self) -> Output | None:
        """Return what takes the items of a generator."""
        return Output(self._options.reduce, wanted=self._wants_output)

    @property
    def _wants_output(self) -> bool:
        return _wanted(self._options.capture_output, self.home._get_settings().capture_outputs)


class Runs:
    """Makes the instances of one decorated function."""

    __slots__ = ("_template", "home", "mark")

    def __init__(self, template: Instance) -> None:
        self._template = template
        self.home = template._home
        self.mark: object = ("instance", template._options, template._home)

    def begin(
        self, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any], *, copied: bool = False
    ) -> Instance | None:
        """Return the instance of one call, or ``None`` while tracing is off."""
        del instance, args, kwargs, copied
        return None if self.home._get_pipeline() is None else self._template._fresh()

    def keep(self, run: Any, result: Any) -> None:
        """Forget what a call returned: instances have no result."""

    def output(self) -> None:
        """Return nothing that takes items."""


def choose(kind: Kind, calls: Calls | Runs) -> Wrapper:
    """Return what calls a decorated function of a kind."""
    if kind == "generator":
        return functools.partial(_call_generator, calls, drive)
    if kind == "async generator":
        return functools.partial(_call_generator, calls, drive_async)
    if kind == "coroutine":
        return functools.partial(_call_async, calls)
    if kind == "block":
        return functools.partial(_call_block, calls)
    return functools.partial(_call, calls)


def _call(
    calls: Calls | Runs,
    wrapped: Any,
    instance: Any,
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
) -> Any:
    __tracebackhide__ = True  # notebooks and debuggers look for it here
    node = calls.begin(instance, args, kwargs)
    if node is None:
        return wrapped(*args, **kwargs)
    try:
        node.__enter__()
        result = wrapped(*args, **kwargs)
        if id(type(result)) not in AT_ONCE and node._instance is not None:
            lasting = outlast(node, result, calls.output, calls.keep)
            if lasting is not None:
                leave(node)
                return lasting
        calls.keep(node, result)
        node.__exit__(None, None, None)
    except BaseException as error:
        node.__exit__(type(error), error, None)
        raise
    return result


def _call_async(
    calls: Calls | Runs,
    wrapped: Any,
    instance: Any,
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
) -> Coroutine[Any, Any, Any]:
    node = calls.begin(instance, args, kwargs, copied=True)
    coroutine = _await(calls, node, wrapped, args, kwargs)
    # What asyncio says of a coroutine that nobody awaits names the user's function.
    cast("Any", coroutine).__qualname__ = str(getattr(wrapped, "__qualname__", name_of(wrapped)))
    return coroutine


async def _await(
    calls: Calls | Runs,
    node: Span | Instance | None,
    wrapped: Any,
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
) -> Any:
    __tracebackhide__ = True
    if node is None:
        return await wrapped(*args, **kwargs)
    with node:
        result = await wrapped(*args, **kwargs)
        calls.keep(node, result)
        return result


def _call_generator(  # noqa: PLR0917  # wrapt calls by position
    calls: Calls | Runs,
    drive_it: Callable[[Steps, Any], Generator[Any, Any, Any] | AsyncGenerator[Any, Any]],
    wrapped: Any,
    instance: Any,
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
) -> Any:
    body = wrapped(*args, **kwargs)
    node = calls.begin(instance, args, kwargs, copied=True)
    if node is None:
        return body
    driven: Any = drive_it(Steps(node, calls.output()), body)
    driven.__name__, driven.__qualname__ = body.__name__, body.__qualname__
    return driven


def _call_block(
    calls: Calls | Runs,
    wrapped: Any,
    instance: Any,
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
) -> Any:
    block = wrapped(*args, **kwargs)
    make_body = block.func

    def drive_body(body: Any) -> Any:
        node = calls.begin(instance, args, kwargs, copied=True)
        drive_it: Any = drive if inspect.isgenerator(body) else drive_async
        return body if node is None else drive_it(Steps(node, None), body)

    block.gen = drive_body(block.gen)
    # Used as a decorator, it has a body made for each call.
    block.func = lambda *args, **kwargs: drive_body(make_body(*args, **kwargs))
    return block


def _wanted(said: bool | None, setting: bool) -> bool:
    return setting if said is None else said
