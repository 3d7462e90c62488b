"""The arguments of a call, by name."""

import pytest

from prefactor_trace._arguments import Arguments
from prefactor_trace.exceptions import UsageError


def payload_of(function, *args, instance=None, ignore=None, **kwargs):
    """Return the payload of a call."""
    arguments = Arguments(function)
    arguments.ignore(ignore, "function")
    return arguments.to_payload(instance, args, kwargs)


def test_arguments_stand_in_the_order_of_the_function():
    """With their defaults, however the call is written."""

    def search(query, limit=10, *, lang="en"):
        return query, limit, lang

    payload = payload_of(search, lang="de", query="q")
    assert list(payload.items()) == [("query", "q"), ("limit", 10), ("lang", "de")]
    assert payload_of(search, "q", 3) == {"query": "q", "limit": 3, "lang": "en"}


def test_a_default_that_is_no_value_is_left_out():
    """Such as the sentinels of model clients, of which only a type would be said; not if given."""

    class NotGiven:
        pass

    def create(model, seed=NotGiven(), stop=None, key=len, **more):  # noqa: B008
        return model, seed, stop, key, more

    assert payload_of(create, "m") == {"model": "m", "stop": None, "key": len}
    assert payload_of(create, "m", 3)["seed"] == 3
    assert payload_of(create, "m", seed=4)["seed"] == 4
    assert "seed" not in payload_of(create, "m", seed=4, ignore=("seed",))


def test_what_is_left_over_keeps_its_names():
    """The tuple has the name that the function gives it, the rest their own."""

    def search(query, *terms, **more):
        return query, terms, more

    assert payload_of(search, 1, 2, 3, key=4) == {"query": 1, "terms": (2, 3), "key": 4}
    assert payload_of(search, 1) == {"query": 1}


def test_the_object_of_a_method_is_no_argument():
    """Whether the object is told apart or stands among the arguments, whatever it is called."""

    class Tool:
        def use(self, n):
            return n

        def odd(this, n):
            return n

    tool = Tool()
    assert payload_of(Tool.use, tool, 1) == {"n": 1}
    assert payload_of(Tool.use, 1, instance=tool) == {"n": 1}
    assert payload_of(Tool.odd, 1, instance=tool) == {"n": 1}


def test_a_builtin_keeps_its_first_argument():
    """Its signature does not name the object that it belongs to."""
    text: list[int] = []
    assert payload_of(text.append, 1, instance=text) == {"object": 1}


def test_a_builtin_without_a_signature_has_a_tuple():
    """What can be known is recorded: what was given by position, and by name."""
    assert payload_of(min, 1, 2, key=None) == {"args": (1, 2), "key": None}


def test_one_call_does_not_show_in_the_next():
    """Each payload is a mapping of its own."""

    def search(query=None):
        return query

    arguments = Arguments(search)
    first = arguments.to_payload(None, ("q",), {})
    assert (first, arguments.to_payload(None, (), {})) == ({"query": "q"}, {"query": None})


def test_ignored_names_must_be_arguments():
    """Of the function, unless it takes any name."""

    def search(query, *terms):
        return query, terms

    def anything(**more):
        return more

    assert payload_of(search, 1, 2, ignore=("terms",)) == {"query": 1}
    assert payload_of(anything, a=1, b=2, ignore=["a", "never"]) == {"b": 2}
    with pytest.raises(UsageError, match="'qeury', which is no argument of function"):
        payload_of(search, 1, ignore=("qeury",))
    with pytest.raises(UsageError, match="takes names such as"):
        payload_of(search, 1, ignore="query")


def test_a_keyword_may_be_called_like_an_argument_given_by_position():
    """Both are kept: what the function's own mapping takes stands under its name."""

    def call(tool, /, **options):
        return tool, options

    assert payload_of(call, "search", tool="x", k=1) == {
        "tool": "search",
        "options": {"tool": "x", "k": 1},
    }
    assert payload_of(call, "search", k=1) == {"tool": "search", "k": 1}


def test_a_keyword_may_be_called_like_the_tuple():
    """Neither is lost, whatever else the function takes by name, and given by position or not."""

    class Tool:
        def use(self, *args, key=1, **kw):
            return args, key, kw

    tool = Tool()
    assert payload_of(Tool.use, tool, 1, args=3) == {"args": (1,), "key": 1, "kw": {"args": 3}}
    assert payload_of(Tool.use, args=3, key=2, more=4, instance=tool) == {
        "key": 2,
        "kw": {"args": 3, "more": 4},
    }
    assert payload_of(Tool.use, tool, 1, more=4) == {"args": (1,), "key": 1, "more": 4}
    assert payload_of(min, 1, args=2) == {"args": (1,), "kwargs": {"args": 2}}


def test_what_is_ignored_is_left_out_of_the_mapping_too():
    """A secret among the keywords stays unrecorded where another of them clashes."""

    def call(tool, /, **options):
        return tool, options

    assert payload_of(call, 1, tool=2, api_key="s", ignore=["api_key"]) == {
        "tool": 1,
        "options": {"tool": 2},
    }
    assert payload_of(call, 1, tool=2, ignore=["tool"]) == {}


def test_what_a_call_lacks_is_not_recorded():
    """The call fails, and does not read as if it had been given nothing by that name."""

    class Tool:
        def search(self, query, *, limit, lang="en"):
            return query, limit, lang

    assert payload_of(Tool.search, instance=Tool()) == {"lang": "en"}
    assert payload_of(Tool.search, "q", instance=Tool()) == {"query": "q", "lang": "en"}
    given = payload_of(Tool.search, limit=None, instance=Tool())
    assert given == {"limit": None, "lang": "en"}
