"""Names that say that what they name is a secret.

A name is split into its words (snake, camel and kebab case), and only whole words count, so that
`author` and `secretary` are left alone.
"""

from __future__ import annotations

import enum
import functools
import re
from collections.abc import Iterable, Sequence

from prefactor_trace._capture.redaction_filter import Filter

SECRET_NAMES = (
    "password",
    "passwd",
    "pwd",
    "passphrase",
    "passcode",
    "secret",
    "api key",
    "apikey",
    "api token",
    "auth token",
    "authtoken",
    "access token",
    "accesstoken",
    "refresh token",
    "id token",
    "bearer token",
    "session token",
    "security token",
    "bot token",
    "csrf token",
    "csrftoken",
    "github token",
    "gitlab token",
    "slack token",
    "hf token",
    "npm token",
    "access key",
    "account key",
    "encryption key",
    "master key",
    "private key",
    "privatekey",
    "service account key",
    "shared access key",
    "signing key",
    "ssh key",
    "subscription key",
    "authorization",
    "cookie",
    "credential",
    "db pass",
    "smtp pass",
    "user pass",
    "otp",
    "seed phrase",
)
"""Words that make a name secret, wherever they stand in it; their plurals do too."""

# `token` is also what a model streams and `auth` often a mode, so that the value has a say.
_DOUBTFUL_NAMES = frozenset({("token",), ("auth",)})

# What ends in one of these is about a secret, and none: `password_policy`, `api_key_id`.
_ABOUT = frozenset({
    "algorithm", "at", "attempts", "banner", "budget", "class", "column", "consent", "cost",
    "count", "created", "days", "description", "dir", "domain", "enabled", "endpoint", "env",
    "error", "errors", "exists", "expiration", "expires", "expiry", "field", "file",
    "filename", "format", "header", "hint", "host", "hours", "id", "ids", "in", "kind",
    "label", "last", "left", "len", "length", "level", "limit", "manager", "max", "message",
    "method", "min", "minutes", "mode", "ms", "name", "names", "null", "number", "param",
    "path", "placeholder", "policy", "port", "prompt", "prompts", "provider", "regex",
    "region", "required", "reset", "rotation", "rule", "rules", "scheme", "seconds", "server",
    "servers", "set", "size", "source", "status", "store", "strength", "title", "total",
    "ttl", "type", "types", "updated", "uri", "url", "usage", "used", "valid", "validation",
    "validator", "var", "variable", "version",
})  # fmt: skip
_COUNTED = frozenset({
    "count", "has", "is", "max", "min", "need", "needs", "no", "num", "number", "require",
    "requires", "total",
})  # fmt: skip

_LONGEST_NAME = 128
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[^\W\d_a-zA-Z]+")


class Verdict(enum.IntEnum):
    """What a name says of its value."""

    HARMLESS = 0
    DOUBTFUL = 1
    SECRET = 2


def words_of(name: str) -> tuple[str, ...]:
    """Return the words of a name, in lower case, without its digits."""
    return tuple(word.lower() for word in _WORD.findall(name))


class SecretNames:
    """The names that say that what they name is a secret.

    Args:
        more: Names besides the built-in ones, in any case: ``"account_number"``.

    Raises:
        ValueError: One of them has no letters.
    """

    def __init__(self, more: Iterable[str] = ()) -> None:
        if isinstance(more, str):
            raise ValueError(f"keys to redact must be a list of names, got the text {more!r}")
        own = [words_of(name) if isinstance(name, str) else () for name in more]
        if () in own:
            raise ValueError(
                "a key to redact must be a name with letters, such as 'account_number'"
            )
        self._own = _any_of(own) if own else None
        # `pgpassword` and the like are written as one word.
        self._built_in = _any_of([("[a-z]*passw(?:or)?d",), *map(str.split, SECRET_NAMES)])
        self.hints = ("pass", "pwd", "secret", "token", "key", "auth", "cookie", "cred", "otp",
                      "phrase", *{max(words, key=len) for words in own})  # fmt: skip
        """Pieces in lower case of which each secret name holds at least one."""
        self._any_hint = Filter("|".join(map(re.escape, self.hints)))
        self._cached = functools.lru_cache(4096)(self._judge)

    def hinted(self, lower: str) -> bool:
        """Return whether a text in lower case may hold a secret name at all."""
        return self._any_hint.may_find(lower) and (
            lower.isascii() or any(hint in lower for hint in self.hints)
        )

    def judge(self, name: str) -> Verdict:
        """Return what a name says of its value."""
        return Verdict.HARMLESS if len(name) > _LONGEST_NAME else self._cached(name)

    def _judge(self, name: str) -> Verdict:
        words = words_of(name)
        joined = f"_{'_'.join(words)}_"
        if self._own is not None and self._own.search(joined):
            return Verdict.SECRET
        if words in _DOUBTFUL_NAMES:
            return Verdict.DOUBTFUL
        if not words or words[-1] in _ABOUT or words[0] in _COUNTED:
            return Verdict.HARMLESS
        return Verdict.SECRET if self._built_in.search(joined) else Verdict.HARMLESS


def _any_of(phrases: Iterable[Sequence[str]]) -> re.Pattern[str]:
    return re.compile(rf"_(?:{'|'.join(map('_'.join, phrases))})s?_")


def looks_random(text: str) -> bool:
    """Return whether a word looks like a credential: long, of mixed letters and digits."""
    if len(text) < 16 or text.isalpha() or any(map(str.isspace, text)):
        return False
    digits = sum(map(str.isdigit, text))
    if not digits or digits == len(text):
        return False
    return digits >= 3 or (text != text.lower() and text != text.upper())
