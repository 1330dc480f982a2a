"""Every fault of the soak: how it is caused for real, how it ends, what may be told of it.

`begin` returns what ends the fault again. Faults of one `part` exclude one another; others come together as they like.
"""

import os
import random
import resource
import signal
from collections.abc import Callable
from dataclasses import dataclass

from drivers.sim.faults import PRESETS
from tests.faults.soak.ledger import ANY, Ledger
from tests.faults.soak.site import FAKETIME, Site

End = Callable[[], None]
CLOCKS = ("-3600", "+3600", "+86400", "-40d", "+10y", "-56y")
BROKEN = ('[gateway]\nid = "bench"\nid = 3\n', "[gatway]\n", "\x00\xff not a file of ours", "")
RECENT = 40  # causes that may be under way
MORE = 2  # descriptors left to a process that runs out of them


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault. `seconds` is how long it lasts, at least and at most; 0: it is over at once."""

    name: str
    part: str
    seconds: tuple[float, float]
    begin: Callable[["Scene"], End]


@dataclass(frozen=True, slots=True)
class Scene:
    """What a fault may touch."""

    site: Site
    ledger: Ledger
    chance: random.Random
    now: float

    def may_bring(self, *kinds: str, device: str | None = None, most: int = 1) -> None:
        """Write down what may be told of this fault."""
        for kind in kinds:
            self.ledger.may_bring(kind, device=device, now=self.now, most=most)


def _new_life(scene: Scene) -> None:
    """A new life tells anew what still holds."""
    scene.may_bring("uplink.down", "uplink.desk_silent", "storage.failing")


def _nothing() -> None:
    return


def _kill(scene: Scene) -> End:
    scene.site.disk.resume()  # what waits for a disk that hangs cannot even be killed
    if scene.site.disk.broken:
        _memory_lost(scene)
    _new_life(scene)
    scene.site.gateway.kill()
    return _nothing


def _memory_lost(scene: Scene) -> None:
    """What was told from memory alone dies with the process: it is told anew, as another alert."""
    for cause in scene.ledger.causes[-RECENT:]:
        cause.most += 1


def _freeze(scene: Scene) -> End:
    """Stop it; the manager finds its watchdog starved, or it wakes before that."""
    _new_life(scene)
    pid = scene.site.gateway.pid
    scene.site.gateway.kill(signal.SIGSTOP)

    def wake() -> None:
        if scene.site.gateway.pid == pid:
            scene.site.gateway.kill(signal.SIGCONT)

    return wake


def _reload_broken(scene: Scene) -> End:
    if not scene.site.gateway.ready:  # one that is starting would rightly end by itself
        return _nothing
    scene.site.file.write_text(scene.chance.choice(BROKEN), encoding="utf-8")
    scene.site.gateway.kill(signal.SIGHUP)
    return lambda: _write(scene.site)


def _write(site: Site) -> None:
    site.file.write_text(site.text, encoding="utf-8")


def _reload(scene: Scene) -> End:
    _new_life(scene)
    if scene.site.gateway.ready:
        scene.site.gateway.kill(signal.SIGHUP)
    return _nothing


def _no_descriptors(scene: Scene) -> End:
    gateway = scene.site.gateway
    pid = gateway.pid if gateway.ready else 0  # one that is starting would only be kept from it
    scene.may_bring("uplink.down", "uplink.desk_silent", "storage.failing")
    scene.may_bring("bus.down", most=len(scene.site.lines))
    if pid:
        used = len(os.listdir(f"/proc/{pid}/fd"))
        resource.prlimit(pid, resource.RLIMIT_NOFILE, (used + MORE, 1024))

    def enough() -> None:
        if scene.site.gateway.pid == pid and pid:
            resource.prlimit(pid, resource.RLIMIT_NOFILE, (1024, 1024))

    return enough


def _clock(scene: Scene) -> End:
    scene.site.clock.write_text(scene.chance.choice(CLOCKS) + "\n", encoding="ascii")
    scene.may_bring("gateway.clock_unset")

    def right() -> None:
        scene.site.clock.write_text("+0\n", encoding="ascii")

    return right


def _away(scene: Scene) -> None:
    scene.may_bring("uplink.down", "uplink.desk_silent")


def _broker_dies(scene: Scene) -> End:
    _away(scene)
    scene.site.broker.kill()
    return scene.site.broker.start


def _broker_freezes(scene: Scene) -> End:
    _away(scene)
    os.kill(scene.site.broker.pid, signal.SIGSTOP)
    return lambda: os.kill(scene.site.broker.pid, signal.SIGCONT)


def _desk_dies(scene: Scene) -> End:
    _away(scene)
    scene.site.desk_wanted = False
    scene.site.desk.kill()

    def back() -> None:
        scene.site.desk_wanted = True

    return back


def _desk_freezes(scene: Scene) -> End:
    _away(scene)
    if not scene.site.desk.runs:
        return _nothing
    pid = scene.site.desk.pid
    os.kill(pid, signal.SIGSTOP)
    return lambda: os.kill(pid, signal.SIGCONT)


def _disk_full(scene: Scene) -> End:
    scene.may_bring("storage.failing", "gateway.disk_low", "journal.lost")  # readings make room for alerts
    scene.site.disk.fill()
    return scene.site.disk.empty


def _disk_hangs(scene: Scene) -> End:
    scene.site.disk.stall()
    return scene.site.disk.resume


def _disk_breaks(scene: Scene) -> End:
    """Let it become read-only. It is mended as a person does: everything off, the disk checked, on again."""
    scene.may_bring("storage.failing", "gateway.disk_low")
    scene.site.disk.break_()

    def mended() -> None:
        _memory_lost(scene)
        _write(scene.site)  # no gateway starts on a broken file
        gateway = scene.site.gateway
        gateway.kill()
        if gateway.process is not None:
            gateway.process.wait()
        scene.site.disk.unmount()
        scene.site.disk.mount()

    return mended


def _noise(scene: Scene) -> End:
    line = scene.chance.choice(scene.site.lines)
    preset = scene.chance.choice([name for name in sorted(PRESETS) if name != "none"])
    scene.may_bring("bus.down", most=2)
    scene.may_bring("device.offline", device=ANY, most=60)
    scene.site.sim.tell(f"faults {line} {preset}")

    def silence() -> None:
        scene.site.sim.tell(f"faults {line} none")

    return silence


def _power_cut(scene: Scene) -> End:
    line = scene.chance.choice(scene.site.lines)
    scene.may_bring("bus.down")
    scene.may_bring("device.offline", device=ANY, most=30)
    scene.site.sim.tell(f"power_cut {line} {scene.chance.uniform(1, 8):.1f}")
    return _nothing


def _hub_reset(scene: Scene) -> End:
    """All adapters are gone at once, and come back one by one in another order."""
    lines = list(scene.site.lines)
    scene.may_bring("bus.down", most=len(lines))
    scene.may_bring("device.offline", device=ANY, most=30)
    for line in lines:
        scene.site.sim.tell(f"unplug {line}")
    scene.chance.shuffle(lines)

    def back() -> None:
        for line in lines:
            scene.site.sim.tell(f"replug {line}")

    return back


FAULTS = (
    Fault("gateway killed", "gateway", (0, 0), _kill),
    Fault("gateway frozen", "gateway", (2, 20), _freeze),
    Fault("reload", "gateway", (3, 3), _reload),
    Fault("reload of a broken file", "gateway", (1, 5), _reload_broken),
    Fault("no descriptors left", "gateway", (3, 30), _no_descriptors),
    Fault("broker killed", "broker", (0.5, 40), _broker_dies),
    Fault("broker frozen", "broker", (1, 40), _broker_freezes),
    Fault("desk killed", "desk", (0.5, 40), _desk_dies),
    Fault("desk frozen", "desk", (1, 40), _desk_freezes),
    Fault("disk full", "disk", (2, 40), _disk_full),
    Fault("disk hangs", "disk", (1, 30), _disk_hangs),
    Fault("disk read-only", "disk", (2, 20), _disk_breaks),
    Fault("noise on a line", "lines", (3, 40), _noise),
    Fault("power cut on a line", "lines", (8, 12), _power_cut),
    Fault("hub reset", "lines", (1, 15), _hub_reset),
    *((Fault("clock stepped", "clock", (1, 40), _clock),) if FAKETIME else ()),
)

SPARING = tuple(
    fault
    for fault in FAULTS
    if fault.name not in {"gateway killed", "gateway frozen", "disk read-only", "desk killed"}
)
"""Those that leave gateway and desk alive: one life is long enough to see whether it grows."""


def by_name(*names: str) -> tuple[Fault, ...]:
    """Return some of them."""
    return tuple(fault for fault in FAULTS if fault.name in names)
