"""docs/picture.svg: a terminal as README.md shows it, drawn from what the program prints for a recorded cluster.

Own SVG, so that it is the same bytes whatever the version of rich; no script, no font and no address from elsewhere.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from html import escape

COLUMNS = 80
ADVANCE, HEIGHT, SIZE = 8.4, 19, 14  # of one character: width, line to line, font; pixels
MARGIN, BAR = 18, 36  # around the text; the window's bar on top
INK, FAINT, PAPER, FRAME = "#d9e0e8", "#93a0b0", "#11161d", "#2b3440"
COLORS = {"31": "#ff7b72", "32": "#7ee787", "33": "#e3b341", "36": "#76c7e6"}
"""SGR code -> ink; 1 is bold, 2 faint. The program uses no other codes."""

SGR = re.compile(r"(\x1b\[[0-9;]*m)")

Span = tuple[str, tuple[str, ...]]
"""Text, and the SGR codes it is printed with."""


def spans(text: str) -> Iterator[Span]:
    """A line with escape sequences in pieces. Raises ValueError for a sequence that is no colour."""
    codes: tuple[str, ...] = ()
    for piece in SGR.split(text):
        if SGR.fullmatch(piece):
            given = tuple(code for code in piece[2:-1].split(";") if code)
            if set(given) - {"0", "1", "2", *COLORS}:
                raise ValueError(f"a colour that this picture has not: {piece!r}")
            codes = () if not given or "0" in given else (*codes, *given)
        elif "\x1b" in piece:
            raise ValueError(f"an escape sequence that is no colour: {piece!r}")
        elif piece:
            yield piece, codes


def drawn(line: str, row: int) -> Iterator[str]:
    """One line as <text>; each piece has its place and its width, so that any monospace font does."""
    column = 0
    for text, codes in spans(line):
        inner = text.strip(" ")
        at = column + len(text) - len(text.lstrip(" "))
        column += len(text)
        if not inner:
            continue
        ink = FAINT if "2" in codes else next((COLORS[c] for c in codes if c in COLORS), INK)
        bold = ' font-weight="bold"' if "1" in codes else ""
        place = f'x="{MARGIN + at * ADVANCE:.1f}" y="{BAR + MARGIN + row * HEIGHT}" textLength="{len(inner) * ADVANCE:.1f}"'
        yield f'<text {place} fill="{ink}"{bold}>{escape(inner, quote=False)}</text>'


def svg(lines: Sequence[str], title: str) -> str:
    """The whole picture."""
    longest = max(sum(len(text) for text, _ in spans(line)) for line in lines)
    width = round(2 * MARGIN + max(COLUMNS, longest) * ADVANCE)
    height = BAR + MARGIN + len(lines) * HEIGHT
    body = "\n".join(text for row, line in enumerate(lines) for text in drawn(line, row))
    return f"""\
<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" role="img">
<title>{escape(title, quote=False)}</title>
<rect x="0.5" y="0.5" width="{width - 1}" height="{height - 1}" rx="8" fill="{PAPER}" stroke="{FRAME}"/>
<circle cx="20" cy="18" r="5" fill="#ff7b72"/><circle cx="38" cy="18" r="5" fill="#e3b341"/><circle cx="56" cy="18" r="5" fill="#7ee787"/>
<g font-family="ui-monospace,SFMono-Regular,Menlo,Consolas,'DejaVu Sans Mono','Liberation Mono',monospace" font-size="{SIZE}" xml:space="preserve">
{body}
</g>
</svg>
"""


def session() -> list[str]:
    """What is typed and what is printed: all pods well, and then the worst finding as far as the command that looks into it."""
    from kubectl_litefs import app
    from kubectl_litefs.demo import DEFAULT, path
    from kubectl_litefs.render import text
    from kubectl_litefs.render.pods import get_pods

    report = app.diagnose_bundle(path(DEFAULT))
    told = text.render(report, width=COLUMNS, color=True, verbose=False, show_all=False, fancy=True)
    cluster, worst, *_, closing = told.rstrip("\n").split("\n\n")
    block = worst.split("\n")
    steps = next(i for i, line in enumerate(block) if "".join(t for t, _ in spans(line)).startswith("  do "))
    return [
        prompt("kubectl get pods"), *get_pods(report).rstrip("\n").split("\n"), "",
        prompt("kubectl litefs diagnose"), *cluster.split("\n"), "", *block[:steps], "  \x1b[2m[...] what to do in steps, what was seen, why it comes about\x1b[0m", "",
        *closing.split("\n"),
    ]  # fmt: skip


def prompt(command: str) -> str:
    return f"\x1b[32m$\x1b[0m \x1b[1m{command}\x1b[0m"


def page() -> str:
    return svg(session(), "All pods are Running and Ready; kubectl litefs diagnose names the replica that serves old data, and what to type next.")
