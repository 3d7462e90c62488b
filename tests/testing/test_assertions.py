"""What a test may ask, and the exact words when it is not so."""

import asyncio
import re
import sys

import pytest

import prefactor_trace as prefactor
from prefactor_trace.testing import Recorder, T

pytestmark = pytest.mark.usefixtures("no_processes")

TIME = re.compile(r" +\d+\.\d+ m?s")
LINE = re.compile(r"conftest\.py:\d+")


def told(asked) -> str:
    """Return what a failing assertion says, with times and lines of code left out."""
    with pytest.raises(AssertionError) as caught:
        asked()
    return LINE.sub("c.py", TIME.sub(" T", str(caught.value)))


TREE = """\
captured: 4 spans, 1 instance, 0 unfinished, 0 dropped, 0 values redacted
  planning {"steps": 2} T  ✓  c.py
  ├─ llm_call {"model": "claude-x"} T  ✓  c.py   → {"tokens": 3}
  ├─ tool_call {"query": "a", "k": 5} T  ✓  c.py   → {"result": ["a", "a", "a", "a", "a"]}{2}
  └─ tool_call {"query": "bad", "k": 5} T  ✗ TimeoutError: no answer in 5 s  c.py{3}"""


def tree(first: str = "", second: str = "") -> str:
    """Return the tree of the agent's run, with what stands behind its tools."""
    return TREE.replace("{2}", first).replace("{3}", second)


@pytest.fixture
def ran(trace: Recorder, agent) -> Recorder:
    """A recording of two tool calls, of which one failed."""
    agent("a", "bad")
    return trace


def test_what_holds_passes(ran: Recorder):
    """Every question, in the words of the documentation."""
    ran.assert_tree(
        """
        planning
          llm_call {model: "claude-*"}
          tool_call {query: "a"}
          tool_call -> failed
        """
    )
    ran.assert_tree("planning\n  ...\n  tool_call -> failed\n")
    ran.assert_tree([T("planning", children=[..., T("tool_call", {"query": str}), ...])])
    ran.assert_tree("planning (any order)\n  tool_call -> failed\n  tool_call\n  llm_call")
    ran.assert_tree("planning\n  ?cache\n  llm_*\n  ?tool_call x1..3\n  tool_call -> failed")
    ran.assert_order("planning", "tool_call", "tool_call")
    ran.assert_all_finished()
    ran.assert_conforms()
    ran.assert_no_secrets("correct horse battery")
    ran.none("tool_call", query="c")
    assert ran.one("tool_call", status="failed", under="planning").error.type == "TimeoutError"
    assert ran["llm_call"].like({"model": re.compile("claude")})
    assert ran.count("tool_call") == 2
    assert len(ran.all("tool_call", k=5)) == 2


def test_none_found_shows_the_nearest(ran: Recorder):
    """With each condition, met or not."""
    assert told(lambda: ran.one("tool_call", query="x", status="complete")) == (
        'trace.one("tool_call", query="x", status="complete"): expected exactly 1 span, found 0\n'
        "\n"
        "closest: tool_call #3   c.py   1 of 2 conditions met\n"
        '    payload.query  expected "x", was "a"\n'
        '    status         "complete"  ✓\n'
        "next:    tool_call #4   c.py   0 of 2 conditions met\n"
        '    payload.query  expected "x", was "bad"\n'
        '    status         expected "complete", was "failed"  (TimeoutError: no answer in 5 s)\n'
        "\n" + tree()
    )


def test_too_many_are_pointed_at(ran: Recorder):
    """Each in the first line, and in the tree."""
    names = "tool_call #3 (c.py) and tool_call #4 (c.py)"
    assert told(lambda: ran["tool_call"]) == (
        f'trace["tool_call"]: expected exactly 1 span, found 2: {names}\n\n'
        + tree("   <- #3", "   <- #4")
    )


def test_a_name_that_is_not_there_shows_the_nearest_one(ran: Recorder):
    """Or those that are there, and whether another type meets the conditions."""
    assert told(lambda: ran.one("tool", query="a")).startswith(
        'trace.one("tool", query="a"): expected exactly 1 span, found 0\n\n'
        "no 'tool' was captured; did you mean 'tool_call'?\n"
        "of another type, tool_call #3 meets the conditions\n"
    )
    assert "\n\nno 'x' was captured, only llm_call, planning, tool_call\n" in told(lambda: ran["x"])
    near = "\nno 'llm_cal' was captured; did you mean 'llm_call'?\n\ncaptured: 4 spans"
    for ask in (
        lambda: ran.assert_tree("planning\n  llm_cal\n  ?tool_cal\n  ..."),
        lambda: ran.assert_order("planning", "llm_cal"),
        lambda: ran.assert_overlap("planning", "llm_cal"),
    ):
        assert near in told(ask)
    assert "no 'calls' was captured; did" in told(lambda: ran["calls"])
    assert ran.count("fetch").report.startswith('trace.count("fetch"): there is none\n\ncaptured')


def test_a_condition_that_is_no_key_of_the_payload_may_be_another(ran: Recorder):
    """It would be one on the payload else, which nothing meets."""
    meant = "no 'tool_call' has 'state' in its payload; did you mean status=?\n"
    assert meant in told(lambda: ran.one("tool_call", state="failed"))
    assert ran.count("tool_call", state="failed").report.splitlines()[1] == meant.strip()
    assert "did you mean" not in told(lambda: ran.one("tool_call", query="failed", colour=1))


def test_what_has_not_begun_is_named(ran: Recorder):
    """A coroutine that nobody awaits, a generator that nobody reads; also where all is missing."""

    @prefactor.instance("agent")
    async def answer():
        with prefactor.span("step"):
            pass

    @prefactor.span("stream")
    def stream():
        yield 1

    coroutine, items = answer(), stream()
    line = "what was called at test_assertions.py:{} has not begun: await it, or read what it gives"
    here = answer.__code__.co_firstlineno + 9
    for ask in (lambda: ran["step"], lambda: ran.assert_tree("planning\n  ...\nstep")):
        assert line.format(here) in told(ask)
    ran.clear()
    assert f"\n- {line.format(here)}\n" in told(lambda: ran["step"])
    asyncio.run(coroutine)
    list(items)
    assert "has not begun" not in told(lambda: ran["x"])


def test_where_processes_were_started_it_is_said_how_they_are_recorded(
    ran: Recorder, monkeypatch: pytest.MonkeyPatch
):
    """Only where something is missing."""
    said = "\nmultiprocessing was used: a child process is recorded only where it begins within"
    assert said not in told(lambda: ran.assert_order("fetch"))
    monkeypatch.setitem(sys.modules, "multiprocessing.popen_fork", sys)
    assert said in told(lambda: ran.assert_order("fetch"))
    assert said not in told(lambda: ran.assert_order("tool_call", "llm_call"))


def test_a_report_of_several_runs_says_which_is_which(ran: Recorder, agent):
    """Where a tree's text has no place for it."""
    agent("b")
    lines = LINE.sub("c.py", TIME.sub(" T", ran.report())).splitlines()
    assert lines[0].startswith("captured: 7 spans, 2 instances")
    assert (lines[1], lines[6]) == ("  agent   run 1, complete", "  agent   run 2, complete")
    assert lines[7] == '    planning {"steps": 1} T  ✓  c.py'
    assert ran.tree().startswith("planning\n")


def test_a_count_names_what_was_counted(ran: Recorder, agent):
    """The first of very many, and how many others there are."""
    (first, *_) = LINE.sub("c.py", ran.count("tool_call", query="bad").report).splitlines()
    assert first == 'trace.count("tool_call", query="bad"): tool_call #4 (c.py)'
    agent(*["c"] * 6)
    (first, *_) = LINE.sub("c.py", ran.count("tool_call").report).splitlines()
    assert first.endswith(", tool_call #8 (c.py), tool_call #9 (c.py) and 3 others")
    assert repr(ran) == "<Recorder trace>"


def test_none_says_how_many_were_looked_at(ran: Recorder):
    """And which are so."""
    assert told(lambda: ran.none("tool_call", query="a")) == (
        'trace.none("tool_call", query="a"): 1 of 4 spans is so: tool_call #3 (c.py)\n\n'
        + tree("   <- #3")
    )


@pytest.mark.parametrize(
    ("expected", "reason"),
    [
        (
            "planning\n  llm_call\n  tool_call",
            "planning #1 (c.py) has tool_call #4 (c.py) more than",
        ),
        (
            "planning\n  llm_call\n  tool_call x2",
            'tool_call #4 (c.py): status  expected "complete", was "failed" (TimeoutError: no',
        ),
        ("planning {steps: 3}\n  ...", "planning #1 (c.py): payload.steps  expected 3, was 2"),
        (
            "planning\n  llm_call\n  fetch\n  ...",
            "planning #1 (c.py) should have fetch, and has none",
        ),
        (
            "planning\n  llm_call\n  fetch\n  tool_call -> failed",
            "expected fetch, found tool_call #3",
        ),
        ("planning\n  ...\nend", "the trace should have end, and has none"),
        (
            "planning (any order)\n  tool_call x2..3\n  ...",
            'tool_call #4 (c.py): status  expected "complete", was "failed" (TimeoutError: no',
        ),
        (
            "planning (any order)\n  tool_call -> failed\n  tool_call x2..3\n  ...",
            "planning #1 (c.py) should have tool_call x2..3, in any order, and has 1 of it",
        ),
    ],
)
def test_a_tree_that_differs_says_where_first(ran: Recorder, expected: str, reason: str):
    """All before that place was as expected."""
    text = told(lambda: ran.assert_tree(expected))
    assert text.startswith(f"trace.assert_tree(...): {reason}")
    assert "captured: 4 spans" in text


def test_all_differences_of_a_tree_are_listed(ran: Recorder):
    """In the order of the trace; what is as expected between them is not in the way."""
    expected = """
        planning {steps: 3}
          llm_call {model: "gpt"} -> failed
          fetch
          tool_call {query: "a"}
          rank x2
          tool_call
        end
        """
    assert told(lambda: ran.assert_tree(expected)) == (
        "trace.assert_tree(...): 6 differences\n"
        "    planning #1 (c.py): payload.steps  expected 3, was 2\n"
        '    llm_call #2 (c.py): payload.model  expected "gpt", was "claude-x"; status  expected'
        ' "failed", was "complete"\n'
        "    planning #1 (c.py) should have fetch, and has none\n"
        "    planning #1 (c.py) should have rank x2, and has none\n"
        '    tool_call #4 (c.py): status  expected "complete", was "failed" (TimeoutError: no'
        " answer in 5 s)\n"
        "    the trace should have end, and has none\n\n"
        + tree("", "   <- #4")
        .replace("T  ✓  c.py\n  ├─ llm", "T  ✓  c.py   <- #1\n  ├─ llm")
        .replace('{"tokens": 3}', '{"tokens": 3}   <- #2')
    )


def test_of_many_differences_the_first_are_listed(trace: Recorder):
    """And how many more there are; spans too many stand in one line."""
    with prefactor.instance():
        for number in range(30):
            with prefactor.span("step", {"number": number}):
                pass
    lines = told(lambda: trace.assert_tree("step {number: -1} x30")).splitlines()
    assert lines[0] == "trace.assert_tree(...): 30 differences"
    assert lines[10].startswith("    step #10 (")
    assert lines[11] == "    20 more"
    first = told(lambda: trace.assert_tree("step x23")).splitlines()[0]
    told_first = "trace.assert_tree(...): the trace has 7 spans more than expected: step #24 ("
    assert first.startswith(told_first)
    assert first.endswith(") and 2 others")


def test_order_and_overlap_say_what_was(ran: Recorder):
    """In words."""
    assert told(lambda: ran.assert_order("tool_call", "llm_call")).startswith(
        "trace.assert_order('tool_call', 'llm_call'): 'llm_call' should begin after 'tool_call',"
        " but the last one that began, llm_call #2, is before it"
    )
    assert told(lambda: ran.assert_order("planning", "fetch")).startswith(
        "trace.assert_order('planning', 'fetch'): 'fetch' should begin after 'planning',"
        " but never began"
    )
    ran.assert_overlap("planning", "llm_call")
    assert told(lambda: ran.assert_overlap("llm_call", "tool_call")).startswith(
        "trace.assert_overlap('llm_call', 'tool_call'): one ended before the other began: llm_call"
    )
    assert "there is no 'fetch'" in told(lambda: ran.assert_overlap("planning", "fetch"))


def test_what_does_not_conform_is_told_with_its_value(trace: Recorder):
    """And what would; of what is missing there is none."""
    mode = {"enum": ["fast", "slow"]}
    inner = {"type": "object", "required": ["id"], "properties": {"a.b": mode}}
    wanted = {"type": "object", "properties": {"list": {"type": "array", "items": inner}}}
    prefactor.declare("typed", params=wanted)
    with prefactor.instance(), prefactor.span("typed", {"list": [{"id": 1}, {"a.b": "fst"}]}):
        pass
    lines = told(trace.assert_conforms).splitlines()
    assert [line.partition("): ")[2] for line in lines[1:3]] == [
        "payload.list[1].id  is required",
        'payload.list[1].a.b  "fst" is none of the allowed values "fast", "slow"',
    ]


def test_what_is_unsound_has_a_line_each(trace: Recorder):
    """Open spans, payloads beside their schema, secrets by their place."""
    prefactor.declare("typed", params={"type": "object", "properties": {"n": {"type": "integer"}}})
    with prefactor.instance():
        prefactor.start_span("stream", {"note": "it is hunter-two"})
        with prefactor.span("typed", {"n": "three"}):
            pass
    first = told(trace.assert_all_finished).splitlines()[0]
    assert re.fullmatch(r"trace.*\(\): stream #1 \(test_assertions\.py:\d+\) never ended", first)
    conforms = told(trace.assert_conforms)
    assert "typed #2" in conforms
    assert 'payload.n  "three" is not of type integer' in conforms
    trace.assert_no_secrets()
    secret = told(lambda: trace.assert_no_secrets("hunter-two"))
    assert secret.splitlines()[0].endswith("): payload.note holds a secret")
    prefactor.start_span("stream")
    lines = told(trace.assert_all_finished).splitlines()
    assert lines[0].endswith("never ended, and 1 more")
    assert [line.startswith("    stream #") for line in lines[:4]] == [False, True, True, False]


@pytest.mark.parametrize(
    "ask",
    [
        lambda trace: trace["a"],
        lambda trace: trace.one("a"),
        lambda trace: trace.all("a"),
        lambda trace: trace.none("a"),
        lambda trace: trace.count("a"),
        lambda trace: trace.assert_tree("a"),
        lambda trace: trace.assert_order(),
        lambda trace: trace.assert_overlap(),
        lambda trace: trace.assert_conforms(),
        lambda trace: trace.assert_no_secrets(),
        lambda trace: trace.assert_all_finished(),
    ],
)
def test_an_empty_recording_passes_nothing(trace: Recorder, ask):
    """What was not recorded cannot be right; likely reasons are named."""
    text = told(lambda: ask(trace))
    assert "nothing was captured: no span has begun since the recording did" in text
    assert "subprocess_env()" in text


def test_why_nothing_was_captured_is_looked_for(trace: Recorder, tracer):
    """A client of its own, or tracing that is off."""
    own = tracer()
    with own.instance(), own.span("elsewhere"):
        pass
    assert "1 tracer beside the default one has recorded spans" in told(lambda: trace["a"])
    prefactor.configure(enabled=False)
    assert "tracing was switched off while recording: it is switched off" in told(
        lambda: trace["a"]
    )


def test_a_trace_is_text_and_plain_data(ran: Recorder):
    """The text is read by `assert_tree`; neither has ids or times."""
    assert ran.tree(payloads=True).splitlines() == [
        "planning {steps: 2}",
        '  llm_call {model: "claude-x"}',
        '  tool_call {query: "a", k: 5}',
        '  tool_call {query: "bad", k: 5} -> failed',
    ]
    ran.assert_tree(ran.tree(payloads=True))
    ran.assert_tree(ran.tree())
    assert ran.snapshot() == [
        {
            "schema_name": "planning",
            "status": "complete",
            "payload": {"steps": 2},
            "children": [
                {
                    "schema_name": "llm_call",
                    "status": "complete",
                    "payload": {"model": "claude-x"},
                    "result_payload": {"tokens": 3},
                },
                {
                    "schema_name": "tool_call",
                    "status": "complete",
                    "payload": {"query": "a", "k": 5},
                    "result_payload": {"result": ["a"] * 5},
                },
                {
                    "schema_name": "tool_call",
                    "status": "failed",
                    "payload": {"query": "bad", "k": 5},
                    "error": {"type": "TimeoutError", "message": "no answer in 5 s"},
                },
            ],
        }
    ]


def test_a_payload_says_how_it_differs(ran: Recorder):
    """A line for each difference."""
    assert told(lambda: ran["llm_call"].like({"model": "gpt", "n": 1})) == (
        "llm_call #2 (c.py).like(...):\n"
        '    payload.model  expected "gpt", was "claude-x"\n'
        "    payload.n  expected 1, is missing (there is model)"
    )
    assert told(lambda: ran["llm_call"].like({"model": "gpt"})) == (
        'llm_call #2 (c.py).like(...): payload.model  expected "gpt", was "claude-x"'
    )


def test_the_spans_at_the_top_may_come_in_any_order(trace: Recorder, agent):
    """In a text and in nodes."""
    with prefactor.instance():
        for name in "abc":
            with prefactor.span(name):
                pass
    trace.assert_tree("(any order)\nc\na\nb")
    trace.assert_tree([T("c"), ..., T("a")], any_order=True)
    with pytest.raises(AssertionError, match="the trace should have d, in any order, and has none"):
        trace.assert_tree("(any order)\nc\nd\na\nb")


def test_results_are_compared_in_a_text(ran: Recorder):
    """As in nodes."""
    ran.assert_tree("planning\n  llm_call -> {tokens: 3}\n  ...")
    text = told(lambda: ran.assert_tree("planning\n  llm_call -> {tokens: 4}\n  ..."))
    assert "llm_call #2 (c.py): result_payload.tokens  expected 4, was 3\n" in text


def test_a_recording_is_a_collection_of_spans(ran: Recorder):
    """Which is asked by names; by its place a span is one of `spans`."""
    assert [span.seq for span in ran] == [1, 2, 3, 4]
    assert len(ran) == 4
    assert "planning" in ran
    assert "fetch" not in ran
    assert ran.spans[1] in ran
    for place in (0, slice(2)):
        with pytest.raises(TypeError, match=r"in which they began are trace\.spans"):
            ran[place]
    with pytest.raises(TypeError, match="takes the name of a span type"):
        ran.__contains__(3)
    ran.clear()
    assert bool(ran)
    assert list(ran) == []
    with pytest.raises(AssertionError, match="nothing was captured"):
        "fetch" in ran  # noqa: B015


def test_what_could_never_fail_is_refused(ran: Recorder):
    """An order of none, and what lies beside itself."""
    with pytest.raises(ValueError, match="names no span type"):
        ran.assert_order()
    for names in ((), ("planning",)):
        with pytest.raises(ValueError, match="two span types or more"):
            ran.assert_overlap(*names)


def test_two_spans_of_one_type_that_do_not_overlap_are_both_named(ran: Recorder):
    """Not the same one twice."""
    text = told(lambda: ran.assert_overlap("tool_call", "tool_call"))
    assert "tool_call #3 from " in text
    assert ", tool_call #4 from " in text
    assert ": there is only one 'llm_call'\n" in told(
        lambda: ran.assert_overlap("llm_call", "llm_call")
    )


def test_an_overlap_is_looked_for_among_very_many(trace: Recorder):
    """Not by trying each with each."""
    with prefactor.instance():
        for _ in range(300):
            with prefactor.span("a"):
                pass
        with prefactor.span("a"), prefactor.span("a"), prefactor.span("a"):
            pass
    trace.assert_overlap("a", "a", "a")
    assert "one ended before" in told(lambda: trace.assert_overlap("a", "a", "a", "a"))


def test_a_very_long_message_of_an_error_is_told_in_a_line(trace: Recorder):
    """Though it was cut when it was recorded, in reports and in what differs."""
    with pytest.raises(ValueError, match="no"), prefactor.span("a"):
        raise ValueError("no luck\n" * 9_000)
    assert trace["a"].error.message.startswith("no luck\nno luck\n")
    assert trace["a"].result_without_error is None
    assert "ValueError: no luck…  test_" in trace.report()
    assert "was ValueError: no luck…\n" in told(lambda: trace.one("a", error=KeyError))
    assert "(ValueError: no luck…)\n" in told(lambda: trace.one("a", status="complete"))
    assert "(ValueError: no luck…)\n" in told(lambda: trace.assert_tree("a"))


def test_secrets_are_texts(ran: Recorder):
    """A list of them is none."""
    with pytest.raises(TypeError, match="takes texts, one argument each"):
        ran.assert_no_secrets(["a"])


def test_a_count_is_told_when_it_is_asked_for(ran: Recorder, agent):
    """And then as it was when they were counted."""
    count = ran.count("tool_call")
    agent("b")
    assert "captured: 4 spans" in count.report
    assert count.report.count("<- #") == 2


def test_a_payload_can_be_asked_without_an_assertion(ran: Recorder):
    """To choose among spans."""
    assert [one.seq for one in ran if one.is_like({"query": "bad"})] == [4]


def test_an_attribute_that_there_is_none_of_names_the_one_that_is_meant(ran: Recorder):
    """By a known other name, or the nearest."""
    for name, meant in (("result", "result_payload"), ("name", "schema_name"), ("sttus", "status")):
        with pytest.raises(AttributeError, match=f"{name!r}; did you mean {meant}"):
            getattr(ran["llm_call"], name)
    assert not hasattr(ran["llm_call"], "qqq")


def test_tracers_of_other_recordings_are_no_tracers_of_your_own(trace: Recorder, agent):
    """They are over, or the inner one's."""
    with Recorder():
        agent("a")
    trace.configure(capture_inputs=False)
    assert "beside the default one" not in told(lambda: trace["a"])


def test_that_the_run_was_terminated_is_a_reason(trace: Recorder):
    """Where spans are refused from then on."""
    with prefactor.instance(on_terminate="raise"):
        trace.terminate()
        with pytest.raises(prefactor.PrefactorTerminated), prefactor.span("a"):
            pass
    assert "- the run was terminated: with on_terminate=" in told(lambda: trace["a"])


def test_that_runs_are_sampled_is_a_reason(trace: Recorder, agent):
    """Where nothing was captured."""
    trace.configure(sample_rate=0.0)
    agent("a")
    assert "- runs are sampled: of those that are not, nothing is recorded" in told(
        lambda: trace["a"]
    )
