"""An agent built with smolagents: its model is wrapped, its tool is decorated.

pip install smolagents
python -m examples.with_smolagents "How warm is it in Oslo?"
"""

import sys
from typing import Any

from smolagents import Model, Tool, ToolCallingAgent
from smolagents.models import (
    ChatMessage,
    ChatMessageToolCall,
    ChatMessageToolCallFunction,
    MessageRole,
)

import prefactor_trace as prefactor


class Thermometer(Tool):
    """A tool of smolagents; what it does is a span."""

    name = "thermometer"
    description = "Tells how warm it is somewhere."
    inputs = {"city": {"type": "string", "description": "Name of the city."}}
    output_type = "number"

    @prefactor.span("tool_call", risk=prefactor.Risk.search())
    def forward(self, city: str) -> float:
        """Tell how warm it is in a city."""
        return {"Oslo": -3.5}.get(city, 20.0)


class ScriptedModel(Model):
    """Stands in for a model: asks for the temperature, then gives the answer."""

    def __init__(self) -> None:
        super().__init__(model_id="scripted")
        self._calls = [
            ("thermometer", {"city": "Oslo"}),
            ("final_answer", {"answer": "It is -3.5 degrees."}),
        ]

    @prefactor.span("llm_call", ignore=("messages", "kwargs"))
    def generate(self, messages: list[Any], **kwargs: Any) -> ChatMessage:
        """Answer with the next call of the script."""
        name, arguments = self._calls.pop(0)
        function = ChatMessageToolCallFunction(name=name, arguments=arguments)
        call = ChatMessageToolCall(id=name, type="function", function=function)
        return ChatMessage(role=MessageRole.ASSISTANT, content="", tool_calls=[call])


@prefactor.instance("weather-agent")
def answer(question: str, model: Model) -> str:
    """Answer a question about the weather."""
    agent = ToolCallingAgent(tools=[Thermometer()], model=model, verbosity_level=0)
    return str(agent.run(question))


if __name__ == "__main__":
    print(answer(" ".join(sys.argv[1:]) or "How warm is it in Oslo?", ScriptedModel()))
