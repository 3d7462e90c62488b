"""What other processes record lands in the recording."""

import subprocess
import sys

import prefactor_trace as prefactor

PROGRAM = """
import prefactor_trace as prefactor
with prefactor.attach_env(), prefactor.span("in_child", {"n": 1}):
    pass
"""


def test_a_child_process_is_recorded(trace):
    """Under the span that started it; faults reach it too."""
    trace.fail_delivery(503)
    with prefactor.instance("agent"), prefactor.span("parent"):
        environment = trace.subprocess_env()
        subprocess.run([sys.executable, "-c", PROGRAM], env=environment, check=True)
    assert trace["in_child"].parent.schema_name == "parent"
    assert trace["in_child"].instance.agent_id == "agent"
    trace.assert_tree("parent\n  in_child {n: 1}")
