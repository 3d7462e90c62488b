"""A page that is looked at, and clicked, while agents work and the server comes and goes."""

import sqlite3
from pathlib import Path
from typing import Any

from prefactor_trace import Tracer
from prefactor_trace.server import Api, Server, Store

from .conftest import Page
from .records import NAMES, record


def test_a_click_is_not_lost_while_the_page_is_redrawn(page: Page):
    """Between pressing the button and letting go, spans of a live run grow."""
    from selenium.webdriver.common.action_chains import ActionChains

    with page.tracer.instance("agent") as run, page.tracer.span("outer"):
        step = page.tracer.start_span("stream")
        assert page.tracer.flush()
        page.open(f"/agent_instances/{run.id}")
        row = page.one(".row", "stream")
        page.run("window.width = document.querySelectorAll('i.bar')[1].style.width")
        page.run("window.before = document.querySelectorAll('.row')[1]")
        ActionChains(page.driver).click_and_hold(row).perform()
        with page.tracer.span("new"):
            pass
        assert page.tracer.flush()
        page.one(".row", "new")
        ActionChains(page.driver).release().perform()
        page.one("aside h2", "stream")
        assert page.run("return window.before.isConnected")
        step.complete()


def test_news_leave_what_is_looked_at_alone(page: Page):
    """The place in the list, the chosen span, and the focus, while more spans arrive."""
    tracer = page.tracer
    with tracer.instance("agent") as run, tracer.span("outer"):
        for number in range(200):
            with tracer.span("step", {"number": number}):
                pass
        assert tracer.flush()
        page.open(f"/agent_instances/{run.id}")
        page.one(".row", "outer")
        page.run("document.querySelector('.rows').scrollTop = 1300")
        page.one(".row", "number: 60").click()
        page.one("aside h2", "step")
        scrolled = page.run("return document.querySelector('.rows').scrollTop")
        page.run("document.querySelector('.tools .danger').focus()")
        with tracer.span("news"):
            pass
        assert tracer.flush()
        page.wait(lambda _: page.run("return document.querySelector('.space').offsetHeight") > 5251)
        assert page.run("return document.querySelector('.rows').scrollTop") == scrolled
        assert "number: 60" in page.one(".row.chosen").text
        assert page.run("return document.activeElement.textContent") == "Terminate…"


def test_the_open_span_that_is_read_stays_as_it_was_unfolded(page: Page):
    """Its result is put below; what was scrolled and unfolded stays so."""
    payload = {"deep": {"a": {"b": {"c": 1}}}, **{f"k{n}": "x" * 300 for n in range(11)}}
    with page.tracer.instance("agent") as run:
        step = page.tracer.start_span("stream", payload)
        assert page.tracer.flush()
        page.open(f"/agent_instances/{run.id}?span={step.id}")
        for name in ("a", "b"):
            page.one("aside .inside summary", f"{name}: ").click()
        page.one("aside .leaf", "c: 1")
        page.run("document.querySelector('aside').scrollTop = 200")
        step.set_result({"answer": 42})
        step.complete()
        assert page.tracer.flush()
        page.one("aside .key", "answer")
        page.one("aside h2", "complete")
        assert "c: 1" in page.texts("aside .leaf")
        assert page.run("return document.querySelector('aside').scrollTop") == 200


def test_the_page_recovers_from_a_fault_of_the_server(page: Page, tmp_path: Path):
    """It says what is wrong, and goes on by itself when nothing is wrong any more."""
    record(page.tracer, "first")
    page.open()
    page.wait_texts("tbody a", ["first"])
    db = sqlite3.connect(tmp_path / "a.db", isolation_level=None)
    db.execute("ALTER TABLE agents RENAME TO hidden")
    page.one("main [role=alert]", "no such table")
    db.execute("ALTER TABLE hidden RENAME TO agents")
    db.close()
    page.wait_texts("tbody a", ["first"])
    assert [line for line in page.complaints() if "503" not in line] == []


def test_what_is_opened_while_the_server_is_away_comes_with_it(browser: Any, tmp_path: Path):
    """A run that was clicked meanwhile, with its span."""
    path = tmp_path / "a.db"
    tracer = Tracer(local=True, local_db=str(path))
    record(tracer, "first")
    tracer.shutdown()
    with Store(path) as store:
        server = Server(Api(store)).start()
        page = Page(browser, server.url, tracer)
        page.open()
        page.wait_texts("tbody a", ["first"])
        port = int(server.url.rpartition(":")[2])
        server.close()
        page.one("#live", "away")
        page.one("tbody a").click()
        page.one("main [role=alert]", "The server is away")
        with Server(Api(store), port=port):
            page.wait_texts(NAMES, ["plan", "llm_call", "tool_call"])
            page.one(".row", "plan").click()
            page.one("aside h2", "plan")
            browser.get("about:blank")
    browser.get_log("browser")


def test_a_run_that_was_left_before_it_has_come_changes_nothing_behind(page: Page):
    """Its answer comes when the list is there again, and the address is the list's."""
    with page.tracer.instance("agent") as run, page.tracer.span("step") as step:
        pass
    assert page.tracer.flush()
    page.open()
    page.one("tbody tr", "agent")
    page.run("""
        const ask = window.fetch;
        window.fetch = async (...asked) => {
          const answer = await ask(...asked);
          if (String(asked[0]).includes("since=")) await new Promise((go) => (window.go = go));
          return answer;
        };
        history.pushState({ fromHere: true }, "", arguments[0]);
        dispatchEvent(new PopStateEvent("popstate"));
    """, f"/agent_instances/{run.id}?span={step.id}")  # fmt: skip
    page.wait(lambda _: page.run("return Boolean(window.go)"))
    page.run("history.back()")
    page.one("tbody tr", "agent")
    page.run("window.go(); return fetch('/ui/api/runs')")
    assert page.address == "/"
