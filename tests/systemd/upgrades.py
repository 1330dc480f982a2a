"""What becomes of a gateway when its package is changed for another, good, bad or too old: chapters of `real.py`."""

import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path

from tests.systemd.story import FILE, UNIT, Story, until

NEWER, BROKEN, MENDED = "99.0", "100.0", "101.0"
TRIAL_S = 420.0
PREVIOUS = "usr/lib/compound-gateway.previous"
BROKEN_CODE = "raise SystemExit('this version is broken')\n"


def upgraded(story: Story) -> str:
    kept = story.there.out("sha256sum", f"/{FILE}")
    before = story.pid()
    story.burn()
    change(story, NEWER)
    assert story.there.out("dpkg-query", "-W", "-f", "${Version}", "compound-gateway") == NEWER
    assert story.there.out("sha256sum", f"/{FILE}") == kept
    assert story.pid() != before
    until(lambda: story.polls() > 0, "polls", 30)
    until(lambda: story.frames() > 20, "pictures", 90)
    stopped_at, started_at = (
        int(story.there.show(UNIT, f"{which}EnterTimestampMonotonic")) / 1e6
        for which in ("Inactive", "Active")
    )
    return f"to {NEWER}, away for {started_at - stopped_at:.1f} s; the configuration as it was; {story.nothing_lost()}"


def passed(story: Story) -> str:
    """The version before is kept until the new one was well for two minutes."""
    assert (story.there.root / PREVIOUS).exists(), "the version before was not kept"
    before = story.pid()
    took = until(lambda: not (story.there.root / PREVIOUS).exists(), "the end of the trial", TRIAL_S)
    assert story.pid() == before
    told = story.there.out("journalctl", "-u", "compound-gateway-trial", "--no-pager", "-n", "5")
    assert "healthy; the version before is not needed" in told, told
    return f"the version before went {took:.0f} s later, process {before} goes on"


def taken_back(story: Story) -> str:
    """A version whose program ends at once: the one before comes back, and says so."""
    story.burn()
    code = story.there.out(
        "find", "/usr/lib/compound-gateway/lib", "-name", "daemon.py", "-path", "*/gateway/*"
    )
    before = story.there.out("sha256sum", code)

    def broken(tree: Path) -> None:
        (tree / code.lstrip("/")).write_text(BROKEN_CODE, encoding="ascii")

    change(story, BROKEN, broken)
    assert story.there.out("sha256sum", code) != before
    took = until(lambda: story.polls() > 0, "polls of the version before", TRIAL_S)
    assert story.there.out("sha256sum", code) == before
    until(lambda: "gateway.update_taken_back" in story.kinds(), "the alert", 120)
    until(lambda: story.frames() > 20, "pictures", 90)
    until(lambda: not (story.there.root / "usr/lib/compound-gateway.failed").exists(), "order", 60)
    story.burn()
    return f"the version before polls again {took:.0f} s after the upgrade, an alert says so; {story.nothing_lost()}"


def mended(story: Story) -> str:
    """The next version finds the files of two, and leaves its own only."""
    change(story, MENDED)
    until(lambda: story.polls() > 0, "polls", 30)
    until(lambda: not (story.there.root / PREVIOUS).exists(), "the end of the trial", TRIAL_S)
    until(lambda: "gateway.update_taken_back" not in story.standing(), "the end of the alert", 120)
    stray = story.there.out("sh", "-c", STRAY)
    assert not stray, stray
    return f"to {MENDED}: no stray file, the alert is over; {story.nothing_lost()}"


STRAY = """find /usr/lib/compound-gateway ! -type d ! -name '*.pyc' | LC_ALL=C sort > /tmp/there
dpkg-query -L compound-gateway | LC_ALL=C sort > /tmp/known; LC_ALL=C comm -23 /tmp/there /tmp/known"""


def change(story: Story, version: str, spoil: Callable[[Path], None] = lambda _: None) -> None:
    """Install the same files as another version, stored without compression: only what becomes of it is of interest."""
    with tempfile.TemporaryDirectory(dir=story.there.root / "root") as folder:
        tree = Path(folder) / "tree"
        subprocess.run(["dpkg-deb", "-R", str(story.package), str(tree)], check=True)
        control = tree / "DEBIAN/control"
        lines = control.read_text(encoding="utf-8").splitlines()
        changed = [f"Version: {version}" if line.startswith("Version:") else line for line in lines]
        control.write_text("\n".join(changed) + "\n", encoding="utf-8")
        spoil(tree)
        newer = Path(folder) / "newer.deb"
        subprocess.run(
            ["dpkg-deb", "-Znone", "-b", str(tree), str(newer)], check=True, stdout=subprocess.DEVNULL
        )
        story.there.out("apt-get", "install", "-y", f"/root/{newer.relative_to(story.there.root / 'root')}")


def refused(story: Story) -> str:
    """A package that knows an older journal, and nothing else: it must not come so far as to need its files."""
    with tempfile.TemporaryDirectory(dir=story.there.root / "root") as folder:
        tree = Path(folder) / "tree"
        tree.mkdir()
        subprocess.run(["dpkg-deb", "-e", str(story.package), str(tree / "DEBIAN")], check=True)
        preinst = tree / "DEBIAN/preinst"
        preinst.write_text(preinst.read_text().replace("journal.db 1", "journal.db 0"))
        older = Path(folder) / "older.deb"
        subprocess.run(
            ["dpkg-deb", "-Znone", "-b", str(tree), str(older)], check=True, stdout=subprocess.DEVNULL
        )
        before = story.pid()
        where = f"/root/{older.relative_to(story.there.root / 'root')}"
        done = story.there.run("apt-get", "install", "-y", "--allow-downgrades", where)
    assert done.returncode != 0, done.stdout
    assert "too old for what is on this machine" in done.stdout, done.stdout
    assert story.pid() == before
    assert story.there.out(
        "dpkg-query", "-W", "-f", "${Version} ${db:Status-Abbrev}", "compound-gateway"
    ).startswith(f"{MENDED} ii")
    return f"in one sentence, process {before} goes on; {story.nothing_lost()}"
