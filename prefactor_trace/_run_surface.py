"""What a tracer offers for runs: to begin one, to join one, to hear of its end, to declare.

What is declared is registered with each run that begins afterwards.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Literal, TypeVar, overload

from prefactor_trace._attached import Attachment, attach_to
from prefactor_trace._frames import calling_file
from prefactor_trace._instance import Instance
from prefactor_trace._instance_options import InstanceOptions
from prefactor_trace._schema import QualityType, SpanType, read_risk
from prefactor_trace._termination import check_callback

if TYPE_CHECKING:
    from prefactor_trace._home import Home
    from prefactor_trace._schema import Registry, Risk
    from prefactor_trace.models import DataRisk, InstancePurpose

F = TypeVar("F", bound=Callable[..., Any])
C = TypeVar("C", bound=Callable[[Instance], object])


class RunSurface:
    """What the default tracer and every other offer for runs."""

    _home: Home  # of the spans and instances made here
    _registry: Registry

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
        on_terminate: Literal["continue", "raise"] | None = None,
        risk: Risk | DataRisk | Mapping[str, Any] | None = None,
    ) -> Instance: ...

    def instance(self, agent_id: Any = None, **options: Any) -> Any:
        """Return one run of an agent: a block (sync or async) or a decorator.

        Args:
            agent_id: Agent that runs: its id on the platform, or any text in local mode; the
                setting `agent_id` when missing. A deployment's token needs neither.
            version: Version of the agent; when missing the setting `version`, else the git commit
                of the code, else the version of its distribution.
            name: Human-readable name of that version; the setting `agent_name` when missing.
            description: What that version is.
            environment_id: Environment to run in; the setting `environment_id` when missing, else
                that of the token.
            external_identifier: Your own name for this run, unique per agent.
            purpose: Why it runs: ``"live"``, ``"smoke_test"`` or ``"eval"``; the setting `purpose`
                when missing.
            id: PFID of the run, if you have to know it beforehand; made when missing.
            on_terminate: What happens when the platform ends the run: ``"continue"`` or ``"raise"``
                (`PrefactorTerminated`, where its next span begins); the setting `on_terminate` when
                missing.
            risk: Risk of the span types that declare none: a `Risk`, a `DataRisk` or a mapping
                like one.
            **options: The arguments from `version` on.

        Raises:
            UsageError: `id` is not a PFID, `purpose`, `on_terminate` or `risk` has an unknown word,
                an argument is unknown, or what is decorated is not a function.
        """
        if is_decorated(agent_id):  # @instance without parentheses
            return Instance(self._home, InstanceOptions(source=calling_file()))(agent_id)
        return Instance(self._home, InstanceOptions.of(agent_id, options))

    def on_terminate(self, callback: C) -> C:
        """Have `callback` called with each instance that the platform ends.

        It is called on the background thread, which delivers nothing meanwhile, so keep it short.
        What it raises is logged. Works as a decorator, too.

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
        """Return a block (sync or async) that goes on in the run and span that `inject` wrote.

        Spans that begin inside are nested there. The process that began the run finishes it. A
        carrier that names no run, or is malformed, changes nothing. A well-formed one decides only
        where spans are put; still, pass on only what comes from your own services.

        Args:
            carrier: Headers of a request or of a message; their case does not matter.

        Raises:
            UsageError: `carrier` is not a mapping.
        """
        return attach_to(self._home, carrier)

    def attach_env(self) -> Attachment:
        """Return a block that goes on in the run of the process that started this one.

        That process passed the variables of `inject_env`. Otherwise as `attach`.
        """
        return attach_to(self._home, os.environ)

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
        """Declare a quality schema, under a name that `record_quality` then takes.

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


def is_decorated(given: object) -> bool:
    """Return whether the first argument is what a decorator without parentheses decorates."""
    # Also what cannot be decorated, such as a `cached_property`: the error can then say so.
    return callable(given) or hasattr(type(given), "__get__")
