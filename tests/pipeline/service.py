"""A service in memory that does as a test tells it, by the rules of the bulk endpoint."""

import json
from collections.abc import Callable
from typing import Any

from prefactor_trace._transport import Answer

Content = dict[str, Any]


class Service:
    """Answers bulk requests: by its list of answers first, then item by item.

    Attributes:
        answers: Answers, or what makes one of a request's content, for the next requests.
        refuse: Returns the error of an item, or nothing.
        applied: The items that took effect, in order, each once.
    """

    def __init__(self) -> None:
        self.answers: list[Answer | Callable[[Content], Answer]] = []
        self.refuse: Callable[[Content], Content | None] = lambda item: None
        self.applied: dict[str, Content] = {}

    def __call__(self, content: Content) -> Answer:
        """Answer a request."""
        if self.answers:
            answer = self.answers.pop(0)
            return answer(content) if callable(answer) else answer
        return self.process(content)

    def process(self, content: Content) -> Answer:
        """Carry out the items up to the first that is refused."""
        outputs = {}
        for item in content["items"]:
            key = item["idempotency_key"]
            error = None if key in self.applied else self.refuse(item)
            outputs[key] = error or {"status": "success"}
            if error:
                break
            if key in self.applied:
                assert self.applied[key] == item, "the same key with other content"
            self.applied[key] = item
        return Answer(200, json.dumps({"status": "success", "outputs": outputs}).encode())

    def lose_answer(self, content: Content) -> Answer:
        """Carry the items out, and have the connection reset before the answer arrives."""
        self.process(content)
        return Answer(0, error="ReadError: connection reset")

    def names(self) -> list[str]:
        """Return what took effect as action and name, in order."""
        return [short(item) for item in self.applied.values()]


def short(item: Content) -> str:
    """Return an item's action, with the span's own name where it has one."""
    action = item["_type"].partition("/")[2]
    if item["_type"] == "agent_spans/create":
        return f"create {own_name(item)} {item['details']['status']}"
    return f"finish span {item['status']}" if item["_type"] == "agent_spans/finish" else action


def own_name(item: Content) -> str:
    """Return the schema name that the agent gave to the span of a create."""
    details = item.get("details", {})
    return details.get("payload", {}).get("prefactor.schema_name", details.get("schema_name", ""))


def error(code: str, **errors: str) -> Content:
    """Return the output of an item that failed."""
    return {"status": "error", "code": code, "message": f"it is {code}", "errors": errors}


def refuse_name(name: str, code: str = "validation_errors") -> Callable[[Content], Content | None]:
    """Return a rule that refuses the creates of spans of one name."""
    return lambda item: error(code) if own_name(item) == name else None
