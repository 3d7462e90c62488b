"""Code that is not to be recorded, and the top of a run."""

import contextvars
import copy
import pickle

import pytest

from prefactor_trace import ROOT, current_span, untraced
from prefactor_trace._context import current
from prefactor_trace._untraced import Untraced, run_untraced


def test_there_is_one_root():
    """However it is copied or sent to another process, it can be asked for with `is`."""
    assert pickle.loads(pickle.dumps(ROOT)) is ROOT
    assert copy.deepcopy([ROOT])[0] is ROOT
    assert repr(ROOT) == "prefactor_trace.ROOT"


def test_an_exception_leaves_the_block_as_it_is(tracer):
    """And what comes after is recorded again."""
    t = tracer()
    with t.instance(), t.span("outer") as outer:
        with pytest.raises(LookupError), untraced():
            raise LookupError
        assert current_span() is outer
        with t.span("inner") as inner:
            pass
    assert inner.parent_id == outer.id


def test_a_block_in_a_generator_counts_only_while_that_runs(tracer):
    """What reads its items goes on being recorded."""
    t = tracer()

    def items():
        with untraced():
            yield current_span()
            yield current_span()

    with t.instance(), t.span("outer") as outer:
        for inside in items():
            assert (inside, current_span()) == (None, outer)


def test_our_own_functions_leave_no_trace_in_the_callers_context(tracer):
    """They run untraced, and what they set is gone after them."""
    t = tracer()
    setting = contextvars.ContextVar("setting", default=0)
    held = []

    def work():
        setting.set(1)
        held.append(current.get())
        with t.span("never"):
            pass

    with t.instance(), t.span("outer") as outer:
        run_untraced(work)
        assert (setting.get(), current_span()) == (0, outer)
    assert [type(node) for node in held] == [Untraced]
    assert t.one()["schema_name"] == "outer"


def test_what_our_own_function_raises_comes_out():
    """Whoever started it has to know."""

    def fail():
        raise LookupError

    with pytest.raises(LookupError):
        run_untraced(fail)
