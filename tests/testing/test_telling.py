"""Where a trace differs from what a test expects, in as few lines as say it."""

import re

import pytest

import prefactor_trace as prefactor
from prefactor_trace.testing import Recorder, T

pytestmark = pytest.mark.usefixtures("no_processes")


@pytest.fixture
def ran(trace: Recorder) -> Recorder:
    """A recording of a turn with a plan, which has a guard in it, and three fetches at the top."""
    with prefactor.instance():
        with prefactor.span("turn"):
            with prefactor.span("plan"), prefactor.span("guard", {"n": 1}):
                pass
            with prefactor.span("answer"):
                pass
        for number in range(3):
            with prefactor.span("fetch", {"n": number}):
                pass
    return trace


def lines(trace: Recorder, expected) -> list[str]:
    """Return what a failure says, line by line, without places in the code."""
    with pytest.raises(AssertionError) as caught:
        trace.assert_tree(expected)
    told = str(caught.value).partition("\n\n")[0]
    return re.sub(r" \(\w+\.py:\d+\)", "", told.partition("...): ")[2]).split("\n    ")


@pytest.mark.parametrize(
    ("tree", "told"),
    [
        (
            "turn\n  guard\n  plan\n    ...\n  ...\n...",
            "turn #1 should have guard, and has none: guard #3 is in plan #2",
        ),
        (
            "turn\n  answer\n  plan\n    ...\n  ...\n...",
            "turn #1 should have answer, and has none: answer #4 comes after plan #2",
        ),
        (
            "turn\n  ...\n  answer\n  plan\n    ...\n...",
            "turn #1 should have plan, and has none: plan #2 comes first",
        ),
        (
            "turn (any order)\n  fetch\n  ...\n...",
            "turn #1 should have fetch, in any order, and has none: fetch #5 is at the top",
        ),
        (
            "answer\nturn\n  ...\n...",
            "the trace should have answer, and has none: answer #4 is in turn #1",
        ),
    ],
)
def test_what_is_missing_is_looked_for_elsewhere(ran: Recorder, tree: str, told: str):
    """In another place among its siblings, in another span, or at the top."""
    assert lines(ran, tree) == [told]


def test_nothing_is_elsewhere_that_is_expected_there(ran: Recorder):
    """Nor what is not as the pattern says, or what another line tells of."""
    missing = "turn #1 should have guard, and has none"
    assert lines(ran, "turn\n  guard\n  plan\n    guard\n  ...\n...") == [missing]
    assert lines(ran, "turn\n  plan\n    ...\n  answer\n  guard {n: 2}\n...") == [
        'turn #1 should have guard {"n": 2}, and has none'
    ]
    assert lines(ran, "turn\n  guard\n  plan\n  ...\n...") == [
        "2 differences",
        missing,
        "plan #2 has guard #3 more than expected",
    ]


@pytest.mark.parametrize("any_order", [False, True])
def test_many_that_are_missing_in_one_place_have_one_line(ran: Recorder, any_order: bool):
    """So that what is wrong elsewhere is seen as well."""
    wanted = [T("load", {"n": number}) for number in range(5)]
    nodes = [T("turn", children=[*wanted, ...], any_order=any_order)]
    names = 'load {"n": 0}, load {"n": 1}, load {"n": 2}'
    told = ", in any order," if any_order else ","
    assert lines(ran, nodes) == [
        "2 differences",
        f"turn #1 should have {names} and 2 others{told} and has none",
        "the trace has fetch #5, fetch #6 and fetch #7 more than expected",
    ]
    del wanted[3:]
    nodes = [T("turn", children=[*wanted, ...], any_order=any_order), ...]
    names = 'load {"n": 0}, load {"n": 1} and load {"n": 2}'
    assert lines(ran, nodes) == [f"turn #1 should have {names}{told} and has none"]
    del wanted[2:]
    nodes = [T("turn", children=[*wanted, ...], any_order=any_order), ...]
    assert len(lines(ran, nodes)) == 3


def test_what_is_found_elsewhere_is_pointed_at(ran: Recorder):
    """In the tree."""
    with pytest.raises(AssertionError) as caught:
        ran.assert_tree("turn\n  guard\n  plan\n    ...\n  ...\n...")
    assert [line[-5:] for line in str(caught.value).splitlines() if "<-" in line] == ["<- #3"]
