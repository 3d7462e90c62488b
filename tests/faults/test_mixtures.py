"""Any mixture of faults over any tree of spans: nothing is lost unnamed, nothing is doubled."""

import tempfile
import threading
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from prefactor_trace import Tracer

from .checks import check_effects, check_sum
from .conftest import HASTE
from .fault_server import (
    FaultServer,
    healthy,
    hold,
    item_error,
    missing_keys,
    never,
    not_json,
    refuse,
    reset_after,
    reset_before,
    truncated,
    without_outputs,
    wrong_outputs,
)


class Step(NamedTuple):
    """Something that the agent does: `begin`, `end`, `flush`, `result` or `run`."""

    what: str
    which: int  # of the spans so far
    how: str


class Mixture(NamedTuple):
    """What happens in one example."""

    steps: list[Step]
    faults: list[str]
    poisoned: set[int]
    code: str
    max_spans: int
    max_items: int


FAULTS = {
    "healthy": healthy,
    "503": refuse(503),
    "429": refuse(429, retry_after=0),
    "500": refuse(500),
    "413": refuse(413),
    "400": refuse(400),
    "422": refuse(422),
    "404": refuse(404),
    "307": refuse(307),
    "reset before": reset_before,
    "reset after": reset_after,
    "truncated": truncated,
    "not json": not_json,
    "without outputs": without_outputs,
    "wrong outputs": wrong_outputs,
    "every second output": missing_keys(lambda n: n % 2 == 0),
    "not the first": missing_keys(lambda n: n > 0),
    "not the last": missing_keys(lambda n: n < 2),
    **{
        f"{code} at {position}": item_error(position, code)
        for code in ("validation_errors", "not_found", "internal_error", "unheard_of")
        for position in (0, 1, 3)
    },
    "never": never,
    "late": hold(threading.Event(), processed=True),
}
# Each of these costs the time of a request.
SLOW = {"never", "late"}

steps = st.builds(
    Step,
    st.sampled_from(["begin"] * 6 + ["end"] * 4 + ["result", "flush", "run"]),
    st.integers(0, 60),
    st.sampled_from(["complete", "complete", "failed", "cancelled"]),
)
faults = st.lists(
    st.sampled_from(sorted(FAULTS.keys() - SLOW) * 4 + sorted(SLOW)), min_size=0, max_size=12
)
mixtures = st.builds(
    Mixture,
    st.lists(steps, min_size=1, max_size=60),
    faults.filter(lambda names: sum(name in SLOW for name in names) < 2),
    st.sets(st.integers(0, 40), max_size=4),
    st.sampled_from(["validation_errors", "not_found", "internal_error"]),
    st.sampled_from([5, 50_000, 50_000]),
    st.sampled_from([2, 7, 500]),
)


class Agent:
    """Carries out the steps with a tracer, and keeps what it began."""

    def __init__(self, tracer: Tracer) -> None:
        self.tracer = tracer
        self.runs: list[Any] = []
        self.spans: list[Any] = []
        self.open_run()

    def open_run(self) -> None:
        """Begin another run, in which spans without a parent begin."""
        run = self.tracer.instance()
        run._start()
        self.runs.append(run)

    def do(self, step: Step) -> None:
        """Carry out one step."""
        if step.what == "run":
            self.runs[-1].finish()
            self.open_run()
        elif step.what == "begin":
            own = [span for span in self.spans if span._instance is self.runs[-1]]
            parent = own[step.which % len(own)] if own and step.which % 5 else self.runs[-1]
            name = str(len(self.spans))
            self.spans.append(
                self.tracer.start_span(f"type {step.which % 3}", {"name": name}, parent=parent)
            )
        elif step.what == "flush":
            self.tracer.flush(0.02)
        elif self.spans:
            span = self.spans[step.which % len(self.spans)]
            if step.what == "result":
                span.set_result({"n": step.which})
            else:
                {"complete": span.complete, "failed": span.fail, "cancelled": span.cancel}[
                    step.how
                ]()


def carry_out(mixture: Mixture, folder: Path) -> None:
    """Let it happen, and check what must hold."""
    with FaultServer(folder, [FAULTS[name] for name in mixture.faults]) as server:
        server.poison(
            lambda item: (
                item.get("details", {}).get("payload", {}).get("name")
                in {str(n) for n in mixture.poisoned}
            ),
            mixture.code,
        )
        tracer = Tracer(
            api_url=server.url,
            max_buffer_spans=mixture.max_spans,
            max_batch_items=mixture.max_items,
            **{**HASTE, "request_timeout": 0.3, "exit_timeout": 30},
        )
        agent = Agent(tracer)
        try:
            for step in mixture.steps:
                agent.do(step)
                check_sum(tracer)
            agent.runs[-1].finish()
            # As at the end of the process: what is still open ends as failed.
            receipt = tracer._pipeline.shutdown(30, closing="the example is over")
            judge(server, agent, receipt)
        finally:
            tracer._pipeline.give_up("replaced")  # no thread goes on through other examples


def judge(server: FaultServer, agent: Agent, receipt: Any) -> None:
    """Compare what the service has with what was begun and with what the ledger names."""
    stats = agent.tracer.stats()
    check_sum(agent.tracer)
    check_effects(server)
    assert receipt.pending == stats.pending == 0, stats
    assert stats.started == len(agent.spans)
    held = {span.id: span for span in server.spans()}
    began = {span.id for span in agent.spans}
    rejected = {one.id for one in receipt.rejected}
    assert not held.keys() - began, "the service has spans that nobody began"
    missing = began - held.keys() - rejected
    assert len(missing) == stats.dropped, "spans are missing that the ledger does not name"
    assert stats.delivered == len(began) - len(began & rejected) - stats.dropped
    for span in held.values():
        assert span.parent_span_id is None or span.parent_span_id in held
        assert span.status not in ("active", "pending") or span.id in rejected
    for run in server.store.list_instances(limit=1_000):
        assert run.status in ("complete", "failed") or run.id in rejected


@pytest.mark.slow
@settings(
    max_examples=200,
    deadline=None,
    print_blob=True,
    phases=(Phase.explicit, Phase.reuse, Phase.generate, Phase.shrink),
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
@given(mixture=mixtures)
def test_any_mixture_loses_nothing_unnamed_and_doubles_nothing(mixture):
    """The service's set of spans is what was started less what the ledger names."""
    with tempfile.TemporaryDirectory() as folder:
        carry_out(mixture, Path(folder))
