"""What OpenTelemetry's conventions for generative AI call a span's model, tokens and tool.

https://github.com/open-telemetry/semantic-conventions-genai. Collectors show by it which model was
asked and what that cost. Only what a payload or a result plainly says is called so.
"""

from collections.abc import Mapping
from typing import Any

from prefactor_trace.models import AgentSpan
from prefactor_trace.server._tokens import levels_of, tokens_of

_TOOL_KEYS = ("tool_name", "tool")


def genai_attributes(span: AgentSpan) -> dict[str, str | int | None]:
    """Return the attributes of a span; what it does not say is ``None``."""
    payload, result = span.payload, span.result_payload
    asked = _text(payload, "model")
    answered = next((name for level in levels_of(result) if (name := _text(level, "model"))), None)
    tokens = tokens_of(result)
    wrote = None if tokens is None else tokens.output
    tool = _text(payload, *_TOOL_KEYS)
    operation = None
    if (asked or answered) and ("messages" in payload or wrote is not None):
        operation = "chat"  # and no embedding, which has a model and tokens, too
    elif tool:
        operation = "execute_tool"
    return {
        "gen_ai.operation.name": operation,
        "gen_ai.request.model": asked,
        "gen_ai.response.model": answered,
        "gen_ai.usage.input_tokens": None if tokens is None else tokens.input,
        "gen_ai.usage.output_tokens": wrote,
        "gen_ai.tool.name": tool,
    }


def _text(values: Mapping[str, Any], *names: str) -> str | None:
    found = (values.get(name) for name in names)
    return next((value for value in found if isinstance(value, str) and value), None)
