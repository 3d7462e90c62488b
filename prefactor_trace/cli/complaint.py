"""What a command says when it cannot do what it was asked to."""


class CommandError(Exception):
    """A command cannot go on; the message is the one line that the user sees.

    Args:
        message: What is wrong and what would be right.
        code: Exit code: 1 for a wrong state of things, 2 for a wrong command.
    """

    def __init__(self, message: str, code: int = 1) -> None:
        super().__init__(message)
        self.code = code
