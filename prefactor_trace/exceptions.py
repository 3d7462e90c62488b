"""What this library can raise.

    Exception
    └── PrefactorError
        ├── DatabaseError                     a database that cannot be used
        ├── SettingsError (also ValueError)   a setting that cannot be used
        └── UsageError    (also TypeError)    a call that cannot mean anything

Only wrong settings (when `configure` or `Tracer` is called) and wrong use that a programmer must
see raise. Faults of the library itself, of the network and of the service never do.
"""


class PrefactorError(Exception):
    """Base of everything that this library raises."""


class DatabaseError(PrefactorError):
    """A database of the embedded Prefactor cannot be used; the message says why and which."""


class SettingsError(PrefactorError, ValueError):
    """A setting is unknown or has a value that cannot be used; the message names it."""


class UsageError(PrefactorError, TypeError):
    """A call cannot mean anything, such as a span whose payload is not a mapping."""
