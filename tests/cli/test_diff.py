"""`diff`: two runs, and what differs between them."""

import json
from pathlib import Path

from prefactor_trace.cli.diff import lines
from prefactor_trace.cli.terminal import UNLIMITED, Screen
from prefactor_trace.models import AgentSpan
from prefactor_trace.server import Store
from prefactor_trace.server._compare import compare

from .records import new_id, record, run, span


def steps(*found: str, took: float = 0.1) -> list[AgentSpan]:
    """Return a run that plans, finds some things below one span, and answers."""
    parent = new_id()
    return [
        span("plan"),
        span("work", id=parent, at=1),
        *(
            span("find", at=2 + at, parent=parent, payload={"q": what}, took=took)
            for at, what in enumerate(found)
        ),
        span("answer", at=9),
    ]


def test_differences_are_shown_with_their_parents(database: Path) -> None:
    """What is alike is counted; what differs stands below the spans that it hangs under."""
    ids = [record(database, steps("a", "b")), record(database, steps("a", "b", "c"))]
    code, text = run("diff", *ids, "--db", str(database))
    left, right, *rest = text.splitlines()
    assert code == 0
    assert (left[0], right[0]) == ("-", "+")
    assert (left.split()[-1][:10], right.split()[-1][:10]) == (ids[0][:10], ids[1][:10])
    assert rest == [
        "  … 1 span is alike",
        "  work  100 ms",
        "  … 2 spans are alike",
        "+   find  100 ms",
        "  … 1 span is alike",
        "1 added",
    ]


def test_all_shows_every_span(database: Path) -> None:
    """With `--all` no span is left out."""
    ids = [record(database, steps("a")), record(database, steps("b"))]
    _, text = run("diff", *ids, "--all", "--db", str(database))
    assert [line.split("  100 ms")[0] for line in text.splitlines()[2:]] == [
        "  plan",
        "  work",
        "~   find  payload.q",
        "  answer",
        "1 different",
    ]


def test_the_same_run_has_no_differences(database: Path) -> None:
    """A run beside itself says so, and is no difference for `--exit-code` either."""
    one = record(database, steps("a"))
    code, text = run("diff", one, one, "--exit-code", "--db", str(database))
    assert (code, text.splitlines()[-1]) == (0, "no differences")


def test_exit_code_tells_more_than_timing(database: Path) -> None:
    """Slower alone is 0, as no two runs take the same time; anything else is 3, if asked for."""
    first = record(database, steps("a"))
    slow = record(database, steps("a", took=0.9))
    other = record(database, steps("b"))
    code, text = run("diff", first, slow, "--exit-code", "--db", str(database))
    assert code == 0
    assert "~   find  slower  100 ms → 900 ms" in text
    assert run("diff", first, other, "--exit-code", "--db", str(database))[0] == 3
    assert run("diff", first, other, "--db", str(database))[0] == 0


def test_json(database: Path) -> None:
    """With `--json` both runs and every pair are there."""
    ids = [record(database, steps("a")), record(database, steps())]
    found = json.loads(run("diff", *ids, "--json", "--db", str(database))[1])
    assert [found["left"]["id"], found["right"]["id"]] == ids
    assert [one["marks"] for one in found["spans"]] == [[], [], ["removed"], []]


def test_status_and_long_lines(database: Path) -> None:
    """A changed status is told first; a line is cut to the screen, and in a pipe not at all."""
    many = {f"key{at}": at for at in range(30)}
    left, right = [span("x" * 90)], [span("x" * 90, status="failed", payload=many)]
    with Store(database) as store:
        record(database)
        (instance,) = store.list_instances()
    rows = compare(left, right)
    narrow = list(lines((instance, instance), rows, Screen(width=80)))
    assert max(map(len, narrow)) <= 80
    wide = list(lines((instance, instance), rows, Screen(width=UNLIMITED)))[2]
    assert "  complete → failed, payload.key0, " in wide
    assert "payload.key29" in wide


def test_hostile_names_stay_on_their_line(database: Path) -> None:
    """Keys and names that hold escape codes are spelt out."""
    left, right = [span("a\x1b[2J\n", payload={"\x1b]0;": 1})], [span("a\x1b[2J\n")]
    with Store(database) as store:
        record(database)
        (instance,) = store.list_instances()
    text = "\n".join(lines((instance, instance), compare(left, right), Screen()))
    assert "\x1b" not in text
    assert len(text.splitlines()) == 4
