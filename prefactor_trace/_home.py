"""How a span or an instance finds its tracer: when it is used, not when it is written down.

A decorator is applied when a module is imported, long before `configure` is called. So it does not
hold a tracer but a home, which it asks on each call: a `Tracer` is its own home; the home of the
module's functions is the same whichever tracer `configure` sets.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Protocol

from prefactor_trace._locks import make_lock

if TYPE_CHECKING:
    from prefactor_trace._idle import Idles
    from prefactor_trace._instance import Instance
    from prefactor_trace._pipeline import Pipeline
    from prefactor_trace._schema import Registry
    from prefactor_trace._settings import Settings
    from prefactor_trace._span import Span

id_lock = make_lock()
"""One for all: two threads that ask for an id at once must get the same. It is held for a
microsecond."""


class OpenRuns:
    """The runs that have begun and not ended, the oldest first. It keeps none alive.

    Any thread may add runs while others go through them. Each step on the dict is one that CPython
    keeps atomic with and without the interpreter lock.
    """

    def __init__(self) -> None:
        self._runs: dict[int, weakref.ref[Instance]] = {}

    def add(self, run: Instance) -> None:
        """Keep a run that has begun."""
        runs, key = self._runs, id(run)
        runs[key] = weakref.ref(run, lambda _: runs.pop(key, None))

    def discard(self, run: Instance) -> None:
        """Let go of a run that has ended, if it is there."""
        self._runs.pop(id(run), None)

    def __iter__(self) -> Iterator[Instance]:
        """Give the runs that are open now, whatever begins or ends meanwhile."""
        held = [ref() for ref in list(self._runs.values())]
        return iter([run for run in held if run is not None])

    def __len__(self) -> int:
        return len(self._runs)


class Home(Protocol):
    """What a span or an instance needs of the tracer that it belongs to.

    Attributes:
        _registry: Span types and quality schemas.
        _open_runs: Instances that have begun and not ended, but for the ambient one.
        _switch: Empty while nothing is recorded; it has an item while something is, or while that
            is not known yet.
        _may_leave_out: Whether anything is, or ever was, left unrecorded. Until then no span has
            to ask whether it is.
        _idles: The spans that stand in for those left unrecorded, by name.
        _on_terminate_callbacks: Called with every run that the platform ends.
    """

    _registry: Registry
    _open_runs: OpenRuns
    _switch: list[bool]
    _may_leave_out: bool
    _idles: Idles
    _on_terminate_callbacks: list[Callable[[Instance], object]]

    def _set_recording(self, *, on: bool) -> None:
        """Record what begins from now on, or nothing of it."""

    def _get_pipeline(self) -> Pipeline | None:
        """Return what carries records away, or ``None`` while nothing is recorded."""

    def _get_settings(self) -> Settings:
        """Return the settings in force."""

    def _get_ambient(self) -> Instance | None:
        """Return the instance of spans outside any, or ``None`` where these are not recorded."""

    def _new_id(self) -> str:
        """Return a new PFID in the partition of the account."""


def make_ids(records: Iterable[Span]) -> None:
    """Make the PFIDs of those spans that have none, under one lock: that takes half the time."""
    with id_lock:
        for record in records:
            if record._id is None:
                record._id = record._home._new_id()


def make_id(record: Span | Instance) -> str:
    """Return the PFID of a span or an instance, made when first asked for."""
    made: str | None = record._id
    if made is None:
        new = record._home._new_id()
        with id_lock:  # and no call in there, see `make_lock`
            made = record._id
            if made is None:
                record._id = made = new
    return made
