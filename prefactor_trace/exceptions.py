"""What this library can raise.

    Exception
    └── PrefactorError
        ├── DatabaseError                     a database that cannot be used
        ├── PrefactorTerminated               the platform ended the run, where that was asked for
        ├── SettingsError (also ValueError)   a setting that cannot be used
        └── UsageError    (also TypeError)    a call that cannot mean anything

Only wrong settings (when `configure` or `Tracer` is called) and wrong use that a programmer must
see raise. Faults of the library itself, of the network and of the service never do.
"""


class PrefactorError(Exception):
    """Base of everything that this library raises."""


class DatabaseError(PrefactorError):
    """A database of the embedded Prefactor cannot be used; the message says why and which."""


class PrefactorTerminated(PrefactorError):  # noqa: N818  # the platform's word for it
    """The platform ended the run: a person, or a rule, stops the agent.

    Attributes:
        instance_id: PFID of the instance.
        reason: Why it was ended, ``None`` when the platform did not say.
    """

    def __init__(self, instance_id: str, reason: str | None = None) -> None:
        super().__init__(instance_id, reason)
        self.instance_id = instance_id
        self.reason = reason

    def __str__(self) -> str:
        why = f": {self.reason}" if self.reason else ""
        return f"the platform ended the run {self.instance_id}{why}"


class SettingsError(PrefactorError, ValueError):
    """A setting is unknown or has a value that cannot be used; the message names it."""


class UsageError(PrefactorError, TypeError):
    """A call cannot mean anything, such as a span whose payload is not a mapping."""
