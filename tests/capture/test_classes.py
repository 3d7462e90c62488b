"""Classes are looked at without the help of their metaclasses."""

from typing import Any

import pytest

from prefactor_trace._capture import attribute_of, bases_of, module_of, qualified_name, snapshot
from prefactor_trace._capture.classes import class_name, stored_in


class Guarded(type):
    """A metaclass that lets nobody ask."""

    def __getattribute__(cls, name: str) -> Any:
        raise AssertionError(f"it was asked for {name}")


class Register(type):
    """A metaclass that takes any name for one of its entries."""

    def __getattr__(cls, name: str) -> Any:
        raise KeyError(name)


class Base:
    """What others are derived from."""

    kept = 1


def make(meta: type) -> Any:
    """Return a class; not kept in the module, where pytest would ask it for something."""
    return meta("Odd", (Base,), {"own": 2, "__module__": "odd"})


def test_a_metaclass_is_not_asked():
    """Neither for names nor for bases and attributes."""
    odd = make(Guarded)
    assert len(bases_of(odd)) == 3
    assert (module_of(odd), qualified_name(odd), class_name(odd)) == ("odd", "Odd", "odd.Odd")
    assert [attribute_of(odd, name) for name in ("own", "kept", "none")] == [2, 1, None]
    assert [stored_in(odd, name) for name in ("own", "kept")] == [2, None]


def test_a_class_may_have_no_module():
    """Or something else in its place."""
    odd: Any = type("Odd", (), {"__module__": property(lambda _: "x")})
    assert (module_of(odd), class_name(odd)) == ("", ".Odd")


@pytest.mark.parametrize("meta", [Guarded, Register])
def test_what_is_of_such_a_class_is_named(meta: type):
    """It costs neither its neighbours nor the span, and is no fault."""
    kind = make(meta)
    value, named = kind(), {"type": "odd.Odd"}
    copy = snapshot({"before": 1, "value": value, "list": [value], "kind": kind})[0]
    told = {"type": "type", "name": "odd.Odd"}
    assert copy == {"before": 1, "value": named, "list": [named], "kind": told}
