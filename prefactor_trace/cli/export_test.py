"""``prefactor-trace export-test``: a recorded run becomes a test of the agent."""

from __future__ import annotations

import argparse
import re
import shlex
import sys
from collections.abc import Collection, Sequence
from typing import Any, TextIO

from prefactor_trace._capture import as_mapping, holds_cut
from prefactor_trace._nearest import hint
from prefactor_trace._substitutes import holds_secret, is_whole_binary
from prefactor_trace.cli.database import database_path, open_existing, user_path
from prefactor_trace.cli.ending import DONE, MISUNDERSTOOD, CommandError
from prefactor_trace.cli.exported_test import Call, test_text
from prefactor_trace.cli.runs import find
from prefactor_trace.cli.terminal import write
from prefactor_trace.models import AgentSpan
from prefactor_trace.server._cancelled import shown
from prefactor_trace.server._tree import schema_name

_CALL = re.compile(r"([A-Za-z_][\w.]*):([A-Za-z_]\w*)\((.*)\)", re.DOTALL)
_CLASS = re.compile(r"(?:[A-Za-z_]\w*\.)+(?:<locals>\.|[A-Za-z_]\w*\.)*[A-Za-z_]\w*")
_MAX_LISTED = 8
_ENDED = ("complete", "failed", "cancelled")


def export_test(arguments: argparse.Namespace, out: TextIO) -> int:
    """Write a test that runs the agent again and expects the same steps."""
    found = _CALL.fullmatch(arguments.call)
    if found is None:
        raise CommandError(
            f"--call takes what runs the agent, such as 'my_agent:answer(\"hi\")',"
            f" got {arguments.call!r}",
            MISUNDERSTOOD,
        )
    call = Call(found[1], found[2], found[3], arguments.run_async)
    with open_existing(database_path(arguments.db)) as store:
        run = find(arguments.id, store)
        spans = store.list_spans(run.id)
    if not spans:
        raise CommandError(f"the run {run.id} has no spans to expect")
    names = {schema_name(span) for span in spans}
    added, left_out = arguments.stub or [], arguments.no_stub or []
    for name in (*added, *left_out):
        if name not in names:
            told = f"the run has no span of the type {name!r}{hint(name, names)}"
            raise CommandError(told, MISUNDERSTOOD)
    tools = {name for name in names if "tool" in name.lower()}
    stubs = sorted({*tools, *added} - set(left_out))
    _check_repeatable(spans, stubs)
    text = test_text(
        run.id,
        call,
        arguments.name or call.function,
        # What is replayed fails as it was stored; what runs again is cancelled again.
        [one if schema_name(one) in stubs else shown(one) for one in spans],
        stubs,
        raises=run.status == "failed",
    )
    try:
        compile(text, "the test", "exec", dont_inherit=True)
    except (SyntaxError, ValueError) as error:  # all but the call is written here
        raise CommandError(f"--call is not Python: {error}", MISUNDERSTOOD) from None
    if arguments.output:
        path = user_path(arguments.output)
        if path.exists() and path.read_text(encoding="utf-8", errors="replace") != text:
            raise CommandError(
                f"{arguments.output} is there already, and may have been edited: remove it, or name"
                " another"
            )
        path.write_text(text, encoding="utf-8")
        write(out, f"written to {arguments.output}; run it with pytest")
    else:
        write(out, text.rstrip())
    if not stubs and not left_out:
        _tell_nothing_is_replayed(names)
    _tell_secrets(spans, stubs)
    return DONE


def _tell_nothing_is_replayed(names: Collection[str]) -> None:
    """Say that a test calls what the agent does: it may be taken for one that calls nothing."""
    shown = ", ".join(repr(name) for name in sorted(names)[:_MAX_LISTED])
    more = f" and {len(names) - _MAX_LISTED} more" if len(names) > _MAX_LISTED else ""
    told = "nothing is replayed, since no span type has 'tool' in its name: what the agent calls"
    write(
        sys.stderr,
        f"prefactor-trace: {told} does run; --stub TYPE replays a type: {shown}{more}",
    )


def _tell_secrets(spans: Sequence[AgentSpan], stubs: Sequence[str]) -> None:
    for span in spans:
        if schema_name(span) in stubs and holds_secret(span.result_payload):
            told = f"the result of the {schema_name(span)!r} {span.id} holds a secret that was"
            write(sys.stderr, f"prefactor-trace: {told} taken out: write it into the test")


def _check_repeatable(spans: Sequence[AgentSpan], stubs: Sequence[str]) -> None:
    """Refuse a run of which it is known that no test can repeat it.

    Raises:
        CommandError: A step did not come to an end, or a result was not recorded whole.
    """
    for span in spans:
        name = schema_name(span)
        if span.status not in _ENDED:
            raise CommandError(
                f"the step {name!r} ({span.id}) is {span.status}: only a run whose steps have all"
                " ended by themselves can be repeated"
            )
        lacking = _lacking(span.result_payload) if span.status == "complete" else None
        if name in stubs and lacking is not None:
            raise CommandError(
                f"the result of the {name!r} {span.id} {lacking}, so that nothing can answer for"
                f" it; with --no-stub {shlex.quote(name)} the test calls its function"
            )


def _lacking(result: dict[str, Any] | None) -> str | None:
    """Return why a result cannot be given again, ``None`` where it can."""
    if holds_cut(result):
        return "was too long to be recorded whole"
    plain = as_mapping(result)
    if plain.keys() == {"type", "length", "head"} and not is_whole_binary(plain):
        return "was too long to be recorded whole"
    kind = plain.get("type")
    # An object of which nothing is recorded but its class; a type of another kind has no module.
    if plain.keys() == {"type"} and isinstance(kind, str) and _CLASS.fullmatch(kind):
        return f"was an object of the class {kind}, of which nothing is recorded"
    return None
