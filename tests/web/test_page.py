"""The viewer in a browser: each thing that it shows is clicked, typed and read."""

import threading
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from cli.records import record as stored
from cli.records import span

from prefactor_trace import Risk, Tracer
from prefactor_trace.server import Api, Server, Store

from .conftest import Page
from .records import NAMES, record


def test_runs_are_listed_live(page: Page):
    """The newest first; a run that comes later is shown without a reload."""
    page.open()
    assert "Nothing was recorded yet" in page.one(".empty", "Nothing").text
    record(page.tracer, "first")
    page.wait_texts("tbody a", ["first"])
    record(page.tracer, "second", failing=True)
    page.wait_texts("tbody a", ["second", "first"])
    row = page.one("tbody tr")
    assert [word for word in ("1.4.2", "complete", "42", "live") if word not in row.text] == []
    assert page.one("td.bad").text == "1"
    assert page.one("#live").text == "live"


def test_a_silent_run_is_told_from_one_at_work(page: Page, tmp_path: Path):
    """In the list and on its own page."""
    spans = [span("open", took=None, status="active")]
    run = stored(tmp_path / "a.db", spans, agent="gone", finish=False, ago=timedelta(hours=3))
    with page.tracer.instance("at work") as working, page.tracer.span("open"):
        assert page.tracer.flush()
        page.open()
        page.wait_texts("tbody a", ["at work", "gone"])
        assert page.texts("tbody .silent") == ["silent 3 h"]
        page.open(f"/agent_instances/{run}")
        assert "Silent for 3 h" in page.one(".runhead .silent").text
        page.open(f"/agent_instances/{working.id}")
        page.wait_texts(NAMES, ["open"])
        assert page.all(".runhead .silent") == []


def test_runs_are_narrowed_and_searched(page: Page):
    """By what is chosen and typed; the address keeps it."""
    record(page.tracer, "first")
    record(page.tracer, "second", more=1)
    page.open()
    page.wait_texts("tbody a", ["second", "first"])
    page.press("/", *"number")
    page.wait_texts("tbody a", ["second"])
    assert page.address == "/?search=number"
    page.driver.refresh()
    page.wait_texts("tbody a", ["second"])
    page.open("/?agent=first")
    page.wait_texts("tbody a", ["first"])
    page.one("select[name=status]").send_keys("failed")
    page.one(".empty", "No run is like that")
    assert "status=failed" in page.address


def test_runs_are_reached_by_keys(page: Page):
    """Down, up, open, back; help tells which."""
    record(page.tracer, "first")
    record(page.tracer, "second")
    page.open()
    page.wait_texts("tbody a", ["second", "first"])
    page.press("j", "j", "k", "j")
    assert "first" in page.one("tr.chosen").text
    page.press("ENTER")
    page.one("h1", "first")
    page.press("ESCAPE")
    page.wait_texts("tbody a", ["second", "first"])
    page.press("?")
    assert "next and previous" in page.one("dialog[open]").text


def test_a_run_is_a_tree_beside_its_waterfall(page: Page):
    """Nested, on one axis; failed spans say why; what the run waited for is marked."""
    run = record(page.tracer, failing=True)
    page.open(f"/agent_instances/{run}")
    page.wait_texts(NAMES, ["plan", "llm_call", "tool_call"])
    levels = [one.get_attribute("aria-level") for one in page.all(".row")]
    assert levels == ["1", "2", "2"]
    boxes = page.run(
        "return [...document.querySelectorAll('i.bar')]"
        ".map((one) => one.getBoundingClientRect().toJSON())"
    )
    assert boxes[0]["left"] <= boxes[1]["left"] <= boxes[2]["left"]
    assert boxes[2]["right"] <= boxes[0]["right"] + 2
    assert "TimeoutError: no answer in 5 s" in page.one(".row.failed").text
    assert page.one(".runhead .error").text == "tool_call: TimeoutError: no answer in 5 s"
    assert {"plan", "tool_call"} <= set(page.texts(".row.critical .name b"))


def test_a_step_that_was_cancelled_late_is_no_failure(page: Page):
    """Neither red nor counted, though the service could only be told that it failed."""
    with page.tracer.instance("agent") as run:
        step = page.tracer.start_span("llm_call", {"model": "m"})
        assert page.tracer.flush()
        step.cancel()
    assert page.tracer.flush()
    page.open()
    page.wait_texts("tbody a", ["agent"])
    assert page.texts("td.bad") == []
    page.open(f"/agent_instances/{run.id}?span={step.id}")
    page.one(".row.cancelled", "llm_call")
    page.one("aside h2", "cancelled")
    assert page.all(".runhead .error, .row.failed, aside .failure") == []
    page.press("p")
    page.one("figure")
    assert page.one("svg.outcome").get_attribute("aria-label") == "1 cancelled"


def test_a_tree_is_folded_and_walked_by_keys(page: Page):
    """And each span has an address."""
    run = record(page.tracer, failing=True, more=2)
    page.open(f"/agent_instances/{run}")
    page.wait_texts(NAMES, ["plan", "llm_call", "step", "step", "tool_call"])
    page.one(".twist").click()
    page.wait_texts(NAMES, ["plan"])
    page.press("j", "l")
    page.wait_texts(NAMES, ["plan", "llm_call", "step", "step", "tool_call"])
    page.press("e")
    assert "tool_call" in page.one(".row.chosen").text
    page.one("aside h2", "tool_call")
    chosen = page.address
    assert "span=" in chosen
    page.open(chosen)
    page.one("aside h2", "tool_call")
    page.press("h")
    page.one("aside h2", "plan")
    page.press("ESCAPE")
    page.wait(lambda _: not page.one("aside[hidden]").is_displayed())


def test_a_part_of_the_time_is_looked_at(page: Page):
    """By dragging over the axis; a double click shows the whole again."""
    from selenium.webdriver.common.action_chains import ActionChains

    run = record(page.tracer, more=3)
    page.open(f"/agent_instances/{run}")
    axis = page.one(".axis")
    page.one(".tick", "0")
    ActionChains(page.driver).move_to_element_with_offset(
        axis, 0, 0
    ).click_and_hold().move_by_offset(150, 0).release().perform()
    page.one(".whole")
    assert "zoom=" in page.address
    first = page.texts(".tick")[0]
    page.driver.refresh()
    page.one(".whole")
    assert page.texts(".tick")[0] == first
    page.one(".whole").click()
    page.wait(lambda _: not page.all(".whole"))
    assert "zoom" not in page.address


def test_an_open_span_grows_and_ends(page: Page):
    """Live, while the agent works."""
    with page.tracer.instance("agent") as run:
        span = page.tracer.start_span("stream")
        assert page.tracer.flush()
        page.open(f"/agent_instances/{run.id}")
        page.one(".row.active", "stream")
        page.one(".took", "open")
        page.one(".runhead", "s so far")
        span.complete()
        assert page.tracer.flush()
        page.one(".row.complete", "stream")
        assert "open" not in page.texts(".took")


def test_what_was_truncated_is_seen_as_such(page: Page):
    """Lists, objects and texts say how much there was; the marks themselves are not shown."""
    messages = [{"role": "user", "content": f"{n} " + "x" * 300} for n in range(100)]
    table = {f"key{n}": "v" * 300 for n in range(90)}
    with page.tracer.instance("agent") as run:
        with page.tracer.span("llm_call", {"messages": messages, "table": table}) as span:
            pass
        with page.tracer.span("long", {"text": "word " * 9000}) as long:
            pass
        with page.tracer.span("whole", {"list": [1, 2]}) as whole:
            pass
    assert page.tracer.flush()
    page.open(f"/agent_instances/{run.id}?span={span.id}")
    assert page.one("h3", "PAYLOAD").text.split() == ["PAYLOAD", "TRUNCATED", "copy"]
    assert "more were not recorded" in page.one(".conversation .cut").text
    said = [line.split()[0] for line in page.texts(".conversation .message p, .conversation .cut")]
    gap = next(at for at, word in enumerate(said) if word != str(at))
    assert said[gap + 1 :] == [str(n) for n in range(101 - len(said) + gap, 100)]
    assert said[gap] == str(101 - len(said))
    shown = page.one("aside").text
    assert [told for told in (" of 100 ]", " of 90 }") if told not in shown] == []
    assert "prefactor." not in shown
    page.open(f"/agent_instances/{run.id}?span={long.id}")
    page.one("button.cut", "all that was recorded of 45,000 characters").click()
    assert "characters were not recorded …" in page.one("aside .string", "not recorded").text
    page.open(f"/agent_instances/{run.id}?span={whole.id}")
    page.one("aside h2", "whole")
    assert page.all("aside .cut") == []


def test_a_span_shows_all_that_is_known_of_it(page: Page):
    """Payload, conversation, error, conformance, risk, declaration, and the way to others."""
    tracer = page.tracer
    tracer.declare(
        "llm_call",
        params={"type": "object", "properties": {"temperature": {"type": "number"}}},
        title="Model call",
        description="Asks the model.",
        template="{{ model }} was asked",
        risk=Risk.pay(params=["personal_identifiers"], classification="secret"),
    )
    messages = [
        {"role": "user", "content": "Where is it?"},
        {"role": "assistant", "content": [{"type": "text", "text": "In Leipzig."}]},
    ]
    payload = {
        "model": "m",
        "temperature": "hot",
        "messages": messages,
        "deep": {"a": {"b": {"c": 1}}},
    }
    ids = []
    for _ in range(2):
        with tracer.instance("agent") as run, tracer.span("outer"):
            try:
                with tracer.span("llm_call", payload) as span:
                    ids.append((run.id, span.id))
                    raise ValueError("too hot")
            except ValueError:
                pass
    assert tracer.flush()
    page.open(f"/agent_instances/{ids[1][0]}?span={ids[1][1]}")
    side = page.one("aside", "Model call")
    text = side.text
    for word in (
        *("Asks the model.", "m was asked", "ValueError", "too hot", "payload.temperature"),
        *("may do financial transactions", "payload: personal identifiers", "payload: secret"),
        *("Where is it?", "In Leipzig."),
    ):
        assert word in text, word
    assert [one.text for one in page.all(".message b")] == ["USER", "ASSISTANT"]
    assert "Traceback" in page.one("aside pre").text
    assert "c: 1" not in page.texts(".leaf")
    for name in ("a", "b"):
        page.one("aside .inside summary", f"{name}: ").click()
    page.wait(lambda _: "c: 1" in page.texts(".leaf"))
    page.one("aside a", "llm_call in another run").click()
    page.wait(lambda _: ids[0][1] in page.address)
    page.one("aside h2", "llm_call")
    page.one("aside a", "The span that it is in").click()
    page.one("aside h2", "outer")


def test_an_answer_ends_the_conversation(page: Page):
    """When the result is the message that a model gave."""
    with page.tracer.instance("agent") as run:
        messages = [{"role": "user", "content": "Where is it?"}]
        with page.tracer.span("llm_call", {"messages": messages}) as span:
            span.set_result({"role": "assistant", "content": "In Leipzig."})
        with page.tracer.span("other", {"messages": messages}) as other:
            other.set_result({"text": "In Leipzig."})
    assert page.tracer.flush()
    page.open(f"/agent_instances/{run.id}?span={span.id}")
    page.wait_texts(".message", ["userWhere is it?", "assistantIn Leipzig."])
    page.open(f"/agent_instances/{run.id}?span={other.id}")
    page.wait_texts(".message", ["userWhere is it?"])


def test_one_failure_after_the_other_is_reached(page: Page):
    """The first is told with how many more there are; it leads to each in turn."""
    with page.tracer.instance("agent") as run:
        for name in ("first", "second", "third"):
            page.tracer.start_span(name).fail(ValueError(name))
    assert page.tracer.flush()
    page.open(f"/agent_instances/{run.id}")
    page.one(".runhead .error", "first: ValueError: first \N{MIDDLE DOT} and 2 more")
    for name in ("first", "second", "third", "first"):
        page.run("document.querySelector('.runhead .error').click()")  # also while it is redrawn
        page.one("aside h2", name)


def test_two_runs_are_compared(page: Page):
    """Picked in the list; what is alike is left out until it is asked for."""
    record(page.tracer, "before")
    record(page.tracer, "after", failing=True, more=1)
    page.open()
    page.wait_texts("tbody a", ["after", "before"])
    page.press("j", "x", "j", "x", "c")
    page.one("h1", "Two runs")
    assert [one.text.split()[:2] for one in page.all(".runhead > div")[:2]] == [
        ["before", "before"],
        ["after", "after"],
    ]
    page.wait(lambda _: page.texts("tbody tr"))
    rows = page.texts("tbody tr:not(.alike)")
    assert any(("tool_call" in row and "status" in row) or "result_payload" in row for row in rows)
    assert any(row.startswith(("+step", "\N{MINUS SIGN}step")) for row in rows)
    shown = len([row for row in page.all("tbody tr") if row.is_displayed()])
    page.one("input[type=checkbox]").click()
    assert len([row for row in page.all("tbody tr") if row.is_displayed()]) >= shown


def test_a_run_has_a_picture(page: Page):
    """A chart for each type, with words for who does not see it."""
    run = record(page.tracer, failing=True, more=3)
    page.open(f"/agent_instances/{run}")
    page.one(".tools button", "Picture").click()
    page.one("figure", "step 3")
    labels = {one.get_attribute("aria-label") for one in page.all("svg.outcome")}
    assert "1 failed" in labels
    assert "p50" in page.one("figure", "llm_call").text


def test_a_run_is_terminated_with_a_reason(page: Page):
    """The agent is told, and so is who looks."""
    told = threading.Event()
    with page.tracer.instance("agent") as run:
        run.on_terminate(lambda _: told.set())
        with page.tracer.span("work"):
            pass
        assert page.tracer.flush()
        page.open(f"/agent_instances/{run.id}")
        page.one(".danger", "Terminate").click()
        page.press(*"too dear")
        page.one("dialog .danger").click()
        page.one("h1 .terminated")
        page.one(".runhead p", "Ended by the platform: too dear")
        with page.tracer.span("next"):
            pass
        assert page.tracer.flush()
        assert told.wait(10)
        assert run.termination_reason == "too dear"


def test_exports_are_links_to_files(page: Page):
    """Of each format."""
    run = record(page.tracer)
    page.open(f"/agent_instances/{run}")
    page.one(".exports a", "jsonl")
    script = (
        "return Promise.all([...document.querySelectorAll('.exports a')]"
        ".map((one) => fetch(one.href).then((answer) => answer.text())))"
    )
    jsonl, otlp, chrome = page.run(script)
    assert jsonl.count("\n") == 4
    assert "resourceSpans" in otlp
    assert "traceEvents" in chrome


HOSTILE = [
    "<script>window.pwned = 1</script>",
    "<img src=x onerror='window.pwned = 1'>",
    "<svg/onload=window.pwned=1>",
    "javascript:window.pwned=1",
    "\"><iframe src='//evil.example'></iframe>",
    "<a href='http://evil.example'>click</a>",
    "{{constructor.constructor('window.pwned=1')()}}",
    "<style>@import 'http://evil.example/x.css'</style>",
    "\u202egnp.exe\u0000\u001b[2J",
    "<link rel=prefetch href=//evil.example>",
]


def test_hostile_payloads_are_text(page: Page):
    """Two hundred of them, in every place that can hold a text: no script, no request, no link."""
    tracer = page.tracer
    with tracer.instance(HOSTILE[0], version=HOSTILE[1]) as run:
        for number in range(200):
            bad = HOSTILE[number % len(HOSTILE)] + str(number)
            payload = {
                bad: bad,
                "messages": [{"role": bad, "content": bad}],
                "list": [bad, {"x": bad}],
            }
            try:
                with tracer.span(bad, payload):
                    raise ValueError(bad)
            except ValueError:
                pass
        tracer.record_quality("good", {HOSTILE[0]: HOSTILE[1]})
    assert tracer.flush()
    page.open()
    page.one("tbody a", "<script>")
    page.open(f"/agent_instances/{run.id}")
    page.one(".row", "<script>")
    for _ in range(len(HOSTILE)):
        page.press("j")
        page.one("aside h2")
    page.press("p")
    page.one("figure")
    assert page.run("return window.pwned") is None
    sites = page.run(
        "return performance.getEntriesByType('resource').map((one) => new URL(one.name).origin)"
    )
    assert set(sites) <= {page.url}
    links = page.run("return [...document.querySelectorAll('a')].map((one) => one.href)")
    assert all(link.startswith(page.url + "/") for link in links)
    assert page.all("main iframe, main script, main img, main style, main link") == []


def test_ten_thousand_spans_open(page: Page, capsys: pytest.CaptureFixture[str]):
    """Only the rows in sight are drawn, wherever one scrolls; how long it takes is printed."""
    tracer = page.tracer
    with tracer.instance("large") as run:
        for outer in range(100):
            with tracer.span("outer", {"n": outer}):
                for inner in range(99):
                    with tracer.span("inner", {"n": inner}):
                        pass
    assert tracer.flush()
    page.open()
    page.one("tbody a", "large")
    began = time.perf_counter()
    page.open(f"/agent_instances/{run.id}")
    page.one(".row", "outer")
    took = time.perf_counter() - began
    assert page.run("return document.querySelector('.space').offsetHeight") == 10_000 * 26
    script = """
        const rows = document.querySelector(".rows"), done = arguments[0], times = [];
        let at = 0, last = performance.now();
        const step = () => {
          const now = performance.now(); times.push(now - last); last = now;
          if (at++ < 60) { rows.scrollTop += 3000; requestAnimationFrame(step); } else done(times);
        };
        requestAnimationFrame(step);
    """
    frames = sorted(page.driver.execute_async_script(script))
    assert 0 < len(page.all(".row")) < 150
    page.run("document.querySelector('.rows').scrollTop = 1e9")
    page.wait(lambda _: "n: 98" in (page.texts(".row small") or [""])[-1])
    with capsys.disabled():
        print(
            f"\n10,000 spans open in {took:.2f} s;"
            f" median frame {frames[30]:.1f} ms, worst {frames[-1]:.1f} ms"
        )


@pytest.mark.parametrize("width", [360, 768, 1400, 3840])
def test_it_fits_every_screen_in_light_and_dark(page: Page, width: int):
    """Nothing is wider than the window; the theme is kept."""
    run = record(page.tracer, failing=True, more=3)
    other = record(page.tracer, more=1)
    emulate = {"width": width, "height": 800, "deviceScaleFactor": 1, "mobile": False}
    page.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", emulate)
    try:
        for address in ("/", f"/agent_instances/{run}", f"/compare/{run}/{other}"):
            page.open(address)
            page.one("tbody a, .row")
            for part in ("html", "main"):
                script = "return document.querySelector(arguments[0]).scrollWidth"
                assert page.run(script, part) <= width
            before = page.run("return getComputedStyle(document.body).backgroundColor")
            page.press("t")
            assert page.run("return getComputedStyle(document.body).backgroundColor") != before
            page.driver.refresh()
            page.one("tbody a, .row")
            assert page.run("return getComputedStyle(document.body).backgroundColor") != before
            page.press("t")
    finally:
        page.driver.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def test_everything_has_a_name_for_a_screen_reader(page: Page):
    """Buttons, inputs and pictures; rows tell their name, status and duration."""
    run = record(page.tracer, failing=True)
    for address in ("/", f"/agent_instances/{run}"):
        page.open(address)
        page.one("tbody a, .row")
        unnamed = page.run(
            "return [...document.querySelectorAll('button, input, select, svg')].filter((one) =>"
            " !(one.getAttribute('aria-label') || one.textContent.trim() || one.labels?.length))"
            ".map((one) => one.outerHTML)"
        )
        assert unnamed == []
    label = page.one(".row.failed").get_attribute("aria-label")
    assert label.startswith("tool_call, failed, ")
    assert label.endswith(", TimeoutError: no answer in 5 s")


def test_a_server_with_a_token_asks_for_it(browser: Any, tmp_path: Path):
    """Once; a wrong one is refused in words."""
    path = tmp_path / "a.db"
    tracer = Tracer(local=True, local_db=str(path))
    record(tracer, "secret-agent")
    tracer.shutdown()
    with Store(path) as store, Server(Api(store, token="s3cret")) as server:
        page = Page(browser, server.url, tracer)
        page.open()
        page.one("dialog[open] input").send_keys("wrong")
        page.press("ENTER")
        page.one("dialog [role=alert]", "This is not the token")
        page.one("dialog input").clear()
        page.one("dialog input").send_keys("s3cret")
        page.press("ENTER")
        page.wait_texts("tbody a", ["secret-agent"])
        page.one("#live", "live")
        page.driver.refresh()
        page.wait_texts("tbody a", ["secret-agent"])
        assert "s3cret" not in page.run("return document.cookie")
        browser.get("about:blank")
    browser.get_log("browser")


def test_the_page_goes_on_when_the_server_comes_back(browser: Any, tmp_path: Path):
    """It says that the server is away, and then shows what was missed."""
    path = tmp_path / "a.db"
    tracer = Tracer(local=True, local_db=str(path))
    record(tracer, "first")
    with Store(path) as store:
        server = Server(Api(store)).start()
        page = Page(browser, server.url, tracer)
        page.open()
        page.wait_texts("tbody a", ["first"])
        port = int(server.url.rpartition(":")[2])
        server.close()
        page.one("#live", "away")
        record(tracer, "second")
        with Server(Api(store), port=port):
            page.one("#live", "live")
            page.wait_texts("tbody a", ["second", "first"])
            browser.get("about:blank")
    tracer.shutdown()
    browser.get_log("browser")


def test_many_tabs_are_open_at_once(page: Page):
    """Those out of sight hold no connection; one that is shown again has what it missed."""
    record(page.tracer, "first")
    page.open()
    page.wait_texts("tbody a", ["first"])
    first = page.driver.current_window_handle
    try:
        for _ in range(8):
            page.driver.switch_to.new_window("tab")
            page.open()
            page.wait_texts("tbody a", ["first"])
            page.one("#live", "live")
        record(page.tracer, "second")
        page.wait_texts("tbody a", ["second", "first"])
    finally:
        for tab in page.driver.window_handles:
            page.driver.switch_to.window(tab)
            if tab != first:
                page.driver.close()
        page.driver.switch_to.window(first)
    page.wait_texts("tbody a", ["second", "first"])


def test_many_pages_are_opened_in_one_tab(page: Page):
    """Those that the back button leads to hold no connection, and are live when they are back."""
    record(page.tracer, "first")
    for number in range(9):
        page.open(f"/?agent=first&number={number}")
        page.wait_texts("tbody a", ["first"])
        page.one("#live", "live")
    page.driver.back()
    page.wait(lambda _: page.address.endswith("number=7"))
    record(page.tracer, "first")
    page.wait_texts("tbody a", ["first", "first"])
