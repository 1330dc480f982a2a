"""Falls, stillness, breath and pulse as the radars' shipped rules have them, through random hours against an oracle.

Nothing is told that was not seen for so long, nothing is missed that was, and what is told ends only with what was seen
to end it, whatever silences, noise, restarts and steps of the clock lie between. DAYS=2000 plays more of them.
"""

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from drivers import profile
from drivers.api import Quality, Value
from gateway.core.alerts import is_active
from gateway.core.events import AlertBody, Event, Place
from gateway.core.rule_tables import compile_rules
from gateway.core.rules import Watched
from tests.gateway.street import KINDS, Street

DAYS = int(os.environ.get("DAYS", "5"))
LASTING_S = 60.0  # what must last so long is looked for anew after a silence as long as itself
_random = settings(max_examples=DAYS, deadline=None, suppress_health_check=[HealthCheck.too_slow])


class Flat:
    """A flat with a radar and one gateway after another. `at` is the true time; the clock may say anything else."""

    def __init__(self, product: str) -> None:
        made = profile.load(product)
        compiled = compile_rules(made.rules, (), {}, device="radar", category="radar", points=made.points,
                                 kinds=KINDS, where="device")  # fmt: skip
        assert not compiled.faults
        place = Place(building="2", unit="1", floor="3")
        self._watched = Watched("radar", place=place, category="radar", bus="home", rules=compiled.rules)
        self.at = 0.0
        self._ahead = 1_800_000_000.0
        self._told: list[Event] = []
        self.start(0.0)

    def start(self, down_s: float) -> None:
        """Begin a life after so long."""
        self.at += down_s
        self._began = self.at
        self.street = Street(self._watched, restore=self._told, now=0.0)
        self.street.wall_minus_monotonic = self._ahead

    def step_clock(self, seconds: float) -> None:
        """Have the time of day jump."""
        self._ahead += seconds
        self.street.wall_minus_monotonic += seconds

    def read(self, after_s: float, values: Mapping[str, Value], quality: Quality = Quality.GOOD) -> None:
        """Take one reading of each point, so long after the last."""
        self.at += after_s
        self.street.now = self.at - self._began
        for point, value in values.items():
            self.street.read("radar", point, value, quality=quality)
        self.street.alerting.tick(self.street.now, self.street.now + self.street.wall_minus_monotonic)
        self._told += [each for each in self.street.events if isinstance(each.body, AlertBody)]
        self.street.events.clear()

    def is_told(self, kind: str) -> bool:
        """Return whether an alert of a kind is true now."""
        return any(body.kind == kind and is_active(body.state) for body in self.street.alerting.alerts())

    def is_listed(self, kind: str) -> bool:
        """Return whether an alert of a kind is listed."""
        return kind in self.street.kinds()


@dataclass
class Lasting:
    """What was seen of something that must last `hold_s`: how long without a break, in how many readings.

    Seen is the time between two readings with no silence between them, and that until a silence was noticed.
    """

    hold_s: float
    reads: int = 0
    seen_s: float = 0.0
    silent_s: float = 0.0

    def take(self, seen: bool, after_s: float) -> None:
        """Take a good reading that does or does not say it, so long after what was last heard, good or not."""
        if self.silent_s > self.hold_s >= LASTING_S or not seen:
            self.reads, self.seen_s = 0, 0.0
        if seen:
            self.seen_s += 0.0 if self.silent_s or not self.reads else after_s
            self.reads += 1
        self.silent_s = 0.0

    def lose(self, after_s: float) -> None:
        """Take that nothing is heard from so long after the last reading."""
        self.seen_s += after_s if self.reads and not self.silent_s else 0.0

    def begin_anew(self) -> None:
        """Take that nobody looked before."""
        self.reads, self.seen_s, self.silent_s = 0, 0.0, 0.0


class Witness:
    """Holds what is told of one thing that must last against what was seen. `begins` and `goes_on` judge a value."""

    def __init__(self, kind: str, hold_s: float, reads: int, clear_reads: int, *,
                 begins: Callable[[float], bool], goes_on: Callable[[float], bool]) -> None:  # fmt: skip
        self._kind, self._least, self._clear = kind, reads, clear_reads
        self._begins, self._goes_on = begins, goes_on
        self.lasting = Lasting(hold_s)
        self._normal = 0
        self._told = False

    def saw(self, flat: Flat, value: float | None, after_s: float, *, vacant: bool) -> None:
        """Compare after a reading; None: nothing was heard."""
        if value is None:
            self.lasting.lose(after_s)
        else:
            self.lasting.take(self._begins(value) and not vacant, after_s)
            quiet = not self._goes_on(value) and not vacant
            self._normal = self._normal + 1 if quiet else 0
        told, was = flat.is_told(self._kind), self._told
        seen = self.lasting
        if told and not was:
            assert seen.reads >= self._least, "invented: too few readings"
            assert seen.seen_s >= seen.hold_s - 0.01, "invented: it has not lasted"
        if value is not None and seen.reads >= self._least + 1 and seen.seen_s >= seen.hold_s + 0.01:
            assert told, "missed"
        if was and not told:
            assert self._normal >= self._clear, "ended by nobody"
        self._told = told


_what = st.sampled_from(
    ["yes", "yes", "yes", "no", "near", "vacant", "silent", "restart", "clock back", "clock on"]
)
_hours = st.lists(
    st.tuples(_what, st.sampled_from([1, 2, 3, 8, 40, 120]), st.sampled_from([0.5, 2.0, 5.0, 20.0])),
    min_size=3,
    max_size=25,
)


def live(
    flat: Flat,
    hours: Sequence[tuple[str, int, float]],
    point: str,
    says: dict[str, float],
    *witnesses: Witness,
) -> None:
    """Let hours pass; `says` is the value of "yes", "no" and "near", which is neither."""
    vacant, last = False, says["no"]
    flat.read(1.0, {"vacant": False, point: last})
    for what, many, apart_s in hours:
        if what == "restart":
            flat.start(many * apart_s)
            for each in witnesses:
                each.lasting.begin_anew()
            flat.read(0.5, {"vacant": vacant})
        elif what.startswith("clock"):
            flat.step_clock(many * 3600.0 * (-1 if what == "clock back" else 1))
        elif what == "silent":
            flat.read(apart_s, {"vacant": vacant, point: last}, Quality.STALE)
            for each in witnesses:
                each.saw(flat, None, apart_s, vacant=vacant)
                each.lasting.silent_s += many * apart_s * 10
            flat.at += many * apart_s * 10
            continue
        else:
            vacant, last = what == "vacant", says.get(what, last)
            for _ in range(many):
                flat.read(apart_s, {"vacant": vacant, point: last})
                for each in witnesses:
                    each.saw(flat, last, apart_s, vacant=vacant)


@given(_hours)
@_random
def test_who_is_told_to_be_still_was_seen_to_be_for_half_an_hour(
    hours: Sequence[tuple[str, int, float]],
) -> None:
    still = Witness(
        "care.still", 1800.0, 3, 2, begins=lambda motion: motion == 1, goes_on=lambda motion: motion == 1
    )
    live(Flat("micradar-r60afd1"), hours, "motion", {"yes": 1, "no": 2, "near": 0}, still)


@pytest.mark.parametrize(
    ("product", "point", "says", "kind", "limit", "back", "clear_reads"),
    [
        ("seeed-mr60bha2", "heart", {"yes": 130, "no": 70, "near": 115}, "care.vitals", 120, 110, 2),
        ("seeed-mr60bha2", "breath", {"yes": 34, "no": 15, "near": 28}, "care.vitals", 30, 26, 2),
        ("micradar-r60abd1", "heart", {"yes": 119, "no": 70, "near": 110}, "care.vitals", 115, 105, 3),
        ("seeed-mr60bha2", "heart", {"yes": 40, "no": 70, "near": 48}, "care.vitals_low", -45, -50, 2),
        ("seeed-mr60bha2", "breath", {"yes": 6, "no": 15, "near": 9}, "care.vitals_low", -8, -10, 2),
    ],
)
@given(_hours)
@_random
def test_a_pulse_or_breath_that_is_told_was_out_of_its_band_for_a_minute(
    product: str, point: str, says: dict[str, float], kind: str, limit: float, back: float, clear_reads: int,
    hours: Sequence[tuple[str, int, float]],
) -> None:  # fmt: skip
    side = 1 if limit > 0 else -1
    witness = Witness(
        kind, 60.0, 5, clear_reads,
        begins=lambda value: side * value > limit, goes_on=lambda value: side * value >= back,
    )  # fmt: skip
    live(Flat(product), hours, point, says, witness)


@pytest.mark.parametrize("product", ["micradar-r60afd1", "seeed-mr60fda2"])
@given(_hours)
@_random
def test_a_fall_that_is_told_was_seen_by_somebody_there_who_was_not_seen_to_get_up_for_ten_seconds(
    product: str, hours: Sequence[tuple[str, int, float]]
) -> None:
    """A room that is empty then is somebody whom the radar has lost: it ends nothing, and it begins nothing."""
    flat = Flat(product)
    down_s: float | None = None  # since a fall was seen, while somebody was there
    reads = falls = up = 0  # readings since then; those that say it; in a row that say somebody is up
    told = vacant = silent = False
    flat.read(1.0, {"vacant": False, "fall": False})
    for what, many, apart_s in hours:
        if what == "restart":
            flat.start(many * apart_s)
            flat.read(0.5, {"vacant": vacant})
            down_s, reads, up = None, 0, 0
        elif what.startswith("clock"):
            flat.step_clock(many * 3600.0 * (-1 if what == "clock back" else 1))
        elif what == "silent":
            flat.read(apart_s, {"vacant": vacant, "fall": what == "yes"}, Quality.STALE)
            down_s = down_s if down_s is None or silent else down_s + apart_s
            flat.at += many * apart_s * 10
            silent = True
            continue
        for _ in range(many if what in {"yes", "no", "near", "vacant"} else 0):
            vacant, fell = what == "vacant", what == "yes" or (what == "vacant" and many % 2 == 0)
            flat.read(apart_s, {"vacant": vacant, "fall": fell})
            if down_s is not None:
                down_s += 0.0 if silent else apart_s
            elif fell and not vacant:
                down_s, reads, falls = 0.0, 0, 0
            reads, falls, up = reads + 1, falls + int(fell or vacant), 0 if fell or vacant else up + 1
            silent = False
            now = flat.is_listed("care.fall")
            if now and not told:
                assert down_s is not None, "invented: nobody fell who was there"
                assert down_s >= 10.0, "invented: it has not lasted"
                assert reads >= 3, "invented: too few readings"
            lasted = down_s is not None and down_s >= 10.01 and falls >= 4 and (fell or vacant)
            assert now or not lasted, "missed, through noise or in sight of nobody"
            assert now or not told, "a fall that was told left the list by itself"
            told = now
            if up >= 3:
                down_s = None
