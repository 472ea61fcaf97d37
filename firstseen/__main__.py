"""Starts `firstseen` and `python -m firstseen`: Ctrl-C is answered before the command line is loaded."""

import sys

from firstseen.commands import interruption


def main() -> None:
    """Runs the command line and exits with its code."""
    interruption.leave_at_once(sys.argv[1:])
    # Typer and what the verbs need take most of the start: they are imported when Ctrl-C has its answer.
    from firstseen.commands import running

    running.main()


if __name__ == "__main__":
    main()
