"""What was looked through before, and needs no second look."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from prefactor_trace._capture.redaction_values import KnownSecrets
from prefactor_trace._capture.truncation import shown_of

JSON_BEGINS = "{[ \n"
"""What text in JSON may begin with, if it has names."""

LARGE = 10_000_000
"""A number of at least eight digits, which may be a known value."""

_LONGEST_KEPT = 64  # characters of a text that is likely to come again, made anew
_MOST_KEPT = 8_192
_MOST_CHARACTERS = 1_000_000  # of the longer texts that are kept
_MOST_LOOKED_AT = 4_096  # characters of a text that is not looked at twice, if it is not clean
_LONGEST_SECRET = 16_384  # characters, but for keys
_IN_FRONT = 100  # characters in front of one, which say that it is
_KEYS = "PRIVATE KEY"  # in front of one, or of a ring of them, which may be of any length
_MAX_DEPTH = 20
_CONVERSATION = range(8, 500)  # messages
_MOST_CONVERSATIONS = 4  # that are kept

# Keys that say something of the other values of their mapping.
_TELLING_KEYS = frozenset({"value", "values", "Value", "head"})


class CleanTexts(set[str]):
    """Short texts in which no secret was found: keys, roles and models come again and again.

    Looking one up takes a tenth of looking through it. Of longer texts the very objects are known:
    an agent sends its instructions, and all that was said before, with each call of a model. To
    look them up by what they say would mean to go through them.

    Args:
        known: Secrets that were known when the texts were looked through.
        limit: Bytes that payloads are cut to, if they are. Of a text that is much longer only the
            ends are looked through: nothing else of it is sent.

    Attributes:
        harmless: Those that were met as keys and say nothing of any value.
    """

    def __init__(self, known: KnownSecrets, limit: int | None = None) -> None:
        super().__init__()
        self._limit = limit
        self.harmless: set[str] = set()
        self._long: dict[int, str] = {}  # by identity, which is theirs as long as they are kept
        self._characters = 0  # in those
        self._not_kept = 0  # longer texts that were met, and how often all were forgotten
        # Made anew with each, since another thread may go through them.
        self._conversations: tuple[list[Any], ...] = ()
        self._known = known
        self._version = known.version

    def renew(self) -> None:
        """Forget all texts, if another secret is known by now."""
        if self._version != self._known.version:
            self._version = self._known.version
            self.clear()
            self.harmless.clear()
            self._forget_long()

    def keep(self, text: str) -> None:
        """Remember a text, unless it is longer than all that is kept."""
        size = len(text)
        if size <= _LONGEST_KEPT:
            if len(self) >= _MOST_KEPT:
                self.clear()
                self.harmless.clear()
            self.add(text)
        elif size > _MOST_CHARACTERS:
            self._not_kept += 1
        else:
            if self._characters + size > _MOST_CHARACTERS:
                self._forget_long()
            self._characters += size
            self._long[id(text)] = text

    def _forget_long(self) -> None:
        self._long.clear()
        self._conversations = ()  # so that these hold about as many characters at most
        self._not_kept += 1
        self._characters = 0

    def knows(self, text: str) -> bool:
        """Return whether a text was looked through before."""
        if len(text) <= _LONGEST_KEPT:
            return text in self
        return self._long.get(id(text)) is text

    def keep_harmless(self, key: str) -> None:
        """Remember a clean text that was met as a key and says nothing of its value."""
        if key not in _TELLING_KEYS:
            if len(self.harmless) >= _MOST_KEPT:
                self.harmless.clear()
            self.harmless.add(key)

    def covers(self, value: Any, is_clean: Callable[[str], bool], depth: int = 0) -> bool:
        """Return whether it is plain that there is no secret in a mapping or a list.

        Finding out takes a fifth of a walk. What is not plain may still be clean.

        Args:
            value: The mapping or list, of plain JSON.
            is_clean: Looks through a text that is not remembered.
            depth: How deep in the payload it stands.
        """
        if type(value) is list:
            return self._covers_list(value, is_clean, depth)
        return self.harmless.issuperset(value) and self._covers_all(value.values(), is_clean, depth)

    def _covers_list(self, value: list[Any], is_clean: Callable[[str], bool], depth: int) -> bool:
        before = self._known_before(value)
        content = value[len(before) :] if before else value
        not_kept = self._not_kept
        if not (_is_plain_list(content) and self._covers_all(content, is_clean, depth)):
            return False
        if content and not_kept == self._not_kept:
            self._keep_conversation(before, value)
        return True

    def _covers_all(
        self, values: Iterable[Any], is_clean: Callable[[str], bool], depth: int
    ) -> bool:
        long = self._long
        for item in values:
            kind = type(item)
            if kind is str:
                # Most are known: to find that out without a call takes half.
                known = item in self if len(item) <= _LONGEST_KEPT else long.get(id(item)) is item
                if not known and not self._covers_text(item, is_clean):
                    return False
            elif kind is int or kind is float:  # a float is no secret, but equal to what may be
                if not -LARGE < item < LARGE:
                    return False
            elif (kind is dict or kind is list) and (
                depth >= _MAX_DEPTH or not self.covers(item, is_clean, depth + 1)
            ):
                return False
        return True

    def _keep_conversation(self, before: list[Any], messages: list[Any]) -> None:
        """Keep a conversation that was looked through, in the place of the one before."""
        if _is_conversation(messages):
            # Not the new copy of what was said before, whose texts may be others, and uncounted.
            longer = [*before, *messages[len(before) :]]
            others = [one for one in self._conversations if one is not before]
            self._conversations = (*others, longer)[-_MOST_CONVERSATIONS:]

    def _known_before(self, messages: list[Any]) -> list[Any]:
        """Return a conversation that was looked through, and that begins this one; empty if none.

        To compare what was said before takes a tenth of looking through it, and runs no code of the
        agent's: these are plain copies, of the same texts.
        """
        if _is_conversation(messages):
            known: list[Any]
            for known in reversed(self._conversations):
                count = len(known)
                if count <= len(messages) and known == messages[:count]:
                    return known
        return []

    def _covers_text(self, text: str, is_clean: Callable[[str], bool]) -> bool:
        is_short = len(text) <= _MOST_LOOKED_AT
        if not (is_clean(text) if is_short else self._covers_long(text, is_clean)):
            return False
        self.keep(text)
        return True

    def _covers_long(self, text: str, is_clean: Callable[[str], bool]) -> bool:
        """Return whether it is plain that there is no secret in what is sent of a long text."""
        if self._limit is None or text[0] in JSON_BEGINS:
            return False
        # A secret that reaches into what is shown begins, or ends, within so many characters; where
        # there is no space in it, it may be longer, and shows by how it begins.
        shown = shown_of(self._limit)
        reach = shown + max(_LONGEST_SECRET, self._known.longest)
        if len(text) <= max(self._limit, 3 * reach) or text.rfind(_KEYS) >= 0:
            return False
        looked_at = [text[:reach], text[-reach:]]
        begin = max(text.rfind(space, 0, len(text) - shown) for space in " \n")
        if begin < len(text) - reach:
            looked_at.append(text[max(0, begin - _IN_FRONT) : begin + _LONGEST_SECRET])
        return all(is_clean(part.lstrip(JSON_BEGINS)) for part in looked_at)


def _is_conversation(value: list[Any]) -> bool:
    """Return whether a list may come again, longer: it has many messages, or other mappings."""
    return len(value) in _CONVERSATION and type(value[0]) is dict


def _is_plain_list(value: list[Any]) -> bool:
    """Return whether no item says something of another, as in a pair or behind `--password`."""
    for item in value:
        kind = type(item)
        if kind is list or (kind is str and item[:1] == "-"):
            return False
    return True
