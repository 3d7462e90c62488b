"""Recorded results in place of calls: a test of the agent, without what its tools reach."""

from __future__ import annotations

import contextlib
import inspect
import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from prefactor_trace._capture import as_mapping, snapshot
from prefactor_trace.testing.matching import shown


class ReplayedError(Exception):
    """A call that is replayed had failed, with an exception that cannot be made here.

    Args:
        type: Name of the class of the exception that it failed with.
        message: Its text.
    """

    def __init__(self, type: str, message: str) -> None:
        super().__init__(f"{type}: {message}")
        self.type = type


class ReplayMismatch(AssertionError):  # noqa: N818  # what a test expected
    """A call was made that was not recorded."""


def read_recorded(given: Any, schema_name: str) -> list[dict[str, Any]]:
    """Return the recorded calls of a span type.

    Args:
        given: The calls, spans of a recording, or the path of a JSON file.
        schema_name: Span type.

    Raises:
        ValueError: There is none.
    """
    if isinstance(given, (str, Path)):
        given = json.loads(Path(given).read_text(encoding="utf-8"))
    calls = [
        one
        if isinstance(one, dict)
        else {
            "schema_name": one.schema_name,
            "status": one.status,
            "payload": one.payload,
            "result_payload": one.result_payload,
        }
        for one in given
    ]
    found = [one for one in calls if one.get("schema_name", schema_name) == schema_name]
    if not found:
        raise ValueError(f"nothing was recorded of the span type {schema_name!r}")
    return found


class Replay:
    """Stands in for the functions that are decorated with a span type.

    Args:
        schema_name: The span type.
        calls: What was recorded of it.
    """

    def __init__(self, schema_name: str, calls: Sequence[dict[str, Any]]) -> None:
        self._schema_name = schema_name
        self._left = list(calls)
        self._stop: Callable[[], None] | None = None

    def start(self) -> None:
        """Answer from now on."""
        from prefactor_trace._wrapper import Wrapped, find_marks

        whole: Any = Wrapped
        bound: Any = Wrapped.__bound_function_wrapper__
        before = whole.__call__, bound.__call__

        def call(wrapper: Any, *args: Any, **kwargs: Any) -> Any:
            if any(mark[:2] == ("span", self._schema_name) for mark in find_marks(wrapper)):  # type: ignore[index]
                return self._answer(wrapper, args, kwargs)
            return before[type(wrapper) is bound](wrapper, *args, **kwargs)

        whole.__call__ = bound.__call__ = call

        def stop() -> None:
            whole.__call__, bound.__call__ = before

        self._stop = stop

    def stop(self) -> None:
        """Let calls through again."""
        if self._stop is not None:
            self._stop()
            self._stop = None

    def _answer(self, wrapper: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Run the wrapper around a function that returns what was recorded."""
        instance = getattr(wrapper, "_self_instance", None)
        signature = inspect.signature(wrapper)

        def stub(*args: Any, **kwargs: Any) -> Any:
            bound = signature.bind(*args, **kwargs)
            bound.apply_defaults()
            return self._result(snapshot(bound.arguments)[0])

        function: Any = stub
        if inspect.iscoroutinefunction(wrapper):

            async def stub_later(*args: Any, **kwargs: Any) -> Any:
                return stub(*args, **kwargs)

            function = stub_later
        return wrapper._self_wrapper(function, instance, args, kwargs)

    def _result(self, payload: dict[str, Any]) -> Any:
        for at, one in enumerate(self._left):
            if _same(one["payload"], payload):
                call = self._left.pop(at)
                break
        else:
            left = "; ".join(shown(one["payload"]) for one in self._left[:5]) or "nothing"
            raise ReplayMismatch(
                f"a {self._schema_name} with {shown(payload)} was not recorded; left are {left}"
            )
        result = as_mapping(call.get("result_payload"))
        if call.get("status") == "failed":
            raise _error(result.get("error_type", "Error"), result.get("message", ""))
        # What is no mapping is recorded as one of this one key.
        return result["result"] if result.keys() == {"result"} else result or None


def _error(name: str, message: str) -> Exception:
    """Return the exception that was recorded, for code that catches it."""
    module, _, attribute = name.rpartition(".")
    kind = getattr(sys.modules.get(module or "builtins"), attribute, None)
    if isinstance(kind, type) and issubclass(kind, Exception):
        with contextlib.suppress(TypeError):  # it takes other arguments
            return kind(message)
    return ReplayedError(name, message)


def _same(recorded: dict[str, Any], payload: dict[str, Any]) -> bool:
    """Return whether two payloads have the same values where both say something.

    A recorded payload may hold a method's object, keyword arguments by their own names, or a
    secret that was taken out.
    """
    return all(
        payload.get(key, value) == value or "[redacted]" in str(value)
        for key, value in recorded.items()
    )
