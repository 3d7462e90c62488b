"""What a tracer offers to record with: `instance`, `span`, `start_span` and the declarations.

The default tracer and every other are each a surface; what they make finds its tracer by its home.
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
from typing import TYPE_CHECKING, Any, Literal, TypeVar, overload

from prefactor_trace._attached import Attachment, attach_to, attach_to_environment
from prefactor_trace._context import innermost
from prefactor_trace._frames import calling_file
from prefactor_trace._generate import Steps, drive, drive_async
from prefactor_trace._home import OpenRuns
from prefactor_trace._idle import Idles, is_left_out
from prefactor_trace._instance import Instance
from prefactor_trace._instance_options import InstanceOptions
from prefactor_trace._nearest import hint
from prefactor_trace._output import Output
from prefactor_trace._plain import plain_span
from prefactor_trace._record import check_mapping
from prefactor_trace._schema import QualityType, Registry, SpanType, read_risk
from prefactor_trace._span import Span
from prefactor_trace._termination import check_callback
from prefactor_trace._untraced import Root
from prefactor_trace.exceptions import UsageError

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from prefactor_trace._home import Home
    from prefactor_trace._schema import Risk
    from prefactor_trace._schema.options import BlockOptions
    from prefactor_trace.models import DataRisk, InstancePurpose

F = TypeVar("F", bound=Callable[..., Any])
C = TypeVar("C", bound=Callable[[Instance], object])
T = TypeVar("T")

TerminationMode = Literal["continue", "raise"]


class Surface:
    """What the default tracer and every other offer to record with."""

    _may_leave_out = False
    _home: Home  # of the spans and instances made here

    def _become_home(self) -> None:
        """Get what a home has: `_home` is this object itself."""
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
    def instance(self, agent_id: F, /) -> F: ...

    @overload
    def instance(
        self,
        agent_id: str | None = None,
        *,
        version: str | None = None,
        name: str | None = None,
        description: str | None = None,
        environment_id: str | None = None,
        external_identifier: str | None = None,
        purpose: InstancePurpose | None = None,
        id: str | None = None,
        on_terminate: TerminationMode | None = None,
        risk: Risk | DataRisk | Mapping[str, Any] | None = None,
    ) -> Instance: ...

    def instance(
        self,
        agent_id: Any = None,
        *,
        version: str | None = None,
        name: str | None = None,
        description: str | None = None,
        environment_id: str | None = None,
        external_identifier: str | None = None,
        purpose: InstancePurpose | None = None,
        id: str | None = None,
        on_terminate: TerminationMode | None = None,
        risk: Risk | DataRisk | Mapping[str, Any] | None = None,
        **unknown: Any,
    ) -> Any:
        """Return one run of an agent: a block (sync or async) or a decorator.

        Args:
            agent_id: Agent that runs; the setting `agent_id` when missing. With a deployment's
                token neither is needed.
            version: Version of the agent; when missing the setting `version`, else the git commit
                of the code, else the version of its distribution.
            name: Human-readable name of that version; the setting `agent_name` when missing.
            description: What that version is.
            environment_id: Environment to run in; the setting `environment_id` when missing, else
                that of the token.
            external_identifier: Your own name for this run, unique per agent.
            purpose: Why it runs: ``"live"``, ``"smoke_test"`` or ``"eval"``; the setting `purpose`
                when missing.
            id: PFID of the run, for a run whose id has to be known beforehand; made when missing.
            on_terminate: What happens when the platform ends the run: ``"continue"`` or ``"raise"``
                (`PrefactorTerminated`, where its next span begins); the setting `on_terminate` when
                missing.
            risk: Risk of the span types that declare none: a `Risk`, a `DataRisk` or a mapping
                like one.
            **unknown: Refused, with the nearest known name.

        Raises:
            UsageError: `id` is not a PFID, `purpose`, `on_terminate` or `risk` has an unknown word,
                an argument is unknown, or what is decorated is not a function.
        """
        for word in unknown:
            known = set(InstanceOptions._fields) - {"source"}  # which is nobody's to give
            raise UsageError(f"instance got an unknown argument {word!r}{hint(word, known)}")
        if _is_decorated(agent_id):  # @instance without parentheses
            return Instance(self._home, InstanceOptions(source=calling_file()))(agent_id)
        options = InstanceOptions(
            agent_id, version, name, description, environment_id, external_identifier, purpose,
            id, on_terminate, read_risk(risk), calling_file(),
        )  # fmt: skip
        options.check()
        return Instance(self._home, options)

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

        As a decorator it records the arguments as payload and what is returned as result; of a
        generator, the items that it gives.

        Args:
            schema_name: Name of the span's type; a decorated function's qualified name when
                missing.
            payload: What goes into a block: any mapping, copied when the block is entered.
            parent: Span or instance to nest in, or `ROOT` for the top of the run; the one that the
                code is in when missing.
            sensitive: Ask the service to keep values of payload and result that are marked as
                sensitive apart (`sensitive_encoding` of its API). Nothing is hidden by it on the
                way there: that is what redaction is for, see docs/privacy.md.
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
            started_at: When it began, an aware datetime; when it is entered, if missing.
            **options: The arguments from `parent` on, which most spans do without.

        Raises:
            UsageError: `schema_name` is empty, `payload` is not a mapping, an argument is unknown,
                `risk` has a word that the platform does not know, `params` or `result` is no
                schema, `template` leaves something open or names a field that there cannot be, or
                what is decorated is not a function.
        """
        home = self._home
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
        """Return a span of which more is said than its name and a payload, or decorate with one."""
        home = self._home
        if _is_decorated(schema_name):  # @span without parentheses
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
        """Return a span that has begun, for code that ends it elsewhere, from any thread.

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
            span._end_with(error)  # nobody has it who could
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
        """Return an iterator, or async iterator, made elsewhere so that reading it is a span.

        Its parent is the span that the code is in now, wherever it is read later: the body of a
        streaming response for example. The span begins with the first item, and lasts to the last.

        Args:
            iterator: What gives the items. It is closed with what is returned.
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
            return body  # it does all that is promised of what is returned
        span._fix(innermost())
        output = Output(reduce, wanted=self._home._get_settings().capture_outputs)
        return (drive_async if is_async else drive)(Steps(span, output), body)

    def on_terminate(self, callback: C) -> C:
        """Have `callback` called with each instance that the platform ends.

        It is called on the background thread, which delivers nothing meanwhile. What it raises is
        logged. May be put on a function as a decorator.

        Args:
            callback: A plain function, no coroutine function, that takes the instance.

        Raises:
            UsageError: It cannot be called.
        """
        check_callback(callback)
        self._home._on_terminate_callbacks.append(callback)
        for run in self._home._open_runs:
            run._ask_sooner()
        return callback

    def attach(self, carrier: Mapping[str, str] | None) -> Attachment:
        """Return a block (sync or async) in the run and the span that `inject` wrote down.

        What begins inside is nested there. The run stays the other process's, which finishes it.
        A carrier that tells of no run, or is malformed, changes nothing. It is trusted for no more
        than where spans are put: hand on only what comes from your own services.

        Args:
            carrier: Headers of a request or of a message; their case does not matter.

        Raises:
            UsageError: `carrier` is no mapping.
        """
        return attach_to(self._home, carrier)

    def attach_env(self) -> Attachment:
        """Return a block in the run that the process which started this one was in.

        That process passed on the variables of `inject_env`. Otherwise as `attach`.
        """
        return attach_to_environment(self._home)

    def declare(
        self,
        schema_name: str,
        *,
        params: Any = None,
        result: Any = None,
        title: str | None = None,
        description: str | None = None,
        template: str | None = None,
        risk: Risk | DataRisk | Mapping[str, Any] | None = None,
    ) -> None:
        """Declare a span type before it is used; instances that begin later register it.

        Args:
            schema_name: Name of the type.
            params: What the payload looks like: a JSON schema, a pydantic model or a type.
            result: What the result looks like, in the same ways.
            title: Human-readable name.
            description: What such a step does.
            template: As of `span`.
            risk: As of `span`.

        Raises:
            UsageError: The name is empty, a schema is neither a JSON schema nor a type, `risk` has
                an unknown word, `template` leaves something open or names a field that the schemas
                lack, or the type was declared otherwise elsewhere.
        """
        declared = SpanType(params, result, title, description, template, read_risk(risk))
        self._registry.declare(schema_name, declared)

    def declare_quality(
        self,
        name: str,
        schema: Any = None,
        *,
        title: str | None = None,
        description: str | None = None,
        template: str | None = None,
        risk: Risk | DataRisk | Mapping[str, Any] | None = None,
    ) -> None:
        """Declare a quality schema, so that `record_quality` may use its name.

        Args:
            name: Name of the schema.
            schema: What a record looks like: a JSON schema, a pydantic model or a type.
            title: Human-readable name.
            description: What is judged.
            template: Liquid one-liner over the fields of the record.
            risk: Risk that the record carries, as of `span`.

        Raises:
            UsageError: As `declare`.
        """
        declared = QualityType(schema, title, description, template, read_risk(risk))
        self._registry.declare_quality(name, declared)


def _is_decorated(given: object) -> bool:
    """Return whether the first argument is what a decorator without parentheses decorates."""
    # Also what cannot be decorated, such as a `cached_property`: the error can then say so.
    return callable(given) or hasattr(type(given), "__get__")


def _refuse_name(schema_name: object) -> None:
    raise UsageError(
        f"the schema_name of a span must be text such as 'tool_call', got {schema_name!r}"
    )
