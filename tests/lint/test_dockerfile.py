"""Dockerfiles as the builder reads them: every text is our own."""

from __future__ import annotations

import pytest

from kubectl_litefs.model.image import File, Image
from kubectl_litefs.model.origin import TextOrigin
from kubectl_litefs.parse.files.docker_lines import instructions
from kubectl_litefs.parse.files.docker_packages import installed
from kubectl_litefs.parse.files.dockerfile import read_dockerfile


def image(text: str, files: dict[str, str] | None = None) -> Image:
    given = files or {}
    found = read_dockerfile("Dockerfile", text, lambda p: File(given[p], TextOrigin(p)) if p in given else None)
    assert found is not None
    return found


def env(text: str) -> dict[str, str | None]:
    return {name: setting.value for name, setting in image(text).env.items()}


LINES = [
    ("FROM a\nRUN x \\\n  y\n", [("FROM", "a", 1), ("RUN", "x   y", 2)]),
    ("FROM a\nRUN x \\\n# said between\n\n  y\nUSER u", [("FROM", "a", 1), ("RUN", "x   y", 2), ("USER", "u", 6)]),
    ("# escape=`\nFROM a\nRUN c:\\dir `\n y", [("FROM", "a", 2), ("RUN", "c:\\dir  y", 3)]),
    ("# said first\n# escape=`\nFROM a `\nUSER u", [("FROM", "a `", 3), ("USER", "u", 4)]),
    ("FROM a\nRUN <<EOF\nFROM b\nUSER c\nEOF\nUSER d", [("FROM", "a", 1), ("RUN", "<<EOF", 2), ("USER", "d", 6)]),
    ("FROM a\nRUN <<-'X' <<Y\n\tUSER c\n\tX\nq\nY\nUSER d", [("FROM", "a", 1), ("RUN", "<<-'X' <<Y", 2), ("USER", "d", 7)]),
    ("from a\n  user u", [("FROM", "a", 1), ("USER", "u", 2)]),
    ("FROM a\nRUN x \\   \n y", [("FROM", "a", 1), ("RUN", "x  y", 2)]),
    ("FROM a\nRUN x \\", [("FROM", "a", 1), ("RUN", "x", 2)]),
    ("FROM a\nRUN <<EOF\nnever closed", [("FROM", "a", 1), ("RUN", "<<EOF", 2)]),
    ("", []),
]


@pytest.mark.parametrize(("text", "expected"), LINES, ids=[str(i) for i in range(len(LINES))])
def test_lines_become_instructions(text: str, expected: list[tuple[str, str, int]]) -> None:
    assert [(i.name, i.rest, i.line) for i in instructions(text)] == expected


ENV = [
    ("ENV A=1 B=2", {"A": "1", "B": "2"}),
    ('ENV A="two words" B=\'$x\' C=a\\ b', {"A": "two words", "B": "$x", "C": "a b"}),
    ("ENV A all the rest", {"A": "all the rest"}),
    ("ENV A=1\nENV B=$A C=${A}2 D=$NONE", {"A": "1", "B": "1", "C": "12", "D": ""}),
    ("ENV A=1\nENV A=2 B=$A", {"A": "2", "B": "1"}),
    ("ENV B=${A:-x} C=${A:+y} D=\\$A", {"B": "x", "C": "", "D": "$A"}),
    ("ENV A=1\nENV B=${A:-x} C=${A:+y}", {"A": "1", "B": "1", "C": "y"}),
    ("ARG P=5\nENV A=$P", {"A": "5"}),
    ("ARG P\nENV A=$P", {"A": None}),
    ("ARG P=5\nENV P=6\nENV A=$P", {"P": "6", "A": "6"}),
    ('ENV A="x y"\nENV B=$A C="$A"', {"A": "x y", "B": "x y", "C": "x y"}),
    ("ENV A=1 \\\n    B=2", {"A": "1", "B": "2"}),
    ("ENV A=$A", {"A": ""}),
]


@pytest.mark.parametrize(("text", "expected"), ENV, ids=[str(i) for i in range(len(ENV))])
def test_env_is_filled_in(text: str, expected: dict[str, str | None]) -> None:
    assert env(f"FROM alpine\n{text}\n") == expected


def test_an_argument_from_above_needs_its_name_again() -> None:
    assert env("ARG V=1\nFROM alpine\nENV A=$V\n") == {"A": ""}
    assert env("ARG V=1\nFROM alpine\nARG V\nENV A=$V\n") == {"A": "1"}
    assert image("ARG V=3.20\nFROM alpine:$V\n").base == "alpine:3.20"


def test_only_the_final_stage_counts() -> None:
    built = image(
        "FROM golang AS build\nENV HOSTNAME=x\nUSER 7\nRUN apk add fuse3\nCMD [\"a\"]\n"
        "FROM alpine\nRUN apk add --no-cache sqlite=3.1-r0 ca-certificates\nCOPY --from=build /a /b\n"
    )
    assert (dict(built.env), built.user, built.cmd) == ({}, None, None)
    assert set(built.packages) == {"sqlite", "ca-certificates"}
    assert set(built.elsewhere) == {"fuse3"}


def test_a_stage_inherits_from_the_one_that_it_names() -> None:
    built = image(
        "FROM debian:12 AS base\nENV A=1\nUSER app\nRUN apt-get install -y fuse3\nWORKDIR /srv\n"
        "FROM base AS other\nENV A=2\nFROM --platform=linux/amd64 BASE\nENV B=3\nWORKDIR sub\n"
    )
    assert {n: s.value for n, s in built.env.items()} == {"A": "1", "B": "3"}
    assert built.user is not None
    assert (built.user.value, built.workdir, set(built.packages)) == ("app", "/srv/sub", {"fuse3"})
    assert built.base == "debian:12"


COMMANDS = [
    ('CMD ["a", "b"]', None, ("a", "b")),
    ("CMD a && b", None, ("/bin/sh", "-c", "a && b")),
    ('ENTRYPOINT ["e"]\nCMD ["c"]', ("e",), ("c",)),
    ('CMD ["c"]\nENTRYPOINT ["e"]', ("e",), ("c",)),
    ('SHELL ["/bin/bash", "-ec"]\nCMD a', None, ("/bin/bash", "-ec", "a")),
    ("CMD ['a']", None, ("/bin/sh", "-c", "['a']")),
    ("CMD []", None, ()),
]


@pytest.mark.parametrize(("text", "entrypoint", "cmd"), COMMANDS, ids=[str(i) for i in range(len(COMMANDS))])
def test_commands(text: str, entrypoint: tuple[str, ...] | None, cmd: tuple[str, ...] | None) -> None:
    built = image(f"FROM alpine\n{text}\n")
    assert (built.entrypoint.words if built.entrypoint else None, built.cmd.words if built.cmd else None) == (entrypoint, cmd)


def test_an_entrypoint_takes_away_the_command_that_was_inherited() -> None:
    assert image('FROM alpine AS a\nCMD ["c"]\nFROM a\nENTRYPOINT ["e"]\n').cmd is None


PACKAGES = [
    ("apt-get update && apt-get install -y --no-install-recommends fuse3=3.1 sqlite3 && rm -rf /var", {"fuse3", "sqlite3"}, True),
    ("apk add --no-cache fuse3 bash", {"fuse3", "bash"}, True),
    ("apk --no-cache add fuse3", {"fuse3"}, True),
    ("set -e; dnf -y install fuse3; dnf clean all", {"fuse3"}, True),
    ("apt-get install -y $PACKAGES", set(), False),
    ("curl -sSL https://x | bash", set(), False),
    ("./install.sh", set(), False),
    ("npm ci && npm install fuse3", set(), True),
    ("echo apt-get installs fuse3", set(), True),
    ("apt-get install -y fuse3/bookworm libfuse3-3:amd64", {"fuse3", "libfuse3-3"}, True),
]


@pytest.mark.parametrize(("text", "packages", "known"), PACKAGES, ids=[str(i) for i in range(len(PACKAGES))])
def test_packages(text: str, packages: set[str], known: bool) -> None:
    found = installed(text)
    assert (set(found.packages), found.known) == (packages, known)


COPIES = [
    ("COPY litefs.yml /etc/litefs.yml", "/etc/litefs.yml"),
    ("COPY litefs.yml /etc/", "/etc/litefs.yml"),
    ("COPY ./litefs.yml /etc", "/etc/litefs.yml"),
    ("COPY --chown=a:b --chmod=644 litefs.yml /etc/litefs.yml", "/etc/litefs.yml"),
    ('COPY ["litefs.yml", "/etc/litefs.yml"]', "/etc/litefs.yml"),
    ("WORKDIR /app\nCOPY litefs.yml .", "/app/litefs.yml"),
    ("WORKDIR /app\nCOPY litefs.yml ./conf/", "/app/conf/litefs.yml"),
    ("ENV D=/etc\nCOPY litefs.yml $D/litefs.yml", "/etc/litefs.yml"),
    ("ADD litefs.yml other /etc/", "/etc/litefs.yml"),
]


@pytest.mark.parametrize(("text", "path"), COPIES, ids=[str(i) for i in range(len(COPIES))])
def test_copies(text: str, path: str) -> None:
    assert image(f"FROM alpine\n{text}\n", {"litefs.yml": "x"}).files[path].text == "x"


def test_copies_of_heredocs_and_of_stages() -> None:
    built = image("FROM alpine AS a\nENV V=1\nCOPY <<EOF /x/f\nv: $V\nEOF\nCOPY <<'Q' /x/g\nv: $V\nQ\nFROM alpine\nCOPY --from=a /x/f /y/\nCOPY --from=0 /x/g /z\n")
    assert {p: f.text for p, f in built.files.items()} == {"/y/f": "v: 1\n", "/z": "v: $V\n", "/z/g": "v: $V\n"}
    assert built.files["/y/f"].origin == TextOrigin("Dockerfile", 4)


BASES = [("node:20-slim", True), ("docker.io/library/debian:12", True), ("scratch", True), ("ghcr.io/acme/base:1", False), ("acme/base", False), ("$BASE", False)]


@pytest.mark.parametrize(("base", "known"), BASES)
def test_official_images_are_known(base: str, known: bool) -> None:
    assert image(f"ARG BASE\nFROM {base}\n").base_known is known


def test_litefs_is_seen_wherever_it_comes_from() -> None:
    assert image("FROM a\nCOPY --from=flyio/litefs:0.5 /usr/local/bin/litefs /bin/\n").litefs is not None
    assert image("FROM a\nCMD litefs mount\n").litefs is not None
    assert image("FROM flyio/litefs AS l\nFROM a\nCMD app\n").litefs is None
