"""Tests of transactions and the items in them."""

import contextlib
import sqlite3

import pytest

from prefactor_trace.server import _transaction
from prefactor_trace.server._rows import SpanRow

from .calls import register

COUNT = "SELECT count(*) FROM environments"
NOW = "2026-01-01T00:00:00.000000Z"
SPAN = SpanRow(
    id="01jz0000000000000000000000000002",
    agent_instance_id="01jz0000000000000000000000000001",
    parent_span_id=None,
    schema_name="plain",
    schema_title=None,
    status="active",
    payload="{}",
    result_payload=None,
    summary=None,
    schema_validation=None,
    started_at=NOW,
    finished_at=None,
    inserted_at=NOW,
    updated_at=NOW,
)


def test_a_block_that_raises_leaves_the_others(store):
    """Of several blocks in one transaction only the one that raises is undone."""
    with store.writing() as transaction:
        for name in ("a", "b", "c"):
            with contextlib.suppress(ZeroDivisionError), transaction.all_or_nothing():
                transaction.db.execute("INSERT INTO environments VALUES (?, ?)", (name, name))
                if name == "b":
                    raise ZeroDivisionError
    with store.reading() as db:
        assert db.execute("SELECT id FROM environments").fetchall() == [("a",), ("c",)]


def test_a_full_disk_is_named_as_such(store):
    """SQLite has then undone the whole transaction by itself, and no item is left to be undone."""
    with store.reading() as db:
        (pages,) = db.execute("PRAGMA page_count").fetchone()
        db.execute(f"PRAGMA max_page_count = {pages + 4}")  # the same error as of a full disk
    with (
        pytest.raises(sqlite3.OperationalError, match="full"),
        store.writing() as transaction,
        transaction.all_or_nothing(),
    ):
        transaction.db.execute("INSERT INTO environments VALUES ('a', ?)", ("x" * 100_000,))
    with store.reading() as db:
        assert db.execute(COUNT).fetchone() == (0,)


def test_each_item_has_its_time(store):
    """The time stands still within an item and goes on with the next."""
    with store.writing() as transaction:
        transaction.begin_item()
        first = transaction.now
        assert transaction.now == first
        transaction.begin_item()
        assert transaction.now > first


def test_a_transaction_knows_its_account_and_session(store):
    """Account, ids and session come from the store."""
    with store.writing("session") as transaction:
        assert transaction.account_id == store.account_id
        assert transaction.session == "session"
        assert transaction.new_id() != transaction.new_id()


def test_declared_schemas_are_kept_up_to_a_limit(store, monkeypatch):
    """A schema version is parsed once, and the memory of them is bounded."""
    monkeypatch.setattr(_transaction, "_MAX_CACHED_SCHEMAS", 2)
    with store.writing() as transaction:
        for name in "abc":
            transaction.db.execute(
                "INSERT INTO agent_schema_versions VALUES (?, 'agent', ?, ?, NULL)",
                (name, name, f'{{"span_schemas":{{"{name}":{{}}}}}}'),
            )
        for name in "abc":
            declared = transaction.declared(name)
            assert list(declared.spans) == [name]
            assert transaction.declared(name) is declared
        assert len(store._schemas) <= 2


@pytest.mark.parametrize("count", [0, 3])
def test_ids_in_bulk(store, count):
    """A store gives as many ids as it is asked for."""
    assert len(set(store.new_ids(count))) == count


def test_what_was_read_is_not_asked_for_again(store):
    """The instance of many spans is read once, and anew when an item has changed it."""
    instance = register(store)["id"]
    with store.writing() as transaction:
        assert transaction.find_run(instance).status == "pending"
        assert transaction.find_run(instance) is transaction.find_run(instance)
        transaction.update("agent_instances", instance, {"status": "active"})
        assert transaction.find_run(instance).status == "active"
        assert transaction.find_run("0" * 32) is None


def test_the_run_of_a_span_is_known(store):
    """Of spans that were there before as of those that this transaction made."""
    instance = register(store)["id"]
    with store.writing() as transaction:
        assert transaction.run_of_span(SPAN.id) is None
        assert transaction.insert_span(SPAN._replace(agent_instance_id=instance))
        assert transaction.run_of_span(SPAN.id) == instance
    with store.writing() as transaction:
        assert transaction.run_of_span(SPAN.id) == instance
        assert transaction.run_of_span("no id") is None


def test_a_taken_id_is_not_taken_again(store):
    """The span that has it stays as it is."""
    with store.writing() as transaction:
        assert transaction.insert_span(SPAN)
        assert not transaction.insert_span(SPAN._replace(payload='{"other":1}'))
        stored = transaction.db.execute("SELECT payload FROM agent_spans").fetchall()
    assert stored == [("{}",)]
