"""The recorder: what an agent did, for a test to assert. With or without pytest."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Collection
from typing import TYPE_CHECKING

from prefactor_trace._default import default
from prefactor_trace._settings import load_settings
from prefactor_trace._transport.local import LocalTransport
from prefactor_trace._version import SDK
from prefactor_trace.models import BulkRequest
from prefactor_trace.receipts import Stats
from prefactor_trace.testing import checks, under_way
from prefactor_trace.testing.assertions import Assertions
from prefactor_trace.testing.capture import Capture
from prefactor_trace.testing.controls import Controls
from prefactor_trace.testing.deterministic import Uncounted
from prefactor_trace.testing.doubts import Doubts, spans_around
from prefactor_trace.testing.observer import Observer
from prefactor_trace.testing.replay import Replay
from prefactor_trace.testing.spans import RecordedInstance, RecordedSpan
from prefactor_trace.testing.stand_in import StandIn

if TYPE_CHECKING:
    from typing_extensions import Self, Unpack

    from prefactor_trace._setting_types import GivenSettings

_OUTCOME = "test_outcome"


class Recorder(Assertions, Controls):
    """Records what the default tracer sends, and sends none of it.

    What it shows was redacted, cut and serialised as always: it is what the service would have
    got. Reading settles what is still under way; there is nothing to flush.

    Args:
        live: Whether it is delivered as well.
        **settings: As of `prefactor_trace.configure`, for the time of the recording.
    """

    def __init__(self, *, live: bool = False, **settings: Unpack[GivenSettings]) -> None:
        self._observer = Observer()
        self._capture = Capture(self._observer.is_foreign)
        self._stand_in = StandIn(self._capture, settings, live=live)
        self._replays: list[Replay] = []
        self._has_outcome = live and "purpose" in settings

    def start(self) -> None:
        """Begin to record."""
        self._start(is_block=False)

    def _start(self, *, is_block: bool) -> None:
        under_way.begin(self, is_block=is_block)
        try:
            self._stand_in.start()
            if self._has_outcome:
                default._registry.note_quality(_OUTCOME)
            self.started_before = self._stand_in.started_before
            self._observer.start()
            self._stand_in.undo.append(self._observer.stop)
        except BaseException:  # a wrong setting, for one
            under_way.end(self)
            raise

    def stop(self) -> None:
        """Stop recording; everything is as it was before. What was recorded can be read on."""
        self._stand_in.stop()
        under_way.end(self)

    def __enter__(self) -> Self:
        self._start(is_block=True)
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    async def __aenter__(self) -> Self:
        return self.__enter__()

    async def __aexit__(self, *_: object) -> None:
        self.stop()

    def configure(self, **settings: Unpack[GivenSettings]) -> None:
        """Change settings for the rest of the recording.

        Args:
            **settings: As of `prefactor_trace.configure`.

        Raises:
            SettingsError: A setting is unknown or cannot be used.
        """
        self._stand_in.configure(settings)

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
        self._stand_in.settle()
        return [
            BulkRequest.model_validate_json(json.dumps(content))
            for content in self._capture.requests
        ]

    @property
    def stats(self) -> Stats:
        """What became of the spans, as `prefactor_trace.stats` says it."""
        self._stand_in.settle()
        return self._stand_in.stats()

    @property
    def faults(self) -> list[tuple[str, BaseException]]:
        """Faults of the library itself: what was being done, and what went wrong."""
        return list(self._stand_in.faults)

    @property
    def ended_twice(self) -> list[tuple[str, str]]:
        """Spans that were ended by hand after their end: name and ``file:line``."""
        return list(self._observer.ended_twice)

    def clear(self) -> None:
        """Forget what was recorded so far."""
        self._stand_in.settle()
        self._capture.clear()

    def _read(self) -> tuple[list[RecordedInstance], list[RecordedSpan]]:
        self._stand_in.settle()
        return self._capture.read(self._observer.origins)

    def _doubts(self) -> Doubts:
        return Doubts(
            self.started_before,
            self._observer.not_begun,
            spans_around(),
            bool(self._capture.terminated),
            [line for replay in self._replays for line in replay.plain],
        )

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
            allow_errors: Whether the library, or a function that it calls, may have failed.
        """
        if isinstance(allow_unfinished, str):
            allow_unfinished = (allow_unfinished,)
        early = set(list(self._observer.origins)[:first])
        spans = [span for span in self.spans if span.id not in early]
        wrong = [line for replay in self._replays for line in replay.faults(spans)]
        wrong += checks.unfinished(spans, allow_unfinished)
        wrong += [f"{name} was ended twice ({where})" for name, where in self.ended_twice]
        wrong += [*checks.orphans(spans), *checks.nonconforming(spans)]
        if (why := self._stand_in.undelivered()) is not None:
            wrong.append(f"nothing was delivered: {why}")
        if self.stats.dropped and not self._capture.has_met_faults:
            reasons = ", ".join(self.stats.dropped_by_reason)
            wrong.append(f"{self.stats.dropped} spans were dropped: {reasons}")
        if not allow_errors:
            wrong += [
                f"a fault of the library while {kind}: {error!r}" for kind, error in self.faults
            ]
            raised = self._stand_in.raised
            wrong += [f"your function given as {name} raised {error!r}" for name, error in raised]
        return wrong

    def record_outcome(self, outcome: str, test: str) -> None:
        """Record how a test ended as the quality of its runs, under ``test_outcome``.

        Args:
            outcome: ``"passed"`` or ``"failed"``.
            test: Name of the test.
        """
        for run in self._observer.runs.values():
            run.record_quality(_OUTCOME, {"outcome": outcome, "test": test})
        self._stand_in.settle()

    def save(self) -> list[str]:
        """Keep what was recorded in the local database; return the commands that show each run."""
        self._stand_in.settle()
        with_own_ids = Uncounted()
        settings = dataclasses.replace(load_settings({"local": True}), offline=False)
        transport = LocalTransport(settings, SDK)
        try:
            for content in self._capture.requests:
                transport.send(with_own_ids(json.dumps(content)).encode())
        finally:
            transport.close()
        runs = self._capture.read({})[0]
        return [f"prefactor-trace show {with_own_ids(run.id)}" for run in runs]


def record(**settings: Unpack[GivenSettings]) -> Recorder:
    """Record what is done in a block, with ``with`` or ``async with``.

    A recording is of the whole process. One may be inside another, and gets what is recorded in it;
    to begin a second one side by side, in another task or thread, is a `UsageError`.

    Args:
        **settings: As of `prefactor_trace.configure`, for the time of the block.
    """
    return Recorder(**settings)
