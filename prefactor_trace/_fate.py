"""How far a record has come on its way to the service; the pipeline alone writes it.

The numbers matter: `NEW` is false, and a span with one below `SETTLED` takes room in the buffer.
"""

from __future__ import annotations

NEW = 0  # not seen by the pipeline yet
WAITING = 1  # seen, no request made for it yet
OPEN = 2  # its create as active is on its way or has arrived: its finish must follow
CREATED = 3  # its whole create, or its register, is on its way or has arrived
SETTLED = 4  # its end has been answered
LOST = 5  # dropped or rejected: no other span may name it as its parent
INHERITED = 6  # begun by the process that this one was forked from, perhaps not yet sent by it
ELSEWHERE = 7  # begun by another process, which tells how it ends
