"""A thousand power cuts under the unmodified daemons: `compound-gateway run` and `desk` on a card that loses its power.

    sudo .venv/bin/python -m tests.faults.power_cuts [--cuts 1000] [--per-life 40] [--start-every 20] [--seed 1]

Gateway and desk live on an ext4, see card.py; compound, broker and person are outside. At random moments of their
lives, the start and the end included, it is counted what has been promised, and then the card is copied as it is. Of
each copy the databases are opened; every twentieth is started with the real daemons on the same lines, everything that
was cached thrown away before, and must poll, deliver all that had not been, and have its doors as they were.

Ends with 1 when anything was lost, invented, changed, numbered twice or did not open. Needs root, xfsprogs, mosquitto.
"""

import argparse
import contextlib
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from tests.bench import rig
from tests.bench.door_rig import p50_ms
from tests.bench.table import Figure, at_least, at_most, present
from tests.broker import MOSQUITTO, Listener, Mosquitto, free_port, listener, until
from tests.desk_service import paging
from tests.faults import power_start
from tests.faults.card import Card, card, missing
from tests.faults.power_checks import Position, Promise, look, promised, published, ranges
from tests.faults.power_house import (
    COMPOUND,
    Confirm,
    Ledger,
    Processes,
    World,
    polls,
    to_first_poll,
    write,
)

FRESH_EVERY: Final = 5  # lives on one card
LONGEST_PAUSE_S: Final = 0.25
AT_THE_END: Final = 3  # cuts of a life that are made while it is being ended


@dataclass(frozen=True)
class Plan:
    """How many cuts, how many of one life, and of how many one is started anew."""

    cuts: int = 1000
    per_life: int = 40
    start_every: int = 20
    seed: int = 1


@dataclass(frozen=True)
class Cut:
    """A copy of the card, and how long the lists were before it was made."""

    image: Path
    heard: int
    answered: int


@dataclass
class Tally:
    """What all cuts came to."""

    cuts: int = 0
    lives: int = 0
    alerts: int = 0  # alert events looked for, over all cuts
    published: int = 0
    answered: Counter[str] = field(default_factory=Counter)
    receipts: int = 0
    starts: list[power_start.Start] = field(default_factory=list)
    lives_to_poll_s: list[float] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)


class Campaign:
    """Life after life on a card, each with its cuts."""

    def __init__(self, disk: Card, sim: rig.Simulator, plan: Plan, folder: Path, pager: str) -> None:
        self.tally = Tally()
        self._card, self._sim, self._plan, self._folder, self._pager = disk, sim, plan, folder, pager
        self._chance = random.Random(plan.seed)
        self._port = free_port()
        self._ledger = Ledger()
        self._world = World(sim, self._ledger, random.Random(plan.seed + 1))
        self._published: dict[Position, bytes] = {}  # by earlier lives on this card
        self._received: set[tuple[str, int, int]] = set()
        self._forgotten = 0  # answers given on earlier cards

    def run(self) -> None:
        """Live until there were cuts enough."""
        while self.tally.cuts < self._plan.cuts:
            number = self.tally.lives
            if number % FRESH_EVERY == 0 and number:
                self._new_card()
            known = len(self.tally.wrong)
            self._live("desk" if number % 2 else "broker")
            for each in self.tally.wrong[known:]:
                print(each, file=sys.stderr, flush=True)
            self.tally.lives += 1
            print(
                f"life {number}: {self.tally.cuts} cuts, {len(self.tally.wrong)} wrong",
                file=sys.stderr,
                flush=True,
            )

    def _new_card(self) -> None:
        self._card.remove()
        self._card.insert()
        self._published, self._received = {}, set()
        self._forgotten = len(self._ledger.answered)

    def _live(self, confirm: Confirm) -> None:
        write(self._card.folder, self._sim.bus, port=self._port, pager=self._pager, confirm=confirm)
        with self._broker() as (broker, heard):
            processes = Processes(self._card.folder, self._folder)
            cuts = self._cut_through(processes, heard)
            _tell_the_rest(processes)
            broker.kill()
        earlier = set(self._published)
        self._published |= published(heard.heard)
        self._verify(cuts, heard, earlier, confirm)
        for told in heard.on("/receipt"):
            self._received |= set(ranges(told.topic, told.content))

    def _cut_through(self, processes: Processes, heard: Listener) -> list[Cut]:
        """Have one life from start to end, and cuts all the way."""
        cuts: list[Cut] = []
        before, began = polls(self._sim), time.monotonic()
        processes.start("gateway", "desk")
        try:
            with self._world.living(processes.client, heard, holder=f"life-{self.tally.lives}"):
                for _ in range(self._plan.per_life - AT_THE_END):
                    self._pause()
                    cuts.append(self._cut(heard))
                    if len(cuts) == 1:
                        log = processes.said("gateway")
                        self.tally.lives_to_poll_s.append(to_first_poll(self._sim, before, began, log))
                until(lambda: published(heard.heard), within_s=60, what="a first alert")
            until(lambda: processes.unsent() == 0, within_s=60, what="the end of the outbox")
            self._end(processes, heard, cuts)
        finally:
            processes.end(kill=True)
        return cuts

    def _end(self, processes: Processes, heard: Listener, cuts: list[Cut]) -> None:
        """End both, by SIGTERM or by SIGKILL, and cut meanwhile."""
        for process in processes.running.values():
            process.kill() if self.tally.lives % 3 == 2 else process.terminate()
        for _ in range(AT_THE_END):
            time.sleep(self._chance.uniform(0, 0.15))
            cuts.append(self._cut(heard))
        for process in processes.running.values():
            process.wait(20)

    def _pause(self) -> None:
        time.sleep(self._chance.uniform(0, LONGEST_PAUSE_S))

    def _cut(self, heard: Listener) -> Cut:
        """Count first, then cut."""
        heard_so_far, answered = len(heard.heard), len(self._ledger.answered)
        self.tally.cuts += 1
        return Cut(self._card.cut(f"cut-{self.tally.cuts}"), heard_so_far, answered)

    def _verify(self, cuts: list[Cut], heard: Listener, earlier: set[Position], confirm: Confirm) -> None:
        for number, cut in enumerate(cuts, self.tally.cuts - len(cuts) + 1):
            promise = promised(
                heard.heard[: cut.heard],
                self._ledger.answered[self._forgotten : cut.answered],
                self._published,
                earlier=earlier,
                received=self._received,
            )
            start = number % self._plan.start_every == 0
            clone = self._card.clone(cut.image, "clone") if start else None
            with self._card.after(cut.image) as folder:
                found = look(folder, promise)
            self._count(promise, found.alerts)
            self.tally.wrong += [f"cut {number} ({confirm}): {each}" for each in found.wrong]
            if clone is not None:
                with self._card.after(clone) as folder:
                    around = power_start.Around(self._sim, self._port, self._folder, self._ledger)
                    begun = power_start.start(folder, around, promise, found)
                self.tally.starts.append(begun)
                self.tally.wrong += [f"start after cut {number} ({confirm}): {each}" for each in begun.wrong]

    def _count(self, promise: Promise, alerts: int) -> None:
        self.tally.alerts += alerts
        self.tally.published += len(promise.published)
        self.tally.receipts += len(promise.receipts)
        self.tally.answered.update(kind for kind, _ in promise.answered)

    @contextlib.contextmanager
    def _broker(self) -> Iterator[tuple[Mosquitto, Listener]]:
        broker = Mosquitto(self._folder, port=self._port)
        broker.start()
        try:
            with listener(
                self._port, "compound/v1/+/alert", "compound/v1/+/receipt", name="far-end"
            ) as heard:
                yield broker, heard
        finally:
            broker.kill()


def _tell_the_rest(processes: Processes) -> None:
    """Have a life tell what it wrote while it was being ended: what nobody was ever told counts as invented."""
    processes.start("gateway", "desk")
    try:
        until(lambda: processes.unsent() == 0, within_s=60, what="what was written last is told")
    finally:
        processes.end(kill=True)


def campaign(plan: Plan) -> Tally:
    """Run a campaign and return what came of it."""
    with (
        tempfile.TemporaryDirectory() as name,
        rig.simulator(*COMPOUND) as sim,
        paging() as pager,
        card() as disk,
    ):
        running = Campaign(disk, sim, plan, Path(name), pager.url)
        running.run()
        return running.tally


def main() -> int:
    """Run the campaign and show what came of it."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults.power_cuts")
    parser.add_argument("--cuts", type=int, default=Plan.cuts)
    parser.add_argument("--per-life", type=int, default=Plan.per_life, help="cuts of one life")
    parser.add_argument(
        "--start-every", type=int, default=Plan.start_every, help="so many cuts to a real start"
    )
    parser.add_argument("--seed", type=int, default=Plan.seed)
    options = parser.parse_args()
    if why := missing() or ("" if MOSQUITTO else "needs mosquitto"):
        parser.error(why)
    return show(campaign(Plan(**vars(options))))


def show(tally: Tally) -> int:
    """Print the table; return the exit code."""
    polled = sorted(start.polled_s for start in tally.starts)
    p95 = polled[int(len(polled) * 0.95)] if polled else 0.0
    figures = [
        at_least("power cuts", tally.cuts, tally.cuts),
        Figure("lives of gateway and desk cut through", str(tally.lives)),
        Figure("alert events published before a cut, looked for", f"{tally.published:,}"),
        Figure("desk's receipts before a cut, looked for", f"{tally.receipts:,}"),
        Figure("answers of the control socket, looked for", f"{dict(tally.answered)}"),
        at_most("what was not as promised", len(tally.wrong), 0),
        Figure("started anew by the real daemons", str(len(tally.starts))),
        Figure("... with doors freed by a fire", str(sum(start.freed for start in tally.starts))),
        Figure(
            "process to next poll, p50 / p95", f"{p50_ms(polled) / 1000 if polled else 0:.2f} / {p95:.2f} s"
        ),
        at_most("... at most", polled[-1] if polled else 0.0, 5, " s"),
        Figure("... of the lives themselves, at most", f"{max(tally.lives_to_poll_s, default=0):.2f} s"),
    ]
    for line in tally.wrong[:50]:
        print(line)
    present(
        "power cuts under gateway and desk",
        figures,
        {
            "cuts": tally.cuts, "wrong": len(tally.wrong), "published": tally.published, "receipts": tally.receipts,
            "answered": dict(tally.answered), "starts": len(tally.starts),
            "poll_p50_s": round(p50_ms(polled) / 1000, 3) if polled else None, "poll_p95_s": round(p95, 3),
            "poll_max_s": round(polled[-1], 3) if polled else None,
        },
    )  # fmt: skip
    return 1 if tally.wrong or (polled and polled[-1] > 5) else 0


if __name__ == "__main__":
    sys.exit(main())
