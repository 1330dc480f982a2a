"""`python -m tests.faults.soak.virtual --hours 168 [--seed N]`: weeks of the whole gateway among faults, in minutes.

A seed replays the run to the last byte on the lines. Exit 1 on any violation; the last line is one JSON object.
`--plant lost,invented,leak,note` plants some, to see that they are seen: a leak in the gateway, and a note of ours that
is nobody's leak. `--one-life` leaves out what ends a gateway's life, so that a leak of one life can add up.
"""

# ruff: noqa: E402 - the clocks must be gone before anything takes hold of them
from tests.faults.soak import instant

instant.install()

import argparse
import asyncio
import json
import logging
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from drivers.sim.faults import PRESETS
from tests.faults.soak import ending
from tests.faults.soak.buttons import BUTTONS, Buttons
from tests.faults.soak.deeds import Deeds
from tests.faults.soak.flat import Account
from tests.faults.soak.instant import TIME, WALL, real_time
from tests.faults.soak.ledger import ANY, Ledger, judge
from tests.faults.soak.virtual_faults import FAULTS, HOUR_S, Fault
from tests.faults.soak.virtual_site import Card, Virtual

TICK_S = 1.0
TEND_EVERY = 5
DEED_S, FAULT_S, PRESS_S = 60.0, 120.0, 90.0  # mean, between two
STRUCK_S = 60.0  # at most, until an alert is told
LOOK_S = 180.0  # at least, and then at the next quiet moment
HOLDING = {"disk", "broker", "desk"}  # parts: while one of these is in trouble there is more to hold
SETTLE_S = 1200.0
CALM_S = 60.0
PLANT_AT = 1100.0
RECENT = 240  # causes that may be under way
PROGRESS_S = 20.0  # real
STEPS_S = (-40 * 86_400.0, -HOUR_S, HOUR_S, 10 * 365 * 86_400.0, -WALL)

End = Callable[[], object]


class VirtualSoak:
    """One virtual soak."""

    def __init__(self, site: Virtual, seed: int, plant: str, *, one_life: bool = False) -> None:
        self.ledger, self.counts = Ledger(), Counter[str]()
        self.account = Account(lambda: site.state, (self, site))
        self._faults = [fault for fault in FAULTS if not (one_life and fault.part == "gateway")]
        self._site, self._chance = site, random.Random(seed)
        self._plants = set(filter(None, plant.split(",")))
        self.buttons = Buttons(site, self.ledger, random.Random(seed + 2))
        self.deeds = Deeds(site, self.ledger, random.Random(seed + 1), answers=self.buttons.answer)
        self._running: list[tuple[Fault, float, End]] = []
        self._lines_at = self._troubled_at = TIME.now
        self._noted: list[object] = []
        self._victim = site.devices("sonbest-sm7571b")[0]  # of a plant; nothing else happens to it then
        if "invented" in self._plants:
            self.deeds.spare(self._victim)
        self.ledger.may_bring("gateway.clock_unset", now=self._wall(), most=1_000_000)

    async def play(self, hours: float) -> list[str]:
        """Play for so many virtual hours, see everything to its end, and return the violations."""
        turning = asyncio.create_task(self._site.turn(), name="world")
        self._site.leaks = "leak" in self._plants
        await self._site.begin()
        began, told_at = TIME.now, real_time()
        deed_at = look_at = began
        fault_at = press_at = began + CALM_S  # a counter is taken as it stands when it is first read
        ticks = 0
        while TIME.now - began < hours * HOUR_S:
            self._finish_due()
            if TIME.now >= deed_at:
                deed_at = TIME.now + self._chance.expovariate(1 / DEED_S)
                calm = "lines" not in self._parts() and TIME.now - self._lines_at > CALM_S
                self.deeds.begin(self._wall(), calm=calm)
            if TIME.now >= press_at:
                press_at = TIME.now + self._chance.expovariate(1 / PRESS_S)
                self.buttons.press(self._wall())
            if TIME.now >= fault_at:
                fault_at = TIME.now + self._chance.expovariate(1 / FAULT_S)
                await self._cause()
            if TIME.now >= look_at and not self._parts() & HOLDING:
                look_at = TIME.now + LOOK_S
                self.account.look(TIME.now - began)
            ticks += 1
            await self._tick(ticks)
            if real_time() - told_at > PROGRESS_S:
                told_at = real_time()
                self._tell(TIME.now - began)
        found = await self._settle()
        turning.cancel()
        return [*found, *judge(self.ledger, self._site.far_end.heard), *self.account.judge()]

    async def _settle(self) -> list[str]:
        """End all faults and wait for what is under way; return what does not come to its end."""
        for running in list(self._running):
            self._finish(running)
        end, ticks = TIME.now + SETTLE_S, 0
        while self._under_way() and end > TIME.now:
            ticks += 1
            await self._tick(ticks)
        late = [f"late: {deed.cause} is {deed.stage.value}" for deed in self.deeds.open]
        late += [f"{count} rows were never confirmed" for count in [self._site.waiting()] if count]
        late += ending.standing(self._listed())
        last = ending.fold(self._site.far_end.heard, self._site.lost)
        late += ending.differences(last, self._listed()) + ending.outdated(self._site.advice())
        late += self.buttons.judge(last.values())
        await self._site.end()
        return late

    def _under_way(self) -> bool:
        waits = self.deeds.open or self._site.waiting() or ending.standing(self._listed())
        return bool(waits or ending.outdated(self._site.advice()))

    def _listed(self) -> Sequence[Mapping[str, Any]]:
        answer = self._site.ask("alerts")
        return [] if answer is None else answer["alerts"]

    async def _tick(self, ticks: int) -> None:
        await asyncio.sleep(TICK_S)
        self.deeds.look(self._wall())
        if ticks % TEND_EVERY == 0:
            self.deeds.tend()
        if self._plants:
            self._do_plant()

    def _do_plant(self) -> None:
        """Plant what must be seen."""
        if "note" in self._plants:
            self._noted.append(bytes(100))
        if "lost" in self._plants and TIME.now > PLANT_AT:
            self._plants.remove("lost")
            self._site.upstream.lying = {len(self._site.far_end.heard)}
        if "invented" in self._plants and TIME.now > PLANT_AT:
            self._plants.remove("invented")
            self._plants.add("burning")
            self._site.tell(f"set {self._victim} smoke 900")
        if "burning" in self._plants and TIME.now > PLANT_AT + CALM_S:
            self._plants.remove("burning")
            self._site.tell(f"set {self._victim} smoke 20")

    def _wall(self) -> float:
        """Return the ledger's clock, which nobody steps."""
        return WALL + TIME.now

    async def _cause(self) -> None:
        parts = self._parts() | ({"lines"} if self.deeds.on_lines else set())
        free = [fault for fault in self._faults if fault.part not in parts]
        if not free:
            return
        fault = self._chance.choice(free)
        lasts = min(
            self._chance.uniform(*fault.seconds), self._chance.expovariate(1 / 300) + fault.seconds[0]
        )
        self.counts[fault.name] += 1
        end = await self._begin(fault)
        self._running.append((fault, TIME.now + lasts, end))
        self._troubled_at = TIME.now

    def _parts(self) -> set[str]:
        return {fault.part for fault, _, _ in self._running}

    def _finish_due(self) -> None:
        for running in [each for each in self._running if each[1] <= TIME.now]:
            self._finish(running)

    def _finish(self, running: tuple[Fault, float, End]) -> None:
        self._running.remove(running)
        running[2]()
        if running[0].part == "lines":
            self._lines_at = TIME.now
            self.deeds.again()
        self._troubled_at = TIME.now

    async def _begin(self, fault: Fault) -> End:
        """Cause a fault; return what ends it."""
        if fault.part == "gateway":  # a new life tells anew what still holds
            self._may("uplink.down", "uplink.desk_silent", "storage.failing")
            # what was told from memory alone dies with the process, and is told anew
            if self._site.forgetful:
                for cause in self.ledger.causes[-RECENT:]:
                    cause.most += 1
            await self._end_life(fault.name)
            return lambda: None
        begin = {"broker": self._broker, "desk": self._desk, "disk": self._disk, "lines": self._lines}
        return begin.get(fault.part, self._clock)(fault.name)

    async def _end_life(self, name: str) -> None:
        if name == "reload":
            await self._site.reload()
            return
        struck = name == "killed as an alert is told"
        if damaged := (struck and self._chance.random() < 0.5) or name == "database corrupted":
            self._may("journal.corrupt")  # which is past, and over with an answer
        if damaged or not struck:
            await self._site.kill(damaged=damaged)
        if struck:
            await self._strike()

    async def _strike(self) -> None:
        """Kill it between the row of an alert and those that follow: as somebody answers, or as one is found."""
        await asyncio.sleep(TICK_S)  # until the disk is idle: an alert is then written at once, and alone
        striking = asyncio.create_task(self._site.strike(STRUCK_S), name="strike")
        await asyncio.sleep(0)
        if not self.deeds.answer_one(self._chance):
            self.buttons.press(self._wall())
        await striking

    def _broker(self, name: str) -> End:
        self._may("uplink.down", "uplink.desk_silent")
        upstream = self._site.upstream
        what = {"no network": "away", "broker refuses": "refusing", "broker slow": "slow"}.get(name, "silent")
        setattr(upstream, what, True)
        if what == "away":
            upstream.cut("unplugged")
        return lambda: setattr(upstream, what, False)

    def _desk(self, _name: str) -> End:
        self._may("uplink.down", "uplink.desk_silent")
        upstream = self._site.upstream
        upstream.deaf = True

        def hears() -> None:
            upstream.deaf = False
            upstream.listen()

        return hears

    def _disk(self, name: str) -> End:
        self._may("storage.failing", "gateway.disk_low", "journal.lost")  # readings make room for alerts
        card = self._site.card
        card.refuses = Card.FULL if name == "disk full" else Card.BROKEN

        def mended() -> None:
            card.refuses = None

        return mended

    def _lines(self, name: str) -> End:
        lines = list(self._site.lines)
        self._may("bus.down", most=2 * len(lines))
        self._may("device.offline", device=ANY, most=60)
        line = self._chance.choice(lines)
        if name == "hub reset":
            for each in lines:
                self._site.tell(f"unplug {each}")
            self._chance.shuffle(lines)
            return lambda: [self._site.tell(f"replug {each}") for each in lines]
        if name == "power cut on a line":
            # the counts of the buttons would be lost
            line = self._chance.choice([each for each in lines if each != BUTTONS])
            self._site.tell(f"power_cut {line} {self._chance.uniform(1, 20):.1f}")
            return lambda: None
        self._site.tell(f"faults {line} {self._chance.choice([each for each in PRESETS if each != 'none'])}")
        return lambda: self._site.tell(f"faults {line} none")

    def _clock(self, _name: str) -> End:
        TIME.stepped = self._chance.choice(STEPS_S)

        def right() -> None:
            TIME.stepped = 0.0

        return right

    def _may(self, *kinds: str, device: str | None = None, most: int = 1) -> None:
        for kind in kinds:
            self.ledger.may_bring(kind, device=device, now=self._wall(), most=most)

    def _tell(self, elapsed: float) -> None:
        look = self.account.looks[-1] if self.account.looks else None
        vital = (
            f"{look.product_kb:.0f} kB, {look.descriptors} fds, {look.threads} threads, {look.tasks} tasks"
            if look
            else ""
        )
        now = ", ".join(fault.name for fault, _, _ in self._running) or "quiet"
        print(
            f"{elapsed / HOUR_S:7.1f} h  life {self._site.lives}  {len(self.deeds.over)} deeds over,"
            f" {len(self.deeds.open)} open  {vital}  [{now}]",
            flush=True,
        )


def main() -> int:
    """Run the virtual soak."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults.soak.virtual", description=__doc__)
    parser.add_argument("--hours", type=float, default=24.0, help="virtual hours (default 24)")
    parser.add_argument("--seed", type=int, default=1, help="replays the same run (default 1)")
    parser.add_argument("--plant", default="", help="lost, invented, leak, note: some, with commas")
    parser.add_argument("--one-life", action="store_true", help="nothing that ends the gateway's life")
    options = parser.parse_args()
    logging.disable(logging.CRITICAL)
    random.seed(options.seed)
    shared = Path("/dev/shm")
    began = real_time()
    with tempfile.TemporaryDirectory(dir=shared if shared.is_dir() else None) as name:

        async def soak() -> tuple[VirtualSoak, list[str], int]:
            site = Virtual(Path(name), seed=options.seed)
            playing = VirtualSoak(site, options.seed, options.plant, one_life=options.one_life)
            return playing, await playing.play(options.hours), site.lives

        played, found, lives = instant.run(soak())
    heard = played.deeds._site.far_end.heard
    for fault in FAULTS:
        print(f"{fault.name:32}{played.counts[fault.name]:8}")
    print("\n".join(("", *played.account.table(), "")))
    for each in found:
        print(f"VIOLATION  {each}")
    trends = played.account.trends()
    figures = {
        "virtual_hours": options.hours, "seed": options.seed, "lives": lives,
        "faults": sum(played.counts.values()), "deeds": len(played.deeds.over), "alert_events": len(heard),
        "alerts": len({each.life for each in heard}),
        "lost": sum("lost" in each for each in found),
        "invented": sum(each.startswith("invented") for each in found),
        "an_hour_adds": {what: round(how.per_hour, 3) for what, how in trends.items()},
        "surely_most": {what: round(how.most, 3) for what, how in trends.items()},
        "violations": len(found), "real_s": round(real_time() - began, 1),
    }  # fmt: skip
    print(json.dumps(figures))
    return 1 if found else 0


assert time.monotonic() == TIME.now

if __name__ == "__main__":
    sys.exit(main())
