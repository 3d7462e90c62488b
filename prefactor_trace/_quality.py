"""Quality records: how good a run was."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from prefactor_trace import _fate, _guard
from prefactor_trace._capture import snapshot
from prefactor_trace.exceptions import UsageError

if TYPE_CHECKING:
    from prefactor_trace._instance import Instance


class Quality:
    """A quality record on its way, left in the buffer where the ends of spans are."""

    __slots__ = ("_fate", "_instance", "name", "payload")

    def __init__(self, instance: Instance, name: str, payload: dict[str, Any] | None) -> None:
        self._fate = _fate.NEW
        self._instance = instance
        self.name = name
        self.payload = payload


def record_quality(run: Instance | None, name: str, payload: Mapping[str, Any] | None) -> None:
    """Check a quality record and, where there is a run that is recorded, leave it in the buffer.

    Raises:
        UsageError: `name` is empty, or `payload` is not a mapping.
    """
    if not isinstance(name, str) or not name:
        raise UsageError(f"record_quality takes a name such as 'helpfulness', got {name!r}")
    if payload is not None and not isinstance(payload, Mapping):
        raise UsageError(
            f"the payload of record_quality must be a mapping such as {{'score': 0.9}},"
            f" got {type(payload).__qualname__}"
        )
    if run is None or not run._recorded:
        return
    try:
        copy = None if payload is None else snapshot(payload)[0]
        run._home._registry.note_quality(name)
        run._buffer.add_end(Quality(run, name, copy))
    except Exception as error:  # noqa: BLE001
        _guard.log_fault("recording quality", error)
