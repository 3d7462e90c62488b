"""How functions are wrapped, so that each call of one is a span or an instance.

What can be known of a function is found out once, when it is decorated: of which kind it is, and
how its arguments are called.
"""

from __future__ import annotations

import contextlib
import functools
import inspect
import types
from collections.abc import AsyncGenerator, Callable, Coroutine, Generator
from typing import TYPE_CHECKING, Any, TypeVar, cast

from prefactor_trace import _guard
from prefactor_trace._arguments import Arguments
from prefactor_trace._capture import snapshot
from prefactor_trace._context import leave
from prefactor_trace._generate import Steps, drive, drive_async
from prefactor_trace._idle import is_left_out
from prefactor_trace._lasting import AT_ONCE, outlast
from prefactor_trace._output import Output
from prefactor_trace._plain import plain_span
from prefactor_trace._schema import Function, SpanOptions
from prefactor_trace._span import Span
from prefactor_trace.exceptions import UsageError

if TYPE_CHECKING:
    from prefactor_trace._instance import Instance

__tracebackhide__ = True  # what is shown of an error is the user's own code

F = TypeVar("F", bound=Callable[..., Any])
# The code of every function that contextlib has made of a generator.
_BLOCK_MAKERS = {
    code
    for maker in (contextlib.contextmanager, contextlib.asynccontextmanager)
    for code in maker.__code__.co_consts
    if isinstance(code, types.CodeType)
}

_OF_THE_CLASS = ("__init_subclass__", "__class_getitem__")

Wrapper = Callable[[Callable[..., Any], Any, tuple[Any, ...], dict[str, Any]], Any]


def wrap_with_span(function: F, template: Span) -> F:
    """Return `function` wrapped so that each call of it is a span like `template`.

    Raises:
        UsageError: It is a class, or nothing that can be called.
    """
    if isinstance(function, property):
        _check_wrappable(function.fget, "span")
        return _wrap_property(function, lambda part: wrap_with_span(part, template))
    _check_wrappable(function, "span")
    if template._payload is not None:
        raise UsageError(
            "@span takes no payload: that of each call is its arguments; give one to a block"
        )
    if template._options is not None and template._options.started_at is not None:
        raise UsageError("@span takes no started_at: each call begins when it begins")
    return _wrap(function, _Calls(function, template))


def wrap_with_instance(function: F, template: Instance) -> F:
    """Return `function` wrapped so that each call of it is an instance like `template`.

    Raises:
        UsageError: It is a class, or nothing that can be called.
    """
    if isinstance(function, property):
        _check_wrappable(function.fget, "instance")
        return _wrap_property(function, lambda part: wrap_with_instance(part, template))
    _check_wrappable(function, "instance")
    if template._options.id is not None:
        raise UsageError("@instance takes no id: each call is a run of its own, with its own id")
    return _wrap(function, _Runs(template))


class _Calls:
    """Makes the spans of one decorated function."""

    __slots__ = ("_arguments", "_name", "_options", "_parent", "_span_options", "home", "mark")

    def __init__(self, function: Any, template: Span) -> None:
        self.home = template._home
        self._name = template.schema_name or _name_of(function)
        self._options = template._options or SpanOptions()
        self._span_options = self._options if self._options.sensitive else None
        self._parent = template._parent
        self._arguments = Arguments(function)
        self._arguments.ignore(self._options.ignore, _name_of(function))
        # What makes a second decorator the same as the first.
        self.mark: object = ("span", self._name, self.home)
        self.home._registry.note(self._name, self._options, _described(function, self._options))

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
        if pipeline is None or (home._is_quiet and is_left_out(home)):
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


class _Runs:
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


def _wrap(function: F, calls: _Calls | _Runs) -> F:
    from prefactor_trace._wrapper import Wrapped, find_marks  # not with the library: loads wrapt

    if type(function) is types.FunctionType and function.__name__ in _OF_THE_CLASS:
        # As Python does itself, with what it knows as a function.
        function = cast("F", classmethod(function))
    marks, home = find_marks(function), calls.home
    if calls.mark in marks:
        return function
    # wrapt looks whether it is empty, before anything of ours is called.
    enabled: Any = home._switch
    wrapped = Wrapped(function, _choose(_kind_of(function), calls), enabled)
    wrapped._self_marks = (*marks, calls.mark)  # type: ignore[attr-defined]
    return cast("F", wrapped)


def _wrap_property(function: Any, wrap: Callable[[Any], Any]) -> Any:
    parts = (function.fget, function.fset, function.fdel)
    return type(function)(*(part and wrap(part) for part in parts), function.__doc__)


def _choose(kind: str, calls: _Calls | _Runs) -> Wrapper:
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
    calls: _Calls | _Runs,
    wrapped: Any,
    instance: Any,
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
) -> Any:
    node = calls.begin(instance, args, kwargs)
    if node is None:
        return wrapped(*args, **kwargs)
    node.__enter__()
    try:
        result = wrapped(*args, **kwargs)
    except BaseException as error:
        node.__exit__(type(error), error, None)
        raise
    if id(type(result)) not in AT_ONCE and node._instance is not None:
        lasting = outlast(node, result, calls.output, calls.keep)
        if lasting is not None:
            leave(node)
            return lasting
    calls.keep(node, result)
    node.__exit__(None, None, None)
    return result


def _call_async(
    calls: _Calls | _Runs,
    wrapped: Any,
    instance: Any,
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
) -> Coroutine[Any, Any, Any]:
    node = calls.begin(instance, args, kwargs, copied=True)
    coroutine = _await(calls, node, wrapped, args, kwargs)
    # What asyncio says of a coroutine that nobody awaits names the user's function.
    cast("Any", coroutine).__qualname__ = str(getattr(wrapped, "__qualname__", _name_of(wrapped)))
    return coroutine


async def _await(
    calls: _Calls | _Runs,
    node: Span | Instance | None,
    wrapped: Any,
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
) -> Any:
    if node is None:
        return await wrapped(*args, **kwargs)
    with node:
        result = await wrapped(*args, **kwargs)
        calls.keep(node, result)
        return result


def _call_generator(  # noqa: PLR0917  # wrapt calls by position
    calls: _Calls | _Runs,
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
    calls: _Calls | _Runs,
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


def _check_wrappable(function: object, decorator: str) -> None:
    if isinstance(function, type):
        raise UsageError(
            f"@{decorator} cannot decorate the class {function.__qualname__}:"
            " decorate its methods instead"
        )
    if not callable(function) and not isinstance(function, (staticmethod, classmethod)):
        kind = type(function).__qualname__
        if hasattr(type(function), "__get__"):
            raise UsageError(
                f"@{decorator} cannot decorate a {kind}: decorate the function in it, by writing"
                f" @{decorator} below @{kind}"
            )
        raise UsageError(f"@{decorator} decorates functions, got {kind}")


def _kind_of(function: Any) -> str:
    if getattr(function, "__code__", None) in _BLOCK_MAKERS:
        return "block"
    # Of an object that can be called, how its class says so.
    for one in (getattr(function, "__func__", function), getattr(type(function), "__call__", None)):  # noqa: B004
        if inspect.iscoroutinefunction(one):
            return "coroutine"
        if inspect.isgeneratorfunction(one):
            return "generator"
        if inspect.isasyncgenfunction(one):
            return "async generator"
    return "plain"


def _name_of(function: Any) -> str:
    name = getattr(function, "__qualname__", None) or getattr(function, "__name__", None)
    if isinstance(name, str):
        return name
    inner = getattr(function, "func", None)  # of a partial
    return (
        _name_of(inner) if isinstance(function, functools.partial) else type(function).__qualname__
    )


def _described(function: Any, options: SpanOptions) -> Function:
    return Function(
        function,
        tuple(options.ignore or ()),
        records_input=options.capture_input,
        # What `reduce` makes of the items has a shape of its own; a block has no result.
        records_output=False
        if options.reduce is not None or _kind_of(function) == "block"
        else options.capture_output,
    )


def _wanted(said: bool | None, setting: bool) -> bool:
    return setting if said is None else said
