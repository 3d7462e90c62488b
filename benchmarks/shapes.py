"""The shapes of work that every tracer is measured with, and the same work without a tracer.

An operation is a function without arguments, or a coroutine function; a tracer gives one for each
shape that it has. What it costs is its time less that of the bare operation.
"""

from __future__ import annotations

import functools
import inspect
import json
from collections.abc import Callable
from typing import Any, NamedTuple

Operation = Callable[[], Any]

PAYLOAD = {"model": "m-1", "question": "Where is my parcel?", "temperature": 0.2, "k": 5}
RESULT = {"text": "It is at the depot, and comes tomorrow.", "tokens": 42, "cached": False}
_SENTENCE = (
    "You are a helpful assistant who answers what customers ask of their parcels, in order. "
)
PROMPT = {"prompt": (_SENTENCE * 1_200)[:100_000]}
MESSAGES = [
    {"role": ("user", "assistant")[number % 2], "content": f"{number}: {_SENTENCE * 3}"}
    for number in range(50)
]
CONVERSATION = {"model": "m-1", "messages": MESSAGES}
FOUND = ["parcel #1", "parcel #2", "parcel #3"]

DEPTH = 10


class Shape(NamedTuple):
    """A shape of work.

    Attributes:
        name: What it is called here.
        says: What it is called in the report.
        spans: Spans that one operation makes.
        at_once: Operations between two deliveries, small enough that no tracer delivers meanwhile.
        mode: State that the tracer is in.
    """

    name: str
    says: str
    spans: int = 1
    at_once: int = 400
    mode: str = "on"


SHAPES = [
    Shape("block", "bare block"),
    Shape("data", "block with payload and result"),
    Shape("decorated", "decorated function"),
    Shape("async", "async block"),
    Shape("nested", "nested 10 deep", spans=DEPTH, at_once=400 // DEPTH),
    Shape("prompt", "100 kB prompt", at_once=100),
    Shape("conversation", "50 messages", at_once=100),
    Shape("off_block", "off: block", mode="off"),
    Shape("off_decorated", "off: decorated function", mode="off"),
    Shape("unsampled_block", "not sampled: block", mode="unsampled"),
    Shape("unsampled_decorated", "not sampled: decorated function", mode="unsampled"),
]

MODES = ("on", "off", "unsampled")


def search(query: str, k: int = 5) -> list[str]:
    """Find nothing new: the function that is decorated."""
    return FOUND if query else FOUND[:k]


def call(function: Callable[..., Any]) -> Operation:
    """Return the operation that calls a function like `search`."""

    def called() -> None:
        function("Where is my parcel?", k=3)

    return called


def _nothing() -> None:
    pass


async def _nothing_async() -> None:
    pass


def bare(name: str, operation: Operation) -> Operation:
    """Return what `operation`, of the shape called `name`, does without its tracer."""
    if inspect.iscoroutinefunction(operation):
        return _nothing_async
    return call(search) if "decorated" in name else _nothing


def as_attributes(payload: dict[str, Any]) -> dict[str, str]:
    """Return a payload as attributes that are texts, for a tracer that takes no nested ones."""
    return {
        name: value if isinstance(value, str) else json.dumps(value)
        for name, value in payload.items()
    }


def as_json(
    start: Callable[[dict[str, str]], Any], end: Callable[[Any, str], None]
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Return the decorator that users write where a tracer has none that captures.

    Args:
        start: Returns a block, given the arguments.
        end: Puts the result on what the block gave.
    """

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        signature = inspect.signature(function)

        @functools.wraps(function)
        def traced(*args: Any, **kwargs: Any) -> Any:
            bound = signature.bind(*args, **kwargs)
            with start({name: json.dumps(value) for name, value in bound.arguments.items()}) as on:
                result = function(*args, **kwargs)
                end(on, json.dumps(result))
                return result

        return traced

    return decorate
