"""The wire format: every body that the Prefactor API takes or gives, as pydantic models."""

from prefactor_trace.models.agent_instance import (
    ActionProfile,
    AgentInstance,
    AgentInstanceRecordQuality,
    AgentInstanceSpanCounts,
    AgentSchemaVersionForRegister,
    AgentVersionForRegister,
    DataCategories,
    DataRisk,
    FinishInstanceRequest,
    QualitySchemaForCreate,
    RegisterAgentInstanceRequest,
    RuntimeEnvironment,
    SpanTypeSchemaForCreate,
    TimestampRequest,
)
from prefactor_trace.models.agent_span import (
    AgentSpan,
    ControlSignal,
    CreateAgentSpanRequest,
    FinishSpanRequest,
)
from prefactor_trace.models.base import (
    ApiError,
    ApiResponse,
    DetailedApiError,
    ListResponse,
    PaginationOutput,
    Sorting,
)
from prefactor_trace.models.bulk import BulkItem, BulkOutput, BulkRequest, BulkResponse
from prefactor_trace.models.types import AgentStatus, FinishStatus, InstancePurpose

__all__ = [
    "ActionProfile",
    "AgentInstance",
    "AgentInstanceRecordQuality",
    "AgentInstanceSpanCounts",
    "AgentSchemaVersionForRegister",
    "AgentSpan",
    "AgentStatus",
    "AgentVersionForRegister",
    "ApiError",
    "ApiResponse",
    "BulkItem",
    "BulkOutput",
    "BulkRequest",
    "BulkResponse",
    "ControlSignal",
    "CreateAgentSpanRequest",
    "DataCategories",
    "DataRisk",
    "DetailedApiError",
    "FinishInstanceRequest",
    "FinishSpanRequest",
    "FinishStatus",
    "InstancePurpose",
    "ListResponse",
    "PaginationOutput",
    "QualitySchemaForCreate",
    "RegisterAgentInstanceRequest",
    "RuntimeEnvironment",
    "Sorting",
    "SpanTypeSchemaForCreate",
    "TimestampRequest",
]
