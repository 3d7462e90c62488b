"""Log records that say in which span and which run they were written."""

import logging

from prefactor_trace import untraced
from prefactor_trace.integrations import logging as integration
from prefactor_trace.integrations.logging import SpanLogFilter


def fields_here() -> tuple[str, str]:
    """Return the two fields of a record that is written now."""
    record = logging.makeLogRecord({"msg": "said"})
    assert SpanLogFilter().filter(record) is True
    return record.prefactor_span_id, record.prefactor_instance_id


def test_the_fields_are_those_of_the_innermost_span(tracer):
    """And of its run."""
    t = tracer()
    with t.instance() as run, t.span("outer"):
        with t.span("inner") as inner:
            assert fields_here() == (inner.id, run.id)
        assert fields_here() != (inner.id, run.id)


def test_untraced_code_has_empty_fields(tracer):
    """As code outside of any run has."""
    with tracer().instance(), untraced():
        assert fields_here() == ("", "")
    assert fields_here() == ("", "")


def test_a_format_may_name_the_fields(tracer):
    """In every record that a handler gets, of whichever logger below."""
    handler = logging.StreamHandler()
    handler.addFilter(SpanLogFilter())
    formatter = logging.Formatter("%(prefactor_instance_id)s|%(prefactor_span_id)s|%(message)s")
    record = logging.makeLogRecord({"msg": "said", "name": "agent.part"})
    with tracer().instance() as run:
        assert handler.filter(record)
    assert formatter.format(record) == f"{run.id}||said"


def test_a_fault_costs_only_the_fields(tracer, monkeypatch):
    """The record passes, and nothing is logged: that would come here again."""

    def fail() -> None:
        raise RuntimeError

    monkeypatch.setattr(integration, "current_instance", fail)
    with tracer().instance():
        assert fields_here() == ("", "")
