"""The recorder: what an agent did, for a test to assert. With or without pytest."""

from __future__ import annotations

import dataclasses
import json
import os
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Literal

from prefactor_trace import Tracer, _exits, _guard, _tracer
from prefactor_trace._clock import Clock
from prefactor_trace._context import current
from prefactor_trace._pfid import PfidSource
from prefactor_trace._settings import Settings, load_settings
from prefactor_trace._transport import open_transport
from prefactor_trace._transport.local import LocalTransport
from prefactor_trace._transport.offline import listen, stop_listening
from prefactor_trace._version import SDK
from prefactor_trace.receipts import Stats
from prefactor_trace.testing import checks
from prefactor_trace.testing.assertions import Assertions
from prefactor_trace.testing.capture import Capture
from prefactor_trace.testing.deterministic import CountingClock, CountingIds
from prefactor_trace.testing.observer import Observer
from prefactor_trace.testing.replay import Replay, read_recorded
from prefactor_trace.testing.spans import RecordedInstance, RecordedSpan

if TYPE_CHECKING:
    from typing_extensions import Self

    from prefactor_trace.models import BulkRequest

_OFFLINE, _API_TOKEN = "PREFACTOR_OFFLINE", "PREFACTOR_API_TOKEN"
_OUTCOME = "test_outcome"
_SETTLE = 5.0
_WITH_FAULTS = 1.0  # some of which are never got over
_TOKEN = "recorded-by-a-test"  # noqa: S105  # opens nothing


class Recorder(Assertions):
    """Records what the default tracer sends, and sends none of it.

    What it shows was redacted, cut and serialised as always: it is what the service would have
    got. Reading settles what is still under way; there is nothing to flush.

    Args:
        live: Whether it is delivered as well.
        **settings: As of `configure`, for the time of the recording.
    """

    def __init__(self, *, live: bool = False, **settings: Any) -> None:
        self._given = settings
        self._live = live
        self._capture = Capture()
        self._observer = Observer()
        self._faults: list[tuple[str, BaseException]] = []
        self._undo: list[Callable[[], object]] = []
        self._tracer: Tracer | None = None
        self._before: Tracer | None = None
        self._is_stopped = False

    def start(self) -> None:
        """Begin to record."""
        settle()  # what was recorded before is not this recorder's
        default = _tracer._default
        before = default._tracer, default.is_off, default.is_quiet
        callbacks = list(default.on_terminate_callbacks)
        node, log_fault = current.get(), _guard.log_fault
        default.registry.note_quality(_OUTCOME)
        if self._live and not default.tracer().settings().off_reason:
            self._capture.forward = open_transport(default.tracer().settings(), SDK)
        self.started_before = {one: one.stats().started for one in _tracers()}
        # Whatever the code under test configures is recorded too, without an account.
        environ = {name: os.environ.get(name) for name in (_OFFLINE, _API_TOKEN)}
        os.environ[_OFFLINE] = "1"
        os.environ.setdefault(_API_TOKEN, _TOKEN)
        listen(self._capture)
        self._observer.start()
        current.set(None)

        def note_fault(kind: str, error: BaseException) -> None:
            self._faults.append((kind, error))
            log_fault(kind, error)

        def put_back() -> None:
            default._tracer, default.is_off, default.is_quiet = before
            default.on_terminate_callbacks[:] = callbacks
            _guard.log_fault = log_fault
            current.set(node)
            for name, value in environ.items():
                os.environ.pop(name, None)
                if value is not None:
                    os.environ[name] = value

        _guard.log_fault = note_fault
        self._undo = [put_back, self._observer.stop, lambda: stop_listening(self._capture)]
        self._before = before[0]
        default._tracer = self._tracer = Tracer._default(self._settings(), default)

    def stop(self) -> None:
        """Stop recording; everything is as it was before. What was recorded can be read on."""
        if self._is_stopped:
            return
        settle(self._patience)
        self._is_stopped = True
        made = _tracer._default._tracer
        while self._undo:
            self._undo.pop()()
        for tracer in {self._tracer, made}:
            if tracer is not None and tracer is not _tracer._default._tracer:
                tracer.shutdown(_WITH_FAULTS)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def configure(self, **settings: Any) -> None:
        """Change settings for the rest of the recording.

        Args:
            **settings: As of `prefactor_trace.configure`.

        Raises:
            SettingsError: A setting is unknown or cannot be used.
        """
        self._given = {**self._given, **settings}
        changed = self._settings()
        default = _tracer._default
        if default._tracer is not None:
            default._tracer.shutdown(_SETTLE)
        default._tracer = self._tracer = Tracer._default(changed, default)

    def _settings(self) -> Settings:
        before = self._before
        given = {
            "retry_first_delay": 0.01,
            "retry_max_delay": 0.05,
            **self._given,
            "offline": True,
            "enabled": True,
        }
        if before is None:
            settings = load_settings(given)
        else:
            checked = load_settings(given)
            settings = dataclasses.replace(
                before.settings(), **{name: getattr(checked, name) for name in given}
            )
        return dataclasses.replace(
            settings,
            api_token=settings.api_token or _TOKEN,
            spool_dir=None,
            sample_rate=self._given.get("sample_rate", 1.0),
        )

    # What was recorded

    @property
    def spans(self) -> list[RecordedSpan]:
        """Every span, in the order in which they began."""
        return self._read()[1]

    @property
    def roots(self) -> list[RecordedSpan]:
        """The spans at the top of their runs."""
        return [span for span in self.spans if span.parent is None]

    @property
    def instances(self) -> list[RecordedInstance]:
        """Every run, in the order in which they registered."""
        return self._read()[0]

    @property
    def requests(self) -> list[BulkRequest]:
        """The bodies that would have been sent, those that met a fault included."""
        from prefactor_trace.models import BulkRequest

        self._settle()
        return [
            BulkRequest.model_validate_json(json.dumps(content))
            for content in self._capture.requests
        ]

    @property
    def stats(self) -> Stats:
        """What became of the spans, as `prefactor_trace.stats` says it."""
        self._settle()
        return (_tracer._default._tracer or _tracer._default.tracer()).stats()

    @property
    def faults(self) -> list[tuple[str, BaseException]]:
        """Faults of the library itself: what was being done, and what went wrong."""
        return list(self._faults)

    @property
    def ended_twice(self) -> list[tuple[str, str]]:
        """Spans that were ended by hand after their end: name and ``file:line``."""
        return list(self._observer.ended_twice)

    def clear(self) -> None:
        """Forget what was recorded so far."""
        self._settle()
        self._capture.clear()

    def _read(self) -> tuple[list[RecordedInstance], list[RecordedSpan]]:
        self._settle()
        return self._capture.read(self._observer.origins)

    def _settle(self) -> None:
        if not self._is_stopped:
            settle(self._patience)

    @property
    def _patience(self) -> float:
        return _WITH_FAULTS if self._capture.has_met_faults else _SETTLE

    # For the end of a test

    def mark(self) -> int:
        """Return how many spans have begun, for `unsound` to leave them out."""
        return len(self._observer.origins)

    def unsound(
        self, first: int = 0, *, allow_unfinished: Collection[str] = (), allow_errors: bool = False
    ) -> list[str]:
        """Return what is wrong with the trace, a line each.

        Args:
            first: How many spans, the earliest ones, are not looked at.
            allow_unfinished: Names of span types that may be open.
            allow_errors: Whether the library may have met faults of its own.
        """
        early = set(list(self._observer.origins)[:first])
        spans = [span for span in self.spans if span.id not in early]
        wrong = checks.unfinished(spans, allow_unfinished)
        wrong += [f"{name} was ended twice ({where})" for name, where in self.ended_twice]
        wrong += [*checks.orphans(spans), *checks.nonconforming(spans)]
        if self.stats.dropped and not self._capture.has_met_faults:
            reasons = ", ".join(self.stats.dropped_by_reason)
            wrong.append(f"{self.stats.dropped} spans were dropped: {reasons}")
        if not allow_errors:
            wrong += [
                f"a fault of the library while {kind}: {error!r}" for kind, error in self.faults
            ]
        return wrong

    def record_outcome(self, outcome: str, test: str) -> None:
        """Record how a test ended as the quality of its runs, under ``test_outcome``.

        Args:
            outcome: ``"passed"`` or ``"failed"``.
            test: Name of the test.
        """
        for run in self._observer.runs.values():
            run.record_quality(_OUTCOME, {"outcome": outcome, "test": test})
        self._settle()

    def save(self) -> list[str]:
        """Keep what was recorded in the local database; return how to see it, a line for each run.

        Returns:
            The commands that show them.
        """
        self._settle()
        settings = dataclasses.replace(load_settings({"local": True}), offline=False)
        transport = LocalTransport(settings, SDK)
        try:
            for content in self._capture.requests:
                transport.send(json.dumps(content).encode())
        finally:
            transport.close()
        return [f"prefactor-trace show {run.id}" for run in self._capture.read({})[0]]

    # What else a test may want

    def fail_delivery(
        self,
        status: int | Literal["timeout", "refuse"] = 503,
        *,
        item: str | None = None,
        times: int = 1,
    ) -> None:
        """Have delivery meet a fault.

        Args:
            status: HTTP status of the answer, or how there is none.
            item: Span type whose items alone are at fault; the whole request when missing.
            times: How often.

        Raises:
            ValueError: `status` is no error, or with `item` no status.
        """
        known = isinstance(status, int) and 400 <= status <= 599
        if not known and (item is not None or status not in ("timeout", "refuse")):
            raise ValueError(
                f"status is one of 400 to 599, 'timeout' or 'refuse' (these without item=),"
                f" got {status!r}"
            )
        self._capture.fail(status, item, times)

    def terminate(self, reason: str | None = None) -> None:
        """End every open run as the platform would.

        Args:
            reason: What the run is told.
        """
        self._settle()
        for run in list(_tracer._default.open_runs):
            run._terminate(reason)

    def deterministic(self) -> CountingClock:
        """Count instead of reading the clock, and count ids, from here on.

        Returns:
            The clock, which can be told that time passes.
        """
        clock = CountingClock()
        clocks: Any = Clock
        wall, monotonic = Clock.wall, Clock.monotonic
        self._observer.clock = clock

        def put_back() -> None:
            clocks.wall, clocks.monotonic = wall, monotonic
            self._observer.clock = None

        self._undo.append(put_back)
        clocks.wall = clocks.monotonic = staticmethod(clock)
        tracer = _tracer._default.tracer()
        ids: Any = CountingIds()
        made: PfidSource = ids
        tracer._ids = made
        return clock

    def replay(self, schema_name: str, *, from_: Any) -> None:
        """Answer the calls of decorated functions with what was recorded, instead of calling them.

        A call gets the result of the first recorded span with the same payload that was not used
        yet. One that had failed raises what it had failed with, or `ReplayedError` where that
        cannot be made.

        Args:
            schema_name: Span type of the functions.
            from_: Where the results are: a list of ``{"payload": ..., "result_payload": ...}``, the
                spans of a recording, or the path of a JSON file with such a list.

        Raises:
            ValueError: There is none of that type.
        """
        replay = Replay(schema_name, read_recorded(from_, schema_name))
        replay.start()
        self._undo.append(replay.stop)

    def subprocess_env(self) -> dict[str, str]:
        """Return the environment of a process whose spans are recorded here too.

        They are sent to a server on this machine, and can be read when the process has ended.
        """
        from prefactor_trace.testing.relay import Relay

        relay = Relay(self._capture)
        self._undo.append(relay.stop)
        return relay.environment()


@contextmanager
def record(**settings: Any) -> Iterator[Recorder]:
    """Record what is done in the block.

    Args:
        **settings: As of `configure`, for the time of the block.
    """
    recorder = Recorder(**settings)
    recorder.start()
    try:
        yield recorder
    finally:
        recorder.stop()


def settle(timeout: float = _SETTLE) -> None:
    """Have every tracer of this process hand over what it has recorded."""
    for tracer in _tracers():
        tracer.flush(timeout)


def _tracers() -> list[Tracer]:
    return [one for one in _exits.leavers() if isinstance(one, Tracer)]
