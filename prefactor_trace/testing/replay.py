"""Recorded results in place of calls: a test of the agent, without what its tools reach."""

from __future__ import annotations

import inspect
import json
import os
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from prefactor_trace._capture import as_mapping, holds_cut, snapshot
from prefactor_trace._capture.redaction import Redactor
from prefactor_trace._context import current_span
from prefactor_trace._nearest import hint, nearest
from prefactor_trace._notes import MARKER, PREFIX
from prefactor_trace._schema import Function
from prefactor_trace._substitutes import lacks_keys, text_of
from prefactor_trace._wrapper import Wrapped, find_marks
from prefactor_trace.testing.answers import raised, returned
from prefactor_trace.testing.spans import RecordedSpan
from prefactor_trace.testing.wording import shown, with_article

__tracebackhide__ = True  # a failure is shown where the call is made


_KEYS = ("schema_name", "status", "payload", "result_payload")
_FORMS = (
    'a list of {"payload": ..., "result_payload": ...}, the spans of a recording, or the path of'
    " a JSON file with such a list"
)


class ReplayMismatch(AssertionError):  # noqa: N818  # what a test expected
    """A call was made that was not recorded, or not whole, so that nothing can answer it."""


def read_recorded(given: Any, schema_name: str) -> list[dict[str, Any]]:
    """Return the recorded calls of a span type, out of calls, spans, or the path of a JSON file.

    Raises:
        ValueError: There is none, or one is no recorded call.
    """
    if isinstance(given, (str, Path)):
        given = json.loads(Path(given).read_text(encoding="utf-8"))
    if not isinstance(given, Iterable) or isinstance(given, (str, Mapping)):
        raise ValueError(f"from_ takes {_FORMS}, got {given!r}")
    calls = [_read_call(number, one) for number, one in enumerate(given, 1)]
    found = [one for one in calls if one.get("schema_name", schema_name) == schema_name]
    if not found:
        raise ValueError(f"nothing was recorded of the span type {schema_name!r}")
    return found


def _read_call(number: int, given: Any) -> dict[str, Any]:
    if isinstance(given, RecordedSpan):
        return {key: getattr(given, key) for key in _KEYS}
    if not isinstance(given, dict):
        raise ValueError(f"from_ takes {_FORMS}; number {number} is {shown(given)}")
    from prefactor_trace.models import AgentSpan  # a span as the service stores it will do

    for key in given.keys() - AgentSpan.model_fields:
        near = hint(str(key), _KEYS)
        raise ValueError(f"the recorded call {number} has the unknown key {key!r}{near}")
    for key in ("payload", "result_payload"):
        value = given.get(key)
        if not isinstance(value, dict) and (key == "payload" or value is not None):
            told = shown(value) if key in given else "missing"
            raise ValueError(f"the {key} of the recorded call {number} is a mapping, and is {told}")
    return given


class Replay:
    """Stands in for the functions that are decorated with a span type.

    Attributes:
        plain: Which results are not of the type that their functions return, and why, a line each.
    """

    def __init__(self, schema_name: str, calls: Sequence[dict[str, Any]]) -> None:
        self._schema_name = schema_name
        self._left = list(calls)
        self._count = len(self._left)
        self._unanswered: list[str] = []
        self.plain: list[str] = []
        self._stop: Callable[[], None] | None = None

    def start(self) -> None:
        """Answer from now on."""
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

    def faults(self, spans: Sequence[RecordedSpan]) -> list[str]:
        """Return what went wrong with it, a line each."""
        if len(self._left) < self._count or self._unanswered:
            return self._unanswered
        told = f"replay({self._schema_name!r}) answered nothing: "
        real = [span for span in spans if span.schema_name == self._schema_name]
        if real:
            # A block that has done what was recorded of it needs nobody to stand in for it.
            other = next((span for span in real if not self._has(span)), None)
            if other is None:
                return []
            where = f" ({other.where})" if other.where else ""
            return [f"{told}{other!r}{where} is no call of a decorated function that came after it"]
        near = nearest(self._schema_name, {span.schema_name for span in spans})
        meant = f"; did you mean {near!r}?" if near else ""
        return [f"{told}no function of that span type was called{meant}"]

    def _has(self, span: RecordedSpan) -> bool:
        """Return whether a span is as one of the recorded calls."""
        result = span.result_payload or {}
        return any(
            _same(one["payload"], span.payload)
            and one.get("status", span.status) == span.status
            and result.keys() >= (said := one.get("result_payload") or {}).keys()
            and _same(said, result)
            for one in self._left
        )

    def _answer(self, wrapper: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Run the wrapper around a function that returns what was recorded."""
        instance = getattr(wrapper, "_self_instance", None)
        if getattr(wrapper, "_self_binding", "") == "staticmethod":  # called by way of an object
            instance = None
        signature = inspect.signature(wrapper)

        def stub(*args: Any, **kwargs: Any) -> Any:
            bound = signature.bind(*args, **kwargs)
            bound.apply_defaults()
            try:
                return self._result(snapshot(_payload(bound))[0], wrapper)
            except ReplayMismatch as error:  # an agent may go on after any exception
                self._unanswered.append(str(error))
                raise

        return wrapper._self_wrapper(_like(wrapper, stub), instance, args, kwargs)

    def _result(self, payload: dict[str, Any], wrapper: Any) -> Any:
        takes_any = any(
            parameter.kind is inspect.Parameter.VAR_KEYWORD
            for parameter in inspect.signature(wrapper).parameters.values()
        )
        fitting = [
            at
            for at, one in enumerate(self._left)
            if _same(one["payload"], payload) and not _lacks(one["payload"], payload, takes_any)
        ]
        if not fitting:
            left = "; ".join(shown(one["payload"]) for one in self._left[:5])
            raise ReplayMismatch(
                f"{with_article(self._schema_name)} with {_told(payload)} was not recorded; "
                + (f"left are {left}" if left else "nothing is left")
            )
        if takes_any:  # a call that was recorded with fewer arguments fits as well
            fitting.sort(key=lambda at: -len(self._left[at]["payload"].keys() & payload.keys()))
        call = self._left.pop(fitting[0])
        result = call.get("result_payload")
        if call.get("status") == "failed":
            error = as_mapping(result)
            names = getattr(inspect.unwrap(wrapper), "__globals__", {})
            raise raised(error.get("error_type", "Error"), text_of(error.get("message")), names)
        if holds_cut(result):
            raise ReplayMismatch(
                f"the result of the {self._schema_name} with {_told(payload)} was too long to be"
                " recorded whole; write what it returned into the recorded calls"
            )
        if inspect.isgeneratorfunction(wrapper) or inspect.isasyncgenfunction(wrapper):
            result = self._of_items(as_mapping(result), payload)
        value, unlike = returned(result, Function(wrapper))
        if unlike is not None:
            name = f"{self._schema_name} with {_told(payload)}"
            self.plain.append(f"the replayed result of the {name} is plain JSON: {unlike}")
        return value

    def _of_items(self, result: dict[str, Any], payload: dict[str, Any]) -> dict[str, Any]:
        """Return what was recorded of the items of a generator, without what is said of its end."""
        if isinstance(result.get("result"), list):
            return {"result": result["result"]}
        if result.keys() - {"result"}:
            raise ReplayMismatch(
                f"the {self._schema_name} with {_told(payload)} gives its items one by one, and"
                " only what reduce= has made of them was recorded; write a list of the items into"
                ' the recorded calls, {"result": [...]}'
            )
        return result


def _told(payload: dict[str, Any]) -> str:
    """Return a call's arguments as its span has them: less what is ignored, and without secrets."""
    span = current_span()
    recorded = {} if span is None else as_mapping(span._payload)
    kept = {key: value for key, value in payload.items() if key in recorded}
    return shown(Redactor(environ=os.environ).redact(kept)[0])


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


def _payload(call: inspect.BoundArguments) -> dict[str, Any]:
    """Return what is recorded of a call: what `**kw` takes stands beside the other arguments."""
    payload = dict(call.arguments)
    for name, parameter in call.signature.parameters.items():
        if parameter.kind is inspect.Parameter.VAR_KEYWORD:
            taken = payload.pop(name)
            apart = not payload.keys().isdisjoint(taken)
            payload.update({name: taken} if apart else taken)
    return payload


def _lacks(recorded: dict[str, Any], payload: dict[str, Any], takes_any: bool) -> bool:
    """Return whether a call surely lacks an argument that was recorded.

    What else a recorded payload may hold says nothing of the call: the code may have replaced it.
    """
    if lacks_keys(recorded):
        return False
    missing = [key for key in recorded.keys() - payload.keys() if not key.startswith(PREFIX)]
    return any(takes_any or nearest(key, payload) for key in missing)


def _same(recorded: dict[str, Any], payload: dict[str, Any]) -> bool:
    """Return whether two payloads have the same values where both say something.

    A recorded payload may hold a method's object, or a secret that was taken out. Of a value that
    was cut, nothing is compared.
    """
    return all(
        payload.get(key, value) == value or MARKER in str(value) or holds_cut(value)
        for key, value in recorded.items()
    )
