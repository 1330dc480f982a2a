"""Build the Debian package: one file that holds everything but Python itself, made without root.

    build.py [--architecture arm64] [--output build/deb] [--version 0.1.0]

In /usr/lib/compound-gateway lies a virtual environment that serves two Pythons, that of Debian 12 (3.11) and that
of Debian 13 (3.13): `bin/python3` is the system's own, which looks for packages in `lib/python3.11` or
`lib/python3.13`; what is the same for both (our own code, pure Python, stable-ABI wheels) lies once in
`lib/common`, which a .pth file adds. One file for both, because an upgrade of the system from 12 to 13 must not
leave a wall without its gateway, and because nobody who installs it should have to know which Python is there.

Everything comes as wheels, whose hashes uv.lock knows: nothing is compiled, so an arm64 package is made on an
amd64 machine as well. Which registry they come from is uv's own configuration.
"""

import argparse
import filecmp
import os
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterable, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SYSTEMD = ROOT / "systemd"
PYTHONS = ("3.11", "3.13")
PLATFORMS = {"amd64": "x86_64-manylinux_2_28", "arm64": "aarch64-manylinux_2_28"}
EXTRAS = ("vision", "desk", "apprise")
HOME = Path("usr/lib/compound-gateway")
DOC = Path("usr/share/doc/compound-gateway")
SCRIPTS = ("preinst", "postinst", "prerm", "postrm")
SCHEMAS = {
    "journal": "gateway/runtime/journal/statements.py",
    "access": "gateway/runtime/access/store.py",
}
DESK_STEPS = "gateway/desk/store/sqlite"
FILES = {
    "compound-gateway.service": "usr/lib/systemd/system/compound-gateway.service",
    "compound-gateway-vision.service": "usr/lib/systemd/system/compound-gateway-vision.service",
    "compound-gateway-vision.socket": "usr/lib/systemd/system/compound-gateway-vision.socket",
    "compound-gateway-desk.service": "usr/lib/systemd/system/compound-gateway-desk.service",
    "compound-gateway-trial.service": "usr/lib/systemd/system/compound-gateway-trial.service",
    "package/trial.py": "usr/libexec/compound-gateway/trial.py",
    "60-compound-gateway.rules": "usr/lib/udev/rules.d/60-compound-gateway.rules",
    "sysusers.conf": "usr/lib/sysusers.d/compound-gateway.conf",
    "tmpfiles.conf": "usr/lib/tmpfiles.d/compound-gateway.conf",
    "journald.conf": "usr/lib/systemd/journald.conf.d/60-compound-gateway.conf",
    "watchdog.conf": "usr/lib/systemd/system.conf.d/60-compound-gateway.conf",
    "gateway.toml": str(DOC / "examples/gateway.toml"),
    "desk.toml": str(DOC / "examples/desk.toml"),
    **{
        f"broker/{name}": str(DOC / "examples/broker" / name)
        for name in ("README.md", "mosquitto.conf", "mosquitto.acl", "acl.conf")
    },
    "README.md": str(DOC / "README.md"),
    "../LICENSE": str(DOC / "copyright"),
}
# -P and -s: neither the folder one stands in nor one's own packages get in between.
COMMAND = """\
#!/usr/lib/compound-gateway/bin/python3 -sP
import sys

from gateway.__main__ import main

sys.exit(main())
"""
# Tests, headers and tools of the libraries, which no gateway runs; and where on the builder the wheels lay.
UNWANTED = (
    "bin",
    "include",
    "numpy/**/tests",
    "numpy/_core/include",
    "numpy/_core/lib",
    "numpy/f2py",
    "onnxruntime/tools",
    "onnxruntime/transformers",
    "onnxruntime/quantization",
    "onnxruntime/datasets",
    "cv2/gapi",
    "cv2/data",
    "av/include",
    "**/*.pyi",
    "**/*.pxd",
    "**/*.pyx",
    "**/__pycache__",
    "*.dist-info/RECORD",
    "*.dist-info/direct_url.json",
    "*.dist-info/uv_cache.json",
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Build the package and print where it is."""
    parser = argparse.ArgumentParser(description="Build the Debian package of compound-gateway.")
    parser.add_argument("--architecture", choices=sorted(PLATFORMS), default=own_architecture())
    parser.add_argument("--version", default=project_version())
    parser.add_argument("--output", type=Path, default=ROOT / "build" / "deb")
    parser.add_argument("--uv", default="uv", help="the uv to build with")
    parser.add_argument("--compression", default="zstd", help="as dpkg-deb -Z takes it")
    options = parser.parse_args(arguments)
    options.output.mkdir(parents=True, exist_ok=True)
    file = options.output / f"compound-gateway_{options.version}_{options.architecture}.deb"
    with tempfile.TemporaryDirectory(dir=options.output) as folder:
        tree = Path(folder) / "tree"
        tree.mkdir(mode=0o755)
        environment(tree / HOME, Path(folder), options.uv, PLATFORMS[options.architecture])
        install(tree, options.uv, options.version)
        describe(tree, options.version, options.architecture)
        pack(tree, file, options.compression)
    sys.stdout.write(f"{file}  {file.stat().st_size / 1e6:.0f} MB\n")
    return 0


def own_architecture() -> str:
    """Return this machine's architecture as Debian calls it."""
    return {"x86_64": "amd64", "aarch64": "arm64"}.get(os.uname().machine, "amd64")


def project_version() -> str:
    """Return the version in pyproject.toml."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return str(project["version"])


def schemas() -> dict[str, int]:
    """Return the version of each database's schema, as the code has it. Read, not imported: nothing is installed."""
    found = {}
    for name, file in SCHEMAS.items():
        match = re.search(r"^SCHEMA: Final = (\d+)$", (ROOT / file).read_text(encoding="utf-8"), re.M)
        assert match is not None, file
        found[name] = int(match[1])
    return found | {"desk": max(int(step.stem) for step in (ROOT / DESK_STEPS).glob("*.sql"))}


def environment(home: Path, scratch: Path, uv: str, platform: str) -> None:
    """Fill `home` with a virtual environment for each of `PYTHONS`, and what they have in common."""
    requirements = scratch / "requirements.txt"
    requirements.write_text(locked(uv, "requirements-txt"), encoding="utf-8")
    run(uv, "build", "--quiet", "--wheel", "--out-dir", str(scratch / "wheel"), str(ROOT))
    own = next((scratch / "wheel").glob("*.whl"))
    sites = [home / "lib" / f"python{version}" / "site-packages" for version in PYTHONS]
    for version, site in zip(PYTHONS, sites, strict=True):
        site.mkdir(parents=True)
        where = ["--target", str(site), "--python-version", version, "--python-platform", platform]
        install_wheels = [uv, "pip", "install", "--quiet", "--link-mode", "copy", *where]
        hashed = ["--require-hashes", "--only-binary", ":all:", "--no-deps"]
        run(*install_wheels, *hashed, "-r", str(requirements))
        run(*install_wheels, "--no-deps", str(own))
        remove(site, UNWANTED)
    share(sites, home / "lib" / "common")
    (home / "bin").mkdir()
    (home / "bin" / "python3").symlink_to("/usr/bin/python3")
    (home / "pyvenv.cfg").write_text(
        "home = /usr/bin\ninclude-system-site-packages = false\n", encoding="ascii"
    )


def locked(uv: str, kind: str) -> str:
    """Return what uv.lock says goes into the package, as `kind` of export."""
    extras = [word for extra in EXTRAS for word in ("--extra", extra)]
    what = ["--locked", "--no-dev", *extras, "--no-emit-project", "--no-header", "--no-annotate"]
    command = [uv, "export", "--quiet", *what, "--format", kind]
    return subprocess.run(command, cwd=ROOT, check=True, text=True, stdout=subprocess.PIPE).stdout


def remove(site: Path, patterns: Iterable[str]) -> None:
    """Remove what matches from a folder of packages."""
    for pattern in patterns:
        for path in sorted(site.glob(pattern)):
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)


def share(sites: Sequence[Path], common: Path) -> None:
    """Move what is the same in all `sites` to `common`, package by package, and have each look there too."""
    first, *others = sites
    common.mkdir()
    for entry in sorted(first.iterdir()):
        if all(same(entry, other / entry.name) for other in others):
            entry.rename(common / entry.name)
            for other in others:
                remove(other, (entry.name,))
    for site in sites:
        (site / "common.pth").write_text("../../common\n", encoding="ascii")


def same(one: Path, other: Path) -> bool:
    """Say whether two files, or two folders with all that is in them, are the same."""
    if not one.is_dir() or not other.is_dir():
        return one.is_file() and other.is_file() and filecmp.cmp(one, other, shallow=False)
    names = sorted(path.name for path in one.iterdir())
    if names != sorted(path.name for path in other.iterdir()):
        return False
    return all(same(one / name, other / name) for name in names)


def install(tree: Path, uv: str, version: str) -> None:
    """Put the files around the environment where Debian wants them."""
    for source, target in FILES.items():
        path = tree / target
        path.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(SYSTEMD / source, path)
    command = tree / "usr" / "bin" / "compound-gateway"
    command.parent.mkdir()
    command.write_text(COMMAND, encoding="ascii")
    versions = "".join(f"{name} {version}\n" for name, version in schemas().items())
    (tree / HOME / "schemas").write_text(versions, encoding="ascii")
    (tree / HOME / "version").write_text(f"{version}\n", encoding="ascii")
    (tree / DOC / "requirements.txt").write_text(locked(uv, "requirements-txt"), encoding="utf-8")
    for path in (tree, *tree.rglob("*")):
        if not path.is_symlink():
            path.chmod(0o755 if path.is_dir() or path == command else 0o644)


def describe(tree: Path, version: str, architecture: str) -> None:
    """Write the package's own papers: control, maintainer scripts, checksums."""
    files = sorted(path for path in tree.rglob("*") if path.is_file() and not path.is_symlink())
    debian = tree / "DEBIAN"
    debian.mkdir(mode=0o755)
    size = sum(path.stat().st_size for path in files) // 1024
    control = (SYSTEMD / "package" / "control").read_text(encoding="utf-8")
    filled = control.format(version=version, architecture=architecture, installed_size=size)
    (debian / "control").write_text(filled, encoding="utf-8")
    for name in SCRIPTS:
        text = (SYSTEMD / "package" / name).read_text(encoding="utf-8")
        for word, value in {**schemas(), "version": version}.items():
            text = text.replace(f"@{word.upper()}@", str(value))
        (debian / name).write_text(text, encoding="utf-8")
        (debian / name).chmod(0o755)
    sums = subprocess.run(
        ["md5sum", *(str(path.relative_to(tree)) for path in files)],
        cwd=tree, check=True, text=True, stdout=subprocess.PIPE,
    )  # fmt: skip
    (debian / "md5sums").write_text(sums.stdout, encoding="utf-8")


def pack(tree: Path, file: Path, compression: str) -> None:
    """Make the package, the same bytes from the same commit."""
    moment = ["git", "log", "-1", "--format=%ct"]
    told = subprocess.run(moment, cwd=ROOT, check=False, text=True, stdout=subprocess.PIPE).stdout.strip()
    os.environ.setdefault("SOURCE_DATE_EPOCH", told or "0")
    run("dpkg-deb", "--root-owner-group", f"-Z{compression}", "--build", str(tree), str(file))


def run(*command: str) -> None:
    """Run a command whose failure ends the build; what it says is for the reader."""
    subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except subprocess.CalledProcessError as error:
        sys.exit(f"{error.cmd[0]} {error.cmd[1]}: ended with {error.returncode}")
