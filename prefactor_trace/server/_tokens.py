"""How many tokens a step used, from what model libraries call them in a result."""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

_INPUT = ("input_tokens", "prompt_tokens", "prompt_token_count", "inputTokens", "promptTokens")
_OUTPUT = (
    "output_tokens",
    "completion_tokens",
    "candidates_token_count",
    "outputTokens",
    "completionTokens",
)
_TOTAL = ("total_tokens", "total_token_count", "totalTokens", "tokens")
_INSIDE = ("usage", "token_usage", "usage_metadata", "tokens", "response", "result", "message")
_DEEPEST = 3


class Tokens(NamedTuple):
    """Tokens of one step, or of many.

    Attributes:
        input: What the model was given, `None` where that is not told apart.
        output: What it wrote.
        total: Both.
    """

    input: int | None
    output: int | None
    total: int

    def plus(self, other: "Tokens") -> "Tokens":
        """Return the sum; a part stays unknown only where both do not know it."""
        return Tokens(
            _sum(self.input, other.input),
            _sum(self.output, other.output),
            self.total + other.total,
        )


def tokens_of(result: Mapping[str, Any] | None) -> Tokens | None:
    """Return the tokens that a result tells of, `None` where it tells of none.

    The numbers stand in the result itself, or in a mapping like ``usage`` inside of it.
    """
    return next((found for level in levels_of(result) if (found := _read(level))), None)


def levels_of(result: Mapping[str, Any] | None) -> Iterator[Mapping[str, Any]]:
    """Yield a result and the mappings in it that stand where libraries put an answer's facts."""
    level = [result] if result else []
    for _ in range(_DEEPEST):
        yield from level
        level = [
            inside
            for values in level
            for key in _INSIDE
            if isinstance(inside := values.get(key), Mapping)
        ]


def _read(values: Mapping[str, Any]) -> Tokens | None:
    given, written = _number(values, _INPUT), _number(values, _OUTPUT)
    total = _number(values, _TOTAL)
    if total is None:
        total = _sum(given, written)
    return None if total is None else Tokens(given, written, total)


def _number(values: Mapping[str, Any], names: tuple[str, ...]) -> int | None:
    for name in names:
        value = values.get(name)
        if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
            return value
    return None


def _sum(one: int | None, other: int | None) -> int | None:
    return other if one is None else one if other is None else one + other
