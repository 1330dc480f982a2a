"""Inside the emulated machine: what a person does with three adapters, what udev and the gateway make of it.

    python3 -m tests.systemd.usb_inside

What only somebody outside can do is said on the console, between two @: `plug N SOCKET NUMBER`, `unplug N`,
`burn DETECTOR`, `quench DETECTOR`. The report goes to /dev/vdb as JSON. Adapter N has the line `riser-N` behind it.
"""

import contextlib
import fcntl
import grp
import json
import subprocess
import time
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any, Final

from gateway.terminal.client import Client
from gateway.terminal.errors import ToolError
from tests.bench import rig
from tests.broker import until
from tests.faults import victim
from tests.systemd import report_disk

NUMBERS: Final = {1: "A50285BI", 2: "0001", 3: "0001"}
NAMES: Final = Path("/dev/rs485")
FOLDER: Final = Path("/var/tmp/usb")
REPORT: Final = Path("/dev/vdb")
PATIENCE_S: Final = 240.0  # an emulated processor is twenty times slower
DEVICES: Final = Path("/sys/bus/usb/devices")
FTDI: Final = "0403"
USBDEVFS_RESET: Final = 0x5514  # linux/usbdevice_fs.h: the port is reset, its driver let go and bound anew


class Inside:
    """The box with its sockets, seen from the machine in it."""

    def __init__(self) -> None:
        self.steps: list[dict[str, Any]] = []
        self._buses: list[dict[str, Any]] = json.loads(Path("usb.json").read_bytes())
        self._client = Client([FOLDER / "state" / "control.sock"])

    def run(self) -> None:
        """Do one thing after the other; one that failed ends it, since the next ones stand on it."""
        self._step("names in /dev/rs485, rights, latency of the FTDI chips", self._named)
        config = FOLDER / "gateway.toml"
        FOLDER.mkdir()
        config.write_text(
            rig.configuration(self._buses, broker_url="mqtt://127.0.0.1:1", state_dir=FOLDER / "state"),
            encoding="utf-8",
        )
        process = victim.start(victim.warm(), config)
        try:
            self._step("polls, and a fire on each line is that line's", self._all_well)
            self._step("one pulled: the others are polled on; back in another socket", self._moved)
            self._step(
                "all pulled, back in another order: numbers of ttyUSB change, lines do not", self._renumbered
            )
            self._step("all reset at once, as by their hub", self._reset)
        finally:
            process.kill()
            process.join()

    def _step(self, name: str, deed: Callable[[], str]) -> None:
        print(f"step: {name}", flush=True)
        try:
            self.steps.append({"name": name, "told": deed(), "ok": True})
        except BaseException as error:
            self.steps.append({"name": name, "told": f"{type(error).__name__}: {error}"[:1000], "ok": False})
            raise
        finally:
            print(f"told: {self.steps[-1]['told']}", flush=True)
            report_disk.write(REPORT, self.steps)

    def _named(self) -> str:
        for number in NUMBERS:
            _plug(number, number)
        _until_there(len(NUMBERS))
        there = _names()
        numbered = f"serial-{NUMBERS[1]}-if00"
        sockets = sorted(set(there) - {numbered})
        assert numbered in there, there
        assert len(sockets) == 2
        assert all(name.startswith("socket-pci-") for name in sockets), there
        for bus, name in zip(self._buses, [numbered, *sockets], strict=True):
            bus["port"] = str(NAMES / name)
        for port in there.values():
            status = Path("/dev", port).stat()
            assert status.st_mode & 0o777 == 0o660, oct(status.st_mode)
            assert grp.getgrgid(status.st_gid).gr_name == "dialout"
            latency_ms = Path(f"/sys/class/tty/{port}/device/latency_timer").read_text(encoding="ascii")
            assert latency_ms.strip() == "1", latency_ms
        return f"{', '.join(there)}; 660 dialout, 1 ms"

    def _all_well(self) -> str:
        return self._each_line_is_itself()

    def _moved(self) -> str:
        before = _names()
        _order("unplug 1")
        until(lambda: len(_names()) == 2, within_s=PATIENCE_S, what="its name is gone")
        until(lambda: self._online() == {2, 3}, within_s=PATIENCE_S, what="line 1 away, the others there")
        self._burn(2)
        _plug(1, 4)
        until(lambda: _names().keys() == before.keys(), within_s=PATIENCE_S, what="its name is back")
        return f"the same names; {self._each_line_is_itself()}"

    def _renumbered(self) -> str:
        before = _names()
        for number in NUMBERS:
            _order(f"unplug {number}")
        until(lambda: not _names(), within_s=PATIENCE_S, what="no name is left")
        until(lambda: not self._online(), within_s=PATIENCE_S, what="nobody answers")
        for number in reversed(NUMBERS):
            _plug(number, number)
            _until_there(1 + len(NUMBERS) - number)
        after = _names()
        assert after.keys() == before.keys(), (before, after)
        assert after != before, f"the kernel numbered them as before: {after}"
        moved = sorted(
            f"{name}: {before[name]} -> {port}" for name, port in after.items() if before[name] != port
        )
        return f"{', '.join(moved)}; {self._each_line_is_itself()}"

    def _reset(self) -> str:
        before = _names()
        adapters = [
            each.parent
            for each in DEVICES.glob("*/idVendor")
            if each.read_text(encoding="ascii").strip() == FTDI
        ]
        assert len(adapters) == len(NUMBERS)
        for adapter in adapters:
            bus, device = (int((adapter / name).read_text(encoding="ascii")) for name in ("busnum", "devnum"))
            with Path(f"/dev/bus/usb/{bus:03}/{device:03}").open("wb") as file:
                fcntl.ioctl(file, USBDEVFS_RESET)
        until(lambda: _names().keys() == before.keys(), within_s=PATIENCE_S, what="the names are back")
        return f"the same names; {self._each_line_is_itself()}"

    def _each_line_is_itself(self) -> str:
        """Have one detector burn on each line in turn; the alert must be that detector's, and the only one."""
        began = time.monotonic()
        until(lambda: self._online() == set(NUMBERS), within_s=PATIENCE_S, what="all lines answer")
        took_s = time.monotonic() - began
        for number in NUMBERS:
            self._burn(number)
        return f"all answer after {took_s:.0f} s (emulated); 3 of 3 fires on their own line"

    def _burn(self, number: int) -> None:
        detector = self._buses[number - 1]["device"][0]["name"]
        word = detector.replace("-", "_")
        _order(f"burn {word}")
        until(self._fires, within_s=PATIENCE_S, what=f"a fire of {detector}")
        assert self._fires() == [detector], self._fires()
        _order(f"quench {word}")
        until(self._seen_to, within_s=PATIENCE_S, what=f"{detector} is well again")

    def _seen_to(self) -> bool:
        """Acknowledge what is new and reset what is latched; return whether nothing is left."""
        for alert in self._alerts():
            with contextlib.suppress(ToolError):  # it may be over meanwhile, or smoke may be left
                if alert["state"].endswith("unacked"):
                    self._client.ask("acknowledge", alert=alert["alert"])
                if alert["state"].startswith("latched"):
                    self._client.ask("command", device=alert["device"], action="reset", arguments={})
        return not self._fires()

    def _fires(self) -> list[str]:
        return [each["device"] for each in self._alerts()]

    def _alerts(self) -> list[dict[str, Any]]:
        return [
            each for each in self._client.ask("alerts")["alerts"] if each["kind"].startswith("fire.smoke")
        ]

    def _online(self) -> Collection[int]:
        """Return the lines on which every device answers."""
        try:
            buses = self._client.ask("status")["status"]["buses"]
        except ToolError:
            return set()
        return {n for n, bus in enumerate(buses, 1) if all(each["online"] for each in bus["devices"])}


def _plug(number: int, socket: int) -> None:
    _order(f"plug {number} {socket} {NUMBERS[number]}")


def _order(words: str) -> None:
    print(f"\n@{words}@", flush=True)


def _until_there(count: int) -> None:
    until(lambda: len(_names()) == count, within_s=PATIENCE_S, what=f"{count} names")


def _names() -> dict[str, str]:
    """Return the names in /dev/rs485, and which port each is."""
    return {each.name: each.resolve().name for each in sorted(NAMES.glob("*")) if each.exists()}


if __name__ == "__main__":
    subprocess.run(["dmesg", "-n", "1"], check=True)  # the kernel's words would break the orders
    print("the machine is up", flush=True)
    Inside().run()
