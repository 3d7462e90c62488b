"""How far a long command is, on a terminal alone."""

import sys
import time
from typing import TYPE_CHECKING, TextIO

from prefactor_trace.cli.terminal import Screen, is_terminal

if TYPE_CHECKING:
    from typing_extensions import Self

_FIRST_AFTER = 0.3  # what is done sooner needs no bar
_BETWEEN = 0.1
_LONGEST_BAR = 30
_ERASE = "\r\x1b[K"


class Progress:
    """A line on standard error that is drawn over and over, and erased at the end.

    Args:
        what: What is being done.
        total: How much there is to do, `None` where nobody knows.
        stream: Where to draw it; nothing is drawn where that is no terminal.
    """

    def __init__(self, what: str, total: int | None = None, stream: TextIO | None = None) -> None:
        self._what = what
        self._total = total
        self._stream = sys.stderr if stream is None else stream
        self._next = time.monotonic() + _FIRST_AFTER
        self._is_drawn = False
        self._done = 0
        self._screen = None
        if self._stream is not None and is_terminal(self._stream):
            self._screen = Screen.of(self._stream)

    def __enter__(self) -> "Self":
        return self

    def __exit__(self, *_: object) -> None:
        if self._is_drawn:
            self._draw(_ERASE)

    def at(self, done: int) -> None:
        """Say how much is done."""
        self._done = done
        if self._screen is not None and time.monotonic() >= self._next:
            self._next = time.monotonic() + _BETWEEN
            self._is_drawn = True
            self._draw(_ERASE + self._screen.cut(self.line(), self._screen.width - 1))

    def line(self) -> str:
        """Return the line as it is drawn now."""
        if not self._total:
            return f"{self._what}  {self._done:,}"
        share = min(self._done / self._total, 1.0)
        filled = int(share * _LONGEST_BAR)
        bar = "#" * filled + "-" * (_LONGEST_BAR - filled)
        return f"{self._what}  [{bar}]  {share:4.0%}  {self._done:,} of {self._total:,}"

    def _draw(self, text: str) -> None:
        try:
            self._stream.write(text)
            self._stream.flush()
        except (OSError, ValueError):  # the terminal has gone; the work goes on
            self._screen = None
