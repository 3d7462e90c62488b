"""What of a generator's items becomes the result of its span."""

import pytest

from prefactor_trace._output import Output


@pytest.fixture
def result_of(tracer):
    """Return the result of a span whose generator gave these items."""
    t = tracer()

    def make(items, *, reduce=None, wanted=True, returned=None, is_closing=False, own=None):
        output = Output(reduce, wanted=wanted)
        for item in items:
            output.add(item)
        span = t.start_span("stream")
        if own is not None:
            span.set_result(own)
        output.keep(span, returned, is_closing=is_closing)
        result = span._result
        span.complete()
        return result

    return make


def test_the_last_item_that_fits_is_the_32nd(result_of):
    """One more, and the middle is left out, with the number of all."""
    assert result_of(range(32)) == {"result": list(range(32))}
    longer = result_of(range(33))
    assert (longer["head"], longer["tail"]) == (list(range(16)), list(range(17, 33)))
    assert longer["count"] == 33


def test_long_items_are_cut_when_they_are_taken(result_of):
    """Text shows its ends; anything else only its type and size."""
    text, large = result_of(["a" * 5_000 + "z" * 5_000, list(range(10_000))])["result"]
    assert (text["size"], text["head"], text["tail"]) == (10_000, "a" * 1_000, "z" * 1_000)
    assert large["type"] == "list"
    assert large["size"] > 16_000
    assert "head" not in large


def test_items_are_kept_as_they_were_given(result_of):
    """What the consumer does with one later does not show."""
    shared = {"n": 0}

    def items():
        for n in range(2):
            shared["n"] = n
            yield shared

    assert result_of(items()) == {"result": [{"n": 0}, {"n": 1}]}


def test_reduce_sees_every_item(result_of):
    """A mapping is the result, any other value is put into one, ``None`` is an empty one."""
    assert result_of(range(100), reduce=sum) == {"result": 4950}
    assert result_of(range(100), reduce=lambda items: {"n": len(items)}) == {"n": 100}
    assert result_of([1], reduce=lambda _: None) == {}


def test_a_reduce_that_raises_leaves_the_number_of_items(result_of, caplog):
    """And says what went wrong, in the log too."""

    def reduce(items):
        raise LookupError(items)

    result = result_of([1, 2], reduce=reduce)
    assert result == {"prefactor.reason": "reduce raised LookupError", "count": 2}
    assert "reduce, given as reduce, raised LookupError" in caplog.text


def test_a_result_of_the_bodys_own_wins(result_of):
    """Over the items, and over what it returned; that it was closed early is added."""
    assert result_of([1], own={"mine": 1}, returned=2) == {"mine": 1}
    assert result_of([1], own={"mine": 1}, is_closing=True) == {"mine": 1, "closed_early": True}
    assert result_of([1], own="text", is_closing=True) == {"result": "text", "closed_early": True}


def test_what_is_not_wanted_is_not_kept(result_of):
    """Only that the reader left early is said."""
    assert result_of([1], wanted=False, returned=2) is None
    assert result_of([1], wanted=False, is_closing=True) == {"closed_early": True}


def test_what_was_returned_stands_beside_the_items(result_of):
    """Where there was something."""
    assert result_of([1], returned={"usage": 3}) == {"result": [1], "return": {"usage": 3}}
