"""The checksum that the stand-ins show is LiteFS's, page by page as LiteFS defines it."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from .databases import FLAG, Databases, checksum, crc64


def by_definition(data: bytes, size: int) -> int:
    total = 0
    for number in range(1, len(data) // size + 1):
        total ^= FLAG | crc64(number.to_bytes(4, "big") + data[(number - 1) * size : number * size])
    return FLAG | total


@pytest.mark.parametrize("rows", [0, 1, 40, 80])
@pytest.mark.parametrize("size", [512, 4096])
def test_the_quick_checksum_is_the_defined_one(tmp_path: Path, rows: int, size: int) -> None:
    path = tmp_path / "db"
    db = sqlite3.connect(path, isolation_level=None)
    db.execute(f"pragma page_size={size}")
    db.execute("create table t(x)")
    db.executemany("insert into t values(?)", [(f"{n}" * 100,) for n in range(rows)])
    db.close()
    assert checksum(path) == by_definition(path.read_bytes(), size)


def test_crc64_is_the_iso_polynomial() -> None:
    assert crc64(b"123456789") == 0xB90956C775A41001, "CRC-64/GO-ISO's check value"


def test_a_write_moves_the_position_and_a_copy_has_the_same(tmp_path: Path) -> None:
    primary, replica = Databases(tmp_path / "a"), Databases(tmp_path / "b")
    primary.execute("db", "create table t(x)")
    first = primary.positions()["db"]
    primary.execute("db", "insert into t values(1)")
    second = primary.positions()["db"]
    assert second.txid == first.txid + 1 and second.checksum != first.checksum
    assert replica.take_over(primary) == {"db": second.txid}
    assert replica.positions() == primary.positions()
    assert replica.take_over(primary) == {}
