"""The risk that a type of span carries, said in a line."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from prefactor_trace._nearest import hint
from prefactor_trace.exceptions import UsageError

if TYPE_CHECKING:
    from prefactor_trace.models import DataRisk

_NOTHING_ELSE = dict.fromkeys(
    (
        "create_data",
        "read_data",
        "update_data",
        "destroy_data",
        "financial_transactions",
        "external_communication",
    ),
    "disallowed",
)

_QUOTED = re.compile(r"'(\w+)'")

Categories = Iterable[str] | Mapping[str, str]
"""Names of kinds of data, which are included; or name to ``"included"`` or ``"excluded"``."""


class Risk:
    """What a type of span may do, and which kinds of data it sees.

    What is not said is unknown. The words are those of `models.ActionProfile` and
    `models.DataCategories`.

    Args:
        params: Kinds of data that the payload holds: their names, or a mapping of names to
            ``"included"`` or ``"excluded"``.
        result: Kinds of data that the result holds, in the same ways.
        classification: How widely both may be known: ``"public"``, ``"internal"``,
            ``"confidential"``, ``"restricted"`` or ``"secret"``.
        **actions: ``"allowed"`` or ``"disallowed"`` for `create_data`, `read_data`, `update_data`,
            `destroy_data`, `financial_transactions` and `external_communication`.

    Attributes:
        model: The same as the API takes it.

    Raises:
        UsageError: A word is not one that the platform knows; the nearest one is named.
    """

    __slots__ = ("model",)

    def __init__(
        self,
        *,
        params: Categories = (),
        result: Categories = (),
        classification: str = "unknown",
        **actions: str,
    ) -> None:
        self.model: DataRisk = _model(
            {
                "action_profile": actions,
                "params_data_categories": _included("params", params, classification),
                "result_data_categories": _included("result", result, classification),
            }
        )

    @classmethod
    def read(cls, **said: Any) -> Risk:
        """Return the risk of a tool that reads and changes nothing.

        Args:
            **said: As of `Risk`; what it says of an action goes before the preset.
        """
        return cls(**{**_NOTHING_ELSE, "read_data": "allowed", **said})

    @classmethod
    def write(cls, **said: Any) -> Risk:
        """Return the risk of a tool that creates and changes data, and deletes none.

        Args:
            **said: As of `read`.
        """
        allowed = dict.fromkeys(("create_data", "read_data", "update_data"), "allowed")
        return cls(**{**_NOTHING_ELSE, **allowed, **said})

    @classmethod
    def search(cls, **said: Any) -> Risk:
        """Return the risk of a tool that reads, and sends its query to someone outside.

        Args:
            **said: As of `read`.
        """
        allowed = dict.fromkeys(("read_data", "external_communication"), "allowed")
        return cls(**{**_NOTHING_ELSE, **allowed, **said})

    @classmethod
    def send(cls, **said: Any) -> Risk:
        """Return the risk of a tool that tells someone outside something, such as by mail.

        Args:
            **said: As of `read`.
        """
        return cls(**{**_NOTHING_ELSE, "external_communication": "allowed", **said})

    @classmethod
    def pay(cls, **said: Any) -> Risk:
        """Return the risk of a tool that moves money.

        Args:
            **said: As of `read`.
        """
        allowed = dict.fromkeys(
            ("create_data", "financial_transactions", "external_communication"), "allowed"
        )
        return cls(**{**_NOTHING_ELSE, **allowed, **said})

    def __eq__(self, other: object) -> bool:
        """Return whether another risk says the same."""
        return isinstance(other, Risk) and self.model == other.model

    def __hash__(self) -> int:
        """Return the same number for risks that say the same."""
        return hash(self.model.model_dump_json())

    def __repr__(self) -> str:
        """Return what is said of it, without what is unknown."""
        said = self.model.model_dump(exclude_defaults=True)
        return f"Risk({', '.join(f'{part}={words!r}' for part, words in said.items() if words)})"


def _included(part: str, categories: Categories, classification: str) -> dict[str, str]:
    if isinstance(categories, str) or not isinstance(categories, Iterable):
        raise UsageError(
            f"{part} of a Risk takes names of kinds of data such as ['personal_identifiers'],"
            f" got {categories!r}"
        )
    words = categories if isinstance(categories, Mapping) else dict.fromkeys(categories, "included")
    return {"classification": classification, **words}


def read_risk(risk: Risk | DataRisk | Mapping[str, Any] | None) -> DataRisk | None:
    """Return a risk as the model of the wire; parts that are not said are unknown.

    Raises:
        UsageError: A part or a word of it is not one that the platform knows.
    """
    if risk is None:
        return None
    if isinstance(risk, Risk):
        return risk.model
    from prefactor_trace.models import DataRisk

    if isinstance(risk, DataRisk):
        return risk
    if not isinstance(risk, Mapping):
        raise UsageError(
            f"risk must be a Risk, a DataRisk or a mapping like one, got {type(risk).__qualname__}"
        )
    return _model(risk)


def _model(said: Mapping[str, Any]) -> DataRisk:
    from pydantic import ValidationError

    from prefactor_trace.models import DataRisk

    for part, words in said.items():
        field = DataRisk.model_fields.get(part)
        # `DataRisk` takes parts that it does not know, which the platform may know one day.
        if field is None:
            _check_word("part of a risk", part, DataRisk.model_fields)
        elif isinstance(words, Mapping):
            kind = "action" if part == "action_profile" else f"kind of data in {part}"
            for name in words:
                _check_word(kind, name, getattr(field.annotation, "model_fields", {}))
    unsaid: dict[str, Any] = {name: {} for name in DataRisk.model_fields}
    try:
        return DataRisk.model_validate({**unsaid, **said})
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        words = _QUOTED.findall(first["msg"])
        near = hint(str(first["input"]), words) if words else ""
        raise UsageError(f"the risk's {where!r} is wrong: {first['msg']}{near}") from None


def _check_word(kind: str, word: object, known: Collection[object]) -> None:
    if word not in known:
        near = hint(str(word), map(str, known))
        raise UsageError(f"{word!r} is no {kind} that the platform knows{near}")
