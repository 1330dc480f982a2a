"""Sixteen flats, one for every combination of consents, and a listener that hears all that leaves the gateway.

Everything is real: the lines, the process, the broker, orders given here and from afar. Whatever a message, the log,
the figures or what is retained says of a flat must be what just those who live there agreed to.
"""

import itertools
import json
import re
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gateway.terminal.client import Client
from gateway.terminal.errors import ToolError
from tests.bench.rig import GatewayProcess
from tests.broker import Heard, free_port, listener, until
from tests.orders import DESK
from tests.whole.orders import Afar, afar_of

WATCHES = ("home", "away", "bed")
PRIVATE = re.compile(
    r"_[123]$"
)  # the three inputs of each board that are a resident's, and whatever counts on them
SAYS_AWAY = re.compile(r"\baway\b|外出|Nobody at home|\bdays\b")


@dataclass(frozen=True)
class Flat:
    """One flat: what was agreed to there, and by which names it is known."""

    number: int
    board: str
    consent: tuple[str, ...]
    sends: bool

    @property
    def code(self) -> str:
        return f"9-9-{self.number:02}"

    @property
    def home(self) -> str:
        return f"flat-{self.number:02}"

    @property
    def bed(self) -> str:
        return f"bed-{self.number:02}"

    @property
    def toml(self) -> str:
        parts = [f"{self.board}.contact_{number}" for number in (1, 2, 3)]
        return f"""
[[asset]]
name = "{self.home}"
kind = "home"
parts = {{ moves = ["{parts[2]}"], leaves = ["{parts[1]}"] }}
[[asset]]
name = "{self.bed}"
kind = "bed"
parts = {{ bed = "{parts[0]}" }}
"""

    @property
    def resident(self) -> str:
        sensors = [self.home, self.bed, *(f"{self.board}.contact_{number}" for number in (1, 2, 3))]
        told = f"consent = {json.dumps(self.consent)}\nsends = {json.dumps(self.sends)}\n"
        place = 'place = { building = "9", unit = "9", floor = "9" }\n'
        return f'[[resident]]\ncode = "{self.code}"\n{place}sensors = {json.dumps(sensors)}\n{told}'

    def may_tell(self, device: str, point: str) -> bool:
        """Return whether the value of a point may leave."""
        if device == self.board:
            return not PRIVATE.search(point) or (self.sends and point in {"contact_1", "contact_3"})
        watched = {self.home: ("home", {"moved", "blind"}), self.bed: ("bed", {"out_min", "out", "blind"})}
        watch, points = watched[device]
        return self.sends and watch in self.consent and point in points

    def may_raise(self, kind: str) -> bool:
        """Return whether an alert about a resident may leave."""
        if kind in {"care.away", "care.away_over"}:
            return {"home", "away"} <= {*self.consent}
        return kind in {"care.blind", "care.bed_exit", "care.quiet"}


def everybody(boards: list[str]) -> list[Flat]:
    """Return a flat for every combination of consents, each with a board of its own."""
    subsets = [chosen for many in range(4) for chosen in itertools.combinations(WATCHES, many)]
    choices = itertools.product(subsets, (False, True))
    return [Flat(number, boards[number], consent, sends) for number, (consent, sends) in enumerate(choices)]


@contextmanager
def street(folder: Path, boards: int) -> Iterator[tuple[Afar, list[str], str]]:
    """Have boards and a broker; return the names of the boards, and where the gateway's figures are."""
    product = ("--profile", "wirenboard-wb-mcm8", "--devices", str(boards), "--unpaced")
    with afar_of(folder, *product) as far:
        metrics = f"127.0.0.1:{free_port()}"
        head, _, rest = far.street.text.partition("\n\n[mqtt]\n")
        far.street.text = f'{head}\n[metrics]\nlisten = "{metrics}"\n[mqtt]\nhome_assistant = true\n{rest}'
        names = [device["name"] for device in far.street.sim.bus[0]["device"]]
        yield far, names, f"http://{metrics}/metrics"


def live(far: Afar, flats: list[Flat], gateway: GatewayProcess) -> int:
    """Have everybody stir, go to bed and get up, bolt the door and be said to be away; wait until that is told.

    Return how many of the orders came from afar.
    """
    client = Client([gateway.file.parent / "state" / "control.sock"])
    for flat in flats:
        for point, value in (
            ("contact_3", "on"),
            ("contact_1", "on"),
            ("contact_1", "off"),
            ("contact_2", "on"),
        ):
            far.street.sim.tell(f"set {flat.board} {point} {value}")
    for flat in flats:
        for action, days in (("away", {"days": 3.0}), ("away", {"days": 99.0})):
            try:
                client.ask("command", device=flat.home, action=action, arguments=days, origin="console")
            except ToolError:  # who did not agree to the watch has none, and nobody is away for so long
                assert "home" not in flat.consent or days["days"] > 14
    afar = [flat for flat in flats if "home" in flat.consent][:3]
    for flat in (*afar, flats[0]):
        told = far.order(DESK, target=flat.home, action="away", arguments={"days": 2})
        assert told["data"]["device"] == "withheld"
        assert told["data"]["detail"] in {"", "order"}
    for flat in flats:
        if {"home", "away"} <= {*flat.consent}:
            far.street.wait_for_alert("raised", kind="care.away", device=flat.home)
    return len(afar) + 1


def checked(flats: list[Flat], heard: list[Heard]) -> int:
    """Hold every message against what was agreed to; return how many told something of a flat."""
    of = {name: flat for flat in flats for name in (flat.board, flat.home, flat.bed)}
    told = 0
    for each in heard:
        kind = kind_of(each.topic)
        content = each.content.decode("utf-8", "replace")
        if kind == "command":
            continue  # is what whoever gave it has published
        if kind == "alert":
            data = json.loads(content)["data"]
            assert not data["kind"].startswith("care.") or of[data["device"]].may_raise(data["kind"]), content
            assert data["value"] is None or data["device"] not in of, content
            continue
        assert not SAYS_AWAY.search(content), (each.topic, content)
        assert not any(flat.home in content and kind not in {"state", "homeassistant"} for flat in flats), (
            content
        )
        for device, point in points_of(kind, each.topic, content):
            if device in of:
                told += 1
                assert of[device].may_tell(device, point), (each.topic, point, content)
    return told


def kind_of(topic: str) -> str:
    """Return what a topic is for: state, alert, homeassistant."""
    parts = topic.split("/")
    return parts[3] if parts[0] == "compound" else parts[0]


def points_of(kind: str, topic: str, content: str) -> Iterator[tuple[str, str]]:
    """Yield each point of a device that a message has a value of, or says that there is one."""
    if not content or kind not in {"state", "homeassistant"}:
        return
    document: dict[str, Any] = json.loads(content)
    if kind == "state":
        yield from ((topic.rpartition("/")[2], point) for point in document["points"])
    else:
        device = topic.split("/")[2].partition("_")[2]
        yield from ((device, name) for name in document["cmps"])


def test_what_leaves_of_a_flat_is_what_just_those_who_live_there_agreed_to(tmp_path: Path) -> None:
    with street(tmp_path, 17) as (far, boards, figures):
        flats, last = everybody(boards), boards[-1]
        far.street.text += "".join(flat.toml + flat.resident for flat in flats)
        with far.street.gateway() as gateway:
            ordered = live(far, flats, gateway)
            far.street.sim.tell(f"set {last} contact_8 on")
            until(lambda: far.street.state(last).get("points", {}).get("contact_8", {}).get("value") is True)
            until(lambda: far.street.state(flats[-1].bed).get("points"), what="a value that may be told")
            with urllib.request.urlopen(figures, timeout=10) as answer:
                numbers = answer.read().decode()
        assert checked(flats, list(far.street.far_end.heard)) > len(flats)
        assert len(far.outcomes()) == ordered  # of those given here, none
        said = gateway.log.read_text(encoding="utf-8")
        for text in (numbers, said):
            assert not SAYS_AWAY.search(text)
            assert not any(name in text for flat in flats for name in (flat.home, flat.bed, flat.code))
        assert "an order about a resident" in said


def test_what_is_retained_of_a_flat_is_taken_back_with_the_consent_also_by_a_restart(tmp_path: Path) -> None:
    with street(tmp_path, 1) as (far, boards, _):
        one = Flat(1, boards[0], WATCHES, sends=True)
        head = far.street.text = far.street.text + one.toml
        far.street.text += one.resident
        with far.street.gateway():
            for device in (one.board, one.home):
                until(lambda name=device: far.street.far_end.on(f"_{name}/config"), what="discovery")  # type: ignore[misc]
                until(lambda name=device: far.street.state(name).get("points"), what="a state")  # type: ignore[misc]
            assert {point for _, point in standing(far, one)} >= {
                "contact_1",
                "contact_3",
                "moved",
                "contact_4",
            }
        far.street.text = head
        with far.street.gateway():
            until(
                lambda: not any(PRIVATE.search(point) for _, point in standing(far, one)), what="the board's"
            )
            until(lambda: {device for device, _ in standing(far, one)} <= {one.board}, what="the watches'")
            told = "contact_4" in {point for _, point in standing(far, one)}
            assert told  # of what is nobody's the state stands as before


def standing(far: Afar, flat: Flat) -> set[tuple[str, str]]:
    """Return the points of a flat's devices that whoever comes now finds at the broker."""
    with listener(far.street.broker.port) as late:
        late.publish("fence", b"what is retained comes before")
        until(lambda: late.on("fence"), what="what is retained")
        return {
            pair
            for each in late.heard
            for pair in points_of(kind_of(each.topic), each.topic, each.content.decode("utf-8", "replace"))
            if pair[0] in {flat.board, flat.home, flat.bed}
        }
