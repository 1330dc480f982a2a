"""Plays the soak: deeds and faults at random moments out of one seed, then a quiet end, then the verdict.

What happens and when is drawn from the seed; when it is noticed is the machine's. So a seed replays the same faults in
the same order, and not the same microseconds.
"""

import random
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import quantiles

from tests.faults.soak import ledger as ledgers
from tests.faults.soak import vitals
from tests.faults.soak.causing import FAULTS, End, Fault, Scene
from tests.faults.soak.deeds import WEIGHTS, Deeds
from tests.faults.soak.ledger import Ledger
from tests.faults.soak.site import Site

TICK_S = 0.1
LOOK_S = 5.0
QUIET_S = 8.0  # after the last fault, until a look at a process counts
SETTLE_S = 150.0  # for what is under way at the end: a lost receipt is asked for again after 30 s
MOST_DEEDS = 8
CALM_S = 45.0  # after a fault of the lines, until every device has been asked again


@dataclass(frozen=True, slots=True)
class Pace:
    """Mean seconds between two deeds, two faults; how many faults at once; seconds between a person's looks."""

    deed_s: float = 4.0
    fault_s: float = 8.0
    at_once: int = 3
    tend_s: float = 3.0


PACE = Pace()


@dataclass(slots=True)
class Running:
    """A fault that lasts."""

    fault: Fault
    until: float
    end: End


@dataclass(slots=True)
class Outcome:
    """What came of it."""

    violations: list[str]
    figures: dict[str, float | int]
    faults: Counter[str]
    deeds: Counter[str]
    late: list[str] = field(default_factory=list)


class Soak:
    """One soak at one site."""

    def __init__(
        self,
        site: Site,
        seed: int,
        *,
        pace: Pace = PACE,
        faults: Sequence[Fault] = FAULTS,
        longest_s: float = 60.0,
        weights: Mapping[str, int] = WEIGHTS,
    ) -> None:
        self.ledger = Ledger()
        self.counts: Counter[str] = Counter()
        self.lives: list[list[vitals.Sample]] = []
        self._site, self._pace, self._faults, self._longest_s = site, pace, faults, longest_s
        self._chance = random.Random(seed)
        self.deeds = Deeds(site, self.ledger, random.Random(seed + 1), weights)
        self.running: list[Running] = []
        self._troubled_at = time.monotonic()
        self._lines_at = -CALM_S
        self._next_tend = self._next_look = self._deed_at = self._fault_at = 0.0
        self.ledger.may_bring("gateway.clock_unset", now=time.time(), most=10_000)

    def play(
        self,
        seconds: float,
        told: Callable[["Soak", float], None] = lambda *_: None,
        *,
        patience_s: float = SETTLE_S,
    ) -> Outcome:
        """Let things happen for so long once the gateway is up, then see everything to its end, and judge."""
        self._until(lambda: self._site.gateway.ready, 60.0)
        began = time.monotonic()
        while (elapsed := time.monotonic() - began) < seconds:
            self._happen()
            self._tick()
            told(self, elapsed)
        for running in list(self.running):
            self._finish(running)
        settled = self._until(lambda: not self.deeds.open and self._delivered(), patience_s)
        late = [] if settled else [f"late: {deed.cause} is {deed.stage.value}" for deed in self.deeds.open]
        memory = self.lives[-1][-1].memory_mb if self.lives and self.lives[-1] else 0.0
        stopping = time.monotonic()
        code = self._site.gateway.stop()
        stopped_s = time.monotonic() - stopping
        self._site.desk_wanted = False
        self._site.desk.stop()
        self._site.keep_record()
        return self._judge(late, code, stopped_s, time.monotonic() - began, memory)

    def _happen(self) -> None:
        now = time.monotonic()
        for running in [each for each in self.running if each.until <= now]:
            self._finish(running)
        if now >= self._deed_at:
            self._deed_at = now + self._chance.expovariate(1 / self._pace.deed_s)
            if len(self.deeds.open) < MOST_DEEDS:
                calm = "lines" not in self._parts() and now - self._lines_at > CALM_S
                self.deeds.begin(time.time(), calm=calm)
        if now >= self._fault_at:
            self._fault_at = now + self._chance.expovariate(1 / self._pace.fault_s)
            self._cause(now)

    def _cause(self, now: float) -> None:
        parts = self._parts() | ({"lines"} if self.deeds.on_lines else set())
        free = [fault for fault in self._faults if fault.part not in parts]
        if not free or len(self.running) >= self._pace.at_once:
            return
        fault = self._chance.choice(free)
        self._site.note("begins", fault.name)
        lasts = min(self._chance.uniform(*fault.seconds), self._longest_s)
        end = fault.begin(Scene(self._site, self.ledger, self._chance, time.time()))
        self.counts[fault.name] += 1
        self.running.append(Running(fault, now + lasts, end))
        self._troubled_at = now

    def _parts(self) -> set[str]:
        return {running.fault.part for running in self.running}

    def _finish(self, running: Running) -> None:
        running.end()
        if running.fault.part == "lines":
            self._lines_at = time.monotonic()
            self.deeds.again()
        self._site.note("ended", running.fault.name)
        self.running.remove(running)
        self._troubled_at = time.monotonic()

    def _tick(self) -> None:
        self._site.tick()
        self.deeds.look(time.time())
        now = time.monotonic()
        troubled = {running.fault.name for running in self.running}
        if now >= self._next_tend and not troubled & {"gateway frozen", "no descriptors left"}:
            self._next_tend = now + self._pace.tend_s
            if self._site.gateway.ready:
                self.deeds.tend()
        if now >= self._next_look:
            self._next_look = now + LOOK_S
            self._look(now)
        time.sleep(TICK_S)

    def _look(self, now: float) -> None:
        gateway = self._site.gateway
        while len(self.lives) < gateway.lives:
            self.lives.append([])
        quiet = not self.running and now - self._troubled_at > QUIET_S and not self.deeds.open
        if self.running or now - self._troubled_at <= QUIET_S or not gateway.pid:
            return
        sample = vitals.look(gateway.pid, now - gateway.started_at)
        if sample is not None:
            self.lives[-1].append(sample)
        self.counts["quiet looks"] += quiet

    def _until(self, condition: Callable[[], bool], within_s: float) -> bool:
        end = time.monotonic() + within_s
        while not condition():
            if time.monotonic() > end:
                return False
            self._tick()
        return True

    def _delivered(self) -> bool:
        answer = self._site.ask("status")
        if answer is None:
            return False
        depth = answer["status"]["journal"]["depth"]
        return not any(count for sink, count in depth.items() if sink.startswith("uplink.urgent"))

    def _judge(self, late: list[str], code: int, stopped_s: float, seconds: float, memory: float) -> Outcome:
        heard, recorded = self._site.heard(), self._site.recorded()
        found = ledgers.judge(self.ledger, heard)
        found = [each for each in found if not each.startswith("lost")]
        found += [each for each in ledgers.judge(self.ledger, recorded) if each not in found]
        for number, life in enumerate(self.lives, 1):
            found += vitals.judge(f"life {number}", life)
        log = self._site.gateway.log.read_text(encoding="utf-8", errors="replace")
        found += [f"a traceback in the log, {log.count('Traceback')} times"] if "Traceback" in log else []
        found += [f"it ended by itself with {each}" for each in self._site.gateway.ended if each not in {-9}]
        found += [] if code == 0 and stopped_s < 5 else [f"it stopped with {code} after {stopped_s:.1f} s"]
        took = sorted(deed.told_after_s for deed in (*self.deeds.over, *self.deeds.open) if deed.life)
        figures: dict[str, float | int] = {
            "hours": round(seconds / 3600, 4),
            "deeds": len(self.deeds.over) + len(self.deeds.open),
            "alert_events": len(recorded),
            "alerts": len({each.life for each in recorded}),
            "lost": sum(each.startswith("lost") for each in found),
            "invented": sum(each.startswith("invented") for each in found),
            "told_twice": sum(each.startswith("number") for each in found),
            "faults": sum(self.counts[fault.name] for fault in self._faults),
            "lives": self._site.gateway.lives,
            "starved": self._site.gateway.starved,
            "longest_life_s": round(max((life[-1].age for life in self.lives if life), default=0.0)),
            "memory_mb": round(memory, 1),
            "told_p50_s": round(took[len(took) // 2], 2) if took else 0.0,
            "told_p95_s": round(quantiles(took, n=20)[-1], 2) if len(took) > 1 else 0.0,
        }
        faults = Counter({fault.name: self.counts[fault.name] for fault in self._faults})
        return Outcome([*found, *late], figures, faults, Counter(deed.sort.name for deed in self.deeds.over))
