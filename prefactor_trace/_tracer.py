"""Tracers: settings, span types and a pipeline, wired together."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from prefactor_trace import _exits, _guard
from prefactor_trace._ambient import Ambient
from prefactor_trace._context import current_instance
from prefactor_trace._pfid import PfidSource, is_pfid, partition_of
from prefactor_trace._quality import record_quality
from prefactor_trace._settings import Settings, load_settings
from prefactor_trace._surface import Surface
from prefactor_trace._untraced import run_untraced
from prefactor_trace._version import SDK
from prefactor_trace.exceptions import UsageError

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from prefactor_trace._home import Home
    from prefactor_trace._instance import Instance
    from prefactor_trace._pipeline import Pipeline
    from prefactor_trace._setting_types import GivenSettings
    from prefactor_trace.receipts import Receipt, Stats


class Tracer(Surface):
    """Records to one place, with settings, span types, thread and ambient instance of its own.

    Args:
        **settings: As of `configure`.

    Raises:
        SettingsError: A setting is unknown or cannot be used.
    """

    def __init__(self, **settings: Unpack[GivenSettings]) -> None:
        self._set_up(load_settings(settings), self)

    @classmethod
    def _at(cls, home: Home, settings: Settings, pipeline: Pipeline | None = None) -> Tracer:
        """Return a tracer for another object's spans: the default one's, which outlives it."""
        tracer = cls.__new__(cls)
        tracer._set_up(settings, home, pipeline)
        return tracer

    def _set_up(self, settings: Settings, home: Home, pipeline: Pipeline | None = None) -> None:
        # Not with the library, which most programs import without making a tracer at once.
        from prefactor_trace._variables import warn_of_unknown

        _guard.set_log_level(settings.log_level)
        warn_of_unknown()
        self._home = home
        if home is self:
            self._become_home()
        else:
            self._registry = home._registry
        self._settings = settings
        known = settings.agent_id
        self._ids = PfidSource(partition_of(known) if known and is_pfid(known) else None)
        self._pipeline: Pipeline | None = None
        self._ambient = Ambient(home)
        self._former: list[Tracer] = []  # that this one has replaced, and whose runs go on
        home._set_recording(on=settings.off_reason is None)
        if settings.off_reason is None:
            on_start = _watch_ends(settings)
            self._pipeline = pipeline or _make_pipeline(settings, home, on_start)
            _exits.add(self)
        else:
            # Whoever switched it off, or runs tests, need not be warned.
            is_meant = settings.offline or not settings.enabled
            _guard.log_once(
                logging.INFO if is_meant else logging.WARNING,
                settings.off_reason,
                "prefactor_trace: tracing is off: %s",
                settings.off_reason,
            )

    def __del__(self) -> None:
        # All of its records have arrived: whatever is on its way keeps its tracer alive.
        pipeline: Pipeline | None = self.__dict__.get("_pipeline")  # none if a setting was refused
        if pipeline is not None and self._home is self:  # or its heir may have it by now
            pipeline.let_go()

    def __reduce__(self) -> Any:
        raise UsageError(
            "a Tracer cannot be sent to another process; what uses the default tracer (configure)"
            " can, and inject() with attach() carries a run to a tracer made there"
        )

    def __repr__(self) -> str:
        settings = self.__dict__.get("_settings")
        if settings is None or settings.off_reason is not None:
            return f"<Tracer off: {'it was refused' if settings is None else settings.off_reason}>"
        agent = f"{settings.agent_id!r} " if settings.agent_id else ""
        place = settings.local_db or "the local database" if settings.local else settings.api_url
        return f"<Tracer {agent}to {place}>"

    # What spans and instances ask of their home, see `Home`

    def _get_pipeline(self) -> Pipeline | None:
        return self._pipeline

    def _get_settings(self) -> Settings:
        return self._settings

    def _new_id(self) -> str:
        return self._ids()

    def _get_ambient(self) -> Instance | None:
        is_kept = self._pipeline is not None and self._settings.ambient
        return self._ambient.get() if is_kept else None

    # What the user may ask

    def flush(self, timeout: float | None = None) -> Receipt:
        """Wait until all that was recorded before this call has arrived.

        Args:
            timeout: Seconds to wait at most; 30 when ``None``.

        Returns:
            A receipt, true only when all of that has arrived.
        """
        return self._ask_all(lambda pipeline, left: pipeline.flush(left), timeout)

    async def aflush(self, timeout: float | None = None) -> Receipt:
        """Flush without holding up the event loop (asyncio).

        Args:
            timeout: Seconds to wait at most; 30 when ``None``.

        Returns:
            A receipt, true only when all that was recorded before this call has arrived.
        """
        if self._pipeline is None and not self._former:
            return _no_receipt()
        from prefactor_trace._pipeline.waiting import in_thread

        return await in_thread(lambda: self.flush(timeout))

    def shutdown(self, timeout: float | None = None) -> Receipt:
        """Finish the ambient instance, flush, stop the thread and close the connections.

        Recording afterwards is fine: it starts them again.

        Args:
            timeout: Seconds to wait at most; 30 when ``None``.

        Returns:
            A receipt, true only when all that was recorded before this call has arrived.
        """
        self._ambient.end()
        return self._ask_all(lambda pipeline, left: pipeline.shutdown(left), timeout)

    def _ask_all(
        self, ask: Callable[[Pipeline, float | None], Receipt], timeout: float | None
    ) -> Receipt:
        """Ask the pipeline, and those that runs from before a `configure` still record into."""
        receipt, begin = None, time.monotonic()
        for tracer in (self, *self._former):
            if tracer._pipeline is not None:
                left = None if timeout is None else max(0.0, begin + timeout - time.monotonic())
                asked = ask(tracer._pipeline, left)
                receipt = asked if receipt is None else receipt._and(asked)
        self._former = [
            one for one in self._former if one._has_open_runs or not one._settle(0.0).is_settled
        ]
        return _no_receipt() if receipt is None else receipt

    def _succeed(self, before: Tracer) -> None:
        """Take the place of a tracer, and remember it for flushes as long as runs of it go on."""
        self._former = before._former
        if before._pipeline is not self._pipeline and before._has_open_runs:
            self._former = [before, *before._former]

    @property
    def _has_open_runs(self) -> bool:
        """Whether runs that have not ended record into the pipeline of this very tracer."""
        pipeline = self._pipeline
        return pipeline is not None and any(
            run._recorded and run._buffer.leads_to(pipeline.buffer) for run in self._home._open_runs
        )

    def _settle(self, timeout: float | None = None) -> Receipt:
        """Deliver what was recorded here, and let go; wait as long as an exit may, if not told."""
        if self._pipeline is None:
            return _no_receipt()
        self._ambient.end()
        return self._pipeline.shutdown(self._exit_timeout if timeout is None else timeout)

    def stats(self) -> Stats:
        """Return what became of the spans so far."""
        if self._pipeline is None:
            from prefactor_trace.receipts import Stats

            return Stats(0, 0, 0, 0, 0)
        return self._pipeline.stats()

    def record_quality(self, name: str, payload: Mapping[str, Any] | None) -> None:
        """Record how good the current run was, under a name that `declare_quality` has declared.

        Args:
            name: Name of the quality schema.
            payload: The judgement, a mapping; ``None`` removes the record of that name.

        Raises:
            UsageError: `name` is empty, or `payload` is not a mapping.
        """
        instance = current_instance()
        if instance is None or instance._home is not self._home:
            instance = self._get_ambient()
        record_quality(instance, name, payload)

    @property
    def _exit_timeout(self) -> float:
        """Seconds that the end of the process may wait for delivery."""
        return self._settings.exit_timeout

    def _hasten(self, timeout: float) -> None:
        """Deliver what there is, and from now on at once what comes; end no run."""
        if self._pipeline is not None:
            self._pipeline.hasten(timeout)

    def _end_at_exit(self, reason: str, timeout: float) -> None:
        """Deliver what is left; what is still open ends as failed, for the reason given."""
        if self._pipeline is None:
            return
        try:
            self._ambient.end()
            for run in self._home._open_runs:
                run._keep()  # nobody will end it: it counts as failed
        except Exception as error:  # noqa: BLE001
            _guard.log_fault("ending runs at exit", error)
        self._pipeline.shutdown(timeout, closing=reason)
        if self._settings.session is None:  # or `prefactor-trace run` says it, with the rest
            self._pipeline.say_dropped()

    def _cease(self) -> bool:
        """Deliver nothing more in this process; return whether something is left."""
        return self._pipeline is not None and self._pipeline.cease()

    def _say_lost(self, timeout: float) -> None:
        """Say what is left, once what is on its way is answered or after `timeout` seconds."""
        if self._pipeline is not None:
            self._pipeline.say_lost(timeout)

    def _before_fork(self) -> None:
        """Prepare for a fork of the process."""
        if self._pipeline is not None:
            self._pipeline.before_fork()

    def _after_fork_in_parent(self) -> None:
        """Go on after a fork of the process."""
        if self._pipeline is not None:
            self._pipeline.after_fork_in_parent()

    def _after_fork(self) -> None:
        """Begin anew in a forked child."""
        self._ids.reset()
        self._ambient.forget()
        for run in self._home._open_runs:
            run._leave_to_parent()
        if self._pipeline is not None:
            self._pipeline.after_fork()


def _watch_ends(settings: Settings) -> Callable[[], None]:
    """Handle signals where that is asked for; return what to call when a thread starts."""
    if not settings.handle_signals:
        return _exits.watch
    from prefactor_trace import _signals

    # What belongs to a session has it from `prefactor-trace run`, and was not asked.
    return _signals.watch(is_asked=settings.session is None)


def _make_pipeline(settings: Settings, home: Home, on_start: Callable[[], None]) -> Pipeline:
    # Only here: programs in which tracing is off do without half of this library.
    from prefactor_trace._pipeline import Pipeline
    from prefactor_trace._transport import open_transport, target_of

    return Pipeline(
        settings,
        home._registry,
        open_transport(settings, SDK),
        target=target_of(settings),
        open_runs=home._open_runs,
        on_start=on_start,
        run_untraced=run_untraced,
    )


def tracers() -> list[Tracer]:
    """Return the tracers of this process that record."""
    return [one for one in _exits.leavers() if isinstance(one, Tracer)]


def _no_receipt() -> Receipt:
    """Return the receipt of a tracer that records nothing."""
    from prefactor_trace.receipts import Receipt  # loaded with the pipeline, which there is not

    return Receipt(delivered=0, rejected=(), dropped=0, pending=0)
