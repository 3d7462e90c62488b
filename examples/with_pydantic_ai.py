"""An agent built with pydantic-ai: its model calls and its tools are spans.

pip install pydantic-ai-slim
python -m examples.with_pydantic_ai "Where is my parcel?"
"""

import sys
from typing import Any

from pydantic_ai import Agent
from pydantic_ai.messages import ModelMessage, ModelResponse, TextPart, ToolCallPart
from pydantic_ai.models import Model
from pydantic_ai.models.function import AgentInfo, FunctionModel
from pydantic_ai.models.wrapper import WrapperModel

import prefactor_trace as prefactor


class TracedModel(WrapperModel):
    """Any model of pydantic-ai, each of whose requests is a span."""

    async def request(self, messages: list[ModelMessage], *args: Any, **kwargs: Any) -> Any:
        """Ask the model."""
        with prefactor.span("llm_call", {"model": self.model_name, "messages": len(messages)}) as s:
            answer = await super().request(messages, *args, **kwargs)
            s.set_result({"parts": [part.part_kind for part in answer.parts]})
        return answer


@prefactor.span("tool_call", risk=prefactor.Risk.read(params=["personal_identifiers"]))
def find_parcel(customer: str) -> str:
    """Find out where a customer's parcel is."""
    return f"The parcel of {customer} is in Leipzig."


@prefactor.instance("parcel-agent")
def answer(question: str, model: Model) -> str:
    """Answer a question about a parcel."""
    agent = Agent(TracedModel(model), tools=[find_parcel])
    return agent.run_sync(question).output


def scripted(messages: list[ModelMessage], info: AgentInfo) -> ModelResponse:
    """Stand in for a model: look the parcel up, then say where it is."""
    last = messages[-1].parts[-1]
    if last.part_kind == "tool-return":
        return ModelResponse(parts=[TextPart(str(last.content))])
    return ModelResponse(parts=[ToolCallPart("find_parcel", {"customer": "Ada"})])


if __name__ == "__main__":
    print(answer(" ".join(sys.argv[1:]) or "Where is my parcel?", FunctionModel(scripted)))
