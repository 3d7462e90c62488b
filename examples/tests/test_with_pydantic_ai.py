"""The agent of `with_pydantic_ai.py`: what its tests look like."""

from examples import with_pydantic_ai as example


def test_pydantic_ai(captrace):
    """Its event loop and its threads keep the parents."""
    model = example.FunctionModel(example.scripted)
    assert example.answer("Where is my parcel?", model) == "The parcel of Ada is in Leipzig."
    captrace.assert_tree(
        """
        llm_call {messages: 1}
        tool_call {customer: "Ada"}
        llm_call
        """
    )
    assert captrace.instances[0].agent_id == "parcel-agent"
