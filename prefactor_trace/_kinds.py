"""Of which kind a function is that is decorated, and what it is called."""

from __future__ import annotations

import contextlib
import functools
import inspect
import types
from typing import Any

from prefactor_trace._schema import Function, SpanOptions

# The code of every function that contextlib has made of a generator.
_BLOCK_MAKERS = {
    code
    for maker in (contextlib.contextmanager, contextlib.asynccontextmanager)
    for code in maker.__code__.co_consts
    if isinstance(code, types.CodeType)
}


def kind_of(function: Any) -> str:
    """Return of which kind a function is, by which is known how its calls end."""
    if getattr(function, "__code__", None) in _BLOCK_MAKERS:
        return "block"
    # Of an object that can be called, how its class says so.
    for one in (getattr(function, "__func__", function), getattr(type(function), "__call__", None)):  # noqa: B004
        if inspect.iscoroutinefunction(one):
            return "coroutine"
        if inspect.isgeneratorfunction(one):
            return "generator"
        if inspect.isasyncgenfunction(one):
            return "async generator"
    return "plain"


def described(function: Any, options: SpanOptions) -> Function:
    """Return what the schema of a span type is read off."""
    return Function(
        function,
        tuple(options.ignore or ()),
        records_input=options.capture_input,
        # What `reduce` makes of the items has a shape of its own; a block has no result.
        records_output=False
        if options.reduce is not None or kind_of(function) == "block"
        else options.capture_output,
    )


def name_of(function: Any) -> str:
    """Return what a function is called, also where it has no name."""
    name = getattr(function, "__qualname__", None) or getattr(function, "__name__", None)
    if isinstance(name, str):
        return name
    inner = getattr(function, "func", None)  # of a partial
    return (
        name_of(inner) if isinstance(function, functools.partial) else type(function).__qualname__
    )
