"""The power comes back: the real daemons start on what a cut left, and go on as if nothing had been."""

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from tests.bench import rig
from tests.broker import Listener, Mosquitto, listener, until
from tests.faults.power_checks import Found, Position, Promise, ids
from tests.faults.power_house import ID, Ledger, Processes, polls, to_first_poll

CACHES: Final = Path("/proc/sys/vm/drop_caches")
QUIET_S: Final = 1.0
HURRIED: Final = -10  # a gateway has its machine to itself, this one has the campaign beside it


@dataclass(frozen=True)
class Around:
    """What is outside the card: it was there before the cut and is there after it."""

    sim: rig.Simulator
    port: int
    logs: Path
    ledger: Ledger


@dataclass
class Start:
    """How one start went."""

    polled_s: float = 0.0
    freed: bool = False
    wrong: list[str] = field(default_factory=list)


def start(folder: Path, around: Around, promise: Promise, found: Found) -> Start:
    """Start gateway and desk on a card, hold what they do against what was found on it, and end them in order."""
    begun = Start(freed=found.freed)
    broker = Mosquitto(around.logs, port=around.port)  # what is behind the wall has forgotten the gateway
    broker.start()
    try:
        with listener(around.port, "compound/v1/+/alert") as heard:
            CACHES.write_text("3", encoding="ascii")
            processes = Processes(folder, around.logs)
            before, began = polls(around.sim), time.monotonic()
            processes.start("gateway", "desk", nice=HURRIED)
            try:
                begun.polled_s = to_first_poll(around.sim, before, began, processes.said("gateway"))
                _goes_on(processes, heard, promise, found, begun)
                processes.end(kill=False)
            finally:
                processes.end(kill=True)
    except AssertionError as error:
        begun.wrong.append(str(error)[-1500:])
    finally:
        broker.kill()
    return begun


def _goes_on(processes: Processes, heard: Listener, promise: Promise, found: Found, begun: Start) -> None:
    until(processes.desk_listens, within_s=60, what="the desk")
    until(lambda: processes.unsent() == 0, within_s=60, what="delivery of all that had not been")
    _settled(heard)
    sent = {ids(each.content): each.content for each in heard.on(f"{ID}/alert")}
    status = processes.status()
    _doors(status, found, begun)
    known = {each["alert"] for each in processes.client.ask("alerts")["alerts"]}
    over = {alert for alert in found.open if alert not in known and not _ended(alert, sent.values())}
    if over:
        begun.wrong.append(
            f"{len(over)} alerts that were open are gone: {min(over)}, of {found.open[min(over)]}"
        )
    old = {each: content for each, content in sent.items() if each < found.base}
    if changed := [each for each, content in old.items() if promise.everything.get(each) != content]:
        begun.wrong.append(f"sent again with other words, or never sent before: {min(changed)}")
    _nothing_new(sent, found, begun)
    if status["journal"]["damaged"] or status["journal"]["failing"]:
        begun.wrong.append(f"journal: {status['journal']}")


def _settled(heard: Listener) -> None:
    """Wait until nothing has come for a second."""
    before = -1
    while before != len(heard.heard):
        before = len(heard.heard)
        time.sleep(QUIET_S)


def _doors(status: Mapping[str, Any], found: Found, begun: Start) -> None:
    engaged = any(each["engaged"] and not each["drill"] for each in status["interlocks"])
    if found.freed and not engaged:
        begun.wrong.append("doors that a fire had freed are not free any more")
    if found.freed and not any(
        each["state"] == "freed" or each["mode"] == "free" for each in status["doors"]
    ):
        begun.wrong.append(f"the interlock holds and no door is free: {status['doors']}")


def _ended(alert: str, sent: Any) -> bool:
    """Return whether it was told that an alert is over: nothing burns any more."""
    return any(
        f'"subject":"{alert}"'.encode() in content and b'"state":"over"' in content for content in sent
    )


def _nothing_new(sent: Mapping[Position, bytes], found: Found, begun: Start) -> None:
    """Nothing burns in this life: a fire that is raised in it was invented."""
    for content in (content for each, content in sent.items() if each >= found.base):
        told = json.loads(content)
        if told["type"].endswith(".raised") and told["data"]["kind"].startswith("fire."):
            begun.wrong.append(f"raised though nothing burns: {content[:300].decode()}")
