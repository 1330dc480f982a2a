"""What lives on the card that loses its power: a gateway and its desk, with a compound, a broker and a person outside.

The compound burns by waves and the person at the control socket sees to what comes of it: acknowledges, resets, opens
doors, releases the interlock, gives out cards. Whatever was answered with "done" is written into `Ledger.answered`
after the answer came, so that at any instant its length says what has been promised.
"""

import contextlib
import random
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal, TypeAlias

import msgspec

from gateway.core import payload
from gateway.terminal.client import Client
from gateway.terminal.errors import ToolError
from tests.bench import door_rig, rig
from tests.broker import Listener, until
from tests.desk_evidence import parts, sum_of
from tests.desk_parts import told

ID: Final = "bench"  # as the rig calls it
CAMERAS: Final = "cameras"
COMPOUND: Final = (
    "--buildings",
    "3",
    "--detectors",
    "60",
    "--covers",
    "4",
    "--doors",
    "6",
    "--lines",
    "4",
    "--unpaced",
)
LISTENS: Final = "listening at mqtt"
CARDS_AT_FIRST: Final = 300
DESK: Final = """
[desk]
name = "room"
store = "desk.db"
files = "desk-files"

[mqtt]
url = "mqtt://127.0.0.1:{port}"

[[channel]]
name = "pager"
kind = "webhook"
url = "{pager}"
success = {{ errcode = 0 }}
per_minute = 100000

[[person]]
name = "duty-room"
role = "duty_room"
channels = [["pager", "duty-room"]]

[[duty]]
people = ["duty-room"]
"""
Confirm: TypeAlias = Literal["broker", "desk"]
Answered: TypeAlias = tuple[str, str]
"""What was done, and to whom: ("acknowledge", alert), ("command", id), ("card", holder), ("block", holder)."""


@dataclass
class Ledger:
    """What the world outside knows for certain. Each list only grows."""

    answered: list[Answered] = field(default_factory=list)
    burned: set[str] = field(default_factory=set)  # detectors that ever were on fire


def write(folder: Path, buses: Any, *, port: int, pager: str, confirm: Confirm) -> None:
    """Write both configurations onto the card, as an installer does: flushed. Paths in them are relative to them."""
    text = rig.configuration(buses, broker_url=f"mqtt://127.0.0.1:{port}", state_dir=Path("state"))
    text = text.replace("[mqtt]", f'[mqtt]\nconfirm = "{confirm}"', 1)
    text += "\n[access]\n" + door_rig.doors(buses)
    for name, content in (("gateway", text), ("desk", DESK.format(port=port, pager=pager))):
        place = folder / name
        place.mkdir(exist_ok=True)
        (place / f"{name}.toml").write_text(content, encoding="utf-8")
    subprocess.run(["sync", "--file-system", str(folder)], check=True)


class Processes:
    """`compound-gateway run` and `compound-gateway desk` over the configurations in a folder."""

    def __init__(self, folder: Path, logs: Path) -> None:
        self._folder, self._logs = folder, logs
        self.client = Client([folder / "gateway" / "state" / "control.sock"])
        self._listened = 0
        self.running: dict[str, subprocess.Popen[bytes]] = {}

    def start(self, *names: str, nice: int = 0) -> None:
        """Start some of them; with a `nice` below 0 what else runs on this machine hardly slows them."""
        self._listened = self.said("desk", whole=True).count(LISTENS)
        for name, command in (("gateway", "run"), ("desk", "desk")):
            if name in names:
                file = self._folder / name / f"{name}.toml"
                with (self._logs / f"{name}.log").open("ab") as log:
                    self.running[name] = subprocess.Popen(
                        ["nice", "-n", str(nice), sys.executable, "-m", "gateway", command, "-c", str(file)],
                        stdout=log, stderr=log, env=rig.ENVIRONMENT,
                    )  # fmt: skip

    def end(self, *, kill: bool) -> None:
        """End both, in order or not."""
        for process in self.running.values():
            process.kill() if kill else process.terminate()
        for name, process in self.running.items():
            code = process.wait(20)
            assert kill or code == 0, f"{name} ended with {code}: {self.said(name)}"
        self.running.clear()

    def status(self) -> dict[str, Any]:
        """Return the health document; nothing while nobody answers."""
        try:
            document: dict[str, Any] = self.client.ask("status")["status"]
        except ToolError:
            return {}
        return document

    def unsent(self) -> int:
        """Return how many urgent rows are not confirmed; -1 while nobody can say."""
        journal = self.status().get("journal", {})
        return int(journal.get("depth", {}).get("uplink.urgent/urgent", -1))

    def desk_listens(self) -> bool:
        """Return whether the desk hears the broker since it was started."""
        return self.said("desk", whole=True).count(LISTENS) > self._listened

    def said(self, name: str, *, whole: bool = False) -> str:
        """Return the end of a log."""
        file = self._logs / f"{name}.log"
        text = file.read_text(encoding="utf-8", errors="replace") if file.exists() else ""
        return text if whole else text[-3000:]


class World:
    """Waves of fire and a person who sees to them, each in a thread of its own, until the block ends."""

    def __init__(self, sim: rig.Simulator, ledger: Ledger, chance: random.Random) -> None:
        self._sim, self._ledger, self._chance = sim, ledger, chance
        devices = [device for bus in sim.bus for device in bus["device"]]
        self.detectors = [each["name"] for each in devices if each["profile"] == "sonbest-sm7571b"]
        self._gates = [f"gate-{each['name'][5:]}" for each in devices if each["name"].startswith("door-")]
        self._stop = threading.Event()
        self._given = self._seen = 0

    @contextmanager
    def living(self, client: Client, broker: Listener, *, holder: str) -> Iterator[None]:
        """Have things happen while the block lasts; in the end nothing burns. `holder` begins the names of cards."""
        self._stop.clear()
        lives = (self._burn, lambda: self._see_to_it(client, holder), lambda: self._send_pictures(broker))
        threads = [threading.Thread(target=each, daemon=True) for each in lives]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            self._stop.set()
            for thread in threads:
                thread.join()

    def rest(self) -> None:
        """Have nothing more begin in this block."""
        self._stop.set()

    def _burn(self) -> None:
        while not self._stop.is_set():
            burning = self._chance.sample(self.detectors, min(12, len(self.detectors)))
            self._ledger.burned |= set(burning)
            for name in burning:
                self._sim.tell(f"set {name} smoke 900")
                self._stop.wait(self._chance.uniform(0, 0.2))
            self._stop.wait(1.5)
            for name in burning:
                self._sim.tell(f"set {name} smoke 30")
            self._stop.wait(self._chance.uniform(1.0, 2.5))

    def _see_to_it(self, client: Client, holder: str) -> None:
        deeds = (self._acknowledge, self._reset, self._open_a_door, self._release, self._give_a_card)
        while not self._stop.wait(self._chance.uniform(0, 0.05)):
            deed = self._chance.choices(deeds, (8, 8, 2, 1, 2))[0]
            with contextlib.suppress(
                ToolError, IndexError
            ):  # not up yet; nothing to do; not allowed just now
                deed(client, holder)

    def _acknowledge(self, client: Client, _holder: str) -> None:
        new = [each for each in client.ask("alerts")["alerts"] if each["state"].endswith("unacked")]
        alert = self._chance.choice(new)["alert"]
        client.ask("acknowledge", alert=alert)
        self._ledger.answered.append(("acknowledge", alert))

    def _reset(self, client: Client, _holder: str) -> None:
        latched = [each for each in client.ask("alerts")["alerts"] if each["state"].startswith("latched")]
        self._command(client, self._chance.choice(latched)["device"], "reset")

    def _open_a_door(self, client: Client, _holder: str) -> None:
        self._command(client, self._chance.choice(self._gates), "unlock", seconds=1)

    def _release(self, client: Client, _holder: str) -> None:
        self._command(client, "fire", "release")

    def _command(self, client: Client, device: str, action: str, **arguments: float) -> None:
        answer = client.ask("command", device=device, action=action, arguments=arguments)["outcome"]
        self._ledger.answered.append(("command", answer["id"]))

    def _give_a_card(self, client: Client, holder: str) -> None:
        self._given += 1
        name = f"{holder}-{self._given}"
        number = self._given + CARDS_AT_FIRST
        answer = client.ask("cards_add", text=f"card,holder,doors\n{number % 250}:{number},{name},*\n")
        assert answer["taken"], answer
        self._ledger.answered.append(("card", name))
        if self._given % 3 == 0:
            client.ask("cards_block", who=name)
            self._ledger.answered.append(("block", name))

    def _send_pictures(self, broker: Listener) -> None:
        """Be another gateway, one with cameras: alerts that name a picture, and the picture in parts, for the desk."""
        while not self._stop.wait(self._chance.uniform(0.1, 0.5)):
            self._seen += 1
            picture = b"\xff\xd8\xff" + self._chance.randbytes(20_000 + self._seen % 7 * 10_000)
            event = told(self._seen)
            body = msgspec.structs.replace(event.body, evidence=(sum_of(picture),))
            named = payload.alert_event(msgspec.structs.replace(event, body=body), CAMERAS)
            broker.publish(payload.topic(CAMERAS, "alert"), named)
            for content in parts(picture, 16_000):
                broker.publish(payload.topic(CAMERAS, "evidence", sum_of(picture)), content)


def polls(sim: rig.Simulator) -> int:
    """Return how many requests the lines have seen."""
    return sum(sim.requests().values())


def to_first_poll(sim: rig.Simulator, before: int, began: float, log: str, within_s: float = 60.0) -> float:
    """Return the seconds from `began` until the lines saw another request."""
    until(lambda: polls(sim) > before, within_s=within_s, what=f"the first poll ({log})")
    return time.monotonic() - began
