"""How a command ends: its exit code, which docs/command-line.md lists, and what it complains of."""

DONE = 0
FAILED = 1
"""It could not be done, or not all of it; the reason is on standard error."""

MISUNDERSTOOD = 2
"""The command was not understood."""

DIFFERENT = 3
"""`diff --exit-code` or `schema` found what was asked for: a difference, an omission."""

INTERRUPTED = 130
"""What a shell reports of a program that Ctrl-C ended."""

BROKEN_PIPE = 141
"""What a shell reports of a program that wrote into a closed pipe."""


class CommandError(Exception):
    """A command cannot go on; the message is the one line that the user sees.

    Args:
        message: What is wrong and what would be right.
        code: Exit code: `FAILED` for a wrong state of things, `MISUNDERSTOOD` for a wrong command.
    """

    def __init__(self, message: str, code: int = FAILED) -> None:
        super().__init__(message)
        self.code = code
