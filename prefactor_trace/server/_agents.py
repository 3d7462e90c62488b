"""What an instance belongs to: agent, version, environment, deployment, schema version.

All of them are made on first use. A client names an agent and an environment by any text; only the
environment's PFID is answered, while an agent keeps the text as its id.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

from prefactor_trace._pfid import is_pfid
from prefactor_trace.models import RegisterAgentInstanceRequest
from prefactor_trace.server import _json
from prefactor_trace.server._idempotency import digest_of
from prefactor_trace.server._transaction import Transaction

_DEFAULT_NAME = "local"


class Origin(NamedTuple):
    """The records that a new instance belongs to."""

    agent_id: str
    agent_version_id: str
    agent_schema_version_id: str
    environment_id: str
    agent_deployment_id: str


def of_agent(parameter: str) -> str:
    """Return the SQL condition for instances of the agents with a name or an id.

    Args:
        parameter: The SQL parameter that holds it; it is named twice.
    """
    return f"agent_id IN (SELECT id FROM agents WHERE name = {parameter} OR id = {parameter})"  # noqa: S608


def find_origin(
    transaction: Transaction, request: RegisterAgentInstanceRequest, fields: Mapping[str, Any]
) -> Origin:
    """Return the records that an instance belongs to, made where they are missing.

    Args:
        transaction: What the action works with.
        request: The registration.
        fields: The same as it was sent, whose content is stored.
    """
    version = request.agent_version
    agent_id = _find_agent(transaction, request.agent_id, version.name)
    environment_id = _find_environment(transaction, request.environment_id)
    version_id = _find_content(transaction, "agent_versions", agent_id, fields["agent_version"])
    schema_version_id = _find_content(
        transaction, "agent_schema_versions", agent_id, fields["agent_schema_version"]
    )
    deployment_id = _find_deployment(transaction, agent_id, environment_id)
    if request.update_current_version is not False:
        transaction.db.execute(
            "UPDATE agent_deployments SET current_version_id = ? WHERE id = ?",
            (version_id, deployment_id),
        )
    return Origin(agent_id, version_id, schema_version_id, environment_id, deployment_id)


def _find_agent(transaction: Transaction, agent_id: str | None, version_name: str | None) -> str:
    db = transaction.db
    if agent_id is None:
        # Apart from agents with an id, so that no text can claim the agent of another program.
        name = version_name or _DEFAULT_NAME
        row = db.execute(
            "SELECT id FROM agents WHERE name = ? AND is_named_by_version", (name,)
        ).fetchone()
        if row is not None:
            return str(row[0])
        made = transaction.new_id()
        db.execute("INSERT INTO agents VALUES (?, ?, 1, ?)", (made, name, transaction.now))
        return made
    # A PFID says nothing to a reader, while text was chosen to be read.
    name = version_name if version_name and is_pfid(agent_id) else agent_id
    db.execute(
        "INSERT INTO agents VALUES (?, ?, 0, ?) ON CONFLICT (id) DO NOTHING",
        (agent_id, name, transaction.now),
    )
    return agent_id


def _find_environment(transaction: Transaction, environment_id: str | None) -> str:
    name = environment_id or _DEFAULT_NAME
    row = transaction.db.execute(
        "SELECT id FROM environments WHERE name = ? OR id = ?", (name, name)
    ).fetchone()
    if row is not None:
        return str(row[0])
    made = name if is_pfid(name) else transaction.new_id()
    transaction.db.execute("INSERT INTO environments VALUES (?, ?)", (made, name))
    return made


def _find_content(
    transaction: Transaction, table: str, agent_id: str, content: Mapping[str, Any]
) -> str:
    """Return the version that holds this content.

    Other content under a known `external_identifier` is another version: what was registered
    before keeps the one that it declared.
    """
    digest = digest_of(content)
    row = transaction.db.execute(
        f"SELECT id FROM {table} WHERE agent_id = ? AND digest = ?",  # noqa: S608
        (agent_id, digest),
    ).fetchone()
    if row is not None:
        return str(row[0])
    made = transaction.new_id()
    transaction.db.execute(
        f"INSERT INTO {table} (id, agent_id, digest, content, external_identifier) "  # noqa: S608
        "VALUES (?, ?, ?, ?, ?)",
        (made, agent_id, digest, _json.write(content), content.get("external_identifier")),
    )
    return made


def _find_deployment(transaction: Transaction, agent_id: str, environment_id: str) -> str:
    row = transaction.db.execute(
        "SELECT id FROM agent_deployments WHERE agent_id = ? AND environment_id = ?",
        (agent_id, environment_id),
    ).fetchone()
    if row is not None:
        return str(row[0])
    made = transaction.new_id()
    transaction.db.execute(
        "INSERT INTO agent_deployments VALUES (?, ?, ?, NULL)", (made, agent_id, environment_id)
    )
    return made
