"""The ambient instance: the run of those spans that begin outside of any."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prefactor_trace._instance import Instance
from prefactor_trace._instance_options import InstanceOptions
from prefactor_trace._locks import make_lock

if TYPE_CHECKING:
    from prefactor_trace._home import Home


class Ambient:
    """The ambient instance of one tracer: it begins with the first span that needs it.

    Args:
        home: Home of its spans.
    """

    def __init__(self, home: Home) -> None:
        self._home = home
        self._lock = make_lock()
        self._run: Instance | None = None

    def get(self) -> Instance:
        """Return the instance, begun now if there is none."""
        run = self._run
        if run is None:
            with self._lock:
                if self._run is None:
                    begun = Instance(self._home, InstanceOptions())
                    begun._start()
                    self._home._open_runs.discard(begun)  # it is nobody's to end
                    self._run = begun
                run = self._run
        return run

    def end(self) -> None:
        """End the instance, if there is one; the next span begins another."""
        with self._lock:
            run, self._run = self._run, None
        if run is not None:
            run._end("complete")

    def forget(self) -> None:
        """In a forked child: leave the instance to the parent process."""
        self._run = None
