"""Whether a stream of bytes is one whole SQLite database, and LiteFS's checksum of it, in constant memory.

LiteFS (ltx.go, ChecksumPages) XORs `F | CRC64-ISO(be32 page number + page)` over all pages but the lock page, with
F = 1 << 63. A CRC is affine: the XOR of the CRCs of n messages of one length is the CRC of their XOR, and where n is
even also the CRC of as many zero bytes. So all pages are XORed first and one CRC is taken at the end.
"""

from __future__ import annotations

from dataclasses import dataclass

MAGIC = b"SQLite format 3\x00"
FLAG = 1 << 63
PENDING_BYTE = 1 << 30
"""SQLite's lock page holds this offset and is never written."""
_MASK = (1 << 64) - 1
_SIZES = {512 << i for i in range(8)}


def _table() -> tuple[int, ...]:
    rows = []
    for byte in range(256):
        crc = byte
        for _ in range(8):
            crc = (crc >> 1) ^ (0xD800000000000000 if crc & 1 else 0)
        rows.append(crc)
    return tuple(rows)


_CRC64_ISO = _table()


def crc64(data: bytes) -> int:
    """CRC-64/ISO as Go's hash/crc64 computes it."""
    crc = _MASK
    for byte in data:
        crc = _CRC64_ISO[(crc ^ byte) & 0xFF] ^ (crc >> 8)
    return crc ^ _MASK


@dataclass(frozen=True, slots=True)
class Header:
    """The first 100 bytes. `size` is what the file must be long, in bytes."""

    page_size: int
    pages: int

    @property
    def size(self) -> int:
        return self.page_size * self.pages


def read_header(data: bytes) -> Header | str:
    """The header, or in words why there is none."""
    if len(data) < 100 or not data.startswith(MAGIC):
        shown = data[:40].decode("ascii", "replace")
        return f"it does not begin as an SQLite database does, but with {shown!r}"
    size = int.from_bytes(data[16:18], "big")
    size = 65536 if size == 1 else size
    if size not in _SIZES:
        return f"its header names the page size {size}"
    return Header(size, int.from_bytes(data[28:32], "big"))


class Checker:
    """Fed with chunks of any length."""

    def __init__(self) -> None:
        self.header: Header | str | None = None
        self.length = 0
        self._rest = bytearray()
        self._pages = 0
        self._counted = 0
        self._xor = 0
        self._numbers = 0

    def feed(self, chunk: bytes) -> None:
        self.length += len(chunk)
        self._rest += chunk
        if self.header is None and len(self._rest) >= 100:
            self.header = read_header(bytes(self._rest[:100]))
        if isinstance(self.header, Header):
            self._take(self.header.page_size)
        elif self.header is not None:
            self._rest.clear()

    def _take(self, size: int) -> None:
        whole = len(self._rest) // size
        if not whole:
            return
        view = memoryview(self._rest)
        lock_page = PENDING_BYTE // size + 1
        from_bytes, xor = int.from_bytes, self._xor
        for i in range(whole):
            number = self._pages + i + 1
            if number == lock_page:
                continue
            xor ^= from_bytes(view[i * size : (i + 1) * size], "big")
            self._numbers ^= number
            self._counted += 1
        view.release()
        self._xor = xor
        self._pages += whole
        del self._rest[: whole * size]

    def problem(self) -> str | None:
        """Why this is not one whole database; None where nothing speaks against it."""
        if self.header is None:
            return f"it has {self.length} bytes, fewer than the header of a database" if self.length else "it is empty"
        if isinstance(self.header, str):
            return self.header
        if self.header.pages == 0:
            return "its header counts 0 pages"
        if self.length != self.header.size:
            return f"it has {self.length} bytes, its header counts {self.header.pages} pages of {self.header.page_size}, {self.header.size} bytes"
        return None

    def checksum(self) -> str:
        """As LiteFS writes it: 16 hex digits. Only for a whole database."""
        assert isinstance(self.header, Header)
        size = self.header.page_size
        message = self._numbers.to_bytes(4, "big") + self._xor.to_bytes(size, "big")
        total = crc64(message) if self._counted else 0
        if self._counted and self._counted % 2 == 0:
            total ^= crc64(bytes(len(message)))
        return f"{FLAG | total:016x}"
