"""Ancestors that nobody needs any more, in chains of spans that outlive each other.

A task may start the next one inside of its span, and so on for ever. As each span keeps its parent
alive, no span of such a chain would ever be freed: the chain is cut above what has arrived.
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

from prefactor_trace import _fate

if TYPE_CHECKING:
    from prefactor_trace._record import Record

# Only one in so many of these spans goes up its chain: as far as it has grown since the last cut.
_STRIDE = 64
_outlived = itertools.count(1)


def note_outlived(span: Record) -> None:
    """Take note of a span that has ended after its parent."""
    if next(_outlived) % _STRIDE == 0:
        _cut_settled(span)


def _cut_settled(span: Record) -> None:
    """Of the nearest ancestor that has arrived, keep the parent's id in place of the parent."""
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
