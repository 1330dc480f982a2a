"""Make an apt repository, or add packages to one: `pool/` for the packages, `dists/` for the signed lists.

    repository.py --key FINGERPRINT --output /srv/apt build/deb/compound-gateway_0.1.0_arm64.deb ...

What apt believes is one signature (OpenPGP, by gpg, over `InRelease`), which vouches for the lists' sums, which vouch
for the packages'. `sign.py` signs packages that are carried by hand; apt understands only this. The secret key stays
in gpg (`GNUPGHOME`, or a card); gateways get `archive-key.gpg` by another way than from the repository itself.
Packages are only ever added, so the one before can be had again (`apt install compound-gateway=0.1.0`). The lists are
made beside the old ones and moved into their place when they are whole and signed: what fails leaves the old ones.
"""

import argparse
import gzip
import hashlib
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Final

COMPONENT: Final = "main"
POOL: Final = Path("pool", COMPONENT, "c", "compound-gateway")
PUBLIC_KEY: Final = "archive-key.gpg"
FIELDS: Final = ("Package", "Version", "Architecture")


def main(arguments: Sequence[str] | None = None) -> int:
    """Add the packages named and sign; return 1 with a line on standard error for anything that cannot be."""
    parser = argparse.ArgumentParser(description="Make or extend an apt repository of compound-gateway.")
    parser.add_argument("--key", required=True, help="fingerprint of gpg's key that signs")
    parser.add_argument("--output", type=Path, required=True, help="folder of the repository")
    parser.add_argument("--suite", default="stable")
    parser.add_argument(
        "--valid-days", type=int, default=0, metavar="N", help="lists older than that are refused; 0: never"
    )
    parser.add_argument("package", type=Path, nargs="*")
    options = parser.parse_args(arguments)
    now = datetime.now(UTC)
    valid = timedelta(days=options.valid_days) if options.valid_days > 0 else None
    try:
        for package in options.package:
            add(package, options.output)
        told = publish(options.output, options.suite, options.key, now=now, valid=valid)
    except (OSError, ValueError) as error:
        sys.stderr.write(f"repository.py: {error}\n")
        return 1
    sys.stdout.write("".join(f"{line}\n" for line in told))
    return 0


def add(package: Path, repository: Path) -> None:
    """Put a package into the pool; ValueError when it is none, or another of the same name is there already."""
    control = control_of(package)
    name = "{Package}_{Version}_{Architecture}.deb".format_map(control).replace(":", "%3a")
    target = repository / POOL / name
    if target.exists():
        if digest(target) != digest(package):
            raise ValueError(f"{name}: another package of this version is published; give it a new version")
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=target.parent, delete=False) as half:
        half.write(package.read_bytes())
    Path(half.name).chmod(0o644)
    Path(half.name).rename(target)


def publish(
    repository: Path, suite: str, key: str, *, now: datetime, valid: timedelta | None = None
) -> list[str]:
    """List what is in the pool, sign the list, and put it in the place of the one before; return what was listed."""
    packages = sorted((repository / POOL).glob("*.deb"))
    if not packages:
        raise ValueError(f"{repository / POOL}: no package there, and none was named")
    entries = [entry(path, repository) for path in packages]
    dists = repository / "dists"
    dists.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=dists) as folder:
        made = Path(folder) / suite
        made.mkdir()
        write_lists(made, entries)
        text = release(made, suite, now=now, valid=valid)
        (made / "Release").write_text(text, encoding="ascii")
        gpg("--local-user", key, "--clearsign", "--output", str(made / "InRelease"), str(made / "Release"))
        detached = ("--armor", "--detach-sign", "--output", str(made / "Release.gpg"))
        gpg("--local-user", key, *detached, str(made / "Release"))
        gpg("--export", "--output", str(made / PUBLIC_KEY), key)
        (made / PUBLIC_KEY).replace(repository / PUBLIC_KEY)
        exchange(made, dists / suite)
    return [f"{path.name}  {path.stat().st_size / 1e6:.1f} MB" for path in packages]


def control_of(package: Path) -> Mapping[str, str]:
    """Return what a package says of itself; ValueError if it is no Debian package."""
    done = subprocess.run(["dpkg-deb", "--field", str(package)], capture_output=True, text=True, check=False)
    found = dict(re.findall(r"^([A-Za-z0-9-]+): *(.*)$", done.stdout, re.M))
    if done.returncode or not all(found.get(name) for name in FIELDS):
        raise ValueError(f"{package}: no Debian package: {done.stderr.strip() or 'it names no version'}")
    return found


def entry(package: Path, repository: Path) -> tuple[str, str]:
    """Return a package's architecture and its paragraph in Packages."""
    done = subprocess.run(["dpkg-deb", "--field", str(package)], capture_output=True, text=True, check=True)
    facts = {
        "Filename": str(package.relative_to(repository)),
        "Size": str(package.stat().st_size),
        "SHA256": digest(package),
    }
    told = "".join(f"{name}: {value}\n" for name, value in facts.items())
    return control_of(package)["Architecture"], done.stdout.rstrip("\n") + "\n" + told


def write_lists(folder: Path, entries: Sequence[tuple[str, str]]) -> None:
    """Write Packages for each architecture, plain and packed."""
    for architecture in sorted({each for each, _ in entries}):
        listed = "\n".join(text for each, text in entries if each in {architecture, "all"})
        where = folder / COMPONENT / f"binary-{architecture}"
        where.mkdir(parents=True)
        (where / "Packages").write_text(listed, encoding="utf-8")
        (where / "Packages.gz").write_bytes(gzip.compress(listed.encode(), mtime=0))


def release(folder: Path, suite: str, *, now: datetime, valid: timedelta | None) -> str:
    """Return Release: what there is, when it was made, and the sum of every list."""
    architectures = sorted(path.name.partition("-")[2] for path in (folder / COMPONENT).iterdir())
    lines = [
        "Origin: compound-gateway",
        "Label: compound-gateway",
        f"Suite: {suite}",
        f"Codename: {suite}",
        f"Date: {format_datetime(now, usegmt=True)}",
        *([f"Valid-Until: {format_datetime(now + valid, usegmt=True)}"] if valid else []),
        f"Architectures: {' '.join(architectures)}",
        f"Components: {COMPONENT}",
        "SHA256:",
        *sums(folder),
    ]
    return "\n".join(lines) + "\n"


def sums(folder: Path) -> Iterator[str]:
    """Yield sum, size and name of every list, as Release has them."""
    for path in sorted((folder / COMPONENT).rglob("Packages*")):
        yield f" {digest(path)} {path.stat().st_size} {path.relative_to(folder)}"


def digest(path: Path) -> str:
    """Return a file's SHA-256."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def exchange(made: Path, place: Path) -> None:
    """Put a folder in the place of another."""
    if place.exists():
        place.rename(made.parent / "before")
    made.rename(place)
    shutil.rmtree(made.parent / "before", ignore_errors=True)


def gpg(*arguments: str) -> None:
    """Run gpg with nobody at the keyboard (its agent may ask for the key's word); ValueError when it will not."""
    command = ["gpg", "--batch", "--yes", "--quiet", "--digest-algo", "SHA512", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        reason = done.stderr.strip().splitlines()
        raise ValueError(reason[-1] if reason else f"gpg ended with {done.returncode}")


if __name__ == "__main__":
    sys.exit(main())
