"""Ancestors that nobody needs any more, in chains of spans that outlive each other.

A task that starts the next one inside of its span, and so on for ever, would keep every span of
the chain alive by its parent.
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

from prefactor_trace import _fate

if TYPE_CHECKING:
    from prefactor_trace._record import Record

# Each so many of these spans look up their chain, which costs its length since it was last cut.
_STRIDE = 64
_outlived = itertools.count(1)


def note_outlived(span: Record) -> None:
    """Take note of a span that has ended after its parent."""
    if next(_outlived) % _STRIDE == 0:
        _cut_settled(span)


def _cut_settled(span: Record) -> None:
    """Let go of the ancestors of what has arrived, in a chain of spans that outlive each other."""
    below: Record = span
    node: Any = span._parent
    while node is not None and not isinstance(node, str):
        if node._fate == _fate.SETTLED:
            if node._parent is not None and not isinstance(node._parent, str):
                node._parent = node._parent.id
            return
        if node._fate == _fate.LOST and not isinstance(node._parent, str):
            # Nobody may name it: what hung on it hangs on its parent.
            below._parent = node._parent
        else:
            below = node
        node = node._parent
