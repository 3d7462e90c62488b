"""What a command says when it cannot do what it was asked to."""

from prefactor_trace.cli.codes import FAILED


class CommandError(Exception):
    """A command cannot go on; the message is the one line that the user sees.

    Args:
        message: What is wrong and what would be right.
        code: Exit code: `FAILED` for a wrong state of things, `MISUNDERSTOOD` for a wrong command.
    """

    def __init__(self, message: str, code: int = FAILED) -> None:
        super().__init__(message)
        self.code = code
