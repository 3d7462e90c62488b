"""What of a generator's items becomes the result of its span."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from prefactor_trace import _guard
from prefactor_trace._capture import Json, snapshot
from prefactor_trace._notes import REASON, TRUNCATED

if TYPE_CHECKING:
    from prefactor_trace._span import Span

Reduce = Callable[[list[Any]], Any]

_ENDS = 16  # items that are kept from each end
_LONGEST_TEXT = 2_000  # characters of an item
_LARGEST_ITEM = 16_000  # bytes: twice 16 of them are half a megabyte


class Output:
    """What a generator has given so far: the first items, the last ones and their number.

    Args:
        reduce: Makes the result from all items, which are then all kept; ``None`` keeps the ends.
        wanted: Whether anything is kept at all.
    """

    __slots__ = ("_all", "_count", "_head", "_reduce", "_tail", "_wanted")

    def __init__(self, reduce: Reduce | None, *, wanted: bool) -> None:
        self._reduce = reduce
        self._wanted = wanted
        self._all: list[Any] = []
        self._head: list[Json] = []
        self._tail: deque[Json] = deque(maxlen=_ENDS)
        self._count = 0

    def add(self, item: Any) -> None:
        """Take an item that is on its way to the consumer."""
        self._count += 1
        if not self._wanted:
            return
        if self._reduce is not None:
            self._all.append(item)
            return
        try:
            kept = _short(item)
        except Exception as error:  # noqa: BLE001
            _guard.log_fault("copying an item of a generator", error)
            return
        (self._head if len(self._head) < _ENDS else self._tail).append(kept)

    def keep(self, span: Span, returned: Any, *, is_closing: bool) -> None:
        """Set it as the result of `span`, unless the body has set one of its own."""
        result = span._result
        if result is None and self._wanted:
            result = self._result()
            if returned is not None:
                result.setdefault("return", snapshot(returned)[0])
            span.set_result(result)
            result = span._result
        if is_closing:
            result = result if isinstance(result, dict) else _named(result)
            span._result = {**result, "closed_early": True}

    def _result(self) -> dict[str, Any]:
        if self._reduce is not None:
            try:
                return dict(_named(self._reduce(self._all)))
            except Exception as error:  # noqa: BLE001
                _guard.log_raised("reduce", self._reduce, error)
                told = f"reduce raised {type(error).__qualname__}"
                return {REASON: told, "count": self._count}
        if self._count <= 2 * _ENDS:
            return {"result": [*self._head, *self._tail]}
        head, tail = list(self._head), list(self._tail)
        return {"head": head, "tail": tail, "count": self._count, TRUNCATED: True}


def _named(value: Any) -> dict[str, Any]:
    if value is None:
        return {}
    return value if isinstance(value, dict) else {"result": value}


def _short(item: Any) -> Json:
    """Return a plain copy of an item, cut where it is long: the memory of a stream is bounded."""
    if type(item) is str and len(item) > _LONGEST_TEXT:
        half = _LONGEST_TEXT // 2
        return {TRUNCATED: True, "size": len(item), "head": item[:half], "tail": item[-half:]}
    copy, size = snapshot(item)
    if size <= _LARGEST_ITEM:
        return copy
    if type(copy) is str:
        return _short(copy)
    return {TRUNCATED: True, "type": type(item).__qualname__, "size": size}
