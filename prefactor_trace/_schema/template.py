"""Templates: does what is declared have the fields that one names?"""

from __future__ import annotations

from collections.abc import Callable

from prefactor_trace._nearest import hint
from prefactor_trace.exceptions import UsageError


def check_template(
    what: str, template: str | None, known: Callable[[], frozenset[str] | None]
) -> None:
    """Refuse a template that names a field which there cannot be.

    Args:
        what: What it belongs to, as the error calls it.
        template: Liquid; what is not understood of it is left to the service.
        known: Returns the names of the fields that there are, ``None`` where there may be any.

    Raises:
        UsageError: It names another field.
    """
    if not template:
        return
    from prefactor_trace._liquid import fields_of  # most types have none: not with the library

    wanted = fields_of(template)
    fields = known() if wanted else None
    if fields is None:
        return
    for name in sorted(wanted - fields):
        raise UsageError(
            f"the template of the {what} names {name!r}, which its schemas lack{hint(name, fields)}"
        )
