"""Counting what the interpreter does: instructions of bytecode, and calls of functions in C.

The counts are the same whatever else the machine does. Both are needed: work that moves into a C
function takes its instructions away and adds a call.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from pathlib import Path
from types import CodeType, FrameType
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from types import TracebackType

    from typing_extensions import Self

_HERE = str(Path(__file__).parent)


class Counts(NamedTuple):
    """What was done."""

    opcodes: int
    calls: int


def is_measured(code: CodeType) -> bool:
    """Return whether a function is not one of the benchmarks themselves."""
    return not code.co_filename.startswith(_HERE)


class Counting:
    """Counts, as a block, what this thread does or what threads do that start inside.

    Args:
        counts: Whether what a function does is counted.
        others: Count threads that start inside instead of this one.

    Attributes:
        opcodes: Instructions so far.
        calls: Calls of C functions so far.
    """

    def __init__(
        self, counts: Callable[[CodeType], bool] = is_measured, *, others: bool = False
    ) -> None:
        self._counts = counts
        self._others = others
        self._known: dict[CodeType, bool] = {}
        self.opcodes = self.calls = 0
        self._thread = threading.get_ident()

    def __enter__(self) -> Self:
        if sys.version_info >= (3, 12):
            events = sys.monitoring
            events.use_tool_id(events.OPTIMIZER_ID, "benchmarks")
            instruction = events.events.INSTRUCTION
            events.register_callback(events.OPTIMIZER_ID, instruction, self._note_instruction)
            events.set_events(events.OPTIMIZER_ID, instruction)
        elif self._others:
            threading.settrace(self._note_frame)
        else:
            sys.settrace(self._note_frame)
        if self._others:
            threading.setprofile(self._note_call)
        else:
            sys.setprofile(self._note_call)
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        threading.setprofile(None)
        sys.setprofile(None)
        if sys.version_info >= (3, 12):
            events = sys.monitoring
            events.set_events(events.OPTIMIZER_ID, 0)
            events.free_tool_id(events.OPTIMIZER_ID)
            events.restart_events()
        else:
            threading.settrace(None)
            sys.settrace(None)

    def _is_counted(self, code: CodeType) -> bool:
        known = self._known.get(code)
        if known is None:
            known = self._known[code] = self._counts(code)
        return known

    # From Python 3.12 on

    def _note_instruction(self, code: CodeType, offset: int) -> Any:
        del offset
        if not self._is_counted(code):
            return sys.monitoring.DISABLE  # type: ignore[attr-defined,unused-ignore]
        if (threading.get_ident() == self._thread) != self._others:
            self.opcodes += 1
        return None

    # Before

    def _note_frame(self, frame: FrameType, event: str, argument: object) -> Any:
        del event, argument
        if not self._is_counted(frame.f_code):
            return None
        frame.f_trace_opcodes = True
        frame.f_trace_lines = False
        return self._note_opcode

    def _note_opcode(self, frame: FrameType, event: str, argument: object) -> Any:
        del frame, argument
        if event == "opcode":
            self.opcodes += 1
        return self._note_opcode

    # In all of them

    def _note_call(self, frame: FrameType, event: str, argument: object) -> None:
        del argument
        if event == "c_call" and self._is_counted(frame.f_code):
            self.calls += 1
