"""What must hold of a delivery, whatever happened to it."""

from collections import Counter
from typing import Any

from prefactor_trace import Tracer

from .fault_server import FaultServer


def record(tracer: Tracer, count: int, *, run: str = "run", **payload: Any) -> None:
    """Record spans `0` to `count - 1`, children of one root, in a run of their own."""
    with tracer.instance(), tracer.span("root", {"name": run}):
        for number in range(count):
            with tracer.span("step", {"name": f"{run}/{number}", **payload}) as span:
                span.set_result({"number": number})


def names(server: FaultServer) -> list[str]:
    """Return the names, given in the payloads, of the spans that the service holds."""
    return sorted(span.payload["name"] for span in server.spans())


def check_sum(tracer: Tracer) -> None:
    """Every span that was started is delivered, rejected, dropped or pending."""
    stats = tracer.stats()
    told = stats.delivered + stats.rejected + stats.dropped + stats.pending
    assert stats.started == told, stats
    assert sum(stats.dropped_by_reason.values()) == stats.dropped, stats


def check_effects(server: FaultServer) -> None:
    """Nothing was done twice, and each thing after what it builds on."""
    times = Counter((effect.action, effect.id) for effect in server.effects)
    del times["agent_instances/record_quality", ""]
    twice = {what: n for what, n in times.items() if n > 1 and "quality" not in what[0]}
    assert not twice, f"done more than once: {twice}"
    seen: set[str] = set()
    for action, subject, parent, _ in server.effects:
        if action == "agent_spans/create":
            assert parent is None or parent in seen, f"{subject} came before its parent {parent}"
            seen.add(subject)
        elif action == "agent_spans/finish":
            assert subject in seen, f"{subject} was finished before it was created"


def check_instances_finished_last(server: FaultServer) -> None:
    """The finish of a run comes after all else of it."""
    owner = {span.id: span.agent_instance_id for span in server.spans()}
    finished: set[str] = set()
    for action, subject, _, _ in server.effects:
        if action == "agent_instances/finish":
            finished.add(subject)
        else:
            assert owner.get(subject, subject) not in finished, f"{action} {subject} came too late"


def check_nothing_open(server: FaultServer) -> None:
    """Every span and every run that the service knows has ended."""
    left = [span.id for span in server.spans() if span.status in ("active", "pending")]
    assert not left, f"spans left open: {left}"
    runs = [one.id for one in server.store.list_instances() if one.status in ("active", "pending")]
    assert not runs, f"runs left open: {runs}"


def check_all(server: FaultServer, tracer: Tracer) -> None:
    """All of the above."""
    check_sum(tracer)
    check_effects(server)
    check_instances_finished_last(server)
    check_nothing_open(server)
