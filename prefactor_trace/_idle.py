"""Spans that will not be recorded: one for each name, shared by all who ask while that is so.

Where tracing is off, or the run is not sampled, making a span would be most of what it costs.
"""

from __future__ import annotations

import types
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from prefactor_trace._clock import Clock
from prefactor_trace._context import current
from prefactor_trace._record import check_mapping
from prefactor_trace._span import Span

if TYPE_CHECKING:
    from prefactor_trace._context import Node
    from prefactor_trace._home import Home

_MOST_NAMES = 1_000
"""Names that are made up, one for each call, must not fill the memory."""


class Idle(Span):
    """A span that does nothing, and that anybody may hold; as a decorator it is like any other."""

    __slots__ = ()

    def set_payload(self, payload: Mapping[str, Any]) -> None:
        """Do nothing, but for refusing what is no mapping."""
        check_mapping(payload, "set_payload takes")

    def _start(
        self,
        outer: Node | None,  # noqa: ARG002
        now: Callable[[], int] = Clock.monotonic,  # noqa: ARG002
    ) -> bool:
        return False

    def _prepare(self, outer: Node | None) -> None:
        pass


class Idles(dict[str, Idle]):
    """The idle spans of a home, by name, made when first asked for.

    Args:
        home: Home of the spans.

    Raises:
        KeyError: What is asked for is no name.
    """

    def __init__(self, home: Home) -> None:
        super().__init__()
        self._home = home

    def __missing__(self, schema_name: str) -> Idle:
        if type(schema_name) is not str or not schema_name:
            raise KeyError(schema_name)
        if len(self) >= _MOST_NAMES:
            self.clear()
        # A class for each span, whose `__enter__` and `__exit__` are functions in C: entered and
        # left without running any Python, a block takes half as long. `{0: idle}.get(0)` is the
        # span, and so is `{0: idle}.get(0, idle)`, as contextlib's stacks call it; `"".format`
        # takes any arguments and returns what is false.
        kind = type("Span", (Idle,), {"__slots__": (), "__exit__": "".format})
        idle: Idle = kind(self._home, schema_name)
        kind.__enter__ = types.MethodType({0: idle}.get, 0)  # type: ignore[attr-defined]
        self[schema_name] = idle
        return idle


def is_left_out(home: Home) -> bool:
    """Return whether the running code is in a run of `home` that is not recorded."""
    node = current.get()
    return (
        node is not None
        and node._doubt is None
        and node._home is home
        and not node._instance._recorded
    )
