"""Asking after runs that the service says nothing of, since nothing is sent for them."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from prefactor_trace import _fate, _guard

if TYPE_CHECKING:
    from prefactor_trace._instance import Instance
    from prefactor_trace._transport import Answer

QUIET_SECONDS = 30.0
"""How long nothing is heard of an open run before it is asked for."""

_MOST = 20  # runs in a row that are asked for: delivery waits meanwhile


class Poll:
    """Asks the service whether it has ended runs that are open and quiet.

    Args:
        open_runs: Gives the instances that are open.
        look: Asks for an instance.

    Attributes:
        due: When to ask next, by `time.monotonic`.
    """

    def __init__(
        self, open_runs: Callable[[], list[Instance]], look: Callable[[str], Answer]
    ) -> None:
        self._open_runs = open_runs
        self._look = look
        self.put_off()

    def put_off(self) -> None:
        """Ask again later, whatever comes of this time."""
        self.due = time.monotonic() + QUIET_SECONDS

    def run(self) -> None:
        """Ask for the runs that nothing was heard of for long, and take note of the answers."""
        try:
            since = time.monotonic() - QUIET_SECONDS
            for run in [one for one in self._runs() if one._heard <= since][:_MOST]:
                run._heard = time.monotonic()
                self._read(run, self._look(run.id))
        except Exception as error:  # noqa: BLE001
            _guard.log_fault("asking after a run", error)

    def _runs(self) -> list[Instance]:
        try:
            runs = self._open_runs()
        except RuntimeError:  # one began meanwhile
            return []
        return [
            run
            for run in runs
            if run._fate == _fate.CREATED and not run.terminated and run._status == "active"
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
