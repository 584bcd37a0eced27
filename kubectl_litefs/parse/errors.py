"""What a reader of this package may raise, and always catches itself."""

from __future__ import annotations


class ShellError(ValueError):
    """A script that this reader does not understand. What it does is unknown then, nothing else."""
