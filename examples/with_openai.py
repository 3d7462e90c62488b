"""An agent built on the OpenAI client: its model calls, streamed ones too, and its tools are spans.

pip install openai
python -m examples.with_openai "Where is my parcel?"
"""

import json
import sys
from collections.abc import Iterator
from typing import Any

import httpx
from openai import OpenAI
from openai.types.chat import ChatCompletion, ChatCompletionChunk

import prefactor_trace as prefactor

MODEL = "gpt-4.1-mini"
TOOLS: list[Any] = [
    {
        "type": "function",
        "function": {
            "name": "find_parcel",
            "parameters": {"type": "object", "properties": {"customer": {"type": "string"}}},
        },
    }
]


def joined(chunks: list[ChatCompletionChunk]) -> dict[str, Any]:
    """Return what a stream said in the end, in place of its pieces."""
    text = "".join(part.delta.content or "" for chunk in chunks for part in chunk.choices)
    return {"text": text, "usage": chunks[-1].usage if chunks else None}


@prefactor.span("llm_call", ignore=("client",))
def complete(client: OpenAI, **request: Any) -> ChatCompletion:
    """Ask the model."""
    return client.chat.completions.create(**request)


@prefactor.span("llm_stream", ignore=("client",), reduce=joined)
def stream(client: OpenAI, **request: Any) -> Iterator[ChatCompletionChunk]:
    """Ask the model, and give its answer piece by piece: the span lasts until the last one."""
    yield from client.chat.completions.create(
        stream=True, stream_options={"include_usage": True}, **request
    )


@prefactor.span("tool_call", risk=prefactor.Risk.read(params=["personal_identifiers"]))
def find_parcel(customer: str) -> str:
    """Find out where a customer's parcel is."""
    return f"The parcel of {customer} is in Leipzig."


@prefactor.instance("parcel-agent")
def answer(client: OpenAI, question: str) -> Iterator[str]:
    """Answer a question about a parcel: the run lasts until the last piece was read."""
    messages: list[Any] = [{"role": "user", "content": question}]
    asked = complete(client, model=MODEL, messages=messages, tools=TOOLS).choices[0].message
    for call in asked.tool_calls or []:
        found = find_parcel(**json.loads(call.function.arguments))  # type: ignore[union-attr, unused-ignore]
        messages += [asked, {"role": "tool", "tool_call_id": call.id, "content": found}]
    for chunk in stream(client, model=MODEL, messages=messages):
        for choice in chunk.choices:
            yield choice.delta.content or ""


def scripted(request: httpx.Request) -> httpx.Response:
    """Stand in for the service: look the parcel up, then say where it is."""
    asked = json.loads(request.content)
    common = {"id": "c1", "created": 0, "model": MODEL}
    usage = {"prompt_tokens": 9, "completion_tokens": 3, "total_tokens": 12}
    if not asked.get("stream"):
        function = {"name": "find_parcel", "arguments": '{"customer": "Ada"}'}
        call = {"id": "t1", "type": "function", "function": function}
        message = {"role": "assistant", "content": None, "tool_calls": [call]}
        choice = {"index": 0, "finish_reason": "tool_calls", "message": message}
        body = {**common, "object": "chat.completion", "choices": [choice], "usage": usage}
        return httpx.Response(200, json=body)
    events = [
        {"choices": [{"index": 0, "delta": {"content": f"{word} "}}]}
        for word in asked["messages"][-1]["content"].split(" ")
    ]
    events.append({"choices": [], "usage": usage})
    lines = [
        f"data: {json.dumps({**common, 'object': 'chat.completion.chunk', **event})}\n\n"
        for event in events
    ]
    return httpx.Response(
        200, text="".join(lines) + "data: [DONE]\n\n", headers={"content-type": "text/event-stream"}
    )


def scripted_client() -> OpenAI:
    """Return a client that asks nobody."""
    return OpenAI(api_key="none", http_client=httpx.Client(transport=httpx.MockTransport(scripted)))


if __name__ == "__main__":
    pieces = answer(scripted_client(), " ".join(sys.argv[1:]) or "Where is my parcel?")
    print("".join(pieces))
