"""What preinst keeps of a gateway that is upgraded, and what postinst does with it: whole, and of a healthy version."""

import os
import subprocess
from pathlib import Path

import pytest

from tests.systemd.test_trial import PACKAGE, UNIT


def kept(tmp_path: Path, *, active: bool = True, status: int = 0) -> subprocess.CompletedProcess[str]:
    """Run preinst's upgrade on a machine in a folder, with a systemctl and a gateway that say what they shall."""
    for name in ("usr/lib/compound-gateway/lib", "usr/bin", "usr/lib/systemd/system", "etc/compound-gateway",
                 "run/systemd/system", "commands"):  # fmt: skip
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "usr/lib/compound-gateway/schemas").write_text("journal 1\naccess 1\n", encoding="ascii")
    for name in (
        UNIT,
        UNIT.replace("gateway.s", "gateway-desk.s"),
        UNIT.replace("gateway.s", "gateway-vision.s"),
        "etc/compound-gateway/gateway.toml",
    ):
        (tmp_path / name).write_text("x", encoding="ascii")
    commands = {
        "commands/systemctl": f"exit {0 if active else 3}",
        "usr/bin/compound-gateway": f"echo '{{}}'; exit {status}",
    }
    for name, text in commands.items():
        (tmp_path / name).write_text(f"#!/bin/sh\n{text}\n", encoding="ascii")
        (tmp_path / name).chmod(0o755)
    script = (PACKAGE / "preinst").read_text(encoding="utf-8").replace("root=\n", f"root={tmp_path}\n")
    for old, new in {"state=/var": f"state={tmp_path}/var", "installed=/usr": f"installed={tmp_path}/usr",
                     "@JOURNAL@": "1", "@ACCESS@": "1", "@DESK@": "1"}.items():  # fmt: skip
        script = script.replace(old, new)
    file = tmp_path / "preinst"
    file.write_text(script, encoding="utf-8")
    path = f"{tmp_path}/commands:{os.environ['PATH']}"
    return subprocess.run(
        ["sh", str(file), "upgrade", "0.1.0"], capture_output=True, text=True, check=False, timeout=60,
        env={**os.environ, "PATH": path},
    )  # fmt: skip


def test_an_upgrade_keeps_what_it_replaces_by_hard_links(tmp_path: Path) -> None:
    done = kept(tmp_path)
    assert done.returncode == 0, done.stderr
    home, previous = (
        tmp_path / "usr/lib" / name for name in ("compound-gateway", "compound-gateway.previous")
    )
    assert (home / "schemas").stat().st_ino == (previous / "schemas").stat().st_ino
    for name in ("gateway", "gateway-desk", "gateway-vision"):
        assert (previous / "around" / UNIT.replace("gateway.s", f"{name}.s")).read_text(
            encoding="ascii"
        ) == "x"
        one, other = (
            root / UNIT.replace("gateway.s", f"{name}.s") for root in (tmp_path, previous / "around")
        )
        assert one.stat().st_ino == other.stat().st_ino  # a copy may be empty after a power cut
    assert (previous / "before.json").exists()
    assert (previous / "unpacking").exists()
    assert not (previous / "trial").exists()


@pytest.mark.parametrize("mark", ["trial", "unpacking"])
def test_a_version_on_trial_or_half_unpacked_is_none_to_come_back_to(tmp_path: Path, mark: str) -> None:
    previous = tmp_path / "usr/lib/compound-gateway.previous"
    previous.mkdir(parents=True)
    for name, text in {mark: "", "version": "healthy"}.items():
        (previous / name).write_text(text, encoding="ascii")
    done = kept(tmp_path)
    assert done.returncode == 0, done.stderr
    assert (previous / "version").read_text(encoding="ascii") == "healthy"
    assert ((previous / "unpacking").exists(), (previous / "trial").exists()) == (True, False)


@pytest.mark.parametrize(("active", "status", "said"), [(False, 0, ""), (True, 1, "could not be kept")])
def test_a_gateway_that_does_not_run_is_no_version_to_come_back_to(
    tmp_path: Path, active: bool, status: int, said: str
) -> None:
    done = kept(tmp_path, active=active, status=status)
    assert done.returncode == 0, done.stderr
    assert said in done.stderr
    assert [path.name for path in (tmp_path / "usr/lib").glob("compound-gateway.*")] == []


# --- what postinst does with it -------------------------------------------------------------------

STUBS = ("systemctl", "systemd-sysusers", "systemd-tmpfiles", "deb-systemd-helper", "nice")


def configured(tmp_path: Path, argument: str) -> subprocess.CompletedProcess[str]:
    """Run postinst of 0.2.0 on a machine in a folder; dpkg knows of one file."""
    library, commands = tmp_path / "usr/lib", tmp_path / "commands"
    commands.mkdir()
    for name in STUBS:
        (commands / name).write_text("#!/bin/sh\n", encoding="ascii")
    (commands / "dpkg-query").write_text(
        f"#!/bin/sh\necho {library}/compound-gateway/version\n", encoding="ascii"
    )
    for file in commands.iterdir():
        file.chmod(0o755)
    text = (PACKAGE / "postinst").read_text(encoding="utf-8").replace("@VERSION@", "0.2.0")
    for place in ("/usr/lib", "/etc/compound-gateway", "/run/systemd"):
        text = text.replace(place, f"{tmp_path}{place}")
    script = text.replace('"$home/bin/python3"', "true")
    return subprocess.run(
        ["sh", "-c", script, "postinst", argument, "0.1.0"], capture_output=True, text=True, check=False,
        timeout=60, env={**os.environ, "PATH": f"{commands}:{os.environ['PATH']}"},
    )  # fmt: skip


def version(home: Path, number: str, *marks: str) -> Path:
    home.mkdir(parents=True)
    (home / "version").write_text(f"{number}\n", encoding="ascii")
    for name in marks:
        (home / name).touch()
    return home


@pytest.mark.parametrize(
    ("there", "left"), [("0.2.0", ["version"]), ("0.1.0", ["code", "taken-back", "version"])]
)
def test_after_a_way_back_only_what_lies_under_a_new_version_is_swept_out(
    tmp_path: Path, there: str, left: list[str]
) -> None:
    """0.1.0 is there when 0.2.0 is configured: it came back after a power cut, and dpkg is asked to finish."""
    home = version(tmp_path / "usr/lib/compound-gateway", there, "code", "taken-back")
    (tmp_path / "etc/compound-gateway").mkdir(parents=True)
    done = configured(tmp_path, "configure")
    assert done.returncode == 0, done.stderr
    assert sorted(path.name for path in home.iterdir()) == left
    assert ("install this package once more" in done.stderr) is (there == "0.1.0")


@pytest.mark.parametrize(("kept_of", "marks"), [("0.2.0", None), ("0.1.0", ["trial", "version"])])
def test_an_upgrade_that_fails_leaves_the_trial_that_was_going_on(
    tmp_path: Path, kept_of: str, marks: list[str] | None
) -> None:
    version(tmp_path / "usr/lib/compound-gateway", "0.2.0")
    previous = version(tmp_path / "usr/lib/compound-gateway.previous", kept_of, "unpacking")
    done = configured(tmp_path, "abort-upgrade")
    assert done.returncode == 0, done.stderr
    assert (sorted(path.name for path in previous.iterdir()) if previous.exists() else None) == marks
