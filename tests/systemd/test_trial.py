"""After an upgrade: a version that is not healthy goes, the one before comes back, and nothing else makes it go."""

import importlib.util
import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from tests.small_files import files_of_at_most

PACKAGE = Path(__file__).parents[2] / "systemd" / "package"
UNIT = "usr/lib/systemd/system/compound-gateway.service"
UNITS = (UNIT, *(UNIT.replace("gateway.s", f"gateway-{name}.s") for name in ("desk", "vision")))


def load() -> ModuleType:
    """Return the script, which is in no package."""
    spec = importlib.util.spec_from_file_location("trial", PACKAGE / "trial.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


trial = load()


class Wall:
    """A machine after an upgrade from 0.1.0 to 0.2.0, its systemd and its gateway; time passes by looking."""

    def __init__(self, root: Path, *, schemas: tuple[int, int] = (1, 1)) -> None:
        self.root, self.time, self.told = root, 0.0, list[str]()
        self.active: Callable[[], str] = lambda: "active"
        self.pid: Callable[[], str] = lambda: "7"
        self.status: Callable[[], dict[str, Any]] = self.healthy
        for folder, version, schema in (("", "0.2.0", schemas[1]), (".previous", "0.1.0", schemas[0])):
            home = root / f"usr/lib/compound-gateway{folder}"
            home.mkdir(parents=True)
            (home / "version").write_text(f"{version}\n", encoding="ascii")
            (home / "schemas").write_text(f"journal {schema}\naccess 1\n", encoding="ascii")
        self.home, self.previous = root / "usr/lib/compound-gateway", home
        (root / "var/lib/compound-gateway").mkdir(parents=True)
        for name in (UNIT, "usr/bin/compound-gateway", "etc/compound-gateway/gateway.toml"):
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_text("of 0.2.0", encoding="ascii")
        kept = home / "around" / UNIT
        kept.parent.mkdir(parents=True)
        kept.write_text("of 0.1.0", encoding="ascii")
        (home / "trial").touch()
        (home / "taken-back").touch()
        (home / "before.json").write_text(json.dumps(self.healthy()), encoding="ascii")
        summed = ["sha256sum", str(root / "etc/compound-gateway/gateway.toml")]
        done = subprocess.run(summed, check=True, capture_output=True, timeout=60)
        (home / "configuration").write_bytes(done.stdout)

    def healthy(self) -> dict[str, Any]:
        polls = int(self.time) * 10 + 1
        lines = [{"line": "riser", "up": True, "polls": polls}, {"line": "yard", "up": False, "polls": 0}]
        return {"buses": lines, "journal": {"failing": None, "commits": 4}, "uplink": {"connected": False}}

    def line(self, **changed: object) -> dict[str, Any]:
        told = self.healthy()
        told["buses"][0] |= changed
        return told

    def control(self, *arguments: str) -> str:
        self.told.append(arguments[0])
        return {"is-active": self.active, "show": self.pid}.get(arguments[0], lambda: "")()

    def ask(self, _: Path) -> dict[str, Any]:
        return self.status()

    def pause(self, seconds: float) -> None:
        self.time += seconds

    def run(self) -> int:
        code: int = trial.Trial(self.root, self.control, self.ask, lambda: self.time, self.pause).run()
        return code

    @property
    def version(self) -> str:
        return (self.home / "version").read_text(encoding="ascii").strip()

    @property
    def note(self) -> str:
        file = self.root / "var/lib/compound-gateway/update-taken-back"
        return file.read_text(encoding="utf-8") if file.exists() else ""


def test_a_healthy_version_stays_after_two_minutes_and_the_one_before_goes(tmp_path: Path) -> None:
    wall = Wall(tmp_path)
    assert wall.run() == 0
    assert 120 <= wall.time <= 150
    assert (wall.version, wall.previous.exists(), wall.note) == ("0.2.0", False, "")


def nobody() -> dict[str, Any]:
    raise ConnectionRefusedError("nobody")


TROUBLES: dict[str, Callable[[Wall], None]] = {
    "the unit is failed": lambda wall: setattr(wall, "active", lambda: "failed"),
    "the unit is activating": lambda wall: setattr(wall, "active", lambda: "activating"),
    "it has just been started": lambda wall: setattr(wall, "pid", lambda: str(wall.time)),
    "it does not answer": lambda wall: setattr(wall, "status", nobody),
    "line riser is down": lambda wall: setattr(wall, "status", lambda: wall.line(up=False)),
    "line riser polls nothing": lambda wall: setattr(wall, "status", lambda: wall.line(polls=5)),
    "the journal does not write": lambda wall: setattr(
        wall, "status", lambda: wall.healthy() | {"journal": {"failing": "read-only", "commits": 4}}
    ),
    "the journal wrote nothing": lambda wall: setattr(
        wall, "status", lambda: wall.healthy() | {"journal": {"failing": None, "commits": 0}}
    ),
}


@pytest.mark.parametrize("why", TROUBLES)
def test_a_version_that_is_not_healthy_within_five_minutes_goes_and_says_why(
    tmp_path: Path, why: str
) -> None:
    wall = Wall(tmp_path)
    TROUBLES[why](wall)
    assert wall.run() == 1
    assert 300 <= wall.time <= 420
    assert wall.version == "0.1.0"
    assert (wall.root / UNIT).read_text(encoding="ascii") == "of 0.1.0"
    assert why in wall.note
    assert "0.2.0 -> 0.1.0" in wall.note
    assert wall.told[-5:-1] == ["stop", "daemon-reload", "start", "try-restart"]
    left = sorted(path.name for path in (wall.root / "usr/lib").iterdir())
    assert left == ["compound-gateway", "systemd"]
    assert sorted(path.name for path in wall.home.iterdir()) == ["schemas", "taken-back", "version"]


def test_a_link_the_gateway_laid_leads_root_nowhere(tmp_path: Path) -> None:
    wall = Wall(tmp_path)
    wall.active = lambda: "failed"
    aim = tmp_path / "shadow"
    aim.write_text("precious", encoding="ascii")
    (tmp_path / "var/lib/compound-gateway/update-taken-back").symlink_to(aim)
    assert wall.run() == 1
    assert (wall.version, aim.read_text(encoding="ascii")) == ("0.1.0", "precious")


def test_no_room_for_a_note_keeps_nothing_from_coming_back(tmp_path: Path) -> None:
    wall = Wall(tmp_path)
    wall.active = lambda: "failed"
    (tmp_path / "var/lib/compound-gateway").rmdir()
    assert wall.run() == 1
    assert (wall.version, wall.note) == ("0.1.0", "")


def test_a_broker_that_is_away_and_a_line_that_was_dead_before_are_no_reason(tmp_path: Path) -> None:
    wall = Wall(tmp_path)  # its uplink is not connected, and its yard was down before
    assert wall.run() == 0


def test_a_journal_the_one_before_could_not_read_keeps_the_new_one_and_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    wall = Wall(tmp_path, schemas=(1, 2))
    wall.active = lambda: "failed"
    assert wall.run() == 1
    assert (wall.version, wall.previous.exists()) == ("0.2.0", False)
    assert "could not read journal any more" in capsys.readouterr().out


def test_a_configuration_somebody_broke_meanwhile_is_not_the_new_versions_fault(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    wall = Wall(tmp_path)
    (tmp_path / "etc/compound-gateway/gateway.toml").write_text("broken = [", encoding="ascii")
    wall.active = lambda: "activating"
    assert wall.run() == 1
    assert wall.version == "0.2.0"
    assert "was changed since the upgrade" in capsys.readouterr().out


def test_a_line_that_somebody_took_out_meanwhile_is_not_missed(tmp_path: Path) -> None:
    wall = Wall(tmp_path)
    (tmp_path / "etc/compound-gateway/gateway.toml").write_text("# without the riser", encoding="ascii")
    wall.status = lambda: wall.healthy() | {"buses": []}
    assert wall.run() == 0


def test_a_version_that_falls_over_every_half_minute_is_not_healthy(tmp_path: Path) -> None:
    wall = Wall(tmp_path)
    wall.pid = lambda: str(int(wall.time // 30))
    assert wall.run() == 1
    assert wall.version == "0.1.0"


@pytest.mark.parametrize("cut_at", ["stop", "daemon-reload", "start"])
def test_a_power_cut_in_the_middle_of_the_way_back_is_made_good_at_the_next_start(
    tmp_path: Path, cut_at: str
) -> None:
    wall = Wall(tmp_path)
    wall.active = lambda: "failed"
    whole = wall.control

    def cut(*arguments: str) -> str:
        if arguments[0] == cut_at:
            raise KeyboardInterrupt
        return whole(*arguments)

    wall.control = cut  # type: ignore[method-assign]
    with pytest.raises(KeyboardInterrupt):
        wall.run()
    wall.control = whole  # type: ignore[method-assign]
    left = tmp_path / "usr/lib/compound-gateway.failed"
    assert (wall.previous / "trial").exists() or left.exists()  # what the unit asks before it starts
    wall.run()
    assert not left.exists()
    assert not (wall.home / "around").exists()
    assert "the unit is failed" in wall.note
    assert wall.version == "0.1.0"
    assert (wall.root / UNIT).read_text(encoding="ascii") == "of 0.1.0"


def test_a_cut_between_the_two_renames_leaves_what_the_next_start_needs(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    wall = Wall(tmp_path)
    wall.home.rename(tmp_path / "usr/lib/compound-gateway.failed")
    assert wall.run() == 1
    assert wall.version == "0.1.0"
    assert not (tmp_path / "usr/lib/compound-gateway.failed").exists()
    told = capsys.readouterr().out
    assert "0.2.0 -> 0.1.0, was cut short and is finished now" in told
    assert "300 s" not in told


def test_a_card_that_is_full_lets_the_version_before_come_back(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A new version fills it, and is not healthy for that."""
    wall = Wall(tmp_path)
    wall.active = lambda: "failed"
    with files_of_at_most(0):
        assert wall.run() == 1
    assert "no note" in capsys.readouterr().out
    assert (wall.version, wall.told[-2]) == ("0.1.0", "try-restart")
    assert (wall.root / UNIT).read_text(encoding="ascii") == "of 0.1.0"


def test_whatever_fails_on_the_way_back_a_gateway_is_started(tmp_path: Path) -> None:
    wall = Wall(tmp_path)
    wall.active = lambda: "failed"
    (wall.root / UNIT).unlink()
    (wall.root / UNIT).mkdir()  # no file can take its place
    assert wall.run() == 1
    assert wall.told[-1] == "start"
    assert (wall.previous / "trial").exists()  # the next boot tries again


def test_an_upgrade_that_a_power_cut_left_half_unpacked_is_put_back_before_anything_starts(
    tmp_path: Path,
) -> None:
    wall = Wall(tmp_path)
    (wall.previous / "trial").rename(wall.previous / "unpacking")
    (wall.home / "schemas").unlink()  # dpkg did not come as far
    made = trial.Trial(wall.root, wall.control, wall.ask, lambda: wall.time, wall.pause)
    assert made.mend() == 0
    assert (wall.version, wall.time, wall.told) == ("0.1.0", 0.0, ["daemon-reload"])
    assert (wall.root / UNIT).read_text(encoding="ascii") == "of 0.1.0"
    assert "cut short before the new version was whole" in wall.note
    assert wall.run() == 1  # the unit's main process, after the gateway's start
    assert sorted(path.name for path in wall.home.iterdir()) == ["schemas", "taken-back", "version"]


@pytest.mark.parametrize(("active", "version"), [("active", "0.2.0"), ("failed", "0.1.0")])
def test_a_desk_whose_record_is_newer_is_not_taken_back_while_its_gateway_runs(
    tmp_path: Path, active: str, version: str
) -> None:
    """The desk before could not open the record, and nobody would be paged. A gateway that is dead comes first."""
    wall = Wall(tmp_path)
    (wall.home / "schemas").write_text("journal 1\naccess 1\ndesk 2\n", encoding="ascii")
    (wall.previous / "schemas").write_text("journal 1\naccess 1\ndesk 1\n", encoding="ascii")
    desk = tmp_path / "etc/compound-gateway-desk"
    desk.mkdir()
    (desk / "desk.toml").touch()
    wall.active = lambda: active
    wall.status = lambda: wall.line(up=False)
    assert wall.run() == 1
    assert wall.version == version
