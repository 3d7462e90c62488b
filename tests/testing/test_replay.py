"""Recorded results in place of calls."""

import asyncio
import json

import pytest

import prefactor_trace as prefactor
from prefactor_trace.testing import ReplayedError, ReplayMismatch, record


class Shop:
    """Tools that must not be called in a test."""

    @prefactor.span("tool_call")
    def buy(self, item: str, count: int = 1) -> dict:
        """Buy something."""
        raise AssertionError("called for real")

    @prefactor.span("tool_call")
    async def look(self, item: str) -> str:
        """Look at something."""
        raise AssertionError("called for real")


@prefactor.span("other")
def other() -> str:
    """Be no tool."""
    return "real"


CALLS = [
    {"payload": {"item": "tea", "count": 1}, "result_payload": {"paid": 3, "ok": True}},
    {"payload": {"item": "tea", "count": 1}, "result_payload": {"paid": 4}},
    {"payload": {"item": "cup"}, "result_payload": {"result": "blue"}},
    {
        "payload": {"item": "pot", "count": 2},
        "status": "failed",
        "result_payload": {"error_type": "TimeoutError", "message": "no answer"},
    },
    {
        "payload": {"item": "jug", "count": 1},
        "status": "failed",
        "result_payload": {"error_type": "gone.Broke", "message": "in pieces"},
    },
]


def test_calls_are_answered_with_what_was_recorded(trace, tmp_path):
    """By payload, in turn; spans are recorded as always, and other functions are called."""
    path = tmp_path / "calls.json"
    path.write_text(json.dumps(CALLS))
    trace.replay("tool_call", from_=path)
    shop = Shop()
    with prefactor.instance():
        assert asyncio.run(shop.look("cup")) == "blue"
        assert shop.buy("tea") == {"paid": 3, "ok": True}
        assert shop.buy(item="tea", count=1) == {"paid": 4}
        with pytest.raises(TimeoutError, match="no answer"):
            shop.buy("pot", 2)
        with pytest.raises(ReplayedError, match=r"gone\.Broke: in pieces"):
            shop.buy("jug")
        assert other() == "real"
    assert trace.count("tool_call") == 5
    assert trace.all("tool_call")[0].result_payload == {"result": "blue"}


def test_what_is_not_recorded_of_a_call_is_not_told_of_it_either(trace):
    """What is ignored, and secrets: the log of a test may be read by anybody."""

    @prefactor.span("tool_call", ignore=("token",))
    def ask(query: str, token: str, api_key: str) -> str:
        return query

    trace.replay("tool_call", from_=[{"payload": {"query": "a"}, "result_payload": {}}])
    with pytest.raises(ReplayMismatch) as caught:
        ask("b", "xyzzy-4711", "xyzzy-4712")
    assert str(caught.value) == (
        'a tool_call with {"query": "b", "api_key": "[redacted]"} was not recorded;'
        ' left are {"query": "a"}'
    )


def test_a_report_tells_no_more_of_a_call_than_is_recorded(trace):
    """Nor does a line on a result that is plain."""

    @prefactor.span("tool_call", ignore=("token",))
    def ask(query: str, token: str, api_key: str) -> int:
        return len(query)

    trace.replay("tool_call", from_=[{"payload": {"query": "a"}, "result_payload": {"n": "x"}}])
    with prefactor.instance():
        ask("a", "xyzzy-4711", "xyzzy-4712")
    (line, *_) = trace.report().splitlines()
    told = 'the replayed result of the tool_call with {"query": "a", "api_key": "[redacted]"} is'
    assert line.startswith(told)


def test_a_function_stands_for_its_span_type(trace):
    """As in a question; what has no span type is refused, rather than never answered."""
    trace.replay(Shop.look, from_=CALLS)
    with prefactor.instance():
        assert asyncio.run(Shop().look("cup")) == "blue"
    with pytest.raises(TypeError, match=r"replay\(\) takes the name of a span type, or a function"):
        trace.replay(len, from_=CALLS)


def test_a_report_says_which_results_are_plain(trace):
    """Of the type that it is annotated with, the agent may want something that they have not."""
    calls = [{"payload": {"item": item}, "result_payload": {"n": 1}} for item in ("cup", "pot")]
    trace.replay("tool_call", from_=[*calls, calls[0]])
    shop = Shop()
    with prefactor.instance():
        for item in ("cup", "pot", "cup"):
            assert asyncio.run(shop.look(item)) == {"n": 1}
    assert not trace.unsound()
    first, second, third, *_ = trace.report().splitlines()
    told = "the replayed result of the tool_call with {} is plain JSON: it is no str, as it is"
    assert first.startswith(told.format('{"item": "cup"}'))
    assert second.startswith(told.format('{"item": "pot"}'))
    assert third.startswith("captured: 3 spans")


def test_a_call_that_was_not_recorded_is_named(trace):
    """With those that are left."""
    trace.replay("tool_call", from_=CALLS[:2])
    with prefactor.instance(), pytest.raises(ReplayMismatch, match=r'"coffee".*left are .*"tea"'):
        Shop().buy("coffee")
    with pytest.raises(ValueError, match="nothing was recorded of the span type 'search'"):
        trace.replay("search", from_=[{"schema_name": "tool_call", "payload": {}}])


class Desk:
    """Tools that need no object, decorated on either side."""

    @prefactor.span("above")
    @staticmethod
    def above(item: str) -> str:
        """Take one argument."""
        raise AssertionError("called for real")

    @staticmethod
    @prefactor.span("below")
    def below(item: str) -> str:
        """Take one argument."""
        raise AssertionError("called for real")


@pytest.mark.parametrize("desk", [Desk, Desk()])
@pytest.mark.parametrize("name", ["above", "below"])
def test_a_static_method_that_is_replayed_keeps_its_first_argument(trace, desk, name):
    """It is no object of a method, also where one stands before the name."""
    call = {"payload": {"item": "tea"}, "result_payload": {"result": "x"}}
    trace.replay(name, from_=[call])
    with prefactor.instance():
        assert getattr(desk, name)("tea") == "x"
    assert trace[name].payload == {"item": "tea"}


@prefactor.span("tag")
def tag(item: str, /, **labels: str) -> str:
    """Take any keyword arguments."""
    raise AssertionError("called for real")


def test_keyword_arguments_of_any_name_tell_calls_apart(trace):
    """As they are recorded: beside the others, or in a mapping where one has another's name."""
    calls = [
        {"payload": {"item": "tea", **labels}, "result_payload": {"result": name}}
        for name, labels in [
            ("none", {}),
            ("red", {"colour": "red"}),
            ("blue", {"colour": "blue"}),
            ("apart", {"labels": {"item": "cup"}}),
        ]
    ]
    trace.replay("tag", from_=calls)
    with prefactor.instance():
        assert tag("tea", colour="blue") == "blue"
        assert tag("tea", item="cup") == "apart"
        assert tag("tea") == "none"
        with pytest.raises(ReplayMismatch, match=r'left are {"item": "tea", "colour": "red"}$'):
            tag("tea", colour="green")
        assert tag("tea", colour="red") == "red"
        with pytest.raises(ReplayMismatch, match=r"was not recorded; nothing is left$"):
            tag("tea", colour="red")
    cut = {"prefactor.truncated": True, "type": "builtins.dict", "size": 9_000}
    trace.replay("tag", from_=[{"payload": cut, "result_payload": {"result": "cut"}}])
    with prefactor.instance():
        assert tag("tea", colour="red") == "cut"


def test_a_recorded_call_whose_key_is_misspelt_answers_no_call(trace):
    """It would answer every one; a key like no argument may be one that the code has set."""
    for key, answers in (("itme", False), ("basket", True)):
        trace.replay("tool_call", from_=[{"payload": {key: 1}, "result_payload": {"paid": 3}}])
        with prefactor.instance():
            if answers:
                assert Shop().buy("tea") == {"paid": 3}
            else:
                with pytest.raises(ReplayMismatch, match=r'left are {"itme": 1}'):
                    Shop().buy("tea")


class Streams:
    """Tools that give their results one by one."""

    @prefactor.span("stream")
    def plain(self, count: int):
        """Give some."""
        yield from ()

    @prefactor.span("stream")
    async def later(self, count: int):
        """Give some, in a coroutine."""
        if count < 0:
            yield None


def test_generators_give_the_recorded_items(trace):
    """Sync and async ones, with spans as always."""
    calls = [{"payload": {"count": n}, "result_payload": {"result": [n, n]}} for n in (1, 2)]
    trace.replay("stream", from_=calls)

    async def collect() -> list[int]:
        return [item async for item in Streams().later(2)]

    with prefactor.instance():
        assert list(Streams().plain(1)) == [1, 1]
        assert asyncio.run(collect()) == [2, 2]
    assert [one.result_payload for one in trace.spans] == [{"result": [1, 1]}, {"result": [2, 2]}]


@prefactor.span("counted", reduce=lambda items: {"n": len(items)})
def counted(count: int):
    """Give some, of which only the number is recorded."""
    yield from range(count)


def test_a_generator_that_was_left_early_gives_what_it_gave(trace):
    """Where none of its items was recorded, it says so."""
    left = {"result": [1, 2], "closed_early": True, "return": 3}
    trace.replay("stream", from_=[{"payload": {"count": 9}, "result_payload": left}])
    trace.replay("counted", from_=[{"payload": {"count": 9}, "result_payload": {"n": 9}}])
    with prefactor.instance():
        assert list(Streams().plain(9)) == [1, 2]
        with pytest.raises(ReplayMismatch, match="only what reduce= has made of them was recorded"):
            list(counted(9))


def test_what_was_not_recorded_whole_is_no_answer(trace):
    """It is refused, and says of which call; a payload that was cut is found all the same."""
    cut = {"prefactor.truncated": True, "size": 9000, "head": "aa", "tail": "zz"}
    call = {"payload": {"item": cut, "count": 1}, "result_payload": {"paid": 1}}
    cut_off = {"payload": {"item": "tea"}, "result_payload": {"result": cut}}
    trace.replay("tool_call", from_=[cut_off, call])
    with prefactor.instance():
        assert Shop().buy("a" * 9000) == {"paid": 1}
        with pytest.raises(
            ReplayMismatch, match=r'result of the tool_call with .*"tea".* too long'
        ):
            Shop().buy("tea")


def test_the_spans_of_a_recording_can_be_replayed(agent):
    """And afterwards functions are called again."""
    with record() as first:
        agent("a", "bad")
    with record() as second:
        second.replay("tool_call", from_=first.spans)
        agent("a", "bad")
        assert second.snapshot() == first.snapshot()
    with prefactor.instance(), pytest.raises(AssertionError, match="called for real"):
        Shop().buy("tea")


def test_a_replay_that_answers_nothing_makes_a_trace_unsound():
    """Its name may be misspelt, and what it was to stand in for has run."""
    calls = [{"payload": {}, "result_payload": {"result": "replayed"}}]
    with record() as trace, prefactor.instance():
        trace.replay("othr", from_=calls)
        trace.replay("tool_call", from_=CALLS)
        trace.replay("block", from_=calls)
        assert other() == "real"
        with prefactor.span("block"):
            pass
    no_call = "answered nothing: no function of that span type was called"
    late = "no call of a decorated function that came after it"
    block = f"block #2 ({trace['block'].where})"
    assert trace.unsound() == [
        f"replay('othr') {no_call}; did you mean 'other'?",
        f"replay('tool_call') {no_call}",
        f"replay('block') answered nothing: {block} is {late}",
    ]


def test_a_block_that_does_what_was_recorded_needs_no_answer(trace):
    """As one in an exported test, which has the name of a tool."""
    call = {"payload": {"n": 1}, "status": "complete", "result_payload": {"ok": True}}
    trace.replay("block", from_=[call])
    with prefactor.instance(), prefactor.span("block", {"n": 1}) as block:
        block.set_result({"ok": True})
    assert trace.unsound() == []


def test_a_call_that_was_not_recorded_makes_a_trace_unsound(trace):
    """An agent that goes on after any exception does not hide it; what is left over may be."""
    trace.replay("tool_call", from_=CALLS)
    with prefactor.instance():
        with pytest.raises(ReplayMismatch):
            Shop().buy("coffee")
        Shop().buy("tea")
    (line,) = trace.unsound()
    assert line.startswith('a tool_call with {"item": "coffee", "count": 1} was not recorded')


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"payload": {}}, "from_ takes a list of"),
        (5, "from_ takes a list of .*, got 5"),
        (["tool_call"], 'number 1 is "tool_call"'),
        ([{"result_payload": {}}], "payload of the recorded call 1 is a mapping, and is missing"),
        ([{"payload": "tea"}], 'payload of the recorded call 1 is a mapping, and is "tea"'),
        (
            [CALLS[0], {"payload": {}, "result_payloads": {}}],
            "recorded call 2 has the unknown key 'result_payloads'; did you mean 'result_payload'",
        ),
    ],
)
def test_what_is_no_recorded_call_is_refused_at_once(trace, given, told):
    """And not when the agent comes to it, or never."""
    with pytest.raises(ValueError, match=told):
        trace.replay("tool_call", from_=given)
