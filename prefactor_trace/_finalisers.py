"""Finalisers that set a context variable, made safe where the interpreter does not do it.

Before CPython 3.12 the garbage collector may run in the midst of `ContextVar.set`, which goes on
afterwards with the mapping that the context had. A finaliser that sets a variable meanwhile (a
generator that is closed with a span open is enough) frees that mapping: the interpreter crashes.
"""

from __future__ import annotations

import contextvars
import gc
import itertools
import sys
from collections import deque
from functools import partial

# One call of `set` allocates a few times, and each time the collector may run. It calls twice.
_COLLECTIONS_KEPT = 8

_kept: deque[contextvars.Context] = deque(maxlen=2 * _COLLECTIONS_KEPT)


class _Keeper:
    """Keeps the context when its `step` is read.

    Reading it calls ``_kept.extend(keeper)``, and iterating over a keeper gives one copy of the
    context. All of that runs in C: Ctrl-C, or another signal, that comes while the collector runs
    raises in the first line of Python after it. If that line were in a callback of the collector's,
    the exception would be printed and forgotten, and the program would go on.
    """

    __iter__ = partial(itertools.islice, iter(contextvars.copy_context, None), 1)
    step = property(_kept.extend)


# The collector calls it with two arguments, which it ignores, and it reads the step of its own. The
# step is formatted by the name of its class, which is text already: to make text of anything else,
# CPython would look for signals.
_keep_context = partial("{0.step.__class__.__name__}".format, _Keeper())


def protect() -> None:
    """Keep what each collection finds as the context until some collections later."""
    if sys.version_info < (3, 12) and _keep_context not in gc.callbacks:
        gc.callbacks.append(_keep_context)
