"""The exit codes of ``prefactor-trace``, which docs/command-line.md lists."""

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
