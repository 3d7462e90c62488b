"""Which spans may be as a pattern says."""

import pytest

import prefactor_trace as prefactor
from prefactor_trace.testing import Recorder, T
from prefactor_trace.testing.likely import Likely
from prefactor_trace.testing.pattern import parse

MANY = 40


@pytest.fixture(scope="module")
def spans():
    """Steps with a number, a text, a result and a child with a number of its own; then others."""
    with Recorder() as trace, prefactor.instance():
        for number in range(MANY):
            with prefactor.span("step", {"n": number, "in": {"text": f"t{number}"}}) as step:
                step.set_result({"found": number})
                with prefactor.span("payload", {"child": number}):
                    pass
        with prefactor.span("other", {"n": 0}):
            pass
        failed = prefactor.start_span("step", {"n": True, "list": [1]})
        failed.fail(ValueError("x"))
    return trace.roots


@pytest.mark.parametrize(
    ("pattern", "places"),
    [
        (T("step", {"n": 7}), [7]),
        (T("step", {"n": 7.0}), [7]),
        (T("step", {"n": True}), [1, MANY + 1]),  # which of them, a closer look says
        (T("step", {"in": {"text": "t8"}}), [8]),
        (T("step", result_payload={"found": 9}), [9]),
        (T("step", children=[..., T("payload", {"child": 3}), T("payload", optional=True)]), [3]),
        (T("step", status="failed"), [MANY + 1]),
        (T("step", {"n": 70}), []),
        (T("other", {"n": 70}), [MANY]),
        (T("nothing"), []),
        (T("*", {"n": 7}), list(range(MANY + 2))),
        (T("step", {"n": int, "in": ..., "list": [1]}), [*range(MANY)]),
        (T("step", lambda payload: True), [*range(MANY)]),
        (T("step", {"in": {"text": "t*"}}), []),
    ],
)
def test_few_have_to_be_looked_at_where_a_value_is_named(spans, pattern, places):
    """In the payload, in the result or in what is inside; else those of the name and status."""
    assert list(Likely(spans).places(pattern)) == places


def test_a_star_stands_for_any_text_in_the_text_of_a_tree(spans):
    """There, it names no value."""
    (pattern,) = parse('step {in: {text: "t*"}}').children
    assert list(Likely(spans).places(pattern)) == [*range(MANY)]


def test_what_may_be_missing_inside_names_no_value(spans):
    """Nor does a child of any name."""
    for child in (T("payload", {"child": 3}, optional=True), T("*", {"child": 3})):
        pattern = T("step", children=[child])
        assert list(Likely(spans).places(pattern)) == [*range(MANY)]
