"""What a class is, as Python has it: a metaclass of the agent's may raise when it is asked."""

from __future__ import annotations

from typing import Any

_bases = type.__dict__["__mro__"].__get__
_stored = type.__dict__["__dict__"].__get__
_module = type.__dict__["__module__"].__get__
_qualified = type.__dict__["__qualname__"].__get__


def bases_of(kind: type) -> tuple[type, ...]:
    """Return a class and those that it is derived from, in the order in which Python looks."""
    bases: tuple[type, ...] = _bases(kind)
    return bases


def attribute_of(kind: type, name: str) -> Any:
    """Return an attribute as a class or one of its bases stores it, ``None`` where none does."""
    for base in _bases(kind):
        stored = _stored(base)
        if name in stored:
            return stored[name]
    return None


def stored_in(kind: type, name: str) -> Any:
    """Return an attribute as a class itself stores it, ``None`` where it does not."""
    return _stored(kind).get(name)


def module_of(kind: type) -> str:
    """Return the name of a class's module, empty where it has none."""
    try:
        module = _module(kind)
    except AttributeError:
        return ""
    return module if type(module) is str else ""


def qualified_name(kind: type) -> str:
    """Return the name of a class, with those of the classes and functions that it is in."""
    name: str = _qualified(kind)
    return name


def class_name(kind: type) -> str:
    """Return the name of a class with its module's."""
    return f"{module_of(kind)}.{_qualified(kind)}"
