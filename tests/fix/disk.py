"""A volume as a real directory, in which real commands run: what `pods/exec` does to it is what they do."""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

DATA = "/var/lib/litefs"
"""The data directory as the pods know it."""


class Disk:
    """`clusterid`, `dbs/NAME/database`, and the transaction number in the name of a file of `dbs/NAME/ltx`."""

    def __init__(self, scratch: Path | None, cluster_id: str | None, databases: Mapping[str, tuple[int, bytes]]) -> None:
        self.root = Path(tempfile.mkdtemp(dir=scratch))
        (self.root / "dbs").mkdir()
        if cluster_id:
            (self.root / "clusterid").write_text(cluster_id + "\n")
        for name, (txid, data) in databases.items():
            self.write(name, txid, data)

    def write(self, name: str, txid: int, data: bytes) -> None:
        folder = self.root / "dbs" / name
        (folder / "ltx").mkdir(parents=True, exist_ok=True)
        (folder / "database").write_bytes(data)
        for old in (folder / "ltx").iterdir():
            old.unlink()
        (folder / "ltx" / f"{txid:016x}-{txid:016x}.ltx").write_bytes(b"LTX1")

    def read(self) -> tuple[str | None, dict[str, tuple[int, bytes]]]:
        """What LiteFS finds at its start."""
        named = self.root / "clusterid"
        found: dict[str, tuple[int, bytes]] = {}
        for folder in sorted((self.root / "dbs").iterdir()) if (self.root / "dbs").is_dir() else []:
            txids = [int(p.name.split("-")[1].split(".")[0], 16) for p in (folder / "ltx").iterdir()]
            found[folder.name] = (max(txids, default=0), (folder / "database").read_bytes())
        return (named.read_text().strip() if named.exists() else None), found

    def found_anew(self, cluster_id: str) -> str:
        """What a primary makes at its start where it lacks."""
        (self.root / "dbs").mkdir(exist_ok=True)
        if not (self.root / "clusterid").exists():
            (self.root / "clusterid").write_text(cluster_id + "\n")
        return cluster_id

    def names(self) -> set[str]:
        """What lies in the data directory itself."""
        return {p.name for p in self.root.iterdir()}

    def run(self, command: Sequence[str], stdin: Iterable[bytes] | None) -> tuple[int, bytes, bytes]:
        """(exit code, stdout, stderr). The end of stdin is never seen by the command, as with an exec of Kubernetes v4."""
        words = [str(self.root) + w.removeprefix(DATA) if w == DATA or w.startswith(DATA + "/") else w for w in command]
        reader, writer = os.pipe()
        process = subprocess.Popen(words, stdin=reader, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env={"PATH": os.environ["PATH"], "LC_ALL": "C"})
        os.close(reader)
        with os.fdopen(writer, "wb", buffering=0) as pipe:
            try:
                for piece in stdin or ():
                    pipe.write(piece)
            except BrokenPipeError:
                pass
            out, err = process.communicate(timeout=20)
        shown = str(self.root).encode()
        return process.returncode, out.replace(shown, DATA.encode()), err.replace(shown, DATA.encode())
