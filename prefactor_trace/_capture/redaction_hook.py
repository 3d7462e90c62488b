"""A user's own redaction, kept from doing harm when it fails.

What it does not finish properly is replaced, never sent as it was.
"""

from __future__ import annotations

import contextvars
import math
import threading
from collections.abc import Callable
from typing import Any

from prefactor_trace._capture.bounds import MAX_DEPTH
from prefactor_trace._capture.values import Json
from prefactor_trace._notes import MARKER

Path = tuple[str | int, ...]
Hook = Callable[[Path, Json], Json]
"""Gets where a value stands, and the value; returns what is to be recorded in its place."""

TIME_LIMIT = 1.0
"""Seconds that one call of a hook may take."""

_LOOKS = 8  # how often a call is looked at before it counts as hung


class GuardedHook:
    """A hook whose failures are counted, and hide what it should have seen.

    Args:
        hook: The user's function.
        count: Told the reason of each failure.
        time_limit: Seconds that one call may take.
    """

    def __init__(
        self, hook: Hook, count: Callable[[str], None], time_limit: float = TIME_LIMIT
    ) -> None:
        self._hook = hook
        self._count = count
        self._time_limit = time_limit
        self._hung = False

    def apply(self, payload: dict[str, Json]) -> tuple[dict[str, Json], int]:
        """Return `payload` with each single value as the hook wants it, and how many changed.

        The hook runs on a thread of its own: one that hangs is left there, and never called again.
        """
        if self._hung:
            self._count("hook_off")
            return blank(payload)
        job = _Job(self._hook, self._count)
        try:
            # In this thread's context: where nothing is recorded, what the hook does is not either.
            threading.Thread(
                target=contextvars.copy_context().run,
                args=(job.run, payload),
                name="prefactor-redact",
                daemon=True,
            ).start()
        except RuntimeError:  # an interpreter that is shutting down starts no thread
            self._count("hook_off")
            return blank(payload)
        if not self._wait(job):
            self._hung = True
            self._count("hook_hung")
        # A fault of the walk itself also leaves no result.
        return blank(payload) if job.result is None or self._hung else job.result

    def _wait(self, job: _Job) -> bool:
        """Return whether the job came to its end with no call over the limit.

        Looks are counted, and no clock is read, since tests freeze clocks.
        """
        seen, looks = job.calls, 0
        while not job.done.wait(self._time_limit / _LOOKS):
            if job.calls != seen:
                seen, looks = job.calls, 0
                continue
            looks += 1
            if looks >= _LOOKS:
                return False
        return True


class _Job:
    """One walk of a hook over a payload."""

    def __init__(self, hook: Hook, count: Callable[[str], None]) -> None:
        self.calls = 0
        self.done = threading.Event()
        self.result: tuple[dict[str, Json], int] | None = None
        self._changed = 0
        self._hook = hook
        self._count = count

    def run(self, payload: dict[str, Json]) -> None:
        """Walk, and leave the result."""
        try:
            self.result = self._walk((), payload), self._changed
        finally:
            self.done.set()

    def _walk(self, path: Path, value: Any) -> Any:
        if type(value) is dict:
            return {key: self._walk((*path, key), item) for key, item in value.items()}
        if type(value) is list:
            return [self._walk((*path, index), item) for index, item in enumerate(value)]
        return value if value is None else self._call(path, value)

    def _call(self, path: Path, value: Json) -> Json:
        self.calls += 1
        try:
            wanted = self._hook(path, value)
        except BaseException:  # noqa: BLE001  # nor may a hook's SystemExit end the walk
            return self._fail("hook_raised")
        if wanted is None:
            return self._fail("hook_returned_nothing")
        try:
            wanted = plain_copy(wanted)
        except (TypeError, ValueError):
            return self._fail("hook_returned_no_json")
        if type(wanted) is type(value) and wanted == value:
            return value
        self._changed += 1
        return wanted

    def _fail(self, reason: str) -> str:
        self._count(reason)
        self._changed += 1
        return MARKER


def blank(value: Any) -> tuple[Any, int]:
    """Return plain JSON of the same shape in which every value is hidden, and how many were."""
    if type(value) is dict:
        pairs = {key: blank(item) for key, item in value.items()}
        return {key: new for key, (new, _) in pairs.items()}, sum(n for _, n in pairs.values())
    if type(value) is list:
        items = [blank(item) for item in value]
        return [new for new, _ in items], sum(n for _, n in items)
    return (value, 0) if value is None else (MARKER, int(value != MARKER))


def plain_copy(value: Any, depth: int = 0) -> Json:
    """Return a copy of plain JSON, which nobody else holds.

    Raises:
        TypeError: It is something else.
        ValueError: It is too deep, or a number that JSON does not know.
    """
    kind = type(value)
    if depth > MAX_DEPTH:
        raise ValueError("too deep")
    if kind is dict:
        if not all(type(key) is str for key in value):
            raise TypeError("a key that is no text")
        return {key: plain_copy(item, depth + 1) for key, item in value.items()}
    if kind is list:
        return [plain_copy(item, depth + 1) for item in value]
    if kind is float and not math.isfinite(value):
        raise ValueError("a number that JSON does not know")
    if kind not in (str, int, float, bool, type(None)):
        raise TypeError(f"{kind.__name__} is no JSON")
    return value
