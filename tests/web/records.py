"""Runs for the page to show."""

from prefactor_trace import Tracer

NAMES = ".row .name b"
"""Where the names of the spans in sight stand."""


def record(tracer: Tracer, agent: str = "agent", *, failing: bool = False, more: int = 0) -> str:
    """Record one run; return its id."""
    with tracer.instance(agent, version="1.4.2") as run, tracer.span("plan", {"question": "where"}):
        with tracer.span("llm_call", {"model": "m"}) as call:
            call.set_result({"usage": {"total_tokens": 42}})
        for number in range(more):
            with tracer.span("step", {"number": number}):
                pass
        try:
            with tracer.span("tool_call", {"city": "Oslo"}):
                if failing:
                    raise TimeoutError("no answer in 5 s")
        except TimeoutError:
            pass
    assert tracer.flush()
    return run.id
