"""The agent of `with_smolagents.py`: what its tests look like."""

from examples import with_smolagents as example


def test_smolagents(captrace):
    """A decorated method stays one whose signature is checked."""
    answer = example.answer("How warm is it in Oslo?", example.ScriptedModel())
    assert answer == "It is -3.5 degrees."
    assert captrace["tool_call"].payload == {"city": "Oslo"}
    assert captrace.count("llm_call") == 2
