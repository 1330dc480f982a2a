"""Inside the emulated machine: the gateway on a disk that drops its writes, gateway and desk on one that records them.

    python3 -m tests.systemd.flakey_inside CUTS SECONDS

First: one life of gateway and desk of SECONDS on /dev/vdc behind dm-log-writes, which notes every write and flush on
/dev/vdd; now and then a mark is put in between, with what had been promised by then. Then: CUTS lives of the gateway on
/dev/vdb behind dm-flakey. At a random moment the device stops, it is counted what was promised, and from then on every
write and flush is dropped while the daemon lives on; it is killed, the disk is mounted again and looked at. All of it
goes to /dev/vde as JSON.

An emulated processor takes a minute to import what a gateway needs. So the lives under dm-flakey are forked from a
process that has done so (tests/faults/victim.py); the one that is recorded is `compound-gateway run` and `desk`.
"""

import random
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Final

from tests.bench import rig
from tests.broker import Listener, free_port, listener, mosquitto, until
from tests.desk_service import paging
from tests.faults import victim
from tests.faults.power_checks import look, promised, published, ranges
from tests.faults.power_house import Confirm, Ledger, Processes, World, polls, to_first_poll, write
from tests.systemd import report_disk

COMPOUND: Final = ("--buildings", "1", "--detectors", "18", "--covers", "0", "--doors", "2", "--lines", "2")
FOLDER: Final = Path("/m")
REPORT: Final = Path("/dev/vde")
PATIENCE_S: Final = 180.0
MARK_EVERY_S: Final = 0.5
UNKNOWN_HERE: Final = ("invented", "never sent", "nobody sent")


@dataclass
class Report:
    """What comes out of the machine."""

    cuts: int = 0
    wrong: list[str] = field(default_factory=list)
    published: int = 0
    receipts: int = 0
    answered: int = 0
    polled_s: list[float] = field(default_factory=list)
    marks: list[tuple[int, int]] = field(default_factory=list)  # how much was heard and answered before each
    heard: list[tuple[str, str]] = field(default_factory=list)  # topic, content
    answers: list[tuple[str, str]] = field(default_factory=list)


class Inside:
    """The compound, the broker and the person, and one life after the other."""

    def __init__(self, report: Report, sim: rig.Simulator, pager: str, scratch: Path) -> None:
        self._report, self._sim, self._pager, self._scratch = report, sim, pager, scratch
        self._ledger, self._chance, self._port = Ledger(), random.Random(5), free_port()
        self._world = World(sim, self._ledger, random.Random(6))
        self._published: dict[tuple[int, int], bytes] = {}
        self._received: set[tuple[str, int, int]] = set()

    @contextmanager
    def life(self, number: int, *names: str) -> Iterator[tuple[Processes, Listener]]:
        """Have gateway, or gateway and desk, at work on the mounted disk, and killed in the end."""
        confirm: Confirm = "desk" if "desk" in names else "broker"
        write(FOLDER, self._sim.bus, port=self._port, pager=self._pager, confirm=confirm)
        processes = Processes(FOLDER, self._scratch) if "desk" in names else Warm(FOLDER, self._scratch)
        with (
            mosquitto(self._scratch, port=self._port),
            listener(self._port, "compound/v1/+/alert", "compound/v1/+/receipt", name="far") as heard,
        ):
            before, began = polls(self._sim), time.monotonic()
            processes.start(*names)
            try:
                with self._world.living(processes.client, heard, holder=f"life-{number}"):
                    polled = to_first_poll(self._sim, before, began, processes.said("gateway"), PATIENCE_S)
                    self._report.polled_s.append(round(polled, 2))
                    print(f"life {number} polls after {polled:.1f} s", flush=True)
                    yield processes, heard
            finally:
                processes.end(kill=True)

    def flakey(self, cuts: int) -> None:
        """Cut so many times by dropping every write."""
        disk = Mapped("flakey", "/dev/vdb")
        disk.load(f"0 {disk.sectors} linear {disk.device} 0", new=True)
        subprocess.run(["mkfs.ext4", "-q", disk.path], check=True)
        mount(disk.path)
        for number in range(cuts):
            with self.life(number, "gateway") as (processes, heard):
                until(lambda: self._has_spoken(processes, heard), within_s=PATIENCE_S, what="an alert")
                time.sleep(self._chance.uniform(0, 3))
                disk.run("suspend", "--nolockfs", "--noflush", disk.name)
                before, answered = len(heard.heard), len(self._ledger.answered)
                disk.load(f"0 {disk.sectors} flakey {disk.device} 0 0 180 1 drop_writes")
                disk.run("resume", disk.name)
                time.sleep(self._chance.uniform(0, 1))
            subprocess.run(["umount", str(FOLDER)], check=True)
            disk.run("suspend", "--nolockfs", "--noflush", disk.name)
            disk.load(f"0 {disk.sectors} linear {disk.device} 0")
            disk.run("resume", disk.name)
            mount(disk.path)
            self._look(number, heard, before, answered)
        subprocess.run(["umount", str(FOLDER)], check=True)

    def record(self, seconds: float) -> None:
        """Have one life written down, write by write."""
        disk = Mapped("logged", "/dev/vdc")
        disk.load(f"0 {disk.sectors} log-writes {disk.device} /dev/vdd", new=True)
        subprocess.run(["mkfs.ext4", "-q", disk.path], check=True)
        mount(disk.path)
        self._ledger.answered.clear()
        with self.life(0, "gateway", "desk") as (_, heard):
            end = time.monotonic() + seconds
            while time.monotonic() < end:
                time.sleep(self._chance.uniform(0, 2 * MARK_EVERY_S))
                self._report.marks.append((len(heard.heard), len(self._ledger.answered)))
                disk.run("message", disk.name, "0", "mark", f"m{len(self._report.marks) - 1}")
            self._world.rest()
            self._settle(heard)
        subprocess.run(["umount", str(FOLDER)], check=True)
        self._report.heard = [(each.topic, each.content.decode()) for each in heard.heard]
        self._report.answers = list(self._ledger.answered)
        report_disk.write(REPORT, asdict(self._report))
        print(f"recorded: {len(self._report.marks)} marks, {len(heard.heard)} heard", flush=True)

    def _has_spoken(self, processes: Processes, heard: Listener) -> bool:
        """Return whether this life has published something: what it took over and what is new."""
        return bool(heard.on("/alert")) and bool(processes.status())

    def _settle(self, heard: Listener) -> None:
        """Have all that was written published, so that it can be told from what nobody wrote."""
        client = Processes(FOLDER, self._scratch)
        until(lambda: client.unsent() == 0, within_s=PATIENCE_S, what="the end of the outbox")
        length = -1
        while length != len(heard.heard):
            length = len(heard.heard)
            time.sleep(3)

    def _look(self, number: int, heard: Listener, before: int, answered: int) -> None:
        """Hold the disk against what was promised. What it has and nobody heard of may be on its way still."""
        told = published(heard.heard)
        promise = promised(
            heard.heard[:before], self._ledger.answered[:answered], self._published | told,
            earlier=set(self._published), received=self._received,
        )  # fmt: skip
        found = look(FOLDER, promise)
        wrong = [each for each in found.wrong if not any(word in each for word in UNKNOWN_HERE)]
        if told and found.base <= max(told):
            wrong.append(
                f"numbers go on at {found.base}, {max(told)} was published while writes were dropped"
            )
        self._published |= told
        report = self._report
        report.wrong += [f"cut {number}: {each}" for each in wrong]
        report.cuts, report.published = report.cuts + 1, report.published + len(promise.published)
        report.receipts += len(promise.receipts)
        report.answered += len(promise.answered)
        # what was answered or received after the cut is gone, and was never promised
        del self._ledger.answered[answered:]
        for each in heard.heard[:before]:
            if each.topic.endswith("/receipt"):
                self._received |= set(ranges(each.topic, each.content))
        self._published = {
            each: content for each, content in self._published.items() if each in promise.published
        }
        report_disk.write(REPORT, asdict(report))  # so far, should the machine be taken down
        print(f"cut {number}: {len(promise.published)} published, {wrong or 'all there'}", flush=True)


class Warm(Processes):
    """A whole gateway, forked from a process that has imported everything."""

    context = victim.warm()

    def start(self, *_names: str, nice: int = 0) -> None:
        """Start it."""
        self._process = victim.start(self.context, self._folder / "gateway" / "gateway.toml")

    def end(self, *, kill: bool) -> None:
        """Kill it."""
        self._process.kill()
        self._process.join()


class Mapped:
    """A device-mapper device."""

    def __init__(self, name: str, device: str) -> None:
        self.name, self.device, self.path = name, device, f"/dev/mapper/{name}"
        self.sectors = int(subprocess.check_output(["blockdev", "--getsz", device], text=True))

    def load(self, table: str, *, new: bool = False) -> None:
        """Load a table; a device that is new begins with it."""
        self.run("create" if new else "load", self.name, "--table", table)
        if new:
            self.run("mknodes")

    def run(self, *words: str) -> None:
        """Run dmsetup."""
        subprocess.run(["dmsetup", *words], check=True)


def mount(device: str) -> None:
    """Mount it where the daemons live."""
    FOLDER.mkdir(exist_ok=True)
    subprocess.run(["mount", "-o", "noatime", device, str(FOLDER)], check=True)


def main(arguments: list[str]) -> None:
    """Do both parts; whatever happens is told."""
    cuts, seconds = int(arguments[0]), float(arguments[1])
    report, scratch = Report(), Path("/var/tmp")
    rig.START_S = PATIENCE_S  # an emulated processor is twenty times slower
    threading.excepthook = lambda told: report.wrong.append(f"inside: {told.exc_value!r}")
    print("the machine is up", flush=True)
    try:
        for module in ("dm-flakey", "dm-log-writes"):
            subprocess.run(["modprobe", module], check=True)
        with rig.simulator(*COMPOUND, "--unpaced") as sim, paging() as pager:
            if seconds:
                Inside(report, sim, pager.url, scratch).record(seconds)
            Inside(report, sim, pager.url, scratch).flakey(cuts)
    except BaseException as error:
        report.wrong.append(f"inside: {type(error).__name__}: {error}"[:3000])
        raise
    finally:
        report_disk.write(REPORT, asdict(report))


if __name__ == "__main__":
    main(sys.argv[1:])
