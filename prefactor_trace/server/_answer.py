"""What an action answers, and what is kept of it for when the same request comes again."""

from typing import NamedTuple

from prefactor_trace.server import _json
from prefactor_trace.server._rows import ENDED, SPAN_COLUMNS, SpanRow, span_text
from prefactor_trace.server._transaction import Run, Transaction


class Answer(NamedTuple):
    """The answer of an action.

    Attributes:
        text: The answer, as JSON text.
        kept: What is kept of it: itself, or the id of the span that it can be made of again.
    """

    text: str
    kept: str


def answer_span(transaction: Transaction, span: SpanRow, run: Run) -> Answer:
    """Return the answer of an action on a span, as it stands after it."""
    control = ""
    if run.status == "terminated":
        order = _json.write({"terminate": True, "reason": run.termination_reason})
        control = f',"control":{order}'
    # A span that has ended never changes, and is not stored once more with its answer.
    is_made_again = span.status in ENDED and not control
    if is_made_again and transaction.is_brief:
        return Answer(_spell(""), span.id)
    whole = _spell(f',"details":{span_text(span, transaction.account_id, run.agent_id)}{control}')
    text = _spell(control) if transaction.is_brief else whole
    return Answer(text, span.id if is_made_again else whole)


def answer_again(transaction: Transaction, kept: str) -> str:
    """Return an answer that was given before, by what was kept of it: whole, if that can be.

    Of a span that was deleted meanwhile, only that the action succeeded.
    """
    if kept.startswith("{"):
        return kept
    row = transaction.db.execute(
        f"SELECT {SPAN_COLUMNS}, (SELECT agent_id FROM agent_instances "  # noqa: S608
        "WHERE agent_instances.id = agent_instance_id) FROM agent_spans WHERE id = ?",
        (kept,),
    ).fetchone()
    if row is None:
        return _spell("")
    details = span_text(SpanRow(*row[:-1]), transaction.account_id, row[-1])
    return _spell(f',"details":{details}')


def _spell(rest: str) -> str:
    return f'{{"status":"success"{rest}}}'
