"""Where the code is, written down and read again."""

import re

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from prefactor_trace import inject, inject_env, untraced
from prefactor_trace._carrier import CONTEXT, TRACEPARENT, TraceContext, extract
from prefactor_trace.exceptions import UsageError

RUN, SPAN = "01m86ger73z6cgwjzxa35qdaxatfng2w", "01m86ger73z6cgwj2jbv8zdq648tz9qj"
TEXT = f"instance={RUN};span={SPAN};sampled=1"


def test_what_is_injected_is_extracted(tracer):
    """Instance, span and whether the run is sampled."""
    t = tracer()
    with t.instance() as run:
        assert extract(inject()) == TraceContext(run.id, None, True)
        with t.span("outer") as outer:
            assert extract(inject()) == TraceContext(run.id, outer.id, True)


def test_a_run_that_is_not_sampled_says_so(tracer):
    """So that no process of it records anything."""
    t = tracer(sample_rate=0.0)
    with t.instance() as run, t.span("outer"):
        carrier = inject()
    assert extract(carrier) == TraceContext(run.id, None, False)
    assert carrier[TRACEPARENT].endswith("-00")


def test_outside_of_any_run_nothing_is_written(tracer):
    """Neither there, nor in a block that is not traced, nor while tracing is off."""
    carrier = {"accept": "*/*"}
    assert inject(carrier) is carrier
    with tracer().instance(), untraced():
        inject(carrier)
    with tracer(enabled=False).instance():
        inject(carrier)
    assert carrier == {"accept": "*/*"}


def test_writes_into_any_headers(tracer):
    """What is given is added to and given back."""
    headers = httpx.Headers({"accept": "*/*"})
    with tracer().instance() as run:
        assert inject(headers) is headers
    assert headers["Prefactor-Context"] == f"instance={run.id};sampled=1"
    assert extract(headers) == TraceContext(run.id, None, True)


@pytest.mark.parametrize("wrong", [[], "text", 7, (("a", "b"),)])
def test_a_carrier_is_a_mapping(wrong):
    """Anything else is refused, in either direction."""
    with pytest.raises(UsageError, match="inject writes into a mapping"):
        inject(wrong)
    with pytest.raises(UsageError, match="attach reads a mapping"):
        extract(wrong)


def test_traceparent_is_one_of_w3c(tracer):
    """The trace is the run, by time and randomness of its id; the parent is the span."""
    t = tracer()
    with t.instance(), t.span("outer"):
        first = inject()[TRACEPARENT]
        with t.span("inner"):
            second = inject()[TRACEPARENT]
    form = re.compile(r"00-([0-9a-f]{32})-([0-9a-f]{16})-01\Z")
    one, two = form.match(first), form.match(second)
    assert one is not None
    assert two is not None
    assert one[1] == two[1]
    assert one[2] != two[2]
    assert int(one[1], 16)
    assert int(one[2], 16)


def test_the_traceparent_of_another_tracer_stays(tracer):
    """Ours is renewed with each request, somebody else's is not ours to change."""
    t = tracer()
    theirs, ours = {TRACEPARENT: "theirs"}, {}
    with t.instance():
        inject(ours)
        before = ours[TRACEPARENT]
        with t.span("outer"):
            assert inject(theirs)[TRACEPARENT] == "theirs"
            assert inject(ours)[TRACEPARENT] != before


@pytest.mark.parametrize(
    "name",
    [
        "prefactor-context",
        "Prefactor-Context",
        "PREFACTOR_CONTEXT",
        "HTTP_PREFACTOR_CONTEXT",
        b"prefactor-context",
    ],
)
@pytest.mark.parametrize("value", [TEXT, TEXT.encode()])
def test_names_are_compared_as_those_of_headers(name, value):
    """Whatever the framework makes of them."""
    assert extract({7: "x", "accept": "*/*", name: value}) == TraceContext(RUN, SPAN, True)


@pytest.mark.parametrize(
    "text",
    [
        "",
        TEXT + ";",
        TEXT + "\n",
        "instance=",
        f"instance={RUN[:-1]};sampled=1",
        f"instance={'u' * 32};sampled=1",
        f"instance={RUN};span={'!' * 32};sampled=1",
        f"instance={RUN};span={'u' * 32};sampled=1",
        f"instance={RUN}",
        f"instance={RUN};sampled=2",
        f" {TEXT}",
        TEXT * 100,
        "'; DROP TABLE agent_instances; --",
        b"\xff\xfe",
        None,
        7,
        ["instance"],
    ],
)
def test_what_is_malformed_is_ignored(text):
    """A carrier comes from outside: it may hold anything."""
    assert extract({CONTEXT: text}) is None


@given(st.dictionaries(st.text() | st.binary(), st.text() | st.binary() | st.none()))
def test_no_carrier_does_harm(carrier):
    """Random entries give no place and raise nothing."""
    assert extract(carrier) is None


def test_no_carrier_is_as_good_as_an_empty_one():
    """A message without headers has often none at all."""
    assert extract(None) is None


def test_variables_for_a_child_process(tracer, monkeypatch):
    """Those of this process and the place; what this process itself was told is not passed on."""
    monkeypatch.setenv("PREFACTOR_CONTEXT", TEXT)
    monkeypatch.setenv("TRACEPARENT", "00-a-b-01")
    monkeypatch.setenv("SOME_VARIABLE", "kept")
    outside = inject_env()
    assert outside["SOME_VARIABLE"] == "kept"
    assert outside.keys().isdisjoint({"PREFACTOR_CONTEXT", "TRACEPARENT"})
    with tracer().instance() as run:
        assert extract(inject_env()) == TraceContext(run.id, None, True)
        assert inject_env({"A": "b"}).keys() == {"A", "PREFACTOR_CONTEXT", "TRACEPARENT"}


def test_what_was_passed_on_before_is_replaced_however_it_is_spelt(tracer):
    """Headers that a server hands on have the case that it gave them; two would contradict."""
    t = tracer()
    with t.instance():
        before = {"Prefactor-Context": "instance=old", "Traceparent": "00-old", "Accept": "*/*"}
        carrier = inject(before)
        assert carrier == {**inject(), "Accept": "*/*"}
        foreign = inject({"Traceparent": "00-foreign"})
    assert foreign["Traceparent"] == "00-foreign"
    assert TRACEPARENT not in foreign
