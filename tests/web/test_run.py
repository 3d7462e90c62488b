"""One run, as somebody uses it who looks for what went wrong."""

import base64
import re
from pathlib import Path

import pytest
from cli.records import new_id, span
from cli.records import record as stored

from prefactor_trace import Tracer
from prefactor_trace.models import AgentSpan

from .conftest import Keys, Page
from .records import NAMES, record


def failing(message: str) -> dict[str, str]:
    """Return what is recorded of an error."""
    return {"error_type": "Bad", "message": message, "stacktrace": f"Traceback\nBad: {message}"}


def nested(depth: int, *, status: str = "complete", message: str = "no") -> list[AgentSpan]:
    """Return spans that lie in each other, all of which say the same error if they failed."""
    result = failing(message) if status == "failed" else None
    ids = [new_id() for _ in range(depth)]
    return [
        span(f"level{at}", id=ids[at], parent=ids[at - 1] if at else None, status=status,
             result=result, at=at / 1000, took=1 - 2 * at / 1000)
        for at in range(depth)
    ]  # fmt: skip


def test_the_failure_is_told_where_it_began(page: Page, tmp_path: Path):
    """What only passes it on is red, but neither named first nor stopped at."""
    chain = nested(20, status="failed")
    other = span("retried", at=-1, status="failed", result=failing("try again"))
    run = stored(tmp_path / "a.db", [other, *chain], status="failed")
    page.open(f"/agent_instances/{run}")
    assert page.one(".runhead .error").text == "level19: Bad: no \N{MIDDLE DOT} and 1 more"
    page.one(".runhead .error").click()
    page.one("aside h2", "level19")
    for name in ("retried", "level19"):
        page.press("e")
        page.one("aside h2", name)


def test_an_error_is_said_once_with_its_stack_trace(page: Page, tmp_path: Path):
    """What the step gave besides is its result."""
    result = {**failing("no"), "partial": [1, 2]}
    spans = [
        span("plain", status="failed", result=failing("no")),
        span("more", at=1, status="failed", result=result),
    ]
    run = stored(tmp_path / "a.db", spans)
    page.open(f"/agent_instances/{run}")
    page.one(".row", "plain").click()
    page.one("aside pre", "Bad: no")
    assert page.texts("aside h3") == ["Badcopy", "Payloadcopy", "See alsocopy link"]
    page.one(".row", "more").click()
    page.one("aside h2", "more")
    assert "Resultcopy" in page.texts("aside h3")
    page.one("aside .key", "partial")
    assert "stacktrace" not in page.texts("aside .key")


@pytest.mark.parametrize("width", [390, 1440])
def test_deep_spans_can_be_read(page: Page, tmp_path: Path, width: int):
    """However deep they lie, their names are in sight; so is how long each took."""
    run = stored(tmp_path / "a.db", nested(120))
    emulate = {"width": width, "height": 800, "deviceScaleFactor": 1, "mobile": False}
    page.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", emulate)
    try:
        page.open(f"/agent_instances/{run}")
        page.one(".row", "level0")
        room = page.run(
            "return [...document.querySelectorAll('.row')].map((row) =>"
            " [row.querySelector('.lane').getBoundingClientRect(),"
            "  row.querySelector('.took').getBoundingClientRect()]"
            "  .map((one) => [one.left, one.right]))"
        )
        assert all(lane[0] - 1 <= took[0] < took[1] <= lane[1] + 1 for lane, took in room)
        page.press("j", "END")
        page.one("aside h2", "level119")
        page.run("return new Promise((done) => requestAnimationFrame(() => setTimeout(done)))")
        last = "return [...document.querySelectorAll(arguments[0])].at(-1).getBoundingClientRect()"
        name, word = (page.run(last, selector) for selector in (".row .name", ".row .name b"))
        assert word["left"] + 40 <= name["right"]
    finally:
        page.driver.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def test_the_axis_has_round_numbers(page: Page, tmp_path: Path):
    """Also where a part of the time is looked at."""
    run = stored(tmp_path / "a.db", [span("step", took=1.7), span("late", at=1.2, took=0.1)])
    page.open(f"/agent_instances/{run}")
    page.wait(lambda _: page.texts(".tick")[:3] == ["0", "0.2 s", "0.4 s"])
    page.one(".row", "late").click()
    page.press("z")
    page.one(".whole")
    page.wait(lambda _: page.texts(".tick")[:2] == ["1.20 s", "1.22 s"])
    page.press("z")
    page.wait(lambda _: page.texts(".tick")[0] == "0")


def test_a_run_without_spans_says_so(page: Page, tmp_path: Path):
    """And draws no time."""
    run = stored(tmp_path / "a.db")
    page.open(f"/agent_instances/{run}")
    page.one(".rows .empty", "Nothing was recorded")
    assert page.texts(".tick") == []
    assert "0 spans" in page.one(".runhead").text


def test_spans_are_found_in_a_run(page: Page):
    """By names, what stands in payloads and ids; the rest is out of the way until Escape."""
    with page.tracer.instance("agent") as run, page.tracer.span("plan"):
        for number in range(200):
            with page.tracer.span("step", {"deep": {"number": f"n{number}x"}}) as step:
                step.set_result({"text": "needle" if number in (50, 150) else "hay"})
        with page.tracer.span("needle_call") as last:
            pass
    assert page.tracer.flush()
    page.open(f"/agent_instances/{run.id}")
    page.one(".row", "plan")
    page.press("/", *"needle")
    page.wait_texts(NAMES, ["plan", "step", "step", "needle_call"])
    assert page.one(".told").text == "3 of 202"
    assert page.texts(".row.leading .name b") == ["plan"]
    page.press("ENTER", "ENTER", "ENTER")
    page.one("aside h2", "needle_call")
    page.press("ENTER")
    page.one("aside h2", "step")
    address = page.address
    assert "find=needle" in address
    page.open(address)
    page.wait_texts(NAMES, ["plan", "step", "step", "needle_call"])
    page.press("ESCAPE", "ESCAPE")
    page.wait(lambda _: len(page.texts(NAMES)) > 10)
    assert "find" not in page.address
    for text, names in (("n77x", ["plan", "step"]), (last.id, ["plan", "needle_call"])):
        page.open(f"/agent_instances/{run.id}")
        page.one(".row", "plan")
        page.press("/", *text)
        page.wait_texts(NAMES, names)
    page.press(*"zzz")
    page.one(".rows .empty", "No span is like that")


def test_what_failed_below_a_folded_span_is_seen(page: Page):
    """Nobody has to unfold all of it to find out."""
    run = record(page.tracer, failing=True)
    page.open(f"/agent_instances/{run}")
    page.one(".tools button", "Fold all").click()
    page.wait_texts(NAMES, ["plan"])
    assert page.one(".row .holding").text == "1 failed"
    page.one(".tools button", "Unfold all").click()
    page.wait_texts(NAMES, ["plan", "llm_call", "tool_call"])
    assert page.texts(".holding") == []


def test_judgements_take_a_line_each(page: Page):
    """And unfold."""
    page.tracer.declare_quality("grounded")
    with page.tracer.instance("agent") as run:
        claims = [{"text": f"claim number {number}"} for number in range(50)]
        page.tracer.record_quality("grounded", {"score": 0.5, "claims": claims})
    assert page.tracer.flush()
    page.open(f"/agent_instances/{run.id}")
    summary = page.one(".quality summary", "grounded score: 0.5")
    assert summary.size["height"] < 30
    summary.click()
    page.one(".quality .key", "claims")


def test_the_keyboard_goes_into_the_span_and_back(page: Page, tmp_path: Path):
    """There the arrows scroll; outside they choose the next span."""
    spans = [span("first", payload={f"k{n}": n for n in range(12)}), span("second", at=1)]
    run = stored(tmp_path / "a.db", spans)
    page.open(f"/agent_instances/{run}")
    page.one(".row", "first")
    page.press("ARROW_DOWN", "ENTER")
    page.wait(lambda _: page.run("return document.activeElement.tagName") == "ASIDE", "not inside")
    page.press("ARROW_DOWN")
    assert page.one("aside h2", "first")
    page.press("ESCAPE")
    assert page.run("return document.activeElement.className") == "rows"
    page.press("END")
    page.one("aside h2", "second")
    page.press("HOME")
    page.one("aside h2", "first")


def test_an_address_of_a_span_that_is_not_there_says_so(page: Page, tmp_path: Path):
    """Beside the run, which is there."""
    run = stored(tmp_path / "a.db", [span("step")])
    page.open(f"/agent_instances/{run}?span=nope")
    page.one("aside [role=alert]", "There is no span with the id 'nope'")
    page.wait_texts(NAMES, ["step"])
    assert [line for line in page.complaints() if "404" not in line] == []


def test_a_run_that_has_not_arrived_is_shown_when_it_does(page: Page, tmp_path: Path):
    """Its address is known, and opened, before anything was sent."""
    tracer = Tracer(local=True, local_db=str(tmp_path / "a.db"), flush_interval=60)
    with tracer.instance("late") as run, tracer.span("step"):
        page.open(f"/agent_instances/{run.id}")
        page.one("main [role=alert]", "There is no instance")
    tracer.shutdown()
    page.wait_texts(NAMES, ["step"])
    assert [line for line in page.complaints() if "404" not in line] == []


def test_all_of_a_run_is_printed(page: Page, tmp_path: Path):
    """On as many sheets as it takes, not only the rows in sight."""
    spans = [span("step", payload={"number": at}, at=at) for at in range(200)]
    run = stored(tmp_path / "a.db", spans)
    page.open(f"/agent_instances/{run}")
    page.one(".row", "number: 1").click()
    page.one("aside h2", "step")
    page.run(
        "addEventListener('beforeprint', () => {"
        " window.printed = document.querySelectorAll('.row').length; })"
    )
    printed = page.driver.execute_cdp_cmd("Page.printToPDF", {})
    assert page.run("return window.printed") == 200
    page.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
    shown = [page.one(part).rect["height"] for part in (".row .bar", "aside", ".rows")]
    page.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": ""})
    assert min(shown) > 0
    assert len(re.findall(rb"/Type\s*/Page\b", base64.b64decode(printed["data"]))) >= 4
    assert len(page.all(".row")) < 100


OPENAI = (
    {
        "messages": [
            {"role": "system", "content": "Be short."},
            {"role": "user", "content": "A train?"},
            {
                "role": "assistant",
                "content": None,
                "tool_calls": [
                    {"id": "c", "function": {"name": "find", "arguments": '{"to": "Oslo"}'}}
                ],
            },
            {"role": "tool", "tool_call_id": "c", "content": '{"trains": 4}'},
        ]
    },
    {"choices": [{"message": {"role": "assistant", "content": "There are four."}}]},
    ["systemBe short.", "userA train?", "assistant→ findto: Oslo", "tooltrains: 4"],
    "assistantThere are four.",
)
ANTHROPIC = (
    {
        "system": "Be short.",
        "messages": [
            {"role": "user", "content": "A train?"},
            {
                "role": "assistant",
                "content": [
                    {"type": "text", "text": "I look."},
                    {"type": "tool_use", "id": "c", "name": "find", "input": {"to": "Oslo"}},
                ],
            },
            {
                "role": "user",
                "content": [
                    {"type": "tool_result", "tool_use_id": "c", "content": '{"trains": 4}'}
                ],
            },
        ],
    },
    {"role": "assistant", "content": [{"type": "text", "text": "There are four."}]},
    ["systemBe short.", "userA train?", "assistantI look.→ findto: Oslo", "usertrains: 4"],
    "assistantThere are four.",
)
RESPONSES = (
    {
        "instructions": "Be short.",
        "input": [
            {"role": "user", "content": [{"type": "input_text", "text": "A train?"}]},
            {"type": "function_call", "name": "find", "arguments": '{"to": "Oslo"}'},
            {"type": "function_call_output", "output": '{"trains": 4}'},
        ],
    },
    {
        "output": [
            {"role": "assistant", "content": [{"type": "output_text", "text": "There are four."}]}
        ]
    },
    ["systemBe short.", "userA train?", "assistant→ findto: Oslo", "tooltrains: 4"],
    "assistantThere are four.",
)


def test_a_comparison_says_all_that_differs(page: Page, tmp_path: Path):
    """Also how long a pair took and how it ended, where a payload differs."""
    path = tmp_path / "a.db"
    one = stored(path, [span("step", payload={"n": 1}, took=0.1)])
    failed = span("step", payload={"n": 2}, took=0.5, status="failed", result=failing("no"))
    other = stored(path, [failed])
    page.open(f"/compare/{one}/{other}")
    told = page.one("tbody td:last-child", "ended otherwise").text
    lines = ["ended otherwise, slower", "payload.n 1 → 2", "result_payload null → {"]
    assert [
        line[: len(known)] for line, known in zip(told.splitlines(), lines, strict=True)
    ] == lines
    summary = "1 ended otherwise · 1 slower · 1 other payload"
    assert page.one(".runhead p").text.startswith(summary)


LANGCHAIN = (
    {
        "messages": [
            {"type": "system", "content": "Be short."},
            {"type": "human", "content": "A train?", "name": None},
            {
                "type": "ai",
                "content": "",
                "tool_calls": [{"name": "find", "args": {"to": "Oslo"}, "type": "tool_call"}],
            },
            {"type": "tool", "content": '{"trains": 4}', "tool_call_id": "c"},
        ]
    },
    {"type": "ai", "content": "There are four.", "tool_calls": []},
    ["systemBe short.", "userA train?", "assistant→ findto: Oslo", "tooltrains: 4"],
    "assistantThere are four.",
)


@pytest.mark.parametrize("shape", [OPENAI, ANTHROPIC, RESPONSES, LANGCHAIN])
def test_a_call_of_a_model_is_a_conversation(page: Page, tmp_path: Path, shape):
    """In the shapes that libraries send: who said what, which tools were called with what."""
    payload, result, messages, answer = shape
    run = stored(tmp_path / "a.db", [span("llm_call", payload=payload, result=result)])
    page.open(f"/agent_instances/{run}")
    page.one(".row", "llm_call").click()
    page.one(".message")
    told = [re.sub(r"\{ 1 \}", "", text) for text in page.texts(".message")]
    assert told == [*messages, answer]


@pytest.mark.parametrize("has_clipboard", [True, False])
def test_what_is_copied_can_be_pasted(page: Page, tmp_path: Path, has_clipboard: bool):
    """Also from a page over plain HTTP from another machine, which has no clipboard of its own."""
    run = stored(tmp_path / "a.db", [span("step", payload={"city": "Oslo"})])
    permission = {"origin": page.url, "permissions": ["clipboardSanitizedWrite"]}
    page.driver.execute_cdp_cmd("Browser.grantPermissions", permission)
    page.open(f"/agent_instances/{run}")
    if not has_clipboard:
        page.run("Object.defineProperty(navigator, 'clipboard', { value: undefined })")
    page.one(".row", "step").click()
    page.one("aside dd button", "copy").click()
    page.one("aside dd button", "copied")
    page.one(".find input").send_keys(Keys.CONTROL, "v")
    span_id = page.one(".row").get_attribute("data-id")
    page.wait(lambda _: page.one(".find input").get_attribute("value") == span_id)
