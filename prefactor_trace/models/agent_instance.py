"""Instances: one run of an agent, and what it declares when it registers."""

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from prefactor_trace.models.types import AgentStatus, FinishStatus, InstancePurpose

Permission = Literal["unknown", "allowed", "disallowed"]
Presence = Literal["unknown", "included", "excluded"]
Classification = Literal["unknown", "public", "internal", "confidential", "restricted", "secret"]


class ActionProfile(BaseModel):
    """What a type of span may do.

    Attributes:
        create_data: Creates data.
        read_data: Reads data.
        update_data: Updates data.
        destroy_data: Destroys data.
        financial_transactions: Moves money.
        external_communication: Talks to someone outside.
    """

    create_data: Permission = "unknown"
    read_data: Permission = "unknown"
    update_data: Permission = "unknown"
    destroy_data: Permission = "unknown"
    financial_transactions: Permission = "unknown"
    external_communication: Permission = "unknown"


class DataCategories(BaseModel):
    """Which kinds of data a span's payload or result holds.

    Attributes:
        personal_identifiers: Names, account numbers, other identifiers of a person.
        contact_information: Addresses, numbers.
        financial_information: Money matters.
        health_and_medical: Health.
        criminal_justice: Offences and proceedings.
        authentication_and_secrets: Passwords, keys, tokens.
        organisational_confidential: An organisation's confidential matters.
        minors_data: Data of children.
        location_and_tracking: Where somebody is or was.
        behavioural_and_inferred: Behaviour, and what was inferred of a person.
        gdpr_racial_or_ethnic_origin: GDPR article 9: racial or ethnic origin.
        gdpr_political_opinions: GDPR article 9: political opinions.
        gdpr_religious_or_philosophical_beliefs: GDPR article 9: beliefs.
        gdpr_trade_union_membership: GDPR article 9: trade union membership.
        gdpr_genetic_data: GDPR article 9: genetic data.
        gdpr_biometric_for_identification: GDPR article 9: biometric data.
        gdpr_sex_life_or_sexual_orientation: GDPR article 9: sex life or orientation.
        classification: How widely the data may be known.
    """

    personal_identifiers: Presence = "unknown"
    contact_information: Presence = "unknown"
    financial_information: Presence = "unknown"
    health_and_medical: Presence = "unknown"
    criminal_justice: Presence = "unknown"
    authentication_and_secrets: Presence = "unknown"
    organisational_confidential: Presence = "unknown"
    minors_data: Presence = "unknown"
    location_and_tracking: Presence = "unknown"
    behavioural_and_inferred: Presence = "unknown"
    gdpr_racial_or_ethnic_origin: Presence = "unknown"
    gdpr_political_opinions: Presence = "unknown"
    gdpr_religious_or_philosophical_beliefs: Presence = "unknown"
    gdpr_trade_union_membership: Presence = "unknown"
    gdpr_genetic_data: Presence = "unknown"
    gdpr_biometric_for_identification: Presence = "unknown"
    gdpr_sex_life_or_sexual_orientation: Presence = "unknown"
    classification: Classification = "unknown"


class DataRisk(BaseModel):
    """Risk that a type of span carries.

    Attributes:
        action_profile: What it may do.
        params_data_categories: What its payload holds.
        result_data_categories: What its result holds.
    """

    model_config = ConfigDict(extra="allow")

    action_profile: ActionProfile
    params_data_categories: DataCategories
    result_data_categories: DataCategories


class SpanTypeSchemaForCreate(BaseModel):
    """A type of span, as it is declared at registration.

    Attributes:
        name: What spans of this type give as ``schema_name``.
        params_schema: JSON schema of the payload.
        result_schema: JSON schema of the result.
        title: Human-readable name.
        description: What such a step does.
        template: Liquid one-liner over payload and result, rendered into ``summary``.
        data_risk: Risk that such a step carries.
    """

    name: str
    params_schema: dict[str, Any]
    result_schema: dict[str, Any] | None = None
    title: str | None = None
    description: str | None = None
    template: str | None = None
    data_risk: DataRisk | None = None


class QualitySchemaForCreate(BaseModel):
    """A kind of quality record, as it is declared at registration.

    Attributes:
        name: What ``record_quality`` gives as ``name``.
        schema_: JSON schema of the record's payload (``schema`` in JSON).
        title: Human-readable name.
        description: What is judged.
        template: Liquid one-liner over the payload.
        data_risk: Risk that the record carries.
    """

    model_config = ConfigDict(populate_by_name=True)

    name: str
    schema_: dict[str, Any] = Field(alias="schema")
    title: str | None = None
    description: str | None = None
    template: str | None = None
    data_risk: DataRisk | None = None


class AgentSchemaVersionForRegister(BaseModel):
    """The span types that an instance will use.

    Attributes:
        external_identifier: The client's own name for this set of types.
        span_schemas: Span type name to JSON schema of its payload.
        span_result_schemas: Span type name to JSON schema of its result.
        span_type_schemas: Span types with everything that can be said of them.
        quality_schemas: Kinds of quality record.
    """

    external_identifier: str | None = None
    span_schemas: dict[str, dict[str, Any]] | None = None
    span_result_schemas: dict[str, dict[str, Any]] | None = None
    span_type_schemas: list[SpanTypeSchemaForCreate] | None = None
    quality_schemas: list[QualitySchemaForCreate] | None = None


class RuntimeEnvironment(BaseModel):
    """What an agent version runs on.

    Attributes:
        agent_sdk: Agent frameworks, as ``name@version``.
        os: Operating system, for example ``"linux"``.
        prefactor_sdk: Prefactor libraries, as ``name@version``.
        runtime: Language runtime, for example ``"cpython@3.11"``.
    """

    agent_sdk: list[str] | None = None
    os: str | None = None
    prefactor_sdk: list[str] | None = None
    runtime: str | None = None


class AgentVersionForRegister(BaseModel):
    """The version of the agent that runs.

    Attributes:
        name: Human-readable name.
        external_identifier: The client's own name for it, for example ``"1.4.2"``.
        description: What it is.
        runtime_environment: What it runs on.
    """

    name: str | None = None
    external_identifier: str | None = None
    description: str | None = None
    runtime_environment: RuntimeEnvironment | None = None


class RegisterAgentInstanceRequest(BaseModel):
    """Body of ``POST /agent_instance/register``.

    Attributes:
        agent_id: PFID of the agent; omitted with a deployment token.
        agent_version: The version that runs.
        agent_schema_version: The span types that it will use.
        id: PFID chosen by the client, else the service makes one.
        idempotency_key: 8 to 64 characters.
        update_current_version: Whether this becomes the agent's current version.
        environment_id: PFID of the environment; omitted with a deployment token.
        external_identifier: The client's own name for this run, unique per agent.
        purpose: Why the instance runs; ``"live"`` when missing.
    """

    agent_id: str | None = None
    agent_version: AgentVersionForRegister
    agent_schema_version: AgentSchemaVersionForRegister
    id: str | None = None
    idempotency_key: str | None = None
    update_current_version: bool | None = None
    environment_id: str | None = None
    external_identifier: str | None = None
    purpose: InstancePurpose | None = None


class TimestampRequest(BaseModel):
    """Body of ``POST /agent_instance/{id}/start``.

    Attributes:
        timestamp: ISO 8601 with a zone; the service's clock when missing.
        idempotency_key: 8 to 64 characters.
    """

    timestamp: str | None = None
    idempotency_key: str | None = None


class FinishInstanceRequest(BaseModel):
    """Body of ``POST /agent_instance/{id}/finish``.

    Attributes:
        status: ``"complete"`` when missing.
        timestamp: ISO 8601 with a zone; the service's clock when missing.
        idempotency_key: 8 to 64 characters.
    """

    status: FinishStatus | None = None
    timestamp: str | None = None
    idempotency_key: str | None = None


class AgentInstanceRecordQuality(BaseModel):
    """Body of ``POST /agent_instance/{id}/record_quality``.

    Attributes:
        name: Name of a quality schema that the instance's schema version declares.
        payload: The record; ``None`` removes the one of that name.
    """

    name: str
    payload: dict[str, Any] | None = None


class AgentInstanceSpanCounts(BaseModel):
    """How many spans of an instance stand where.

    Attributes:
        total: All of them.
        pending: Not started. Newer answers leave it out.
        active: Going on.
        complete: Ended well.
        failed: Ended with an error.
        cancelled: Given up.
        finished: Ended in any way.
    """

    total: int
    pending: int = 0
    active: int
    complete: int
    failed: int
    cancelled: int
    finished: int


class AgentInstance(BaseModel):
    """An instance as the service answers it.

    Attributes:
        type: Always ``"agent_instance"``.
        id: PFID of the instance.
        account_id: PFID of the account.
        agent_id: PFID of the agent.
        agent_version_id: PFID of the agent's version.
        environment_id: PFID of the environment.
        status: Where the run stands.
        inserted_at: When it was registered.
        updated_at: When the service last changed it.
        started_at: When the run began, ``None`` before.
        finished_at: When the run ended, ``None`` before.
        span_counts: How many spans stand where.
        agent_deployment_id: PFID of the deployment.
        termination_reason: Why the platform ended the run.
        external_identifier: The client's own name for this run.
        purpose: Why it ran.
        quality_payloads: Quality schema name to the record.
        quality_summaries: Quality schema name to its rendered template.
    """

    type: Literal["agent_instance"]
    id: str
    account_id: str
    agent_id: str
    agent_version_id: str
    environment_id: str
    status: AgentStatus
    inserted_at: datetime
    updated_at: datetime
    started_at: datetime | None = None
    finished_at: datetime | None = None
    span_counts: AgentInstanceSpanCounts | None = None
    agent_deployment_id: str | None = None
    termination_reason: str | None = None
    external_identifier: str | None = None
    purpose: InstancePurpose | None = None
    quality_payloads: dict[str, dict[str, Any]] | None = None
    quality_summaries: dict[str, str] | None = None
