"""Bodies of the bulk endpoint, ``POST /api/v1/bulk``."""

from pydantic import BaseModel, ConfigDict, Field, field_validator


class BulkItem(BaseModel):
    """One call of a bulk request: the single call's fields beside these two.

    Attributes:
        type: Which call, for example ``"agent_spans/create"`` (``_type`` in JSON).
        idempotency_key: 8 to 64 characters, unique in the request. The same key
            sent again gives the stored answer and has no second effect.
    """

    model_config = ConfigDict(extra="allow")

    type: str = Field(alias="_type")
    idempotency_key: str = Field(min_length=8, max_length=64)


class BulkRequest(BaseModel):
    """Calls that the service carries out in order, up to the first that errors.

    Attributes:
        items: At least one call.
    """

    items: list[BulkItem] = Field(min_length=1)

    @field_validator("items")
    @classmethod
    def validate_unique_idempotency_keys(cls, items: list[BulkItem]) -> list[BulkItem]:
        """Refuse a request in which two items share an idempotency key."""
        keys = [item.idempotency_key for item in items]
        if len(keys) != len(set(keys)):
            raise ValueError("All idempotency keys must be unique within the request")
        return items


class BulkOutput(BaseModel):
    """Answer to one item: a success or an error, with the single call's fields.

    Attributes:
        status: ``"success"`` or ``"error"``.
    """

    model_config = ConfigDict(extra="allow")

    status: str

    @field_validator("status")
    @classmethod
    def validate_status(cls, v: str) -> str:
        """Refuse any word but ``success`` and ``error``."""
        if v not in ("success", "error"):
            raise ValueError("status must be 'success' or 'error'")
        return v


class BulkResponse(BaseModel):
    """Answer to a bulk request.

    Attributes:
        status: ``"success"`` when the request was processed, whatever its items gave.
        outputs: Idempotency key to the answer of its item. An item that is
            missing was not processed and must be sent again.
    """

    status: str = "success"
    outputs: dict[str, BulkOutput]
