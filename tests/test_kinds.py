"""Of which kind a function is, and what it is called."""

import contextlib
import functools

import pytest

from prefactor_trace._kinds import kind_of, name_of


def plain():
    """Return at once."""


async def coroutine():
    """Return when awaited."""


def generator():
    """Give one item."""
    yield


async def async_generator():
    """Give one item, later."""
    yield


class Called:
    """An object that is called and awaited."""

    async def __call__(self):
        """Return when awaited."""


KINDS = {
    "plain": [plain, len, functools.partial(plain), int.__add__],
    "coroutine": [coroutine, functools.partial(coroutine), staticmethod(coroutine), Called()],
    "generator": [generator, functools.partial(generator), classmethod(generator)],
    "async generator": [async_generator],
    "block": [
        contextlib.contextmanager(generator),
        contextlib.asynccontextmanager(async_generator),
    ],
}


@pytest.mark.parametrize(
    ("kind", "function"), [(kind, one) for kind in KINDS for one in KINDS[kind]]
)
def test_the_kind_is_how_calls_end(kind, function):
    """Also of what wraps a function, and of an object that is called."""
    assert kind_of(function) == kind


@pytest.mark.parametrize(
    ("function", "name"),
    [
        (plain, "plain"),
        (Called().__call__, "Called.__call__"),
        (functools.partial(plain), "plain"),
        (Called(), "Called"),
        (functools.partial(Called()), "Called"),
    ],
)
def test_everything_has_a_name(function, name):
    """Its own, that of what it wraps, or that of its class."""
    assert name_of(function) == name
