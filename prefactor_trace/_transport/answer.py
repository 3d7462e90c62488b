"""What comes back of a request, whatever carried it."""

from typing import NamedTuple


class Answer(NamedTuple):
    """What came back of a request.

    Attributes:
        status: HTTP status; 0 when there was no answer.
        body: Its body.
        retry_after: The header of that name.
        error: Why there was no answer.
    """

    status: int
    body: bytes = b""
    retry_after: str | None = None
    error: str = ""
