"""docs/picture.svg: the same bytes everywhere, nothing from elsewhere, and what the program really prints."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

from tools import picture

ROOT = Path(__file__).parent.parent
SVG = "{http://www.w3.org/2000/svg}"


def lines(text: str) -> list[str]:
    """What a reader sees, line by line, with every piece where it stands."""
    rows: dict[int, str] = {}
    for element in ElementTree.fromstring(text).iter(f"{SVG}text"):
        row = round((int(element.attrib["y"]) - picture.BAR - picture.MARGIN) / picture.HEIGHT)
        column = round((float(element.attrib["x"]) - picture.MARGIN) / picture.ADVANCE)
        rows[row] = rows.get(row, "").ljust(column) + str(element.text)
    return [rows.get(row, "") for row in range(max(rows) + 1)]


def test_the_picture_shows_what_is_printed() -> None:
    session = [re.sub(r"\x1b\[[0-9;]*m", "", line) for line in picture.session()]
    assert lines(picture.page()) == session
    assert session[0] == "$ kubectl get pods" and sum("1/1     Running" in line for line in session) == 3
    assert any("LFS101" in line for line in session) and session[-1].startswith("next: kubectl litefs fix-cluster-id")


def test_nothing_of_it_comes_from_elsewhere() -> None:
    text = (ROOT / "docs" / "picture.svg").read_text("utf8")
    assert not re.findall(r"href|url\(|@import|<script|<style|<image|<foreignObject|on\w+=", text)
    assert re.findall(r"https?://[^\s\"]+", text) == ["http://www.w3.org/2000/svg"]
    assert text.isprintable() or not re.search(r"[^\x20-\x7e\n\u2500-\u257f]", text)


def test_it_is_as_wide_as_what_it_shows() -> None:
    root = ElementTree.fromstring(picture.page())
    for element in root.iter(f"{SVG}text"):
        assert float(element.attrib["x"]) + float(element.attrib["textLength"]) <= int(root.attrib["width"]) - picture.MARGIN + 1
        assert int(element.attrib["y"]) < int(root.attrib["height"])


def test_hostile_text_stays_text() -> None:
    text = picture.svg(["\x1b[1;31m<script>&\x1b[0m x"], "a < b")
    assert lines(text) == ["<script>& x"]
    with pytest.raises(ValueError, match="no colour"):
        picture.svg(["\x1b]8;;http://x\x07"], "")
    with pytest.raises(ValueError, match="has not"):
        picture.svg(["\x1b[35mpurple"], "")


def test_readme_shows_it_with_words_for_who_cannot_see_it() -> None:
    (words,) = re.findall(r"!\[([^\]]+)\]\(docs/picture\.svg\)", (ROOT / "README.md").read_text("utf8"))
    assert len(words) > 80
