"""Tests of carrying out one action by its name."""

import json

import pytest

from prefactor_trace.server._actions import ACTIONS, perform
from prefactor_trace.server._refusal import Refusal

from .calls import register
from .twin import span_item


def refused(store, name, fields):
    """Return the fields that a refusal names."""
    with store.writing() as transaction, pytest.raises(Refusal) as caught:
        perform(transaction, {**fields, "_type": name})
    return list(json.loads(caught.value.text)["errors"])


def test_every_action_of_the_service_is_known():
    """The names are those of bulk items."""
    assert set(ACTIONS) == {
        "agent_instances/register",
        "agent_instances/start",
        "agent_instances/finish",
        "agent_instances/record_quality",
        "agent_spans/create",
        "agent_spans/finish",
    }


def test_an_action_is_carried_out(store):
    """An action by its name gives the answer as text and stays in the store."""
    instance = register(store)
    fields = {"agent_instance_id": instance["id"]}
    with store.writing() as transaction:
        answer = json.loads(perform(transaction, {**fields, "_type": "agent_instances/start"}))
    assert answer["details"]["status"] == store.get_instance(instance["id"]).status == "active"


@pytest.mark.parametrize("name", ["agents/dance", "", "ping"])
def test_an_unknown_action_is_refused(store, name):
    """A name that is no action is the type's fault."""
    assert refused(store, name, {}) == ["_type"]


@pytest.mark.parametrize("target", [None, 7, {}])
def test_a_target_is_an_id(store, target):
    """An action on a record needs text that names it."""
    assert refused(store, "agent_spans/finish", {"agent_span_id": target}) == ["agent_span_id"]


def test_a_refused_action_changes_nothing(store):
    """What an action did before it was refused is undone, its key included."""
    fields = span_item(register(store), "create-1", id="no-pfid")
    assert refused(store, "agent_spans/create", fields) == ["id"]
    with store.reading() as db:
        assert db.execute("SELECT count(*) FROM idempotency_keys").fetchone() == (0,)
