"""What a stream can show: its width, colours and characters, and text made to fit them."""

import json
import os
import sys
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TextIO

UNLIMITED = 1_000_000
"""The width of a pipe: what reads from it wants all there is."""

_WIDTH_OF_A_LOG = 100
_NARROWEST = 40
_GLYPHS = "├─│└…→"
_COLOURS = {"red": "31", "green": "32", "yellow": "33", "bold": "1", "dim": "2"}


@dataclass(frozen=True)
class Screen:
    """What can be shown on a stream.

    Attributes:
        width: Columns of a line.
        colour: Whether escape codes are understood and wanted.
        unicode: Whether branches, arrows and ellipses can be written.
    """

    width: int = _WIDTH_OF_A_LOG
    colour: bool = False
    unicode: bool = True

    @classmethod
    def of(
        cls,
        stream: TextIO,
        environ: Mapping[str, str] = os.environ,
        *,
        pipe_width: int = UNLIMITED,
    ) -> "Screen":
        """Return what `stream` can show; ``COLUMNS`` and ``NO_COLOR`` are honoured.

        Args:
            stream: Where the text will go.
            environ: Environment variables.
            pipe_width: The width where the stream is no terminal.
        """
        terminal = is_terminal(stream)
        return cls(
            width=max(_NARROWEST, _width(stream, environ, pipe_width)),
            colour=terminal and not environ.get("NO_COLOR") and _understands_colour(environ),
            unicode=_can_hold(stream, _GLYPHS),
        )

    @property
    def ellipsis(self) -> str:
        """What stands for the part of a text that was cut off."""
        return "…" if self.unicode else "..."

    @property
    def arrow(self) -> str:
        """What stands between what went in and what came out."""
        return "→" if self.unicode else "->"

    def at_most(self, columns: int) -> int:
        """Return how long a part of a line may get: `columns`; in a pipe, as long as it is."""
        return columns if self.width < UNLIMITED else UNLIMITED

    def paint(self, text: str, colour: str) -> str:
        """Return `text` in a colour of the terminal, or as it is where there is none."""
        if not (self.colour and text and colour):
            return text
        return f"\x1b[{_COLOURS[colour]}m{text}\x1b[0m"

    def cut(self, text: str, columns: int) -> str:
        """Return `text`, or as much of it as fits in `columns` with an ellipsis after it."""
        if columns_of(text) <= columns:
            return text
        room = columns - len(self.ellipsis)
        if room <= 0:
            return ""
        kept = 0
        for at, character in enumerate(text):
            kept += columns_of(character)
            if kept > room:
                return text[:at].rstrip() + self.ellipsis
        return text


def columns_of(text: str) -> int:
    """Return how many columns `text` takes: some characters take two, some none."""
    if text.isascii():
        return len(text)
    return sum(_columns(character) for character in text)


def _columns(character: str) -> int:
    if unicodedata.combining(character) or unicodedata.category(character) in ("Mn", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def one_line(text: str) -> str:
    """Return `text` with line breaks, escape codes and other controls spelt out.

    What an agent recorded is untrusted: it must not move the cursor or hide a line.
    """
    if text.isprintable():
        return text
    return "".join(
        character if character.isprintable() else character.encode("unicode_escape").decode()
        for character in text
    )


def write(stream: TextIO, text: str) -> None:
    """Write a line, with escapes for characters that the stream's encoding cannot hold."""
    encoding = getattr(stream, "encoding", None) or "utf-8"
    stream.write(text.encode(encoding, "backslashreplace").decode(encoding) + "\n")


def write_json(stream: TextIO, value: object, *, indent: int | None = 2) -> None:
    """Write a value as JSON, in one line where `indent` is ``None``."""
    # ASCII, so that it is valid JSON whatever the encoding of the stream.
    write(stream, json.dumps(value, indent=indent))


def is_terminal(stream: TextIO) -> bool:
    """Return whether somebody looks at what is written to `stream`."""
    try:
        return stream.isatty()
    except (AttributeError, ValueError):  # not a real stream, or one that was closed
        return False


def _width(stream: TextIO, environ: Mapping[str, str], pipe_width: int) -> int:
    columns = environ.get("COLUMNS", "")
    if columns.isdecimal() and int(columns) > 0:
        return int(columns)
    if not is_terminal(stream):
        return pipe_width
    try:
        return os.get_terminal_size(stream.fileno()).columns or _WIDTH_OF_A_LOG
    except (AttributeError, OSError, ValueError):
        return _WIDTH_OF_A_LOG


def _understands_colour(environ: Mapping[str, str]) -> bool:
    if sys.platform == "win32":
        # An old console prints escape codes as they are; these variables name newer ones.
        return any(environ.get(name) for name in ("WT_SESSION", "ANSICON", "TERM"))
    return environ.get("TERM", "") not in ("", "dumb")


def _can_hold(stream: TextIO, text: str) -> bool:
    try:
        text.encode(getattr(stream, "encoding", None) or "utf-8")
    except (UnicodeEncodeError, LookupError):
        return False
    return True
