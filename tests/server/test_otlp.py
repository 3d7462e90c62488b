"""What OpenTelemetry calls the facts of a model's call and of a tool's, where a span says them."""

from typing import Any

import pytest
from cli.records import span

from prefactor_trace.server._otlp import genai_attributes

USED = {"input_tokens": 10, "output_tokens": 5}


@pytest.mark.parametrize(
    ("payload", "result", "expected"),
    [
        ({}, None, {}),
        ({"model": None, "tool": 7, "messages": []}, {"model": ""}, {}),
        ({"model": {"name": "small"}}, {"text": "hi"}, {}),
        # A model's call, before its end and after it.
        (
            {"model": "small", "messages": []},
            None,
            {"operation.name": "chat", "request.model": "small"},
        ),
        (
            {"model": "small", "prompt": "hi"},
            {"usage": {"prompt_tokens": 10, "completion_tokens": 5}},
            {
                "operation.name": "chat",
                "request.model": "small",
                "usage.input_tokens": 10,
                "usage.output_tokens": 5,
            },
        ),
        (
            {"prompt": "hi"},
            {"result": {"model": "small-1", "usage": USED}},
            {
                "operation.name": "chat",
                "response.model": "small-1",
                "usage.input_tokens": 10,
                "usage.output_tokens": 5,
            },
        ),
        # A model, but nothing that was written by it.
        (
            {"model": "embed", "input": "hi"},
            {"usage": {"prompt_tokens": 10, "total_tokens": 10}},
            {"request.model": "embed", "usage.input_tokens": 10},
        ),
        # The sum of what others used.
        ({"question": "hi"}, {"usage": USED}, {"usage.input_tokens": 10, "usage.output_tokens": 5}),
        ({"question": "hi"}, {"tokens": 15}, {}),
        # A tool.
        ({"tool": "search"}, None, {"operation.name": "execute_tool", "tool.name": "search"}),
        ({"tool_name": "search"}, {}, {"operation.name": "execute_tool", "tool.name": "search"}),
    ],
)
def test_what_is_plainly_said(
    payload: dict[str, Any], result: dict[str, Any] | None, expected: dict[str, Any]
):
    """And nothing else."""
    found = genai_attributes(span(payload=payload, result=result))
    named = {key.removeprefix("gen_ai."): one for key, one in found.items() if one is not None}
    assert named == expected
    assert all(key.startswith("gen_ai.") for key in found)
