"""The text of a test that is made of a recorded run.

A run may have come from anywhere. Whatever it holds stands in the test as a literal: as what
`pprint` makes of plain JSON, or inside quotes that it cannot end.
"""

from __future__ import annotations

import ast
import builtins
import json
import pprint
from collections.abc import Sequence
from typing import Any, NamedTuple

from prefactor_trace._notes import LATE_PAYLOAD, SCHEMA_NAME_KEY
from prefactor_trace.models import AgentSpan
from prefactor_trace.server._tree import children_of, name_text, schema_name

_TEST = '''"""Recorded from the run {id}."""

import {modules}

{imports}

{calls}
def test_{name}(captrace):
    """The agent takes the recorded steps; its tools answer as they did."""
{body}
    captrace.assert_tree(
        """
{tree}
        """
    )
'''
_REPLAY = """\
    for schema_name, calls in CALLS.items():
        captrace.replay(schema_name, from_=calls)
"""
_WIDTH = 96
_KNOWN = ("_", "asyncio", "captrace")  # names that a test has anyway


class Call(NamedTuple):
    """What runs the agent."""

    module: str
    function: str
    arguments: str
    is_async: bool


def test_text(
    run_id: str,
    call: Call,
    name: str,
    spans: Sequence[AgentSpan],
    stubs: Sequence[str],
    *,
    raises: bool,
) -> str:
    """Return the text of a test.

    Args:
        run_id: Id of the run.
        call: What runs the agent.
        name: What the test is called; what a name in Python cannot have becomes ``_``.
        spans: Those of the run, as they are expected.
        stubs: Types whose functions are answered for.
        raises: Whether the run had ended with an exception.
    """
    recorded = {stub: _recorded(stub, spans) for stub in stubs}
    calls = pprint.pformat(recorded, width=_WIDTH, sort_dicts=False)
    modules = ["asyncio"] + ["contextlib"] * raises
    return _TEST.format(
        id=_inside(ascii(run_id)[1:-1]),
        modules="\nimport ".join(modules),
        imports=_imports(call),
        calls=f"CALLS = {calls}\n\n" if recorded else "",
        name="".join(one if f"_{one}".isidentifier() else "_" for one in name).strip("_").lower(),
        body=(_REPLAY if recorded else "") + _body(call, raises=raises),
        tree="\n".join("        " + _inside(line) for line in _tree(spans, stubs)),
    )


def _imports(call: Call) -> str:
    """Return the lines that import the function, and what its arguments name beside it."""
    try:
        nodes = list(ast.walk(ast.parse(f"_({call.arguments})", mode="eval")))
    except (SyntaxError, ValueError):  # which is told of the whole test
        nodes = []
    names = [node for node in nodes if isinstance(node, ast.Name)]
    own = {node.id for node in names if not isinstance(node.ctx, ast.Load)}
    own |= {node.arg for node in nodes if isinstance(node, ast.arg)}
    named = {node.id for node in names} - own - {*_KNOWN, *dir(builtins)}
    package = call.module.partition(".")[0]
    lines = [f"import {call.module}\n"] if package in named else []
    wanted = ", ".join(sorted({call.function, *(named - {package})}))
    return "".join([*lines, f"from {call.module} import {wanted}"])


def _body(call: Call, *, raises: bool) -> str:
    """Return the lines that run the agent, also where it is a coroutine and nobody has said so."""
    called = f"{call.function}({call.arguments})"
    if call.is_async:
        lines = [f"asyncio.run({called})"]
    else:
        lines = [
            f"returned = {called}",
            "if asyncio.iscoroutine(returned):",
            "    asyncio.run(returned)",
        ]
    if raises:
        head = "with contextlib.suppress(Exception):  # the recorded run had failed"
        lines = [head, *(f"    {line}" for line in lines)]
    return "\n".join(f"    {line}" for line in lines)


def _recorded(name: str, spans: Sequence[AgentSpan]) -> list[dict[str, Any]]:
    """Return what was recorded of the calls of a type, as `Recorder.replay` takes it."""
    calls = [
        {
            "payload": _without(span.payload, SCHEMA_NAME_KEY),
            "status": span.status,
            # A payload that was set late is none that the function was called with.
            "result_payload": _without(span.result_payload, "stacktrace", LATE_PAYLOAD),
        }
        for span in spans
        if schema_name(span) == name
    ]
    plain: list[dict[str, Any]] = json.loads(json.dumps(calls))
    return plain


def _without(mapping: dict[str, Any] | None, *keys: str) -> dict[str, Any] | None:
    return mapping and {key: value for key, value in mapping.items() if key not in keys}


def _tree(spans: Sequence[AgentSpan], stubs: Sequence[str]) -> list[str]:
    """Return the run as `assert_tree` reads it, spans nested in their parents."""
    below = children_of(spans)
    lines: list[str] = []
    waiting = [(span, 0) for span in reversed(below.get(None, ()))]
    while waiting:
        span, depth = waiting.pop()
        name = schema_name(span)
        status = "" if span.status == "complete" else f" -> {span.status}"
        lines.append("  " * depth + name_text(name) + status)
        if name not in stubs:
            waiting += [(child, depth + 1) for child in reversed(below.get(span.id, ()))]
        elif span.id in below:
            # A replayed function has no body, and so no spans in it; a block has its own.
            lines.append("  " * (depth + 1) + "...   # not when replayed")
    return lines


def _inside(text: str) -> str:
    """Return a printable text as it is written between three quotation marks."""
    return text.replace("\\", "\\\\").replace('"""', '\\"\\"\\"')
