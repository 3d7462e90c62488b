"""What `instance` is called with."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from prefactor_trace._frames import calling_file
from prefactor_trace._nearest import hint
from prefactor_trace._pfid import is_pfid
from prefactor_trace._schema import read_risk
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

    @classmethod
    def of(cls, agent_id: str | None, said: dict[str, Any]) -> InstanceOptions:
        """Return the options that a call of `instance` named.

        Raises:
            UsageError: One is unknown, no text, no PFID, or an unknown word.
        """
        for name in said:
            if name not in _GIVEN:
                raise UsageError(f"instance got an unknown argument {name!r}{hint(name, _GIVEN)}")
        said = {**said, "risk": read_risk(said.get("risk"))}
        options = cls(agent_id, source=calling_file(), **said)
        options._check()
        return options

    def _check(self) -> None:
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


_GIVEN = frozenset(InstanceOptions._fields) - {"source"}  # which is found out
