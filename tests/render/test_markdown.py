"""Markdown for a pull request. markdown-it reads it as GitHub does: CommonMark with tables and raw HTML."""

from __future__ import annotations

import re

import pytest
from markdown_it import MarkdownIt

from kubectl_litefs import engine
from kubectl_litefs.app import diagnose_bundle
from kubectl_litefs.demo import SCENARIOS, path
from kubectl_litefs.model.rule import Severity
from kubectl_litefs.model.suppression import Suppression
from kubectl_litefs.parse.assemble import assemble
from kubectl_litefs.render import markdown

from ..harness import snapshot
from .reports import judged, passes, says

READER = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
NAMES = ("abaci-app-0", "abaci-app-1", "abaci-app-2")
TAGS = r"</?(?:h3|p|strong|table|thead|tbody|tr|th|td|details|summary|ol|ul|li|pre|code)(?: style=\"[^\"]*\")?>|<!-- [\w -]*-->|<!-- -->"


def shown(text: str) -> str:
    """The HTML; nothing but the tags that the renderer itself makes may be in it."""
    html = str(READER.render(text))
    assert not re.search(r"<", re.sub(TAGS, "", html)), re.sub(TAGS, "", html)
    assert html.count("<details>") == html.count("</details>")
    return html


@pytest.mark.parametrize("name", SCENARIOS)
def test_every_recording(name: str) -> None:
    report = diagnose_bundle(path(name))
    text = markdown.render(report)
    html = shown(text)
    assert text.startswith(markdown.MARK)
    assert html.count("<tr>") == (len(report.findings) + 1 if report.findings else 0)
    for finding in report.findings:
        assert finding.rule in html
        for command in finding.commands:
            assert command in re.sub(r"&(lt|gt|quot|amp);", lambda m: {"lt": "<", "gt": ">", "quot": '"', "amp": "&"}[m[1]], html)


@pytest.mark.parametrize(
    "evil",
    [
        "<script>alert(1)</script>", "</details><h1>all is well</h1>", "a | b | c", "```\nall is well\n```", "[click](http://evil.example)",
        "![x](http://evil.example/x.png)", "**bold** _it_ ~~gone~~ `code`", "# head", "- item", "1. item", "<!-- --> <img src=x>", "&lt;b&gt;",
        "http://evil.example www.evil.example", "\x1b[2J\u202e", "$x^2$ $$y$$", "\\| \\\\", "> quote", "+ plus", "===",
    ],
)  # fmt: skip
def test_what_comes_from_a_cluster_is_never_markup(evil: str) -> None:
    report = judged(says("LFS101", ["abaci-app-1"], evil, impact=evil, cause=evil, fix=(evil, evil), commands=[evil]))
    html = shown(markdown.render(report))
    plain = shown(markdown.render(judged(says("LFS101", ["abaci-app-1"], "x", impact="x", cause="x", fix=("x", "x"), commands=["x"]))))
    assert re.findall(r"<(\w+)", html) == re.findall(r"<(\w+)", plain), "the same structure as with a plain word"


@pytest.mark.parametrize("text", ["@octo/team look", "see #123", "GH-12", "mail a@b.example"])
def test_nobody_is_called_and_nothing_is_referred_to(text: str) -> None:
    written = markdown.escape(text)
    assert re.search(r"(@|#|GH-)<!-- -->", written)
    assert re.sub(r"<!--.*?-->|<[^>]*>", "", READER.render(written)).strip() == text


def test_what_could_not_be_seen_is_in_the_verdict() -> None:
    text = markdown.render(judged(passes("LFS101", reads=("info",)), info=dict.fromkeys(NAMES), logs=dict.fromkeys(NAMES)))
    assert "1 could not look" in text
    assert "Could not look into abaci/abaci-app: nothing is known of its state." in text
    assert "<details><summary>1 check could not look</summary>" in text


def test_suppressed_findings_are_listed_and_not_counted() -> None:
    report = engine.judge(assemble(snapshot()), (says("LFS101"), says("LFS208", severity=Severity.INFO)), (Suppression("LFS101", "--ignore", reason="a | b"),))
    text = markdown.render(report)
    assert "**0 errors, 0 warnings, 1 note, 1 suppressed; 0 checks passed.**" in text
    assert "- LFS101 made-up-fault on statefulset/abaci-app: a \\| b (--ignore)" in text
    assert shown(text).count("<tr>") == 2


def test_a_comment_fits_however_much_was_found() -> None:
    rules = [says(f"LFS{n}", ["abaci-app-1"], "is wrong " * 100, commands=["kubectl get " + "x" * 500]) for n in range(100, 200)]
    text = markdown.render(judged(*rules))
    assert len(text) < 65_536
    assert re.search(r"\d+ findings more than fit here", text)
    assert "| 50 more |" in text
    shown(text)
