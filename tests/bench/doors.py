"""The doors: from card to strike, how long a decision takes, and how soon a fire has freed six doors.

Keys: card_to_strike_p99_ms {baud: ms}, decision_p99_ms, fire_to_doors_free_s. Limits: 250 ms at 9600 and at
115200 baud, 5 ms with 50,000 cards, 1 s. Cards are held to a reader that speaks real OSDP in secure channel on a
pty at the pace of its wire; its own output is the strike, and for comparison a relay on a Modbus line. The fire is
a detector that sees smoke; the time runs from the alert to the last of the six strikes, with no network, every
flush of the disk stalled for ten seconds, then on a disk that is full, and two processes at full load beside it, as
cameras are. `--cards` at each speed, `--fires` in each state of the disk.
"""

import argparse
import contextlib
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from gateway.terminal.client import Client
from tests.bench import decision_part, door_rig, rig
from tests.bench.table import Figure, at_most, present
from tests.faults import slowsync

BAUDS = (9600, 115200)
STALL_MS = 10_000.0
DISK_MB = 24
DOORS = 6


def main() -> None:
    """Run the bench."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--cards", type=int, default=100, help="held to the reader at each speed (default 100)"
    )
    parser.add_argument("--fires", type=int, default=5, help="in each state of the disk (default 5)")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        own = {baud: door_rig.cards(folder / f"own-{baud}", baud, arguments.cards) for baud in BAUDS}
        relay = {
            baud: door_rig.cards(folder / f"relay-{baud}", baud, arguments.cards, relay=True)
            for baud in BAUDS
        }
        fires = {
            state: fire(folder / state.replace(" ", "-"), state, arguments.fires)
            for state in ("stalled disk", "full disk")
        }
    decision = decision_part.measure()
    worst = {baud: max(door_rig.p99_ms(own[baud]), door_rig.p99_ms(relay[baud])) for baud in BAUDS}
    free_s = max(took for times in fires.values() for took, _ in times)
    figures = [
        *(
            at_most(f"card to strike p99, {where} at {baud} baud", door_rig.p99_ms(times[baud]), 250, " ms")
            for where, times in (("reader's own output", own), ("relay on Modbus", relay))
            for baud in BAUDS
        ),
        *(
            Figure(f"  p50, {where} at {baud} baud", f"{door_rig.p50_ms(times[baud]):.4g} ms")
            for where, times in (("reader's own output", own), ("relay on Modbus", relay))
            for baud in BAUDS
        ),
        at_most("decision p99, 50,000 cards", decision["decision_p99_ms"], 5, " ms"),
        *(
            at_most(f"alert to last of {DOORS} doors, {state}", max(t for t, _ in times), 1, " s")
            for state, times in fires.items()
        ),
        *(
            Figure(f"  from smoke in the detector, {state}", f"{max(whole for _, whole in times):.3g} s")
            for state, times in fires.items()
        ),
    ]
    present(
        "doors",
        figures,
        {
            "card_to_strike_p99_ms": {str(baud): round(worst[baud], 1) for baud in BAUDS},
            "decision_p99_ms": round(decision["decision_p99_ms"], 4),
            "fire_to_doors_free_s": round(free_s, 3),
            "cards": arguments.cards,
            "fires": {state: [round(took, 3) for took, _ in times] for state, times in fires.items()},
        },
    )


def fire(folder: Path, state: str, count: int) -> list[tuple[float, float]]:
    """Return for each fire the seconds from alert, and from smoke, to the last of the doors of its building."""
    folder.mkdir()
    return [_one_fire(folder / str(number), state) for number in range(count)]


def _one_fire(folder: Path, state: str) -> tuple[float, float]:
    folder.mkdir()
    with contextlib.ExitStack() as stack:
        for _ in range(2):
            stack.enter_context(busy())
        disk = stack.enter_context(small_disk(folder)) if state == "full disk" else folder / "state"
        sim = stack.enter_context(
            rig.simulator(
                "--buildings", "1", "--detectors", "14", "--covers", "2", "--doors", str(DOORS), "--lines", "2",
                "--link", str(folder),
            )
        )  # fmt: skip
        text = rig.configuration(sim.bus, broker_url="mqtt://192.0.2.1:1883", state_dir=disk)
        stalled = folder / "stalled"
        slow = {**slowsync.environment(folder, STALL_MS), "SLOWSYNC_WHEN": str(stalled)}
        slow = {key: slow[key] for key in ("LD_PRELOAD", "SLOWSYNC_US", "SLOWSYNC_WHEN")}
        process = stack.enter_context(rig.gateway(folder / "gateway", text + door_rig.doors(sim.bus), slow))
        stack.callback(stalled.unlink, missing_ok=True)
        strikes = {
            table["name"] for bus in sim.bus for table in bus["device"] if table["name"].startswith("door-")
        }
        door_rig.until_locked(process, len(strikes))
        if state == "full disk":
            stack.enter_context(filled(disk))
        else:
            stalled.touch()
        alerts = Watcher(Client([disk / "control.sock"]))
        began = sim.tell("set smoke-1-1-1 smoke 900")["at"]
        freed: dict[str, float] = {}
        while set(freed) != strikes:
            fact = sim.next_change()
            if fact.get("point") == "strike" and fact["value"]:
                freed.setdefault(fact["device"], fact["at"])
        raised = alerts.raised_at("fire.smoke")
        return max(freed.values()) - raised, max(freed.values()) - began


class Watcher:
    """Follows a gateway's events beside the bench."""

    def __init__(self, client: Client) -> None:
        self._raised: dict[str, float] = {}
        self._came = threading.Condition()
        self._ready = threading.Event()
        threading.Thread(target=self._follow, args=(client,), daemon=True).start()
        assert self._ready.wait(rig.START_S)

    def raised_at(self, kind: str) -> float:
        """Return the monotonic time of the first alert of a kind, when it has come."""
        with self._came:
            assert self._came.wait_for(lambda: kind in self._raised, rig.START_S)
            return self._raised[kind]

    def _follow(self, client: Client) -> None:
        with contextlib.suppress(Exception):  # the gateway is gone: the bench has what it wants
            for answer in client.stream("watch"):
                self._ready.set()
                event = answer.get("event", {})
                body = event.get("body", {})
                if body.get("type") == "alert" and body.get("change") == "raised":
                    with self._came:
                        self._raised.setdefault(body["kind"], event["monotonic"])
                        self._came.notify_all()


@contextlib.contextmanager
def busy() -> Iterator[None]:
    """Have a process that takes a core, as the decoder of a camera does."""
    process = subprocess.Popen([sys.executable, "-c", "while True: sum(range(10000))"])
    try:
        yield
    finally:
        process.kill()
        process.wait()


@contextlib.contextmanager
def small_disk(folder: Path) -> Iterator[Path]:
    """Have a disk of a few MB; needs root."""
    disk = folder / "disk"
    disk.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={DISK_MB}m", "tmpfs", disk], check=True)
    try:
        yield disk
    finally:
        subprocess.run(["umount", "-l", disk], check=True)


@contextlib.contextmanager
def filled(disk: Path) -> Iterator[None]:
    """Take all the room there is, and what the journal gives up of its reserve, until it can write no more."""
    stop = threading.Event()

    def fill() -> None:
        while not stop.wait(0.01):
            with contextlib.suppress(OSError), (disk / "ballast").open("ab", buffering=0) as file:
                while True:
                    file.write(bytes(4096))

    thread = threading.Thread(target=fill, daemon=True)
    thread.start()
    try:
        end, client = time.monotonic() + rig.START_S, Client([disk / "control.sock"])
        while not client.ask("status")["status"]["journal"]["failing"]:
            assert time.monotonic() < end, "the journal still finds room"
            for _ in range(100):  # something to write down
                client.ask("command", device="gate-1-1", action="normal", arguments={})
        yield
    finally:
        stop.set()
        thread.join()


if __name__ == "__main__":
    main()
