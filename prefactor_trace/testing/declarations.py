"""Span types and quality schemas of a test, which are gone after it.

What a module declares while it is imported stays: it is imported once, for all tests.
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable
from types import FrameType
from typing import Any

from prefactor_trace._schema import Registry
from prefactor_trace.exceptions import UsageError

_METHODS = ("declare", "declare_quality", "note")


class Declarations:
    """Puts a registry back as it was."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._state = registry.state()
        self._imported: list[tuple[str, tuple[Any, ...], dict[str, Any]]] = []
        self._methods = {name: getattr(Registry, name) for name in _METHODS}
        for name in _METHODS:
            setattr(Registry, name, self._observed(name))

    def _observed(self, name: str) -> Callable[..., None]:
        method = self._methods[name]
        is_note = name == "note"

        def observed(registry: Registry, *args: Any, **kwargs: Any) -> None:
            method(registry, *args, **kwargs)
            # A note without a function is of a block, which says the same each time.
            if registry is self._registry and not (is_note and len(args) < 3) and _is_importing():
                self._imported.append((name, args, kwargs))

        return observed

    def put_back(self) -> None:
        """Forget what was declared meanwhile, but by modules that were imported."""
        for name, method in self._methods.items():
            setattr(Registry, name, method)
        places = self._registry.state().places
        self._registry.put_back(self._state)
        for name, args, kwargs in self._imported:
            with contextlib.suppress(UsageError):
                getattr(self._registry, name)(*args, **kwargs)
        imported = {args[0] for _, args, _ in self._imported}
        self._registry._places.update(
            {key: place for key, place in places.items() if key[1] in imported}
        )


def _is_importing() -> bool:
    frame: FrameType | None = sys._getframe(2)
    while frame is not None:
        if frame.f_code.co_filename.startswith("<frozen importlib"):
            return True
        frame = frame.f_back
    return False
