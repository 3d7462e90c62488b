"""What is kept of an exception: cheap on the agent's thread, written out off it."""

from __future__ import annotations

import traceback
from collections.abc import Iterator
from types import CodeType, TracebackType
from typing import Any, NamedTuple

from prefactor_trace._capture.classes import (
    bases_of,
    class_name,
    module_of,
    qualified_name,
    stored_in,
)
from prefactor_trace._capture.values import Json
from prefactor_trace._frames import is_ours, leads_on

_MAX_FRAMES = 64
_MAX_CHAIN = 8
_MAX_MEMBERS = 8  # of one group
_MAX_TOLD = 3  # of one group, beside its text
_MAX_ERRORS = 32  # all together: groups of groups are many
_MAX_MESSAGE = 10_000


class ErrorSnapshot(NamedTuple):
    """An exception, without the frames and the locals that it keeps alive.

    Attributes:
        error_type: Qualified name of its class.
        message: Its text.
        frames: Code and line of each call, outermost first.
        cause: The exception that it came from, with the sentence that joins the two.
        members: The first exceptions of a group.
        size: How many the group has.
    """

    error_type: str
    message: str
    frames: tuple[tuple[CodeType, int], ...]
    cause: tuple[ErrorSnapshot, str] | None
    members: tuple[ErrorSnapshot, ...] = ()
    size: int = 0

    def to_payload(self) -> dict[str, Json]:
        """Return the error as the platform's SDKs send it."""
        return {
            "error_type": self.error_type,
            "message": self._told(),
            "stacktrace": "".join(self._lines()),
        }

    def _told(self) -> str:
        """Return its text, and that of a group's first errors: its own tells nothing of them."""
        if not self.size:
            return self.message
        # Not shortened: a secret that is cut in two is not recognised.
        inner = [one._headed(one._told()) for one in self.members[:_MAX_TOLD]]
        if self.size > len(inner):
            inner.append(f"and {self.size - len(inner)} more")
        return f"{self.message}: {'; '.join(inner)}"

    def _headed(self, text: str) -> str:
        return f"{self.error_type}: {text}" if text else self.error_type

    def _lines(self, number: str = "") -> list[str]:
        lines = []
        if self.cause is not None:
            lines += [*self.cause[0]._lines(number), f"\n{self.cause[1]}\n\n"]
        if self.frames:
            summaries = [
                traceback.FrameSummary(code.co_filename, line, code.co_name)
                for code, line in self.frames
            ]
            lines += ["Traceback (most recent call last):\n", *traceback.format_list(summaries)]
        lines.append(f"{self._headed(self.message)}\n")
        if self.size:
            lines += self._member_lines(number)
        return lines

    def _member_lines(self, number: str) -> list[str]:
        # Not indented as Python does it: a secret of several lines has to stay recognisable.
        rule = "-" * 16
        lines = []
        for at, member in enumerate(self.members, 1):
            own = f"{number}{at}"
            lines += [f"+{rule} {own} {rule}\n", *member._lines(f"{own}.")]
        if self.size > len(self.members):
            lines.append(f"+{rule} and {self.size - len(self.members)} more {rule}\n")
        return [*lines, f"+{rule * 2}\n"]


def snapshot_error(error: BaseException) -> ErrorSnapshot:
    """Return what is kept of `error`: names, text and line numbers, no source is read."""
    return _snapshot(error, 0, iter(range(1, _MAX_ERRORS)))


def _snapshot(error: BaseException, depth: int, more: Iterator[int]) -> ErrorSnapshot:
    """Return what is kept of one error, and of others as long as there are `more`."""
    cause = None
    if depth < _MAX_CHAIN:
        direct, context = _read(error, "__cause__"), _read(error, "__context__")
        other, told = direct, "The above exception was the direct cause of the following exception:"
        if direct is None and not _read(error, "__suppress_context__"):
            other = context
            told = "During handling of the above exception, another exception occurred:"
        if other is not None and next(more, None):
            cause = (_snapshot(other, depth + 1, more), told)
    inner = members(error)
    kept = [
        _snapshot(member, depth + 1, more)
        for member in inner[: _MAX_MEMBERS if depth < _MAX_CHAIN else 0]
        if next(more, None)
    ]
    frames = _frames(_read(error, "__traceback__"))
    return ErrorSnapshot(_type_name(error), _message(error), frames, cause, tuple(kept), len(inner))


def members(error: BaseException) -> tuple[BaseException, ...]:
    """Return the errors of an exception group, none of another exception."""
    # By its name: before Python 3.11 it comes from a library.
    for kind in bases_of(type(error)):
        if qualified_name(kind) == "BaseExceptionGroup":
            break
    else:
        return ()
    try:
        # Of that class, whatever a class of the user's own makes of it.
        field = stored_in(kind, "exceptions")
        inner = tuple(vars(error)["exceptions"] if field is None else field.__get__(error))
    except Exception:  # noqa: BLE001  # a class of the user's own
        return ()
    return inner if all(issubclass(type(one), BaseException) for one in inner) else ()


def _read(error: BaseException, name: str) -> Any:
    # As every exception has it, whatever the class of this one does to its attributes.
    return BaseException.__dict__[name].__get__(error)


def _type_name(error: BaseException) -> str:
    kind = type(error)
    if module_of(kind) in ("builtins", "__main__"):
        return qualified_name(kind)
    return class_name(kind)


def _message(error: BaseException) -> str:
    try:
        text = str.__str__(str(error))  # which may be of a class of the agent's
        notes = getattr(error, "__notes__", None)
        if isinstance(notes, list):
            text = "\n".join([text, *(note for note in notes if isinstance(note, str))])
    except (Exception, SystemExit):  # noqa: BLE001  # the exception's own methods may do anything
        return "(its text could not be read)"
    return text if len(text) <= _MAX_MESSAGE else f"{text[:_MAX_MESSAGE]}… ({len(text)} characters)"


def _frames(trace: TracebackType | None) -> tuple[tuple[CodeType, int], ...]:
    """Return the calls of a trace, without those of ours that only lead on to the user's code."""
    frames: list[tuple[CodeType, int]] = []
    leading: list[tuple[CodeType, int]] = []
    while trace is not None:
        frame = trace.tb_frame
        call = (frame.f_code, trace.tb_lineno)
        trace = trace.tb_next
        if not is_ours(frame):
            leading = []
            frames.append(call)
        elif leads_on(frame):
            leading.append(call)
        else:  # what they led to is of this library too, and so is the error
            frames += [*leading, call]
            leading = []
    frames += leading
    if len(frames) > _MAX_FRAMES:
        frames = frames[: _MAX_FRAMES // 2] + frames[-_MAX_FRAMES // 2 :]
    return tuple(frames)
