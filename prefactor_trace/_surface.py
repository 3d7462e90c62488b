"""What a tracer offers to record with: `span`, `start_span` and `trace_stream`, beside runs.

The default tracer and every `Tracer` are each a surface; what they make has a home, where it finds
its tracer.
"""

from __future__ import annotations

import datetime
from collections.abc import (
    AsyncGenerator,
    AsyncIterable,
    AsyncIterator,
    Callable,
    Generator,
    Iterable,
    Iterator,
    Mapping,
)
from typing import TYPE_CHECKING, Any, TypeVar, overload

from prefactor_trace._context import innermost
from prefactor_trace._generate import Steps, drive, drive_async
from prefactor_trace._home import OpenRuns
from prefactor_trace._idle import Idles, is_left_out
from prefactor_trace._instance import Instance
from prefactor_trace._output import Output
from prefactor_trace._plain import plain_span
from prefactor_trace._record import check_mapping
from prefactor_trace._run_surface import RunSurface, is_decorated
from prefactor_trace._schema import Registry
from prefactor_trace._span import Span
from prefactor_trace._untraced import Root
from prefactor_trace.exceptions import UsageError

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from prefactor_trace._schema import Risk
    from prefactor_trace._schema.options import BlockOptions
    from prefactor_trace.models import DataRisk

F = TypeVar("F", bound=Callable[..., Any])
T = TypeVar("T")


class Surface(RunSurface):
    """What the default tracer and every other offer to record with."""

    _may_leave_out = False

    def _become_home(self) -> None:
        """Set up what a home has, see `Home`: this object is its own."""
        self._registry = Registry()
        self._open_runs = OpenRuns()
        self._switch = [True]
        self._idles = Idles(self._home)
        self._on_terminate_callbacks: list[Callable[[Instance], object]] = []

    def _set_recording(self, *, on: bool) -> None:
        """Record what begins from now on, or nothing of it."""
        self._may_leave_out = not on
        # A list, since wrapt can look whether it is empty without running any Python.
        self._switch[:] = [True] if on else []

    @overload
    def span(self, schema_name: F, /) -> F: ...

    @overload
    def span(
        self,
        schema_name: str | None = None,
        payload: Mapping[str, Any] | None = None,
        *,
        parent: Span | Instance | Root | None = None,
        sensitive: bool | None = None,
        capture_input: bool | None = None,
        capture_output: bool | None = None,
        title: str | None = None,
        description: str | None = None,
        template: str | None = None,
        risk: Risk | DataRisk | Mapping[str, Any] | None = None,
        params: Any = None,
        result: Any = None,
        ignore: tuple[str, ...] | None = None,
        reduce: Callable[[list[Any]], Any] | None = None,
        started_at: datetime.datetime | None = None,
    ) -> Span: ...

    def span(
        self,
        schema_name: Any = None,
        payload: Mapping[str, Any] | None = None,
        **options: Any,
    ) -> Any:
        """Return one step of a run: a block (sync or async) or a decorator.

        As a decorator it records the arguments as payload and the return value as result; for a
        generator, the items that it yields.

        Args:
            schema_name: Name of the span's type; a decorated function's qualified name when
                missing.
            payload: What goes into a block: any mapping, copied when the block is entered.
            parent: Span or instance to nest in, or `ROOT` for the top of the run; when missing, the
                span that the code is in.
            sensitive: Ask the service to store apart those values of payload and result that are
                marked as sensitive (`sensitive_encoding` of its API). It hides nothing on the way
                there; redaction does, see docs/privacy.md.
            capture_input: Record the arguments of a decorated function; the setting
                `capture_inputs` when missing.
            capture_output: Record what a decorated function returns; the setting
                `capture_outputs` when missing.
            title: Human-readable name of the span's type, such as ``"Train search"``.
            description: What such a step does; the first line of a decorated function's docstring
                when missing.
            template: Liquid one-liner over the fields of payload and result, such as
                ``"{{ model }}: {{ tokens }} tokens"``; it becomes the span's summary.
            risk: Risk that such a step carries: a `Risk`, a `DataRisk` or a mapping like one.
            params: What the payload looks like: a JSON schema, a pydantic model or a type; of a
                decorated function, what its annotations say when missing.
            result: What the result looks like, in the same ways.
            ignore: Names of arguments of a decorated function that are not recorded.
            reduce: Makes the result of a decorated generator from the list of its items, which are
                then all kept; without it the first 16 and the last 16 are.
            started_at: When it began, an aware datetime; when missing, the time of its entry.
            **options: The arguments from `parent` on, which most spans do without.

        Raises:
            UsageError: `schema_name` is empty, `payload` is not a mapping, an argument is unknown,
                `risk` has a word that the platform does not know, `params` or `result` is no
                schema, `template` leaves something open or names a field that there cannot be, or
                what is decorated is not a function.
        """
        home = self._home
        # Three ways, the quickest first: a span that will not be recorded, a plain one, any other.
        if home._may_leave_out and not options and (not home._switch or is_left_out(home)):
            if payload is not None:
                check_mapping(payload, "the payload of a span must be")
            try:
                return home._idles[schema_name]
            except (KeyError, TypeError):  # what is no name
                pass
        elif (
            not options
            and type(schema_name) is str
            and schema_name
            and (payload is None or type(payload) is dict)
        ):
            return plain_span(home, schema_name, payload)
        return self._span_with(schema_name, payload, **options)

    def _span_with(
        self, schema_name: Any, payload: Any, *, parent: Any = None, **options: Any
    ) -> Any:
        """Return a span with options, or whose name has to be checked; or decorate with one."""
        home = self._home
        if is_decorated(schema_name):  # @span without parentheses
            return Span(home, None)(schema_name)
        if schema_name is not None:
            if not issubclass(type(schema_name), str) or not schema_name:
                _refuse_name(schema_name)
            schema_name = str.__str__(schema_name)
        if not (options or home._switch) and schema_name and payload is None:
            return home._idles[schema_name]
        said = self._registry.options(schema_name, options) if options else None
        return Span(home, schema_name, payload, parent, said)

    def start_span(
        self,
        schema_name: str,
        payload: Mapping[str, Any] | None = None,
        *,
        parent: Span | Instance | Root | None = None,
        **options: Unpack[BlockOptions],
    ) -> Span:
        """Begin a span that other code ends, from any thread, and return it.

        It does not become the current span. End it with `complete`, `fail` or `cancel`.

        Args:
            schema_name: Name of the span's type.
            payload: What goes in: any mapping, copied now.
            parent: As of `span`.
            **options: As of `span`: `sensitive`, `title`, `description`, `template`, `risk`,
                `params`, `result` and `started_at`.

        Raises:
            UsageError: As `span`.
        """
        said: dict[str, Any] = {**options}
        if parent is not None:
            said["parent"] = parent
        span = self.span(schema_name, payload, **said)
        if not isinstance(span, Span) or not schema_name:
            _refuse_name(schema_name)
        try:
            span._start(innermost())
        except BaseException as error:
            span._end_with(error)  # the caller, who would end it, does not get it
            raise
        return span

    @overload
    def trace_stream(
        self,
        iterator: Iterator[T] | Iterable[T],
        schema_name: str = "stream",
        payload: Mapping[str, Any] | None = None,
        *,
        parent: Span | Instance | Root | None = None,
        reduce: Callable[[list[T]], Any] | None = None,
    ) -> Generator[T, Any, Any]: ...

    @overload
    def trace_stream(
        self,
        iterator: AsyncIterator[T] | AsyncIterable[T],
        schema_name: str = "stream",
        payload: Mapping[str, Any] | None = None,
        *,
        parent: Span | Instance | Root | None = None,
        reduce: Callable[[list[T]], Any] | None = None,
    ) -> AsyncGenerator[T, Any]: ...

    def trace_stream(
        self,
        iterator: Any,
        schema_name: str = "stream",
        payload: Mapping[str, Any] | None = None,
        *,
        parent: Span | Instance | Root | None = None,
        reduce: Callable[[list[Any]], Any] | None = None,
    ) -> Any:
        """Return an iterator, or async iterator, wrapped so that reading it is a span.

        For one that was made elsewhere, such as the body of a streaming response. The parent is the
        span that the code is in now, wherever it is read later. The span lasts from the first item
        to the last.

        Args:
            iterator: What to read. It is closed when the returned one is.
            schema_name: Name of the span's type.
            payload: What went in: any mapping, copied now.
            parent: As of `span`.
            reduce: As of `span`, of a decorated generator.

        Raises:
            UsageError: `iterator` is neither, or as `span`.
        """
        is_async = hasattr(type(iterator), "__aiter__")
        if not is_async and not hasattr(type(iterator), "__iter__"):
            raise UsageError(
                f"trace_stream takes an iterator or an async iterator,"
                f" got {type(iterator).__qualname__}"
            )
        span = self.span(schema_name, payload, parent=parent, reduce=reduce)
        body = iterator.__aiter__() if is_async else iter(iterator)
        if self._home._get_pipeline() is None and isinstance(body, (Generator, AsyncGenerator)):
            return body  # untraced, a generator is itself all that was asked for
        span._prepare(innermost())
        output = Output(reduce, wanted=self._home._get_settings().capture_outputs)
        return (drive_async if is_async else drive)(Steps(span, output), body)


def _refuse_name(schema_name: object) -> None:
    raise UsageError(
        f"the schema_name of a span must be text such as 'tool_call', got {schema_name!r}"
    )
