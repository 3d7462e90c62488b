"""Envelopes that the Prefactor API answers in."""

from typing import Any, Generic, TypeVar

from pydantic import BaseModel

T = TypeVar("T")


class ApiResponse(BaseModel, Generic[T]):
    """Answer of a successful call on one resource.

    Attributes:
        status: Always ``"success"``.
        details: The resource.
    """

    status: str
    details: T


class ApiError(BaseModel):
    """Answer of a refused call.

    Attributes:
        status: Always ``"error"``.
        code: Machine-readable kind, for example ``"invalid_action"``.
        message: Human-readable text.
    """

    status: str = "error"
    code: str
    message: str


class DetailedApiError(ApiError):
    """Answer of a refused call that names the fields at fault.

    Attributes:
        errors: Field name to what is wrong with it.
    """

    errors: dict[str, Any]


class PaginationOutput(BaseModel):
    """Where a page stands in a list.

    Attributes:
        item_count: Number of items in the whole list.
        item_end: Index of the page's last item, from one.
        item_start: Index of the page's first item, from one.
        next_page_offset: Offset of the next page, ``None`` on the last.
        page_count: Number of pages.
        page_index: Index of this page, from one.
        page_offset: Offset of the page's first item, from zero.
        page_size: Number of items that a full page holds.
        previous_page_offset: Offset of the page before, ``None`` on the first.
    """

    item_count: int
    item_end: int
    item_start: int
    next_page_offset: int | None
    page_count: int
    page_index: int
    page_offset: int
    page_size: int
    previous_page_offset: int | None


class Sorting(BaseModel):
    """How a list is sorted.

    Attributes:
        field: Field that it is sorted by.
        direction: ``"asc"`` or ``"desc"``.
    """

    field: str
    direction: str


class ListResponse(BaseModel, Generic[T]):
    """Answer of a successful call on a list of resources.

    Attributes:
        status: Always ``"success"``.
        summaries: The items of this page.
        pagination: Where the page stands, ``None`` when the list is not paged.
        sorting: How the list is sorted, ``None`` when it has no order.
    """

    status: str
    summaries: list[T]
    pagination: PaginationOutput | None
    sorting: Sorting | None
