"""What `instance` is called with."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from prefactor_trace._pfid import is_pfid
from prefactor_trace._settings import PURPOSES
from prefactor_trace.exceptions import UsageError

if TYPE_CHECKING:
    from prefactor_trace.models import DataRisk, InstancePurpose


class InstanceOptions(NamedTuple):
    """What `instance` was called with; ``None`` means that the settings decide."""

    agent_id: str | None = None
    version: str | None = None
    name: str | None = None
    description: str | None = None
    environment_id: str | None = None
    external_identifier: str | None = None
    purpose: InstancePurpose | None = None
    id: str | None = None
    on_terminate: str | None = None
    risk: DataRisk | None = None  # of the span types that declare none
    source: str | None = None  # file that it was called in

    def check(self) -> None:
        """Refuse what no run can have.

        Raises:
            UsageError: One of them is no text, no PFID or an unknown word.
        """
        for field, value in zip(self._fields, self, strict=True):
            if field != "risk" and value is not None and not isinstance(value, str):
                raise UsageError(
                    f"{field} of an instance must be text, got {type(value).__qualname__}"
                )
        if self.purpose is not None and self.purpose not in PURPOSES:
            raise UsageError(
                f"the purpose of an instance is one of {', '.join(PURPOSES)}, got {self.purpose!r}"
            )
        if self.id is not None and not is_pfid(self.id):
            raise UsageError(
                f"the id of an instance must be a PFID, 32 characters of base32, got {self.id!r}"
            )
        if self.on_terminate not in (None, "continue", "raise"):
            raise UsageError(
                f"on_terminate of an instance is 'continue' or 'raise', got {self.on_terminate!r}"
            )
