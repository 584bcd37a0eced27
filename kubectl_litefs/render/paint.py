"""Lines of styled pieces, and how they become text. Nothing in a piece is ever read as markup."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

Piece = tuple[str, str]
"""(text, style name); the style may be empty."""

Line = tuple[Piece, ...]

STYLES = {
    "error": "bold red",
    "warning": "bold yellow",
    "info": "cyan",
    "good": "green",
    "strong": "bold",
    "faint": "dim",
    "command": "bold cyan",
}


def line(*pieces: str | Piece) -> Line:
    """A line of plain strings and (text, style) pairs."""
    return tuple((p, "") if isinstance(p, str) else p for p in pieces)


def plain(lines: Iterable[Line]) -> str:
    """Without colour; blanks at the end of a line go."""
    return "\n".join("".join(text for text, _ in pieces).rstrip() for pieces in lines) + "\n"


def colored(lines: Sequence[Line]) -> str:
    """With ANSI colours, by rich; no wrapping, no markup, no emoji, no highlighting."""
    import io

    from rich.console import Console
    from rich.text import Text

    out = io.StringIO()
    console = Console(
        file=out, force_terminal=True, color_system="standard", width=10_000, no_color=False,
        markup=False, emoji=False, highlight=False, legacy_windows=False, _environ={},
    )  # fmt: skip
    for pieces in lines:
        text = Text(no_wrap=True, overflow="ignore", end="")
        for words, style in pieces:
            text.append(words, STYLES.get(style) or None)
        text.rstrip()
        console.print(text, soft_wrap=True)
    return out.getvalue()
