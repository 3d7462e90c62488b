"""Code that is not to be recorded, and the top of a run."""

from __future__ import annotations

import contextvars
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Literal

from prefactor_trace._context import Node, enter, leave, note_frame

if TYPE_CHECKING:
    from types import TracebackType

    from typing_extensions import Self


class Untraced(Node):
    """A block in which nothing is recorded, made by `untraced`."""

    __slots__ = ()

    _home = None  # no tracer's
    _own_span = None
    _recorded = False
    _open_to = None

    def __init__(self) -> None:
        self._doubt = self._token = None

    @property
    def _instance(self) -> Self:
        return self

    def __enter__(self) -> Self:
        enter(self)
        note_frame(self, sys._getframe(1))
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> Literal[False]:
        leave(self)
        return False


class Root:
    """The top of whichever run the code is in, as a parent."""

    __slots__ = ()

    _own_span = None

    def __repr__(self) -> str:
        return "prefactor_trace.ROOT"

    def __reduce__(self) -> str:
        return "ROOT"


ROOT = Root()
"""Parent of a span that stands at the top of its run, whatever span the code is in."""


def run_untraced(function: Callable[[], None]) -> None:
    """Call a function of ours in a context of its own, in which nothing is recorded."""

    def call() -> None:
        """Call it in an untraced block."""
        with Untraced():
            function()

    contextvars.copy_context().run(call)


def untraced() -> Untraced:
    """Return a block (sync or async) in which no span and no instance is recorded.

    It wins over `parent=`. Tasks begun inside are not recorded either; hand a bare thread
    `propagate(function)`.
    """
    return Untraced()
