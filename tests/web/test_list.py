"""The list of runs, as somebody uses it who has many."""

from pathlib import Path

import pytest
from cli.records import record as stored
from cli.records import span

from .conftest import Page
from .records import NAMES, record

MANY = 130


@pytest.fixture
def many(page: Page, tmp_path: Path) -> Page:
    """The page, over more runs than it lists at once."""
    for number in range(MANY):
        purpose = "odd" if number % 2 else "even"
        stored(tmp_path / "a.db", [span("plan", payload={"number": number})], agent=purpose)
    return page


def agents(page: Page) -> list[str]:
    """Return the agents of the runs that are listed."""
    return page.texts("tbody a")


@pytest.mark.parametrize("width", [390, 1440])
def test_a_long_name_leaves_room_for_the_rest(page: Page, width: int):
    """It is cut, and said in full to who points at it."""
    name = "an-agent-with-a-very-long-name-" * 4
    with page.tracer.instance(name, version="v" * 100) as run:
        try:
            with page.tracer.span("s" * 200, {"question": "q" * 500}):
                raise ValueError("m" * 5000)
        except ValueError:
            pass
    assert page.tracer.flush()
    emulate = {"width": width, "height": 800, "deviceScaleFactor": 1, "mobile": False}
    page.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", emulate)
    try:
        page.open()
        page.one("tbody a", "an-agent")
        assert page.run("return document.querySelector('main').scrollWidth") <= width
        for cell in (".status", ".took", ".failed"):
            assert 0 < page.one(f"tbody td{cell}").rect["x"] < width - 10, cell
        assert page.one("tbody a").get_attribute("title") == name
        page.open(f"/agent_instances/{run.id}?find=mmm")
        page.one(".row", "sss")
        assert page.run("return document.querySelector('main').scrollWidth") <= width
        assert page.run("return document.querySelector('.runhead').scrollWidth") <= width
    finally:
        page.driver.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


@pytest.mark.parametrize(
    ("version", "shown"),
    [("c" * 40, "c" * 12), ("2026.11.27+build.7", "2026.11.27+bu…"), ("2026.11.27-rc1", None)],
)
def test_a_long_version_is_seen_to_be_cut(page: Page, version: str, shown: str | None):
    """But for a commit, which is known by its beginning."""
    with page.tracer.instance("agent", version=version):
        pass
    assert page.tracer.flush()
    page.open()
    assert page.one("tbody td.version", shown or version).text == (shown or version)


def test_runs_of_an_agent_are_told_apart(page: Page, tmp_path: Path):
    """By what they began with; of those that failed, by why."""
    error = {"error_type": "Bad", "message": "it broke"}
    failed = [span("plan", payload={"question": "why"}, status="failed", result=error)]
    stored(tmp_path / "a.db", [span("plan", payload={"question": "where"})])
    stored(tmp_path / "a.db", failed, status="failed")
    page.open()
    page.wait_texts("td.about", ["Bad: it broke", "question: where"])


def test_the_list_is_as_it_was_when_one_comes_back(many: Page):
    """What it was narrowed to, how far it was read, and what was picked."""
    page = many
    page.open("/?agent=even")
    page.wait(lambda _: len(agents(page)) == MANY // 2)
    page.press("j", "x")
    page.one("td.about", "number: 64").click()
    page.one("h1", "even")
    page.press("ESCAPE")
    page.wait(lambda _: len(agents(page)) == MANY // 2)
    assert page.address == "/?agent=even"
    assert page.one("tr.chosen td.about").text == "number: 64"
    assert len(page.all("tbody input:checked")) == 1
    page.open()
    page.wait(lambda _: len(agents(page)) == 100)
    page.one("main > button", "Older runs").click()
    page.wait(lambda _: len(agents(page)) == MANY)
    last = page.all("tbody a")[-1]
    page.run("arguments[0].scrollIntoView()", last)
    scrolled = page.run("return document.querySelector('main').scrollTop")
    last.click()
    page.one("h1", "even")
    page.driver.back()
    page.wait(lambda _: len(agents(page)) == MANY)
    assert page.run("return document.querySelector('main').scrollTop") == scrolled


def test_what_is_typed_last_is_what_is_shown(page: Page):
    """Also when the answer to what was typed before comes after it."""
    record(page.tracer, "first")
    record(page.tracer, "second")
    page.open()
    page.wait_texts("tbody a", ["second", "first"])
    page.run(
        "const before = window.fetch;"
        "window.late = new Promise((resolve) => { window.release = resolve; });"
        "window.fetch = async (path, ...rest) => {"
        "  const answer = await before(path, ...rest);"
        "  if (path.includes('search=first')) { await window.late; window.was = true; }"
        "  return answer; };"
    )
    page.press("/", *"first")
    page.wait(lambda _: page.address == "/?search=first")
    page.press(*["BACKSPACE"] * 5, *"second")
    page.wait_texts("tbody a", ["second"])
    page.run("window.release()")
    page.wait(lambda _: page.run("return window.was"))
    page.run("return new Promise(requestAnimationFrame)")
    assert agents(page) == ["second"]


def test_keys_work_after_a_click_on_a_box(page: Page):
    """Two are picked with the mouse, and compared with a key."""
    record(page.tracer, "first")
    record(page.tracer, "second")
    page.open()
    page.wait_texts("tbody a", ["second", "first"])
    for box in page.all("tbody input"):
        box.click()
    page.press("c")
    page.one("h1", "Two runs")


def test_news_leave_the_focus_where_it_is(page: Page):
    """A box that is about to be ticked is still there when a run begins."""
    record(page.tracer, "first")
    page.open()
    page.wait_texts("tbody a", ["first"])
    page.run("document.querySelector('tbody input').focus()")
    record(page.tracer, "second")
    page.wait_texts("tbody a", ["second", "first"])
    label = page.run("return document.activeElement.getAttribute('aria-label')")
    assert label == page.all("tbody input")[1].get_attribute("aria-label")


def test_what_is_searched_is_found_in_the_run(page: Page):
    """The list leads on to the span; one that was found by its agent or id is shown whole."""
    run = record(page.tracer, "travel-agent", more=20)
    page.open("/?search=oslo")
    page.wait_texts("tbody a", ["travel-agent"])
    page.one("tbody a").click()
    page.wait_texts(NAMES, ["plan", "tool_call"])
    for search in ("travel", run):  # ids of the same millisecond begin alike
        page.open(f"/?search={search}")
        page.wait_texts("tbody a", ["travel-agent"])
        page.one("tbody a").click()
        page.wait(lambda _: len(page.texts(NAMES)) == 23)
        page.wait(lambda _: page.one(".find input").get_attribute("value") == "")
