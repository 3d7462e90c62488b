"""Asking whether runs were ended, of which nothing is sent that the service could answer."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from prefactor_trace import _fate, _guard

if TYPE_CHECKING:
    from prefactor_trace._instance import Instance
    from prefactor_trace._transport import Answer

QUIET_SECONDS = 30.0
"""How long nothing is heard of an open run before it is asked for."""

AWAITED_SECONDS = 5.0
"""The same of a run of which somebody waits to hear that it was ended."""

_RECKON_EVERY = 1.0  # seconds; there may be many runs

_LONGEST = 1.0  # seconds in which one after the other is asked for: delivery waits meanwhile


class Poll:
    """Asks the service whether it has ended runs that are open and quiet.

    Args:
        open_runs: The instances that are open.
        look: Asks for an instance.
    """

    def __init__(self, open_runs: Iterable[Instance], look: Callable[[str], Answer]) -> None:
        self._open_runs = open_runs
        self._look = look
        self._due = self._reckoned = 0.0

    @property
    def due(self) -> float:
        """When to ask next, by `time.monotonic`: when the first run will have been quiet."""
        now = time.monotonic()
        if now >= self._reckoned + _RECKON_EVERY:
            self._reckoned = now
            # A run that is only on its way counts too: nobody reckons anew when it has arrived.
            heard = ((run, run._heard if _is_known(run) else now) for run in self._runs())
            due = (since + _patience(run) for run, since in heard)
            self._due = min(due, default=now + QUIET_SECONDS)
        return self._due

    def reckon_anew(self) -> None:
        """See again when the first run is due: somebody waits for one; called on any thread."""
        self._reckoned = 0.0

    def put_off(self) -> None:
        """Ask again later, whatever comes of this time."""
        self._reckoned = time.monotonic()
        self._due = self._reckoned + _RECKON_EVERY

    def run(self) -> None:
        """Ask for the runs that nothing was heard of for long, and take note of the answers."""
        try:
            now = time.monotonic()
            known = filter(_is_known, self._runs())
            quiet = [one for one in known if one._heard + _patience(one) <= now]
            for run in quiet:
                run._heard = time.monotonic()
                answer = self._look(run.id)
                self._read(run, answer)
                if not answer.status or time.monotonic() > now + _LONGEST:
                    break  # the others next time
        except Exception as error:  # noqa: BLE001
            _guard.log_fault("asking after a run", error)

    def _runs(self) -> list[Instance]:
        return [
            run
            for run in self._open_runs
            if run._fate <= _fate.CREATED and not run.terminated and run._status == "active"
        ]

    def _read(self, run: Instance, answer: Answer) -> None:
        if answer.status != 200:
            return
        from pydantic_core import from_json

        content = from_json(answer.body)
        details = content.get("details") if isinstance(content, dict) else None
        if isinstance(details, dict) and details.get("status") == "terminated":
            reason = details.get("termination_reason")
            run._terminate(reason if isinstance(reason, str) else None)


def _is_known(run: Instance) -> bool:
    return run._fate == _fate.CREATED


def _patience(run: Instance) -> float:
    return AWAITED_SECONDS if run._is_awaited else QUIET_SECONDS
