"""``prefactor-trace export-test``: a recorded run becomes a test of the agent."""

from __future__ import annotations

import argparse
import json
import pprint
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TextIO

from prefactor_trace.cli.codes import DONE, MISUNDERSTOOD
from prefactor_trace.cli.complaint import CommandError
from prefactor_trace.cli.database import database_path, open_existing
from prefactor_trace.cli.runs import find
from prefactor_trace.cli.terminal import write
from prefactor_trace.models import AgentSpan
from prefactor_trace.server._cancelled import shown

_CALL = re.compile(r"([A-Za-z_][\w.]*):([A-Za-z_]\w*)\((.*)\)", re.DOTALL)

_TEST = '''"""Recorded from the run {id}."""

{imports}


{calls}
def test_{name}(captrace):
    """The agent takes the recorded steps; its tools answer as they did."""
{replays}    {call}
    captrace.assert_tree(
        """
{tree}
        """
    )
'''


def export_test(arguments: argparse.Namespace, out: TextIO) -> int:
    """Write a test that runs the agent again and expects the same steps."""
    call = _CALL.fullmatch(arguments.call)
    if call is None:
        raise CommandError(
            f"--call takes what runs the agent, such as 'my_agent:answer(\"hi\")',"
            f" got {arguments.call!r}",
            MISUNDERSTOOD,
        )
    module, function, given = call.groups()
    with open_existing(database_path(arguments.db)) as store:
        run = find(arguments.id, store)
        spans = store.list_spans(run.id)
    if not spans:
        raise CommandError(f"the run {run.id} has no spans to expect")
    stubs = arguments.stub or sorted(
        {span.schema_name for span in spans if "tool" in span.schema_name.lower()}
    )
    unknown = [name for name in stubs if name not in {span.schema_name for span in spans}]
    if unknown:
        raise CommandError(f"the run has no span of the type {unknown[0]!r}", MISUNDERSTOOD)
    imports = ["import asyncio", ""] if arguments.run_async else []
    imports.append(f"from {module} import {function}")
    called = f"{function}({given})"
    text = _TEST.format(
        id=run.id,
        imports="\n".join(imports),
        calls="".join(f"{_constant(name)} = {_recorded(name, spans)}\n\n" for name in stubs),
        name=re.sub(r"\W+", "_", arguments.name or function).strip("_").lower(),
        replays="".join(
            f'    captrace.replay("{name}", from_={_constant(name)})\n' for name in stubs
        ),
        call=f"asyncio.run({called})" if arguments.run_async else called,
        # What is replayed fails as it was stored; what runs again is cancelled again.
        tree="\n".join(
            "        " + line
            for line in _tree(
                [one if one.schema_name in stubs else shown(one) for one in spans], stubs
            )
        ),
    )
    if arguments.output:
        Path(arguments.output).write_text(text, encoding="utf-8")
        write(out, f"written to {arguments.output}; run it with pytest")
    else:
        write(out, text.rstrip())
    return DONE


def _constant(name: str) -> str:
    return re.sub(r"\W+", "_", name).strip("_").upper() + "_CALLS"


def _recorded(name: str, spans: Sequence[AgentSpan]) -> str:
    calls: list[dict[str, Any]] = [
        {"payload": span.payload, "status": span.status, "result_payload": span.result_payload}
        for span in spans
        if span.schema_name == name
    ]
    for call in calls:
        if isinstance(call["result_payload"], dict):
            call["result_payload"].pop("stacktrace", None)
    plain = json.loads(json.dumps(calls))
    return pprint.pformat(plain, width=96, sort_dicts=False)


def _tree(spans: Sequence[AgentSpan], stubs: Sequence[str]) -> list[str]:
    """Return the run as `assert_tree` reads it, spans nested in their parents.

    Args:
        spans: Those of the run.
        stubs: Types that are replayed, in which nothing else needs to happen.
    """
    known = {span.id for span in spans}
    below: dict[str | None, list[AgentSpan]] = {}
    for span in spans:
        parent = span.parent_span_id if span.parent_span_id in known else None
        below.setdefault(parent, []).append(span)
    lines: list[str] = []

    def add(parent: str | None, depth: int) -> None:
        for span in below.get(parent, ()):
            status = "" if span.status == "complete" else f" -> {span.status}"
            lines.append("  " * depth + span.schema_name + status)
            if span.schema_name not in stubs:
                add(span.id, depth + 1)
            elif span.id in below:
                # A replayed function has no body, and so no spans in it; a block has its own.
                lines.append("  " * (depth + 1) + "...   # not when replayed")

    add(None, 0)
    return lines
