"""What is kept of an exception: cheap on the agent's thread, written out off it."""

from __future__ import annotations

import traceback
from types import CodeType, TracebackType
from typing import Any, NamedTuple

from prefactor_trace._capture.values import Json

_MAX_FRAMES = 64
_MAX_CHAIN = 8
_MAX_MESSAGE = 10_000


class ErrorSnapshot(NamedTuple):
    """An exception, without the frames and the locals that it keeps alive.

    Attributes:
        error_type: Qualified name of its class.
        message: Its text.
        frames: Code and line of each call, outermost first.
        cause: The exception that it came from, with the sentence that joins the two.
    """

    error_type: str
    message: str
    frames: tuple[tuple[CodeType, int], ...]
    cause: tuple[ErrorSnapshot, str] | None

    def to_payload(self) -> dict[str, Json]:
        """Return the error as the platform's SDKs send it."""
        return {
            "error_type": self.error_type,
            "message": self.message,
            "stacktrace": "".join(self._lines()),
        }

    def _lines(self) -> list[str]:
        lines = []
        if self.cause is not None:
            lines += [*self.cause[0]._lines(), f"\n{self.cause[1]}\n\n"]
        if self.frames:
            summaries = [
                traceback.FrameSummary(code.co_filename, line, code.co_name)
                for code, line in self.frames
            ]
            lines += ["Traceback (most recent call last):\n", *traceback.format_list(summaries)]
        message = f": {self.message}" if self.message else ""
        lines.append(f"{self.error_type}{message}\n")
        return lines


def snapshot_error(error: BaseException, depth: int = 0) -> ErrorSnapshot:
    """Return what is kept of `error`: names, text and line numbers, no source is read."""
    cause = None
    if depth < _MAX_CHAIN:
        direct, context = _read(error, "__cause__"), _read(error, "__context__")
        if direct is not None:
            told = "The above exception was the direct cause of the following exception:"
            cause = (snapshot_error(direct, depth + 1), told)
        elif context is not None and not _read(error, "__suppress_context__"):
            told = "During handling of the above exception, another exception occurred:"
            cause = (snapshot_error(context, depth + 1), told)
    frames = _frames(_read(error, "__traceback__"))
    return ErrorSnapshot(_type_name(error), _message(error), frames, cause)


def _read(error: BaseException, name: str) -> Any:
    # As every exception has it, whatever the class of this one does to its attributes.
    return BaseException.__dict__[name].__get__(error)


def _type_name(error: BaseException) -> str:
    kind = type(error)
    if kind.__module__ in ("builtins", "__main__"):
        return kind.__qualname__
    return f"{kind.__module__}.{kind.__qualname__}"


def _message(error: BaseException) -> str:
    try:
        text = str(error)
        notes = getattr(error, "__notes__", None)
        if isinstance(notes, list):
            text = "\n".join([text, *(note for note in notes if isinstance(note, str))])
    except Exception:  # noqa: BLE001  # the exception's own methods may do anything
        return "(its text could not be read)"
    return text if len(text) <= _MAX_MESSAGE else f"{text[:_MAX_MESSAGE]}… ({len(text)} characters)"


def _frames(trace: TracebackType | None) -> tuple[tuple[CodeType, int], ...]:
    frames = []
    while trace is not None:
        frames.append((trace.tb_frame.f_code, trace.tb_lineno))
        trace = trace.tb_next
    if len(frames) > _MAX_FRAMES:
        frames = frames[: _MAX_FRAMES // 2] + frames[-_MAX_FRAMES // 2 :]
    return tuple(frames)
