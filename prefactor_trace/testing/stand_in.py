"""A recording tracer in the place of the default one; afterwards everything is as it was before."""

from __future__ import annotations

import dataclasses
import functools
import os
from collections.abc import Callable, Mapping
from typing import Any

from prefactor_trace import Tracer, _guard
from prefactor_trace._context import current
from prefactor_trace._default import default
from prefactor_trace._settings import Settings, load_settings
from prefactor_trace._tracer import tracers
from prefactor_trace._transport import open_transport
from prefactor_trace._transport.offline import listen, stop_listening
from prefactor_trace._version import SDK
from prefactor_trace.receipts import Stats
from prefactor_trace.testing.capture import Capture
from prefactor_trace.testing.declarations import Declarations

_OFFLINE, _API_TOKEN = "PREFACTOR_OFFLINE", "PREFACTOR_API_TOKEN"
_SETTLE = 5.0  # seconds
_WITH_FAULTS = 1.0  # the same; some faults are never got over
ANY_TOKEN = "recorded-by-a-test"  # noqa: S105  # opens nothing


class StandIn:
    """Takes the place of the default tracer.

    Args:
        capture: What gets all that would be sent.
        live: Whether it is sent as well.
        settings: Settings for the time of it, over those of the program.

    Attributes:
        faults: Faults of the library itself: what was being done, and what went wrong.
        raised: What functions of the program raised: what each was given as, and the error.
        started_before: How many spans each tracer had recorded before.
        undo: What is called at the end, the last one first.
    """

    def __init__(self, capture: Capture, settings: Mapping[str, Any], *, live: bool) -> None:
        self.faults: list[tuple[str, BaseException]] = []
        self.raised: list[tuple[str, BaseException]] = []
        self.started_before: dict[Tracer, int] = {}
        self.undo: list[Callable[[], object]] = []
        self._capture = capture
        self._given = dict(settings)
        self._live = live
        self._tracer: Tracer | None = None
        self._before: Tracer | None = None
        self._is_over = False
        self._is_behind = False  # the last time that was waited for, something was left

    def start(self) -> None:
        """Take the place.

        Raises:
            SettingsError: A setting is unknown or cannot be used; everything is as it was.
        """
        self._before = default._tracer
        settings = self._settings()
        for tracer in tracers():  # what was recorded before is not this recording's
            tracer.flush(_SETTLE)
        self.started_before = {one: one.stats().started for one in tracers()}
        if self._live and not default.tracer()._get_settings().off_reason:
            self._capture.forward = open_transport(default.tracer()._get_settings(), SDK)
        self.undo.append(Declarations(default._registry).put_back)
        self._keep_tracer()
        # Whatever the code configures is recorded too, without an account.
        token = os.environ.get(_API_TOKEN, ANY_TOKEN)
        self.undo.append(change_environment({_OFFLINE: "1", _API_TOKEN: token}))
        self._note_faults()
        node = current.get()
        self.undo.append(lambda: current.set(node))
        current.set(None)
        listen(self._capture)
        self.undo.append(lambda: stop_listening(self._capture))
        default._tracer = self._tracer = Tracer._at(default, settings)

    def stop(self) -> None:
        """Give the place back."""
        if self._is_over:
            return
        self.settle()
        self._is_over = True
        own, made = self._tracer, default._tracer
        self._tracer = made or own
        while self.undo:
            self.undo.pop()()
        for tracer in {own, made} - {self._before}:
            if tracer is not None:
                tracer.shutdown(_WITH_FAULTS)
                if not self._live:
                    tracer._cease()  # what a fault has held back is no loss for anybody

    def configure(self, settings: Mapping[str, Any]) -> None:
        """Change settings for the rest of the time.

        Raises:
            SettingsError: A setting is unknown or cannot be used.
        """
        before, self._given = self._given, {**self._given, **settings}
        try:
            changed = self._settings()
        except ValueError:
            self._given = before
            raise
        if default._tracer is not None:
            default._tracer.shutdown(_SETTLE)
        default._tracer = self._tracer = Tracer._at(default, changed)

    def settle(self) -> None:
        """Have every tracer of this process hand over what it has recorded."""
        if not self._is_over:
            timeout = _WITH_FAULTS if self._is_behind else _SETTLE
            receipts = [tracer.flush(timeout) for tracer in tracers()]
            self._is_behind = not all(receipt.is_settled for receipt in receipts)

    def undelivered(self) -> str | None:
        """Return why nothing has arrived of what was to be sent, ``None`` where something has."""
        stats = self.stats()
        if self._capture.forward is None or stats.delivered or stats.started == stats.rejected:
            return None
        return None if self._capture.has_met_faults else stats.last_error

    def stats(self) -> Stats:
        """Return what became of the spans."""
        made = None if self._is_over else default._tracer
        tracer = made or self._tracer
        return Stats(0, 0, 0, 0, 0) if tracer is None else tracer.stats()

    def _settings(self) -> Settings:
        # What asks for faults wants to get over them soon; a service is not to be pestered.
        quick = {} if self._live else {"retry_first_delay": 0.01, "retry_max_delay": 0.05}
        given = {
            **quick,
            **self._given,
            "offline": True,
            "enabled": True,
        }
        settings = load_settings(given)
        if self._before is not None:
            said = {name: getattr(settings, name) for name in given}
            settings = dataclasses.replace(self._before._get_settings(), **said)
        return dataclasses.replace(
            settings,
            api_token=settings.api_token or ANY_TOKEN,
            spool_dir=None,
            sample_rate=self._given.get("sample_rate", 1.0),
        )

    def _keep_tracer(self) -> None:
        switch, may_leave_out = default._switch[:], default._may_leave_out
        callbacks = list(default._on_terminate_callbacks)

        def put_back() -> None:
            default._tracer = self._before
            default._switch[:], default._may_leave_out = switch, may_leave_out
            default._on_terminate_callbacks[:] = callbacks

        self.undo.append(put_back)

    def _note_faults(self) -> None:
        log_fault, log_raised = _guard.log_fault, _guard.log_raised

        def note_fault(kind: str, error: BaseException) -> None:
            self.faults.append((kind, error))
            log_fault(kind, error)

        def note_raised(setting: str, function: object, error: BaseException) -> None:
            self.raised.append((setting, error))
            log_raised(setting, function, error)

        def put_back() -> None:
            _guard.log_fault, _guard.log_raised = log_fault, log_raised

        _guard.log_fault, _guard.log_raised = note_fault, note_raised
        self.undo.append(put_back)


def change_environment(wanted: Mapping[str, str | None]) -> Callable[[], object]:
    """Set environment variables, and take away those of ``None``; return what puts them back."""
    before = {name: os.environ.get(name) for name in wanted}
    for name, value in wanted.items():
        os.environ.pop(name, None)
        if value is not None:
            os.environ[name] = value
    return functools.partial(change_environment, before)
