"""What `span` is called with beside name, payload and parent."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from prefactor_trace._clock import to_ns
from prefactor_trace._nearest import hint, nearest
from prefactor_trace.exceptions import UsageError

if TYPE_CHECKING:
    import datetime
    from typing import TypedDict

    from prefactor_trace._schema.risk import Risk
    from prefactor_trace.models import DataRisk

    class BlockOptions(TypedDict, total=False):
        """What type checkers are told of the options of a block."""

        sensitive: bool | None
        title: str | None
        description: str | None
        template: str | None
        risk: Risk | DataRisk | Mapping[str, Any] | None
        params: Any
        result: Any
        started_at: datetime.datetime | None


class SpanOptions(NamedTuple):
    """What `span` was called with beside name, payload and parent; ``None`` means not said."""

    sensitive: bool | None = None
    capture_input: bool | None = None
    capture_output: bool | None = None
    title: str | None = None
    description: str | None = None
    template: str | None = None
    risk: Risk | DataRisk | Mapping[str, Any] | None = None
    params: Any = None  # a JSON schema, a model or a type
    result: Any = None
    ignore: tuple[str, ...] | None = None  # arguments that are not recorded
    reduce: Callable[[list[Any]], Any] | None = None  # of a generator's items
    started_at: int | None = None  # nanoseconds of the wall clock

    @classmethod
    def of(cls, said: dict[str, Any]) -> SpanOptions | None:
        """Return the options that a call of `span` named, ``None`` where all are ``None``.

        Raises:
            UsageError: One is unknown, or `started_at` is no aware datetime.
        """
        unknown = [name for name in said if name not in cls._fields]
        if unknown:
            known = ("schema_name", "payload", "parent", *cls._fields)
            word = unknown[0]
            told = f"span got an unknown argument {word!r}{hint(word, known)}"
            if nearest(word, known) is None:
                told += f"; to record it, write span('tool_call', {{{word!r}: ...}})"
            raise UsageError(told)
        said = {name: value for name, value in said.items() if value is not None}
        if "started_at" in said:
            said["started_at"] = to_ns(said["started_at"], "started_at")
        return cls(**said) if said else None


def check_options(options: SpanOptions) -> None:
    """Refuse a switch that is neither on nor off, a text that is none, and what cannot be called.

    Raises:
        UsageError: One of them is wrong.
    """
    check_texts(options)
    for name in ("sensitive", "capture_input", "capture_output"):
        value = getattr(options, name)
        if value is not None and not isinstance(value, bool):
            raise UsageError(f"{name} must be True or False, got {value!r}")
    if options.reduce is not None and not callable(options.reduce):
        raise UsageError(f"reduce must be a function of the list of items, got {options.reduce!r}")


def check_texts(said: Any) -> None:
    """Refuse a title, a description or a template that is no text.

    Raises:
        UsageError: One of them is none.
    """
    for name in ("title", "description", "template"):
        value = getattr(said, name)
        if value is not None and not (isinstance(value, str) and is_sendable(value)):
            raise UsageError(f"{name} must be text, got {value!r}")


def is_sendable(name: str) -> bool:
    """Return whether a name is text that JSON and databases take: one cannot be mended."""
    try:
        return b"\0" not in name.encode()
    except UnicodeEncodeError:  # a lone surrogate
        return False
