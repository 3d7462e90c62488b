"""The agent of `with_openai.py`: what its tests look like."""

from examples import with_openai as example


def test_openai(captrace):
    """A streamed answer is one span, which lasts as long as it is read."""
    pieces = list(example.answer(example.scripted_client(), "Where is my parcel?"))
    assert "".join(pieces).strip() == "The parcel of Ada is in Leipzig."
    captrace.assert_tree(
        """
        llm_call {model: "gpt-4.1-mini"}
        tool_call {customer: "Ada"}
        llm_stream
        """
    )
    usage = captrace["llm_stream"].result_payload["usage"]
    assert usage["total_tokens"] == 12
    assert captrace["llm_call"].result_payload["usage"] == usage
