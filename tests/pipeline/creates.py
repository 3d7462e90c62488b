"""Creates of spans, made and read."""

import json

from prefactor_trace._pipeline import items


def create(span, writer, status=None):
    """Make the create of a span, and read it."""
    return items.create(span, status or span._status, span._payload, writer, 1)


def details(item):
    """Return the details of a create."""
    return json.loads(item.body)["details"]


def known(run, *names):
    """Have the instance's types registered."""
    run._declared = frozenset((*names, "undeclared"))
