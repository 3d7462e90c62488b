"""What a command says when it cannot go on."""

from prefactor_trace.cli.complaint import CommandError


def test_carries_message_and_code() -> None:
    """A complaint is one message with an exit code, 1 when none is given."""
    assert str(CommandError("no such thing")) == "no such thing"
    assert (CommandError("x").code, CommandError("x", 2).code) == (1, 2)
