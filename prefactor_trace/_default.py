"""The default tracer, and the functions of the module that use it.

`default` is the library's only mutable global. The module's functions are its methods, so that
`prefactor.span(...)` and `tracer.span(...)` are one thing.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from prefactor_trace import _guard
from prefactor_trace._instance import Instance
from prefactor_trace._locks import make_lock
from prefactor_trace._settings import Settings, load_settings
from prefactor_trace._surface import Surface
from prefactor_trace._tracer import Tracer

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from prefactor_trace._pipeline import Pipeline
    from prefactor_trace._setting_types import GivenSettings
    from prefactor_trace.receipts import Receipt, Stats


class Default(Surface):
    """The home of the module's functions: the default tracer, made when first needed."""

    def __init__(self) -> None:
        self._home = self
        self._become_home()
        self._lock = make_lock()
        self._tracer: Tracer | None = None

    def __reduce__(self) -> str:
        return "default"  # in each process its own

    def tracer(self) -> Tracer:
        """Return the default tracer, made from the environment where `configure` was not called."""
        tracer = self._tracer
        if tracer is None:
            with self._lock:
                if self._tracer is None:
                    self._tracer = Tracer._at(self, _settings_of_environment())
                tracer = self._tracer
        return tracer

    def replace(self, settings: Settings) -> Tracer:
        """Put a tracer with `settings` in the place of the one before, which is flushed.

        What cannot be delivered now, for example since its token is refused, is taken over where
        it goes to the same place, and given up where it does not.
        """
        from prefactor_trace._transport import target_of

        with self._lock:
            before, left = self._tracer, None
            if before is not None and not before._settle().is_settled:
                left = before._pipeline
            is_heir = left is not None and target_of(settings) == left.target
            self._tracer = tracer = Tracer._at(self, settings, left if is_heir else None)
            if before is not None:
                tracer._succeed(before)
        if left is not None and tracer._pipeline is left:
            left.renew(settings)
        elif left is not None:
            left.give_up("replaced")
        elif before is not None:
            before._settle()  # what came in the meantime
        return tracer

    # What spans and instances ask of their home, see `Home`

    def _get_pipeline(self) -> Pipeline | None:
        # Mostly without the call: each call of a decorated function asks.
        return (self._tracer or self.tracer())._pipeline

    def _get_settings(self) -> Settings:
        return (self._tracer or self.tracer())._settings

    def _new_id(self) -> str:
        return (self._tracer or self.tracer())._ids()

    def _get_ambient(self) -> Instance | None:
        return self.tracer()._get_ambient()


def _settings_of_environment() -> Settings:
    # Read at the first use, deep inside the agent: a wrong variable must not raise there.
    try:
        return load_settings({})
    except ValueError as error:
        _guard.logger.error("prefactor_trace: tracing is off: %s", error)
        return Settings(enabled=False)


default = Default()

instance = default.instance
span = default.span
start_span = default.start_span
trace_stream = default.trace_stream
on_terminate = default.on_terminate
attach = default.attach
attach_env = default.attach_env
declare = default.declare
declare_quality = default.declare_quality


def configure(**settings: Unpack[GivenSettings]) -> Tracer:
    """Set the default tracer; called again, flush it and replace it.

    Args:
        **settings: Those that docs/settings.md lists. Each wins over its environment variable.

    Returns:
        The default tracer.

    Raises:
        SettingsError: A setting is unknown or cannot be used. The tracer before stays in use.
    """
    return default.replace(load_settings(settings))


def flush(timeout: float | None = None) -> Receipt:
    """Wait until all that the default tracer recorded before this call has arrived.

    Args:
        timeout: Seconds to wait at most; 30 when ``None``.

    Returns:
        A receipt, true only when all of that has arrived.
    """
    return default.tracer().flush(timeout)


async def aflush(timeout: float | None = None) -> Receipt:
    """Flush the default tracer without holding up the event loop (asyncio).

    Args:
        timeout: Seconds to wait at most; 30 when ``None``.

    Returns:
        A receipt, true only when all that was recorded before this call has arrived.
    """
    return await default.tracer().aflush(timeout)


def shutdown(timeout: float | None = None) -> Receipt:
    """Flush the default tracer, stop its thread and close its connections.

    Recording afterwards is fine: it starts them again.

    Args:
        timeout: Seconds to wait at most; 30 when ``None``.

    Returns:
        A receipt, true only when all that was recorded before this call has arrived.
    """
    return default.tracer().shutdown(timeout)


def stats() -> Stats:
    """Return what became of the default tracer's spans so far."""
    return default.tracer().stats()


def record_quality(name: str, payload: Mapping[str, Any] | None) -> None:
    """Record how good the current run was, under a name that `declare_quality` has declared.

    Args:
        name: Name of the quality schema.
        payload: The judgement, a mapping; ``None`` removes the record of that name.

    Raises:
        UsageError: `name` is empty, or `payload` is not a mapping.
    """
    default.tracer().record_quality(name, payload)
