"""Makes ``python -m prefactor_trace.cli`` the same as ``prefactor-trace``."""

import sys

from prefactor_trace.cli.command_line import main

if __name__ == "__main__":
    sys.exit(main())
