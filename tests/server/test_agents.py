"""Tests of what an instance belongs to, in process and over HTTP."""

from .twin import SCHEMAS

PFID = "01jz0000000000000000000000000005"
ENVIRONMENT = "01jz0000000000000000000000000006"


def names(service):
    """Return the agents' ids and names, the newest run first."""
    return [(run.agent_id, run.agent_name) for run in service.store.list_instances()]


def test_an_agent_may_have_any_id(service):
    """An agent is made on first use; a PFID is named by its version, other text names itself."""
    service.register(agent_id="support", agent_version={"name": "v"})
    service.register(agent_id=PFID, agent_version={"name": "Support"})
    assert names(service) == [(PFID, "Support"), ("support", "support")]


def test_without_an_id_the_version_names_the_agent(service):
    """Runs whose version has the same name belong to one agent, nameless ones to `local`."""
    first = service.register(agent_id=None, agent_version={"name": "bot"})
    again = service.register(agent_id=None, agent_version={"name": "bot"})
    other = service.register(agent_id=None)
    assert first["agent_id"] == again["agent_id"] != other["agent_id"]
    assert [name for _, name in names(service)] == ["local", "bot", "bot"]


def test_the_same_version_is_one_version(service):
    """Equal content is the same version, whatever the order of its keys; other content is not."""
    version = {"name": "bot", "external_identifier": "1"}
    first = service.register(agent_version=version)
    same = service.register(agent_version=dict(reversed(version.items())))
    other = service.register(agent_version={**version, "description": "new"})
    assert first["agent_version_id"] == same["agent_version_id"] != other["agent_version_id"]
    assert first["agent_deployment_id"] == other["agent_deployment_id"]


def test_an_environment_keeps_its_pfid(service):
    """A PFID is the environment's id, a name gets one, and nothing is the local one."""
    assert service.register(environment_id=ENVIRONMENT)["environment_id"] == ENVIRONMENT
    named = [service.register(environment_id=name) for name in ("prod", "prod", "test", None)]
    ids = [instance["environment_id"] for instance in named]
    assert ids[0] == ids[1]
    assert len(set(ids)) == 3
    assert named[0]["agent_deployment_id"] != named[2]["agent_deployment_id"]


def test_update_current_version_moves_the_deployment(service):
    """A registration becomes the deployment's current version unless it says no."""
    first = service.register(agent_version={"name": "1"})
    service.register(agent_version={"name": "2"}, update_current_version=False)
    current = "SELECT current_version_id FROM agent_deployments"
    with service.store.reading() as db:
        assert db.execute(current).fetchall() == [(first["agent_version_id"],)]


def test_other_schemas_under_a_known_identifier(service):
    """The newest declaration holds for new instances, old instances keep theirs."""
    old = service.run(agent_schema_version={**SCHEMAS, "external_identifier": "1"})
    new = service.run(
        agent_schema_version={"external_identifier": "1", "span_schemas": {"other": {}}}
    )
    assert service.create(old, schema_name="plain")[0] == 200
    assert service.create(old, schema_name="other")[0] == 422
    assert service.create(new, schema_name="other")[0] == 200
    assert service.create(new, schema_name="plain")[0] == 422
