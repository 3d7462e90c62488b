"""Recorded results in place of calls: a test of the agent, without what its tools reach."""

from __future__ import annotations

import inspect
import json
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from prefactor_trace._capture import as_mapping, holds_cut, snapshot
from prefactor_trace._notes import MARKER
from prefactor_trace._schema import Function
from prefactor_trace.testing.answers import raised, returned
from prefactor_trace.testing.wording import shown

__tracebackhide__ = True  # a failure is shown where the call is made


class ReplayMismatch(AssertionError):  # noqa: N818  # what a test expected
    """A call was made that was not recorded, or not whole, so that nothing can answer it."""


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
            return self._result(snapshot(bound.arguments)[0], wrapper)

        return wrapper._self_wrapper(_like(wrapper, stub), instance, args, kwargs)

    def _result(self, payload: dict[str, Any], wrapper: Any) -> Any:
        for at, one in enumerate(self._left):
            if _same(one["payload"], payload):
                call = self._left.pop(at)
                break
        else:
            left = "; ".join(shown(one["payload"]) for one in self._left[:5]) or "nothing"
            raise ReplayMismatch(
                f"a {self._schema_name} with {shown(payload)} was not recorded; left are {left}"
            )
        result = call.get("result_payload")
        if call.get("status") == "failed":
            error = as_mapping(result)
            names = getattr(inspect.unwrap(wrapper), "__globals__", {})
            raise raised(error.get("error_type", "Error"), error.get("message", ""), names)
        if holds_cut(result):
            raise ReplayMismatch(
                f"the result of the {self._schema_name} with {shown(payload)} was too long to be"
                " recorded whole; write what it returned into the recorded calls"
            )
        if inspect.isgeneratorfunction(wrapper) or inspect.isasyncgenfunction(wrapper):
            result = self._of_items(as_mapping(result), payload)
        return returned(result, Function(wrapper))

    def _of_items(self, result: dict[str, Any], payload: dict[str, Any]) -> dict[str, Any]:
        """Return what was recorded of the items of a generator, without what is said of its end."""
        if isinstance(result.get("result"), list):
            return {"result": result["result"]}
        if result.keys() - {"result"}:
            raise ReplayMismatch(
                f"the {self._schema_name} with {shown(payload)} gives its items one by one, and"
                " only what reduce= has made of them was recorded; write a list of the items into"
                ' the recorded calls, {"result": [...]}'
            )
        return result


def _like(wrapper: Any, stub: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function that answers as `stub` does and is of the kind that the wrapped one is."""

    async def coroutine(*args: Any, **kwargs: Any) -> Any:
        return stub(*args, **kwargs)

    def generator(*args: Any, **kwargs: Any) -> Iterator[Any]:
        yield from _items(stub(*args, **kwargs))

    async def async_generator(*args: Any, **kwargs: Any) -> AsyncIterator[Any]:
        for item in _items(stub(*args, **kwargs)):
            yield item

    if inspect.iscoroutinefunction(wrapper):
        return coroutine
    if inspect.isgeneratorfunction(wrapper):
        return generator
    return async_generator if inspect.isasyncgenfunction(wrapper) else stub


def _items(result: Any) -> list[Any]:
    # What `reduce` has made of the items is one: they are not recorded.
    return result if isinstance(result, list) else [result]


def _same(recorded: dict[str, Any], payload: dict[str, Any]) -> bool:
    """Return whether two payloads have the same values where both say something.

    A recorded payload may hold a method's object, keyword arguments by their own names, or a
    secret that was taken out. Of a value that was cut, nothing is compared.
    """
    return all(
        payload.get(key, value) == value or MARKER in str(value) or holds_cut(value)
        for key, value in recorded.items()
    )
