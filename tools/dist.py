"""The archive for Krew: a launcher, `lib/` with pinned pure-Python dependencies, licences. The same bytes from the same sources.

    python -m tools.dist            dist/kubectl-litefs-VERSION.tar.gz, and its sha256 on standard output
    python -m tools.dist --lock     renew the hashes in packaging/archive.lock
"""

from __future__ import annotations

import gzip
import hashlib
import io
import re
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from kubectl_litefs import __version__

ROOT = Path(__file__).parent.parent
PACKAGING, DIST = ROOT / "packaging", ROOT / "dist"
LOCK = PACKAGING / "archive.lock"
EPOCH = 1577836800
"""2020-01-01: the time of every member. Krew keeps no times anyway."""

PURE = ("--platform", "any", "--implementation", "py", "--abi", "none", "--python-version", "3.10", "--only-binary=:all:")
ONE_WHEEL = ("--platform", "manylinux2014_x86_64", "--implementation", "cp", "--abi", "cp310", "--python-version", "3.10", "--only-binary=:all:")
"""PyYAML has no pure wheel; of this one everything but the compiled part is taken, which it does without."""
NATIVE = {"pyyaml"}
VERSIONS = {
    "certifi": "2026.10.18", "charset-normalizer": "3.5.2", "click": "8.5.1", "durationpy": "0.10", "idna": "3.20", "kubernetes": "35.0.0",
    "oauthlib": "3.3.1", "python-dateutil": "2.9.0.post0", "pyyaml": "6.0.3", "requests": "2.34.2", "requests-oauthlib": "2.0.0", "rich": "15.0.0",
    "six": "1.17.0", "urllib3": "2.8.0", "websocket-client": "1.9.2",
}  # fmt: skip
LEFT_OUT = re.compile(
    r"(^|/)(tests?|__pycache__)/|\.(so|pyd|pyc|pyx|pxd|c|h)$|^(_yaml|bin)/|\.data/|^dateutil/zoneinfo/"
    r"|(^|/)test_\w+\.py$|_test\.py$|^kubernetes/leaderelection/example\.py$"
    r"|^rich/(__main__|markdown|syntax|traceback|_win32_console|_windows_renderer)\.py$|^urllib3/(contrib/(emscripten/|pyopenssl\.|socks\.)|http2/connection\.)"
    r"|^yaml/cyaml\.py$|^click/_winconsole\.py$|^dateutil/(tz/win|tzwin)\.py$"
)
"""Of other packages: their tests, what is compiled, dateutil's copy of the time zones, which nobody asks for, and every module
that cannot be imported here: it is for Windows or a browser, or wants a package that is not in the archive."""
LICENCE = re.compile(r"(licen[cs]e|copying|notice|authors)[^/]*$", re.IGNORECASE)


def requirements() -> list[tuple[str, str]]:
    """(requirement, sha256) of the lock, in order."""
    found = re.findall(r"^(\S+==\S+) --hash=sha256:([0-9a-f]{64})$", LOCK.read_text("utf8"), re.MULTILINE)
    locked = {r.split("==")[0]: r.split("==")[1] for r, _ in found}
    if locked != VERSIONS:
        raise SystemExit(f"packaging/archive.lock is not of these versions: {sorted(set(VERSIONS.items()) ^ set(locked.items()))}; run python -m tools.dist --lock")
    return found


def download(into: Path, names: Sequence[str]) -> None:
    """One wheel each, by pip, from whatever index it is configured for."""
    for tags, wanted in ((PURE, [n for n in names if n not in NATIVE]), (ONE_WHEEL, [n for n in names if n in NATIVE])):
        if wanted:
            words = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps", *tags, "--dest", str(into)]
            subprocess.run([*words, *(f"{n}=={VERSIONS[n]}" for n in wanted)], check=True)


def wheels(into: Path) -> list[Path]:
    """The locked wheels, each with the sha256 of the lock; downloaded where they are not there yet."""
    into.mkdir(parents=True, exist_ok=True)
    wanted = {digest: requirement for requirement, digest in requirements()}
    have = {hashlib.sha256(p.read_bytes()).hexdigest(): p for p in into.glob("*.whl")}
    missing = [r.split("==")[0] for digest, r in wanted.items() if digest not in have]
    if missing:
        download(into, missing)
        have = {hashlib.sha256(p.read_bytes()).hexdigest(): p for p in into.glob("*.whl")}
    for digest, requirement in wanted.items():
        if digest not in have:
            raise SystemExit(f"{requirement}: what was downloaded has another sha256 than packaging/archive.lock says")
    return sorted(have[d] for d in wanted)


def of_others(wheel: Path) -> tuple[dict[str, bytes], bytes]:
    """(files below lib/, licence texts) of one wheel."""
    files: dict[str, bytes] = {}
    notices: list[bytes] = []
    name = "-".join(wheel.name.split("-")[:2])
    with zipfile.ZipFile(wheel) as archive:
        for member in sorted(archive.namelist()):
            if member.endswith("/") or LEFT_OUT.search(member):
                continue
            if ".dist-info/" in member:
                if LICENCE.search(member):
                    notices.append(archive.read(member))
                if not member.endswith(("/METADATA", "/entry_points.txt")):
                    continue
            files[f"lib/{member}"] = archive.read(member)
    head = f"{'=' * 100}\n{name}\n{'=' * 100}\n\n".encode()
    return files, head + b"\n".join(notices or [_named_licence(files)]) + b"\n"


def _named_licence(files: dict[str, bytes]) -> bytes:
    """A package that ships no licence file names it in its metadata."""
    metadata = next(data for path, data in files.items() if path.endswith("/METADATA"))
    lines = [line for line in metadata.decode("utf8", "replace").splitlines() if line.startswith(("License", "Classifier: License", "Home-page", "Author"))]
    return ("\n".join(lines) + "\n").encode()


def our_own() -> dict[str, bytes]:
    package = ROOT / "kubectl_litefs"
    paths = [p for p in package.rglob("*") if p.suffix == ".py" or (p.is_file() and any(p.match(f"kubectl_litefs/{data}") for data in package_data()))]
    files = {f"lib/{p.relative_to(ROOT).as_posix()}": p.read_bytes() for p in paths}
    files[f"lib/kubectl_litefs-{__version__}.dist-info/METADATA"] = metadata().encode()
    return files


def package_data() -> list[str]:
    """The patterns of pyproject.toml: what pip installs beside the modules is in the archive, an editor's left-overs are not."""
    found = re.search(r"^kubectl_litefs = \[([^\]]+)\]$", (ROOT / "pyproject.toml").read_text("utf8"), re.MULTILINE)
    assert found is not None
    return re.findall(r'"([^"]+)"', found[1])


def metadata() -> str:
    """What importlib.metadata is asked for: the version, and where to report a bug."""
    text = (ROOT / "pyproject.toml").read_text("utf8")
    urls = re.findall(r'^(\w+) = "(https://[^"]+)"$', text.split("[project.urls]")[1].split("\n[")[0], re.MULTILINE)
    lines = ["Metadata-Version: 2.1", "Name: kubectl-litefs", f"Version: {__version__}", *(f"Project-URL: {n}, {u}" for n, u in urls)]
    return "\n".join(lines) + "\n"


def members(folder: Path) -> dict[str, tuple[bytes, int]]:
    """Path in the archive -> (content, mode)."""
    files, notices = our_own(), [b"What lib/ holds of others, each under its own licence.\n\n"]
    for wheel in wheels(folder):
        theirs, notice = of_others(wheel)
        files |= theirs
        notices.append(notice)
    files["LICENSE"] = (ROOT / "LICENSE").read_bytes()
    files["THIRD_PARTY_NOTICES"] = b"".join(notices)
    found = {path: (data, 0o644) for path, data in files.items()}
    found["kubectl-litefs"] = ((PACKAGING / "kubectl-litefs").read_bytes(), 0o755)
    return found


def pack(found: dict[str, tuple[bytes, int]]) -> bytes:
    """Sorted, plain files only, no owner, one time: equal members give equal bytes under one zlib."""
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for path in sorted(found):
            data, mode = found[path]
            assert ".." not in path, f"Krew refuses a name with two dots: {path}"
            info = tarfile.TarInfo(path)
            info.size, info.mode, info.mtime = len(data), mode, EPOCH
            tar.addfile(info, io.BytesIO(data))
    out = io.BytesIO()
    with gzip.GzipFile(fileobj=out, mode="wb", compresslevel=9, mtime=0, filename="") as packed:
        packed.write(raw.getvalue())
    return out.getvalue()


def build(into: Path = DIST) -> Path:
    """The archive, written to `into`."""
    into.mkdir(parents=True, exist_ok=True)
    path = into / f"kubectl-litefs-{__version__}.tar.gz"
    path.write_bytes(pack(members(DIST / "wheels")))
    return path


def lock() -> Iterator[str]:
    """The lock's lines, with the hashes of what the index gives now."""
    folder = DIST / "wheels"
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob("*.whl"):
        old.unlink()
    download(folder, list(VERSIONS))
    by_name = {p.name.split("-")[0].lower().replace("_", "-"): p for p in folder.glob("*.whl")}
    yield from (line for line in LOCK.read_text("utf8").splitlines() if line.startswith("#"))
    for name, version in sorted(VERSIONS.items()):
        yield f"{name}=={version} --hash=sha256:{hashlib.sha256(by_name[name].read_bytes()).hexdigest()}"


def main(args: Sequence[str]) -> int:
    if list(args) == ["--lock"]:
        text = "\n".join(lock()) + "\n"
        LOCK.write_text(text, "utf8")
        return 0
    if args:
        print(__doc__, file=sys.stderr)
        return 2
    path = build()
    print(f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.relative_to(ROOT)}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
