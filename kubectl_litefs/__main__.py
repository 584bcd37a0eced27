"""`python -m kubectl_litefs` and the console script `kubectl-litefs`."""

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


if __name__ == "__main__":
    run()
