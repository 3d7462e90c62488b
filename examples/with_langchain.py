"""An agent built with langchain-core: a chain whose model and tool are spans.

pip install langchain-core
python -m examples.with_langchain "What is 6 times 7?"
"""

import sys

from langchain_core.language_models import BaseChatModel
from langchain_core.language_models.fake_chat_models import FakeMessagesListChatModel
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, ToolMessage
from langchain_core.tools import tool

import prefactor_trace as prefactor


@tool
@prefactor.span("tool_call", risk=prefactor.Risk.read())
def multiply(a: int, b: int) -> int:
    """Multiply two numbers."""
    return a * b


@prefactor.span("llm_call", ignore=("model",))
def think(model: BaseChatModel, messages: list[BaseMessage]) -> BaseMessage:
    """Ask the model what to do next."""
    return model.invoke(messages)


@prefactor.instance("calculator")
def answer(question: str, model: BaseChatModel) -> str:
    """Answer a question, with as many calls of tools as it takes."""
    messages: list[BaseMessage] = [HumanMessage(question)]
    while True:
        said = think(model, messages)
        messages.append(said)
        if not isinstance(said, AIMessage) or not said.tool_calls:
            return str(said.content)
        for call in said.tool_calls:
            result = str(multiply.invoke(call["args"]))
            messages.append(ToolMessage(result, tool_call_id=call["id"]))


def scripted() -> BaseChatModel:
    """Stand in for a model: one call of the tool, then the answer."""
    call = {"name": "multiply", "args": {"a": 6, "b": 7}, "id": "1"}
    return FakeMessagesListChatModel(
        responses=[AIMessage("", tool_calls=[call]), AIMessage("It is 42.")]
    )


if __name__ == "__main__":
    print(answer(" ".join(sys.argv[1:]) or "What is 6 times 7?", scripted()))
