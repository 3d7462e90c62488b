"""Spans: one step of an agent's run."""

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, Field

from prefactor_trace.models.types import AgentStatus, FinishStatus


class CreateAgentSpanRequest(BaseModel):
    """Body of ``POST /agent_spans``, under ``details``.

    Attributes:
        agent_instance_id: Instance that the span belongs to.
        schema_name: Name of a span type that the instance's schema version declares.
        status: A span that has ended before it is sent is created with its final status.
        payload: What went in.
        result_payload: What came out; only with a final status.
        id: PFID chosen by the client, else the service makes one.
        parent_span_id: Span that this one is nested in, ``None`` at the top of the run.
        started_at: ISO 8601 with a zone; the service's clock when missing.
        finished_at: ISO 8601 with a zone, not before ``started_at``.
        idempotency_key: 8 to 64 characters.
        sensitive_encoding: Asks the service to keep marked values apart.
    """

    agent_instance_id: str
    schema_name: str
    status: AgentStatus
    payload: dict[str, Any] = Field(default_factory=dict)
    result_payload: dict[str, Any] | None = None
    id: str | None = None
    parent_span_id: str | None = None
    started_at: str | None = None
    finished_at: str | None = None
    idempotency_key: str | None = None
    sensitive_encoding: bool | None = None


class FinishSpanRequest(BaseModel):
    """Body of ``POST /agent_spans/{id}/finish``.

    Attributes:
        status: ``"complete"`` when missing.
        result_payload: What came out.
        timestamp: ISO 8601 with a zone; the service's clock when missing.
        idempotency_key: 8 to 64 characters.
        sensitive_encoding: Asks the service to keep marked values apart.
    """

    status: FinishStatus | None = None
    result_payload: dict[str, Any] | None = None
    timestamp: str | None = None
    idempotency_key: str | None = None
    sensitive_encoding: bool | None = None


class AgentSpan(BaseModel):
    """A span as the service answers it.

    Attributes:
        type: Always ``"agent_span"``.
        id: PFID of the span.
        account_id: PFID of the account.
        agent_id: PFID of the agent.
        agent_instance_id: PFID of the instance.
        parent_span_id: PFID of the parent, ``None`` at the top of the run.
        schema_name: Name of the span's type.
        schema_title: Title of the span's type.
        status: Where the span stands.
        payload: What went in.
        result_payload: What came out.
        summary: The type's template rendered over payload and result.
        schema_validation: How payload and result differ from their schemas, ``None`` when they
            do not.
        started_at: When the step began.
        inserted_at: When the service first stored the span.
        updated_at: When the service last changed the span.
        finished_at: When the step ended, ``None`` while it goes on.
    """

    type: Literal["agent_span"]
    id: str
    account_id: str | None = None
    agent_id: str | None = None
    agent_instance_id: str
    parent_span_id: str | None = None
    schema_name: str
    schema_title: str | None = None
    status: AgentStatus
    payload: dict[str, Any] = Field(default_factory=dict)
    result_payload: dict[str, Any] | None = None
    summary: str | None = None
    schema_validation: dict[str, Any] | None = None
    started_at: datetime | None = None
    inserted_at: datetime | None = None
    updated_at: datetime | None = None
    finished_at: datetime | None = None


class ControlSignal(BaseModel):
    """Order of the platform that an answer on a span can carry.

    Attributes:
        terminate: Whether a person or a rule ended the run.
        reason: Why.
    """

    terminate: bool = False
    reason: str | None = None
