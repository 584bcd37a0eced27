"""`python -m kubectl_litefs` and the console scripts."""

from __future__ import annotations

import sys


def run() -> None:
    """Run and exit. Ctrl-C is 130 from the first import on."""
    try:
        from .cli.main import main

        code = main()
    except KeyboardInterrupt:
        code = 130
    sys.exit(code)


def complete() -> None:
    """`kubectl_complete-litefs`, which kubectl runs for completion: the words typed are its arguments."""
    sys.argv.insert(1, "__complete")
    run()


if __name__ == "__main__":
    run()
