"""What kind of function is decorated, and its name."""

from __future__ import annotations

import contextlib
import functools
import inspect
import types
from typing import Any, Literal

from prefactor_trace._schema import Function, SpanOptions

Kind = Literal["plain", "coroutine", "generator", "async generator", "block"]
"""What a call returns: its result, something to await or to step through, or a block (of what
contextlib makes of a generator function)."""

# The code of every function that contextlib has made of a generator.
_BLOCK_MAKERS = {
    code
    for maker in (contextlib.contextmanager, contextlib.asynccontextmanager)
    for code in maker.__code__.co_consts
    if isinstance(code, types.CodeType)
}


def kind_of(function: Any) -> Kind:
    """Return the kind of a function or of another object that can be called."""
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
    """Return a function as the schemas of its span type are made from it."""
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
    """Return the name of a function; that of its class where it has none."""
    name = getattr(function, "__qualname__", None) or getattr(function, "__name__", None)
    if isinstance(name, str):
        return name
    inner = getattr(function, "func", None)  # of a partial
    return (
        name_of(inner) if isinstance(function, functools.partial) else type(function).__qualname__
    )
