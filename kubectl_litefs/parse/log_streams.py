"""Log files, each read once from its first byte to its last: told apart by container, numbered as in the file."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, MutableSequence, Sequence
from typing import NamedTuple

from ..model.logs import LogRun
from .log_blocks import Block, blocks
from .log_envelope import Envelope, Speaker, recognize
from .log_find import Finder
from .logs import LogReader

MOST = 256
"""Containers that are kept apart: each costs some memory, whatever its log holds."""


class Stream(NamedTuple):
    """One run of one container. `previous` is the run before the newest."""

    speaker: Speaker
    previous: bool = False


class Streams:
    """Reads files one after the other. A container that several files are of goes on where the one before ended."""

    def __init__(self, patterns: Sequence[str] = ()) -> None:
        self._find = Finder()
        self._patterns = tuple(patterns)
        self._readers: dict[Stream, LogReader] = {}
        self._fed: set[Stream] = set()
        self.dropped = 0
        """Lines of containers beyond MOST."""

    def read(self, source: str, chunks: Iterable[bytes], default: Stream, *, complete: bool = True) -> set[Stream]:
        """One file; whose lines are in it. `default` says whose they are as far as the lines themselves do not."""
        self._fed = set()
        envelope: Envelope | None = None
        for number, block in enumerate(blocks(chunks, source)):
            if number == 0:
                envelope = recognize(block.data)
            if envelope is None:
                self._feed(default, source, block.data, block.lines, complete)
            else:
                self._apart(envelope, block, default, complete)
        return self._fed

    def results(self) -> dict[Stream, LogRun]:
        """What each container's log says. Asked for once, at the end."""
        found = {stream: reader.result() for stream, reader in self._readers.items()}
        return {stream: run for stream, run in found.items() if run is not None}

    def _apart(self, envelope: Envelope, block: Block, default: Stream, complete: bool) -> None:
        texts: dict[Speaker, list[bytes]] = {}
        numbers: dict[Speaker, MutableSequence[int]] = {}
        for speaker, text, number in envelope.unwrap(block):
            said = texts.get(speaker)
            if said is None:
                said, numbers[speaker] = texts.setdefault(speaker, []), array("Q")
            said.append(text)
            numbers[speaker].append(number)
        for speaker, said in texts.items():
            whose = Stream(Speaker(*(a or b for a, b in zip(speaker, default.speaker, strict=True))), default.previous)
            self._feed(whose, block.source, b"\n" + b"\n".join(said), numbers[speaker], complete)

    def _feed(self, stream: Stream, source: str, data: bytes, lines: Sequence[int], complete: bool) -> None:
        reader = self._readers.get(stream)
        if reader is None:
            if len(self._readers) >= MOST:
                self.dropped += len(lines)
                return
            reader = self._readers[stream] = LogReader(source, complete, self._patterns, self._find)
        self._fed.add(stream)
        reader.source = source
        reader.read(Block(reader.lines + 1, data, source, lines))
