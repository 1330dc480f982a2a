"""Inside the emulated machine: the package installed, its limits reached, systemd and the kernel hung, the clock lost.

    python3 -m tests.systemd.machine_inside

Which life of the machine this is stands in its kernel's command line (`story.life`), and what time it is outside
(`story.now`). What was seen, and what must still be known in the next life, is on /dev/vdb. A life whose last chapter
hangs something has no end of its own: the chip ends it, and the next one looks at what came back.
"""

import ctypes
import json
import os
import re
import socket
import subprocess
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from tests.systemd import limits, report_disk
from tests.systemd.beginning import compound, install
from tests.systemd.place import PATIENCE, Place
from tests.systemd.real import HEAD, table, write
from tests.systemd.story import UNIT, Step, Story, until

REPORT: Final = Path("/dev/vdb")
CONTROL: Final = "/run/compound-gateway/control.sock"
CHIP: Final = Path("/sys/class/watchdog/watchdog0")
PTRACE_SEIZE, PTRACE_INTERRUPT = 0x4206, 0x4207  # linux/ptrace.h
HUNG_S: Final = 30.0
DAY_S: Final = 86_400


class Here(Place):
    """This Debian; the gateway is asked on its socket, since a command of its own takes an emulated processor 6 s."""

    def gateway(self, op: str) -> Any:
        with socket.socket(socket.AF_UNIX) as line, line.makefile("rwb") as stream:
            line.connect(CONTROL)
            stream.write(json.dumps({"op": op}).encode() + b"\n")
            stream.flush()
            return json.loads(stream.readline())[op]


class Inside:
    """One life of the machine, and what it knows of those before."""

    def __init__(self, life: int, now: float, told: dict[str, Any]) -> None:
        self.life, self._now = life, now
        package = next(Path.cwd().glob("*.deb"), Path("none"))
        self.story = Story(Here(), package, [Step(**each) for each in told.get("steps", [])])
        self.story.burning, self.story.quiet = told.get("burning", []), told.get("quiet", [])

    def run(self) -> None:
        """Do one chapter after the other."""
        for what, chapter in self.lives()[self.life].items():
            self.story.look(what, chapter)
            self.hand_out()

    def lives(self) -> list[dict[str, Callable[[], str]]]:
        """Return the chapters of each life, in their order."""
        story = self.story
        installs: dict[str, Callable[[], str]] = {
            "a chip that nobody winds up": self.unarmed,
            "installed by apt": lambda: install(story),
        }
        first = {
            "the chip, by our drop-in": self.armed,
            "a compound, by reload": self.configure,
            "a fire is an alert": self.alarms,
            "MemoryMax of the unit": lambda: limits.memory(story),
            "the gateway itself over MemoryMax": lambda: limits.too_little(story),
            "TasksMax of the unit": lambda: limits.tasks(story),
            "systemd hangs": self.systemd_hangs,
        }
        if story.package.exists():
            first = installs | first
        second = {
            "after the chip: systemd had hung": self.back,
            "another fire is an alert": self.alarms,
            "the kernel hangs": self.kernel_hangs,
        }
        third = {
            "after the chip: the kernel had hung; no clock, no network": self.back,
            "a fire at a time long gone": self.in_the_past,
            "the clock is set": self.set_right,
            "the clock falls back to 1970": self.back_to_1970,
        }
        return [first, second, third]

    def hand_out(self, **more: object) -> None:
        """Write down what was seen so far, and what the next life must know."""
        story = self.story
        steps = [asdict(step) for step in story.steps]
        report_disk.write(REPORT, {"steps": steps, "burning": story.burning, "quiet": story.quiet, **more})

    def unarmed(self) -> str:
        """Before there is anything of ours, the kernel has the chip and nobody asked it for anything."""
        seen = chip()
        assert seen["state"] == "inactive", seen
        return f"{seen['identity']}, {seen['state']}"

    def armed(self) -> str:
        """The package's drop-in has systemd feed the chip, after its installation without a reboot."""
        until(lambda: chip()["state"] == "active", "the chip wound up", 30)
        seen = chip()
        assert int(seen["timeout"]) == 14, seen
        return f"{seen['identity']}, {seen['state']}, {seen['timeout']} s; fed by {fed_by()}"

    def configure(self) -> str:
        """Give it a simulated compound."""
        story = self.story
        buses = compound(story.there)
        devices = [device for bus in buses for device in bus["device"]]
        story.quiet = [each["name"] for each in devices if each["profile"] == "sonbest-sm7571b"]
        write(story, HEAD + "".join(table(bus) for bus in buses))
        story.there.out("systemctl", "reload", UNIT)
        until(lambda: story.status()["gateway"]["id"] == "real-01", "the new configuration", 20)
        until(lambda: self._all_answer(len(devices)), "every device", 60)
        return f"{len(devices)} devices on {len(buses)} lines, none silent, process {story.pid()}"

    def alarms(self) -> str:
        self.story.burn()
        return self.story.nothing_lost()

    def systemd_hangs(self) -> str:
        """Stop process 1 as a debugger does, since it takes no SIGSTOP; gateway and kernel live on."""
        self.story.burn()
        libc = ctypes.CDLL(None, use_errno=True)
        for request in (PTRACE_SEIZE, PTRACE_INTERRUPT):
            done = libc.ptrace(request, 1, None, None)
            assert done == 0, os.strerror(ctypes.get_errno())
        until(lambda: "tracing stop" in Path("/proc/1/status").read_text(), "process 1 stopped", 5)
        return self._hung()

    def kernel_hangs(self) -> str:
        """Have the kernel panic; this machine's does not start itself again (panic=0)."""
        self.story.burn()
        return self._hung(lambda: Path("/proc/sysrq-trigger").write_text("c", encoding="ascii"))

    def _hung(self, deed: Callable[[], object] = lambda: None) -> str:
        self.hand_out(hung_at=time.time())
        deed()
        time.sleep(HUNG_S * PATIENCE)
        raise AssertionError(f"the machine was still there after {HUNG_S * PATIENCE:.0f} s")

    def back(self) -> str:
        """After a reset all comes up by itself, and the alerts are those of before."""
        story = self.story
        until(lambda: story.there.show(UNIT, "ActiveState") == "active", "the gateway", 60)
        buses = compound(story.there)
        until(lambda: story.polls() > 0, "polls", 60)
        up_s = float(Path("/proc/uptime").read_text(encoding="ascii").split()[0])
        until(lambda: self._all_answer(sum(len(bus["device"]) for bus in buses)), "every device", 60)
        assert chip()["state"] == "active", chip()
        return f"polls {up_s:.0f} s after the kernel's start (emulated), chip active; {story.nothing_lost()}"

    def in_the_past(self) -> str:
        """Nobody knows the time: the gateway says so, and does what it is there for."""
        now, net = time.time(), sorted(os.listdir("/sys/class/net"))
        day = time.strftime("%F", time.gmtime(now))  # systemd knows when it was built, and begins there
        assert now < self._now - DAY_S, day
        assert net == ["lo"], net
        assert self._clock() == "unsynced"
        self.story.burn()
        return f"it is {day}, network: {', '.join(net)}; clock told as unsynced; {self.story.nothing_lost()}"

    def set_right(self) -> str:
        """The time comes at last, years at once."""
        return self._step_to(self._now)

    def back_to_1970(self) -> str:
        """A time source that went mad."""
        told = self._step_to(DAY_S)
        assert self._clock() == "unsynced"
        return told

    def _step_to(self, when: float) -> str:
        before, count = self.story.pid(), self.story.polls()
        subprocess.run(["date", "-s", f"@{when:.0f}"], check=True, stdout=subprocess.DEVNULL)
        limits.polled_on(self.story, before, count)
        self.story.burn()
        assert self.story.pid() == before, "the gateway was started anew"
        return f"it is {time.gmtime().tm_year}, process {before} polls on; {self.story.nothing_lost()}"

    def _clock(self) -> object:
        return self.story.status()["gateway"]["clock"]

    def _all_answer(self, count: int) -> bool:
        devices = [each for line in self.story.status()["buses"] for each in line["devices"]]
        return len(devices) == count and all(each["online"] for each in devices)


def chip() -> dict[str, str]:
    """Return what the kernel says of its watchdog."""
    return {
        name: (CHIP / name).read_text(encoding="ascii").strip() for name in ("identity", "state", "timeout")
    }


def fed_by() -> str:
    """Return the name of the process that has the chip open."""
    for entry in Path("/proc").glob("[0-9]*/fd/*"):
        if entry.is_symlink() and os.readlink(entry).startswith("/dev/watchdog"):
            return f"process {entry.parts[2]}, {Path(*entry.parts[:3], 'comm').read_text().strip()}"
    raise AssertionError("nobody")


def main() -> None:
    """Live the life that the kernel's command line says."""
    subprocess.run(["dmesg", "-n", "1"], check=True)  # the kernel's words would break ours
    told = dict(re.findall(r"story\.(\w+)=(\S+)", Path("/proc/cmdline").read_text(encoding="ascii")))
    Inside(int(told["life"]), float(told["now"]), report_disk.read(REPORT) or {}).run()


if __name__ == "__main__":
    main()
