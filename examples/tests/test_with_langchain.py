"""The agent of `with_langchain.py`: what its tests look like."""

from examples import with_langchain as example


def test_langchain(captrace):
    """A decorated function stays one that its decorators can read."""
    assert example.answer("What is 6 times 7?", example.scripted()) == "It is 42."
    captrace.assert_order("llm_call", "tool_call", "llm_call")
    assert captrace["tool_call"].result_payload == {"result": 42}
