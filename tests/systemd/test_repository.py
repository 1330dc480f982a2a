"""The apt repository: what was signed is taken by a real apt, and what was changed since, by a single bit, is not."""

import importlib.util
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import ModuleType

import pytest

SCRIPT = Path(__file__).parents[2] / "systemd" / "package" / "repository.py"
TOOLS = ("apt-get", "dpkg-deb", "gpg")
NAME = "compound-gateway"
pytestmark = pytest.mark.skipif(
    any(shutil.which(tool) is None for tool in TOOLS), reason=f"needs {', '.join(TOOLS)}"
)
ROOT = """\
Dir "{root}";
Dir::State::status "{root}/status";
Dir::Etc::main "/dev/null";
Dir::Etc::parts "/dev/null";
Dir::Etc::trusted "/dev/null";
Dir::Etc::trustedparts "/dev/null";
APT::Architecture "amd64";
APT::Architectures "amd64";
APT::Sandbox::User "root";
APT::Update::Error-Mode "any";
Acquire::Languages "none";
"""


def load() -> ModuleType:
    """Return the script, which is in no package."""
    spec = importlib.util.spec_from_file_location("repository", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class Apt:
    """A temporary root of apt's, which knows one repository and one key."""

    def __init__(self, root: Path, repository: Path, key: Path) -> None:
        for name in ("etc/apt", "var/lib/apt/lists/partial", "var/cache/apt/archives/partial", "got"):
            (root / name).mkdir(parents=True)
        (root / "status").touch()
        self.got, self._config = root / "got", root / "apt.conf"
        self._config.write_text(ROOT.format(root=root), encoding="ascii")
        source = f"deb [signed-by={key}] file://{repository} stable main\n"
        (root / "etc" / "apt" / "sources.list").write_text(source, encoding="ascii")

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["apt-get", "-q", *arguments], cwd=self.got, capture_output=True, text=True, check=False,
            env={**os.environ, "APT_CONFIG": str(self._config), "LC_ALL": "C"}, timeout=120,
        )  # fmt: skip

    def had(self, what: str = NAME) -> bool:
        """Return whether the lists are believed and the package can be had."""
        return self.run("update").returncode == 0 and self.run("download", what).returncode == 0


class Publisher:
    """Who has the key, and packages to publish."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.repository = folder, folder / "apt"
        self.home = folder / "gpg"
        self.home.mkdir(mode=0o700)
        self.key = self.new_key("release")

    def new_key(self, who: str) -> str:
        self._gpg("--passphrase", "", "--quick-generate-key", who, "ed25519", "sign", "never")
        told = self._gpg("--with-colons", "--list-keys", who)
        return next(line.split(":")[9] for line in told.splitlines() if line.startswith("fpr"))

    def public(self, key: str) -> Path:
        file = self.folder / f"{key}.gpg"
        self._gpg("--export", "--output", str(file), key)
        return file

    def package(self, version: str, content: str = "") -> Path:
        tree = self.folder / f"tree-{version}-{content}"
        (tree / "DEBIAN").mkdir(parents=True)
        facts = f"Package: {NAME}\nVersion: {version}\nArchitecture: amd64\nMaintainer: us <root@localhost>\n"
        (tree / "DEBIAN" / "control").write_text(facts + f"Description: box\n of {version}{content}\n")
        file = self.folder / f"{tree.name}.deb"
        made = ["dpkg-deb", "--root-owner-group", "--build", str(tree), str(file)]
        subprocess.run(made, check=True, capture_output=True, timeout=60)
        return file

    def publish(self, *packages: Path, key: str = "", more: tuple[str, ...] = ()) -> tuple[int, str]:
        command = [sys.executable, str(SCRIPT), "--key", key or self.key, "--output", str(self.repository)]
        done = subprocess.run(
            [*command, *more, *map(str, packages)], capture_output=True, text=True, check=False,
            env={**os.environ, "GNUPGHOME": str(self.home)}, timeout=60,
        )  # fmt: skip
        return done.returncode, done.stdout + done.stderr

    def apt(self, name: str = "root", *, key: str = "") -> Apt:
        return Apt(self.folder / name, self.repository, self.public(key or self.key))

    def _gpg(self, *arguments: str) -> str:
        command = ["gpg", "--homedir", str(self.home), "--batch", "--yes", "--quiet", *arguments]
        return subprocess.run(command, check=True, capture_output=True, text=True, timeout=60).stdout

    def end(self) -> None:
        subprocess.run(["gpgconf", "--homedir", str(self.home), "--kill", "gpg-agent"], check=False)


@pytest.fixture
def publisher(tmp_path: Path) -> Iterator[Publisher]:
    one = Publisher(tmp_path)
    yield one
    one.end()


def flip(file: Path) -> None:
    """Change one bit in the middle of a file."""
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)


def test_apt_takes_what_was_signed_and_the_version_before_can_still_be_had(publisher: Publisher) -> None:
    assert publisher.publish(publisher.package("0.1.0"))[0] == 0
    apt = publisher.apt()
    assert apt.had()
    assert publisher.publish(publisher.package("0.2.0"))[0] == 0
    assert apt.had()
    assert apt.had(f"{NAME}=0.1.0")
    got = sorted(path.name for path in apt.got.iterdir())
    assert got == [f"{NAME}_{version}_amd64.deb" for version in ("0.1.0", "0.2.0")]


LISTS = ("dists/stable/InRelease", "dists/stable/main/binary-amd64/Packages.gz", "pool")


@pytest.mark.parametrize("where", LISTS)
def test_a_flipped_bit_is_refused_wherever_it_is(publisher: Publisher, where: str) -> None:
    publisher.publish(publisher.package("0.1.0"))
    apt = publisher.apt()
    file = publisher.repository / where
    flip(file if file.is_file() else next(file.rglob("*.deb")))
    if where.endswith(".gz"):
        flip(file.with_suffix(""))
    assert not apt.had()
    assert list(apt.got.glob("*.deb")) == []


def test_a_repository_signed_by_another_key_is_refused(publisher: Publisher) -> None:
    publisher.publish(publisher.package("0.1.0"), key=publisher.new_key("somebody"))
    assert not publisher.apt().had()


def test_lists_that_are_too_old_are_refused_where_that_was_asked_for(
    publisher: Publisher, monkeypatch: pytest.MonkeyPatch
) -> None:
    publisher.publish(publisher.package("0.1.0"), more=("--valid-days", "7"))
    assert publisher.apt().had()
    monkeypatch.setenv("GNUPGHOME", str(publisher.home))
    week = timedelta(days=7)
    long_ago = datetime.now(UTC) - 2 * week
    load().publish(publisher.repository, "stable", publisher.key, now=long_ago, valid=week)
    late = publisher.apt("late").run("update")
    assert late.returncode != 0
    assert "expired" in late.stderr


def test_a_version_that_is_published_is_never_replaced_by_another_of_its_name(publisher: Publisher) -> None:
    publisher.publish(publisher.package("0.1.0"))
    before = (publisher.repository / "dists/stable/InRelease").read_bytes()
    code, told = publisher.publish(publisher.package("0.1.0", "changed"))
    assert (code, "give it a new version" in told) == (1, True)
    assert (publisher.repository / "dists/stable/InRelease").read_bytes() == before


def test_what_is_no_package_or_has_no_key_leaves_the_repository_as_it_was(publisher: Publisher) -> None:
    publisher.publish(publisher.package("0.1.0"))
    nothing = publisher.folder / "nothing.deb"
    nothing.write_bytes(b"no package")
    assert "no Debian package" in publisher.publish(nothing)[1]
    code, told = publisher.publish(publisher.package("0.2.0"), key="0" * 40)
    assert code == 1
    assert "Traceback" not in told
    assert publisher.apt().had()
    assert sorted(path.name for path in (publisher.repository / "dists").iterdir()) == ["stable"]
