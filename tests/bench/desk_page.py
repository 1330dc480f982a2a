"""From a detector's register to the card on a phone: simulator, gateway, mosquitto, desk, Chromium, all of them real.

    .venv/bin/python -m tests.bench.desk_page [--fires 40] [--lines 6]

Each fire is a detector of its own, in a compound of its own, so it is a card of its own. The time begins when the
register changes in the simulator and ends when a MutationObserver finds the card in the page. All clocks are those of
one machine. The parts: `register` to the gateway's confirmed alert (the wire's cycle and a second read), the `road`
through journal, uplink and broker to the desk, and the `desk`, which is commit, feed, stream and page.
"""

import argparse
import asyncio
import random
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gateway.core.events import Place
from gateway.desk.store import phones
from tests.bench.rig import Simulator, configuration, gateway, simulator
from tests.bench.table import Figure, at_most, present
from tests.broker import Listener, free_port, listener, mosquitto, until
from tests.browser import Browser, browser
from tests.desk_parts import opened
from tests.desk_service import paging
from tests.faults.desk_rig import Desk

DETECTOR = "sonbest-sm7571b"
KIND = "fire.smoke"
OF_THREE = 3  # detectors of the simulator, two tell smoke
WATCH = """
window.cards = {};
const look = () => {
  for (const card of document.querySelectorAll("#list li.card[data-incident]"))
    window.cards[card.dataset.incident] ??= (performance.timeOrigin + performance.now()) / 1000;
};
new MutationObserver(look).observe(document.getElementById("list"), {childList: true, subtree: true, attributes: true});
"""


@dataclass(frozen=True, slots=True)
class Fire:
    """One fire, as wall times: when its register changed, the gateway was sure, the desk had it, and the page."""

    register: float
    confirmed: float
    received: float
    shown: float


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.desk_page")
    parser.add_argument("--fires", type=int, default=40)
    parser.add_argument("--lines", type=int, default=6, help="all devices share so many lines at 9600 baud")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        fires = measure(Path(name), options.fires, options.lines)
    show(fires, OF_THREE * options.fires // 2 // options.lines)


def show(fires: Sequence[Fire], on_a_line: int) -> None:
    """Print the table and the line for machines."""
    parts = {
        "register": [each.confirmed - each.register for each in fires],
        "road": [each.received - each.confirmed for each in fires],
        "desk": [each.shown - each.received for each in fires],
    }
    whole = [each.shown - each.register for each in fires]
    figures = [
        Figure(
            f"{len(fires)} fires, {on_a_line} devices on a line: register to card, p50",
            f"{of(whole, 0.5):.3f} s",
        ),
        at_most("... p95", of(whole, 0.95), 1.0, " s"),
        Figure("... the last", f"{max(whole):.3f} s"),
    ]
    figures += [
        Figure(f"{name}, p50 / p95", f"{of(times, 0.5) * 1000:.0f} / {of(times, 0.95) * 1000:.0f} ms")
        for name, times in parts.items()
    ]
    keys = {f"{name}_p95_s": round(of(times, 0.95), 3) for name, times in {"page": whole, **parts}.items()}
    present("desk: register to page", figures, keys)


def of(times: Sequence[float], share: float) -> float:
    """Return a percentile."""
    return sorted(times)[min(len(times) - 1, int(len(times) * share))]


def measure(folder: Path, count: int, lines: int) -> list[Fire]:
    """Have so many detectors turn to alarm one after the other, and watch the page."""
    where, port = str(folder / "page.db"), free_port()
    token = asyncio.run(_token(where))
    with ExitStack() as stack:
        broker = stack.enter_context(mosquitto(folder))
        compound = (
            "--buildings",  # each has a line of its own; the last line is the yard's and stays empty
            str(lines),
            "--detectors",
            str(OF_THREE * count // 2),
            "--covers",
            "0",
            "--doors",
            "0",
        )
        sim = stack.enter_context(simulator(*compound, "--lines", str(lines + 1)))
        pager = stack.enter_context(paging())
        desk = Desk(folder, "page", where, broker.port, pager.url, web=port)
        stack.callback(desk.kill)
        desk.start()
        names = _apart(sim, count)
        states = stack.enter_context(listener(broker.port, "compound/v1/+/state/+"))
        text = configuration(sim.bus, broker_url=broker.url, state_dir=folder / "state")
        stack.enter_context(gateway(folder / "gateway", text))
        phone = stack.enter_context(browser("zh"))
        phone.open(f"http://127.0.0.1:{port}/pair#{token}")
        until(
            lambda: (
                phone.run("return location.pathname") == "/"
                and phone.run("return !!document.getElementById('list')")
            ),
            what="the page",
        )
        until(lambda: _polled(states) >= set(names), what="all detectors", within_s=60)
        registers, shown = _burn(sim, names, phone)
        assert desk.stop() == 0
    return asyncio.run(_fires(where, registers, shown))


def _apart(sim: Simulator, count: int) -> list[str]:
    """Give every detector a compound of its own, named as it is; return their names in disorder."""
    names = []
    for bus in sim.bus:
        for device in bus["device"]:
            if device["profile"] == DETECTOR:
                device["place"] = {**device.get("place", {}), "compound": device["name"]}
                names.append(device["name"])
    random.Random(5).shuffle(names)
    return names[:count]


def _burn(sim: Simulator, names: Sequence[str], phone: Browser) -> tuple[dict[str, float], dict[str, float]]:
    """Return at what wall time each register changed and each card was there."""
    phone.run(WATCH)
    chance = random.Random(11)
    registers: dict[str, float] = {}
    shown: dict[str, float] = {}

    def there(name: str) -> bool:
        for incident, at in phone.run("return window.cards").items():
            if incident.endswith(f"|{KIND}#1"):
                shown[incident.partition("|")[0].rpartition("/")[2]] = at
        return name in shown

    for name in names:
        time.sleep(chance.uniform(0.0, 0.5))  # at any moment of the wire's cycle
        at = sim.tell(f"set {name} smoke 900")["at"]
        registers[name] = at + time.time() - time.monotonic()
        until(lambda name=name: there(name), what=f"the card of {name}")  # type: ignore[misc]
    return registers, shown


def _polled(states: Listener) -> set[str]:
    return {heard.topic.rpartition("/")[2] for heard in list(states.heard)}


async def _token(where: str) -> str:
    """Return a word that lets a phone of the duty room in."""
    async with opened(where) as database, database.transaction() as transaction:
        token, _ = await phones.offer(
            transaction, person="duty-room", place=Place(), label="", by="bench", now=time.time()
        )
    return token


async def _fires(where: str, registers: dict[str, float], shown: dict[str, float]) -> list[Fire]:
    """Return the fires with the times that stand in the record."""
    async with opened(where) as database, database.transaction() as transaction:
        rows: Any = await transaction.fetch(
            "SELECT i.key AS key, min(e.time) AS time, min(e.received) AS received FROM events e"
            " JOIN work w ON w.alert = e.alert JOIN incidents i ON i.incident = w.incident GROUP BY i.key"
        )
    known = {row["key"]: row for row in rows}
    found = {
        name: next(row for key, row in known.items() if key.endswith(f"/{name}|{KIND}")) for name in registers
    }
    return [
        Fire(registers[name], found[name]["time"], found[name]["received"], shown[name]) for name in registers
    ]


if __name__ == "__main__":
    main()
