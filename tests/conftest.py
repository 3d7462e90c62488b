"""What all tests share: a process as if new for each, and tracers that record into memory."""

import copy
import json
import os
from collections.abc import Callable
from typing import Any

import hypothesis
import pytest

from prefactor_trace import Tracer, _guard
from prefactor_trace._context import current
from prefactor_trace._default import default
from prefactor_trace._notes import SCHEMA_NAME_KEY
from prefactor_trace._settings import load_settings
from prefactor_trace._transport.memory import MemoryTransport

# A slow machine is no fault of what is tested. What CI says of a commit stays the same; new
# examples are looked for where people work.
hypothesis.settings.register_profile(
    "untimed",
    deadline=None,
    suppress_health_check=[hypothesis.HealthCheck.too_slow],
    derandomize="CI" in os.environ,
)
hypothesis.settings.load_profile("untimed")


class MemoryTracer(Tracer):
    """A tracer whose requests stay in memory.

    Attributes:
        transport: Where they are kept.
    """

    def __init__(
        self, transport: MemoryTransport | None = None, *, home: Any = None, **settings: Any
    ) -> None:
        self.transport = transport or MemoryTransport()
        loaded = load_settings({"api_token": "a-token-of-the-tests", **settings})
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("prefactor_trace._transport.open_transport", lambda *_: self.transport)
            self._set_up(loaded, home or self)

    def items(self, action: str = "") -> list[dict[str, Any]]:
        """Flush, and return the items whose ``_type`` ends with `action`, in order."""
        self.flush(10)
        return [item for item in self.transport.items if item["_type"].endswith(action)]

    def spans(self) -> list[dict[str, Any]]:
        """Flush, and return the spans as the agent made them: each create with its finish."""
        spans = {}
        for item in self.items():
            if item["_type"] == "agent_spans/create":
                span = spans[item["details"]["id"]] = copy.deepcopy(item["details"])
                span["schema_name"] = span["payload"].pop(SCHEMA_NAME_KEY, span["schema_name"])
            elif item["_type"] == "agent_spans/finish":
                end = {key: item[key] for key in ("status", "result_payload") if key in item}
                spans[item["agent_span_id"]] |= {**end, "finished_at": item["timestamp"]}
        return list(spans.values())

    def one(self, schema_name: str | None = None) -> dict[str, Any]:
        """Return the only span there is, of that name if one is given."""
        spans = [span for span in self.spans() if schema_name in (None, span["schema_name"])]
        assert len(spans) == 1, json.dumps(spans, indent=1)
        return spans[0]


@pytest.fixture(autouse=True)
def _as_in_a_new_process(request: pytest.FixtureRequest):
    """Put back the library's globals, and fail when it met a fault of its own."""
    faults: list[tuple[str, BaseException]] = []
    log_fault = _guard.log_fault

    def note_fault(kind: str, error: BaseException) -> None:
        faults.append((kind, error))
        log_fault(kind, error)

    logger = _guard.logger
    environment = {name: os.environ[name] for name in os.environ if name.startswith("PREFACTOR_")}
    before = default._tracer, logger.level
    types = dict(default._registry._span_types), dict(default._registry._quality_types)
    for name in environment:
        del os.environ[name]
    default._tracer = None
    default._set_recording(on=True)
    _guard.forget_logged()
    _guard.log_fault = note_fault
    current.set(None)
    yield
    if default._tracer is not None and default._tracer is not before[0]:
        default._tracer.shutdown(1)
    default._tracer, level = before
    default._set_recording(on=True)
    logger.setLevel(level)
    default._registry._span_types, default._registry._quality_types = types
    default._registry._changed()
    _guard.log_fault = log_fault
    _guard.forget_logged()
    current.set(None)
    for name in [name for name in os.environ if name.startswith("PREFACTOR_")]:
        del os.environ[name]
    os.environ.update(environment)
    if faults and not request.node.get_closest_marker("expects_fault"):
        pytest.fail(f"the library met faults of its own: {faults}")
    # Of a whole module it says only that there may be some.
    if not faults and any(mark.name == "expects_fault" for mark in request.node.own_markers):
        pytest.fail("the library met no fault of its own, or did not say so")


@pytest.fixture
def tracer():
    """Make tracers that record into memory, shut down at the end of the test."""
    made: list[MemoryTracer] = []

    def make(transport: MemoryTransport | None = None, **settings: Any) -> MemoryTracer:
        made.append(MemoryTracer(transport, **settings))
        return made[-1]

    yield make
    for one in made:
        one.shutdown(1)


@pytest.fixture
def default_tracer(tracer: Callable[..., MemoryTracer]):
    """Make a tracer that records into memory the default one."""

    def make(transport: MemoryTransport | None = None, **settings: Any) -> MemoryTracer:
        made = tracer(transport, home=default, **settings)
        default._tracer = made
        return made

    return make
