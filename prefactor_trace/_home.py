"""Where a span or an instance finds its tracer: at its first use, not when it is written down.

A decorator is applied when a module is imported, long before `configure` is called; it holds a
home and asks it on each call.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, MutableSet
from typing import TYPE_CHECKING, Protocol

from prefactor_trace._locks import make_lock

if TYPE_CHECKING:
    from prefactor_trace._idle import Idles
    from prefactor_trace._instance import Instance
    from prefactor_trace._pipeline import Pipeline
    from prefactor_trace._schema import Registry
    from prefactor_trace._settings import Settings
    from prefactor_trace._span import Span

# One lock for all: two threads that ask for an id at once must get the same. It is held for a
# microsecond.
_id_lock = make_lock()


class Home(Protocol):
    """What a span or an instance needs of the tracer that it belongs to.

    Attributes:
        registry: Span types and quality schemas.
        open_runs: Instances that have begun and not ended, but for the ambient one.
        switch: Empty where nothing is recorded; not empty also while that is not known yet.
        is_quiet: Whether there is, or has been, something that is not recorded.
        idles: Spans that are not recorded, by name.
        on_terminate_callbacks: Told of every run that the platform ends.
    """

    registry: Registry
    open_runs: MutableSet[Instance]
    switch: list[bool]
    is_quiet: bool
    idles: Idles
    on_terminate_callbacks: list[Callable[[Instance], object]]

    def turn(self, *, on: bool) -> None:
        """Record from now on, or nothing."""

    def pipeline(self) -> Pipeline | None:
        """Return what carries records away, or ``None`` while nothing is recorded."""

    def settings(self) -> Settings:
        """Return the settings in force."""

    def ambient(self) -> Instance | None:
        """Return the instance of spans outside any, or ``None`` where these are not recorded."""

    def new_id(self) -> str:
        """Return a new PFID in the partition of the account."""


def make_ids(records: Iterable[Span]) -> None:
    """Make the PFIDs of some spans that have none: with one lock for all, which takes half."""
    with _id_lock:
        for record in records:
            if record._id is None:
                record._id = record._home.new_id()


def make_id(record: Span | Instance) -> str:
    """Return the PFID of a span or an instance, made when first asked for."""
    with _id_lock:
        made: str = record._id or record._home.new_id()
        record._id = made
    return made
