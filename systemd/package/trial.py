"""After an upgrade: is the new version healthy within five minutes? If not, the one before comes back.

`preinst` keeps what it replaces in /usr/lib/compound-gateway.previous: the whole environment by hard links, units and
command beside it, and how the gateway was. `postinst` starts this, by its unit, which a reboot starts again. Run by the
system's own Python, since the new environment is what is on trial. Where a boot finds that dpkg did not come as far as
`postinst`, what lies there may be half of each version: the one before is put back (`trial.py mend`) before any of it
starts.

Healthy: the unit is active, every line that was up before gets on, the journal writes; for two minutes, by one process.
No broker is looked at. The one before stays away where it could not read the journal any more, and where somebody
changed the configuration meanwhile and the gateway does not start: that is no fault of the new version's. Each step can
be cut short by a power cut and is done again; journal and configuration are never touched, so nothing is lost. The way
back writes nothing but names, which a full disk takes too, and whatever fails on it, a gateway is started.
"""

import hashlib
import json
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

PATIENCE_S: Final = 300.0
CALM_S: Final = 120.0
LOOK_S: Final = 5.0
STALLED_S: Final = 90.0  # a device that refuses something is asked for it again after 60 s
ANSWER_S: Final = 10.0
MOST_BYTES: Final = 16 * 1024 * 1024
UNIT: Final = "compound-gateway.service"
DESK: Final = "compound-gateway-desk.service"
VISION: Final = "compound-gateway-vision.service"
NOTE: Final = "update-taken-back"  # in the state folder: the gateway makes an alert of it
UNPACKING: Final = "unpacking"  # in the version before: the new one is not whole
KEPT: Final = ("trial", UNPACKING, "before.json", "configuration")  # what else preinst left there
CUT: Final = "the upgrade was cut short before the new version was whole"
DESK_SIGNS: Final = (  # where there is one of these there is a desk
    "etc/compound-gateway-desk/desk.toml",
    "etc/compound-gateway/desk.toml",
    "var/lib/compound-gateway-desk/desk.db",
    "var/lib/compound-gateway/desk.db",
)
AROUND: Final = (
    "usr/bin/compound-gateway",
    f"usr/lib/systemd/system/{UNIT}",
    f"usr/lib/systemd/system/{DESK}",
    f"usr/lib/systemd/system/{VISION}",
    "usr/lib/systemd/system/compound-gateway-vision.socket",
)


def systemctl(*arguments: str) -> str:
    """Run systemctl and return what it said; failures show in what the unit is afterwards."""
    command = ["systemctl", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=400).stdout.strip()


def status(path: Path) -> Mapping[str, Any]:
    """Return the health document of the gateway that answers at a socket; OSError or ValueError when none does."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(ANSWER_S)
        connection.connect(str(path))
        connection.sendall(b'{"op": "status"}\n')
        with connection.makefile("rb") as lines:
            document: Mapping[str, Any] = json.loads(lines.readline(MOST_BYTES))["status"]
    return document


def say(told: str) -> None:
    """Write a line to the log."""
    sys.stdout.write(f"{told}\n")
    sys.stdout.flush()


@dataclass
class Trial:
    """One trial. `root` stands before every path, so that tests can have a machine of their own."""

    root: Path = Path("/")
    control: Callable[..., str] = systemctl
    ask: Callable[[Path], Mapping[str, Any]] = status
    now: Callable[[], float] = time.monotonic
    pause: Callable[[float], None] = time.sleep
    _grew: dict[str, tuple[int, float]] = field(default_factory=dict)
    _pid: str = ""

    def __post_init__(self) -> None:
        library = self.root / "usr/lib"
        self.home, self.previous = library / "compound-gateway", library / "compound-gateway.previous"
        self.failed = library / "compound-gateway.failed"
        self.state = self.root / "var/lib/compound-gateway"
        self.config = self.root / "etc/compound-gateway/gateway.toml"
        self.socket = self.root / "run/compound-gateway/control.sock"

    def run(self) -> int:
        """Watch until it is plain; return 0 when the new version stays, 1 when it went or should have gone."""
        if cut := self.cut_short():
            return self.take_back(cut)
        if not (self.previous / "trial").exists():  # the power was cut after both renames
            return self.tidied()
        began = calm_since = self.now()
        while True:
            wrong = self.trouble()
            now = self.now()
            if wrong:
                calm_since = now + LOOK_S
                if now - began >= PATIENCE_S:
                    return self.judged(wrong)
            elif now - calm_since >= CALM_S:
                return self.passed()
            self.pause(LOOK_S)

    def cut_short(self) -> str:
        """Return what a power cut left half done; nothing if it did not."""
        if not self.home.exists():  # between two renames
            return "was cut short and is finished now"
        return f"because {CUT}" if (self.previous / UNPACKING).exists() else ""

    def mend(self) -> int:
        """Finish what a power cut left half done, before anything of either version is started."""
        if cut := self.cut_short():
            say(f"THE VERSION BEFORE COMES BACK, {self._versions()}, {cut}")
            if self.home.exists():
                self._note(f"{self._versions()}: {CUT}\n")
            self._put_back()
            self.control("daemon-reload")
        return 0

    def trouble(self) -> str:
        """Return what keeps the new version from being healthy at this look; nothing when it is."""
        if (active := self.control("is-active", UNIT)) != "active":
            return f"the unit is {active or 'not there'}"
        pid, self._pid = self._pid, self.control("show", "--value", "-p", "MainPID", UNIT)
        if pid != self._pid:
            self._grew.clear()
            return "it has just been started"
        try:
            told = self.ask(self.socket)
            lines = {str(line["line"]): line for line in told["buses"]}
            return self._line_trouble(lines) or self._journal_trouble(told["journal"])
        except (OSError, ValueError, LookupError, TypeError) as error:
            return f"it does not answer: {type(error).__name__}: {error}"

    def judged(self, wrong: str) -> int:
        """Take the old version back, unless there is a reason not to; say which."""
        if blocked := self.blocked():
            say(
                f"NOT HEALTHY after {PATIENCE_S:.0f} s ({wrong}), but the version before is not brought back: {blocked}"
            )
            self._forget()
            return 1
        self._note(f"{self._versions()}: {wrong}\n")
        return self.take_back(f"because the new one was not healthy after {PATIENCE_S:.0f} s: {wrong}")

    def blocked(self) -> str:
        """Return why the version before cannot come back; nothing if it can."""
        old, new = _schemas(self.previous), _schemas(self.home)
        newer = {name for name, number in new.items() if number > old.get(name, 0)}
        if lost := sorted(newer - {"desk"}):
            return f"it could not read {', '.join(lost)} any more"
        active = self.control("is-active", UNIT) == "active"
        if active and "desk" in newer and any((self.root / sign).exists() for sign in DESK_SIGNS):
            return "the duty desk here could not read its record any more, and nobody would be paged"
        if not active and self.config_changed():
            return f"{self.config} was changed since the upgrade; see: journalctl -u {UNIT}"
        return ""

    def config_changed(self) -> bool:
        """Say whether somebody changed the configuration since the upgrade began."""
        try:
            before = (self.previous / "configuration").read_text(encoding="ascii").split()[0]
            return hashlib.sha256(self.config.read_bytes()).hexdigest() != before
        except (OSError, ValueError, LookupError):
            return True

    def take_back(self, why: str) -> int:
        """Put the version before in its place and start it. Every step may be done twice."""
        say(f"THE VERSION BEFORE COMES BACK, {self._versions()}, {why}")
        self.control("stop", UNIT, VISION)
        try:
            self._put_back()
        except OSError as error:
            say(f"NOT BROUGHT BACK, the next boot tries again: {error}")
            self.control("start", UNIT)
            return 1
        return self.tidied()

    def _put_back(self) -> None:
        for name in AROUND:
            kept = self.previous / "around" / name
            if kept.exists():
                kept.replace(self.root / name)
        if self.home.exists():
            shutil.rmtree(self.failed, ignore_errors=True)
            self.home.rename(self.failed)
        self.previous.rename(self.home)

    def tidied(self) -> int:
        """Start the version that came back, and remove what the way back left."""
        self.control("daemon-reload")
        self.control("start", UNIT)
        self.control("try-restart", DESK)
        for name in KEPT:
            (self.home / name).unlink(missing_ok=True)
        for folder in (self.failed, self.home / "around"):
            shutil.rmtree(folder, ignore_errors=True)
        say(f"the version before runs: {self.control('is-active', UNIT)}")
        return 1

    def _versions(self) -> str:
        new = _text(self.home / "version") or _text(self.failed / "version") or "?"
        return f"{new} -> {_text(self.previous / 'version') or '?'}"

    def passed(self) -> int:
        """Let the version before go."""
        say("healthy; the version before is not needed any more")
        (self.state / NOTE).unlink(missing_ok=True)
        self._forget()
        return 0

    def _forget(self) -> None:
        (self.previous / "trial").unlink(missing_ok=True)
        shutil.rmtree(self.previous, ignore_errors=True)

    def _note(self, told: str) -> None:
        """Leave a note for the gateway. The folder is its own, not root's: no link of its making is followed.

        A disk that is full, or somebody who is quicker, keeps nothing from coming back.
        """
        try:
            (self.state / NOTE).unlink(missing_ok=True)
            made = os.open(self.state / NOTE, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o644)
            with os.fdopen(made, "w", encoding="utf-8") as file:
                file.write(told)
        except OSError as error:
            say(f"no note for the gateway: {error}")

    def _line_trouble(self, lines: Mapping[str, Mapping[str, Any]]) -> str:
        changed = self.config_changed()
        for name in self._lines_before():
            line = lines.get(name)
            if line is None and changed:
                continue
            if line is None or not line["up"]:
                return f"line {name} is down"
            polls, now = int(line["polls"]), self.now()
            count, at = self._grew.get(name, (0, now - STALLED_S))
            if polls > count:
                self._grew[name] = (polls, now)
            elif now - at >= STALLED_S:
                return f"line {name} polls nothing"
        return ""

    def _journal_trouble(self, journal: Mapping[str, Any]) -> str:
        if journal.get("failing") and not self._before().get("journal", {}).get("failing"):
            return f"the journal does not write: {journal['failing']}"
        return "" if journal["commits"] else "the journal wrote nothing yet"

    def _lines_before(self) -> list[str]:
        return [str(line["line"]) for line in self._before().get("buses", ()) if line.get("up")]

    def _before(self) -> Mapping[str, Any]:
        try:
            told: Mapping[str, Any] = json.loads((self.previous / "before.json").read_bytes())
        except (OSError, ValueError):
            return {}
        return told


def _schemas(home: Path) -> dict[str, int]:
    """Return the version of each database's schema that an environment knows."""
    return {
        name: int(number) for name, number in (line.split() for line in _text(home / "schemas").splitlines())
    }


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8").strip()
    except OSError:
        return ""


def main(arguments: Sequence[str]) -> int:
    """Run the trial of this machine, or mend what a power cut left, if there is one."""
    trial = Trial()
    marks = (trial.previous / "trial", trial.previous / UNPACKING, trial.failed)
    if not any(mark.exists() for mark in marks):
        return 0
    return trial.mend() if arguments == ["mend"] else trial.run()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
