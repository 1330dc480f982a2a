"""The watches as they are shipped, with the rules they bring, through random days: what is told has happened, and what
happened is told, whatever sensors, restarts and clocks do in between. DAYS=5000 plays more of them.
"""

import os
import random
from collections.abc import Sequence

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from drivers.api import Quality, Value
from gateway.core.alerts import is_active
from gateway.core.assets.moments import Daytime
from gateway.core.assets.network import Network
from gateway.core.config import AssetTable
from gateway.core.events import AlertBody, Event, ReadingBody
from gateway.core.rule_tables import compile_rules
from gateway.core.rules import Watched
from tests.gateway.core.assets.yardstick import KINDS as SHAPES
from tests.gateway.core.assets.yardstick import assembled, table
from tests.gateway.street import KINDS, Street

DAYS = int(os.environ.get("DAYS", "15"))
EVERY_S = 20.0
NIGHT = (22.0, 6.0)
DAY_S = 86_400.0
SURELY_S = (
    80.0  # who lay for so long is back in bed also as the watch sees it, whose first look counts nothing
)
GAP_S = 3600.0  # what was not seen for longer is not known of; a minute more is the oracle's own grain
LIVES = {"restart": (60.0, True), "long restart": (20_000.0, True), "no clock": (60.0, False)}
"""How long a gateway was away, and whether its clock is right from the start."""
BED = table("bed", "bed", {"bed": "one.contact"})
HOME = table(
    "home", "home", {"moves": "one.contact", "contacts": "two.contact"}, set={"hours": 1, "most_hours": 3}
)


class House:
    """One gateway after another, on one journal; `at` is the true time, which is also the wall's when it is right."""

    def __init__(self, made: AssetTable, hour: float, every_s: float = EVERY_S) -> None:
        self.plan, self.every_s = assembled(made), every_s
        self.at = hour * 3600.0 + 8 * DAY_S
        self.memories: dict[tuple[str, str], float | None] = {}
        self.alerts: list[Event] = []
        self.start(0.0, True)

    def start(self, down_s: float, clock: bool) -> None:
        """Begin a life after so long; `clock` is whether its clock is right from the start."""
        ended, self.at = self.at, self.at + down_s
        self.ended, self.began, self.resumed, self.clock = ended, self.at, False, clock
        known = {key: value for key, value in self.memories.items() if value is not None}
        self.network = Network(self.plan, known)
        self.daytime = Daytime(0.0)
        (plan,) = self.plan.plans
        compiled = compile_rules(plan.rules, (), {}, device=plan.name, category="", points=plan.points,
                                 kinds=KINDS, where="asset")  # fmt: skip
        self.street = Street(Watched(plan.name, rules=compiled.rules), restore=self.alerts, now=0.0)
        self.street.wall_minus_monotonic = self.began
        self.look(0.0)

    def read(self, **values: Value | None) -> None:
        """Take a reading of each device; None is a device that is away."""
        self.at += self.every_s
        now = self.street.now = self.at - self.began
        if self.at - self.looked_at >= 60.0:
            self.look(now)
        for device, value in values.items():
            quality = Quality.STALE if value is None else Quality.GOOD
            self.tell(self.network.take(ReadingBody(device, "contact", value, quality, now), self.at))

    def look(self, now: float) -> None:
        """Do once a minute what the service does."""
        self.looked_at = self.at
        moment = self.daytime.moment(now, self.at if self.clock else 1000.0 + now, trusted=self.clock)
        if not self.resumed and (self.clock or now >= 600.0):
            self.resumed = True
            self.network.resume(max(moment.wall - now - self.ended, 0.0) if self.clock else 0.0)
        self.tell(self.network.look(moment))

    def tell(self, readings: Sequence[ReadingBody]) -> None:
        for reading in readings:
            self.street.submit(reading)
        for memory in self.network.memories():
            self.memories[memory.asset, memory.point] = memory.value
        self.alerts = [
            *self.alerts,
            *(each for each in self.street.events if isinstance(each.body, AlertBody)),
        ]
        self.street.events.clear()

    def is_told(self, kind: str) -> bool:
        """Return whether an alert of a kind is true now."""
        return any(body.kind == kind and is_active(body.state) for body in self.street.alerting.alerts())

    @property
    def is_night(self) -> bool:
        hour = self.at % DAY_S / 3600.0
        return hour >= NIGHT[0] or hour < NIGHT[1]


Stretch = tuple[int | str | None, int]
WHAT = (1, 1, 0, 0, 0, 2, None, "restart", "long restart", "no clock")
READINGS = (1, 2, 10, 45, 80, 200, 700)


def drawn(seed: int) -> list[Stretch]:
    """Return hours as dice have them: what hypothesis draws is small, and seldom as long as a night."""
    dice = random.Random(seed)
    return [(dice.choice(WHAT), dice.choice(READINGS)) for _ in range(dice.randint(2, 14))]


_stretches = st.one_of(
    st.lists(st.tuples(st.sampled_from(WHAT), st.sampled_from(READINGS)), min_size=2, max_size=14),
    st.integers(0, 2**32).map(drawn),
)
_random = settings(max_examples=DAYS, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@given(st.sampled_from([12.0, 21.0, 23.0, 3.0, 5.0]), _stretches)
@_random
def test_who_is_told_to_be_out_of_bed_left_it_at_night_and_was_seen_out_of_it_for_so_long(
    hour: float, stretches: Sequence[Stretch]
) -> None:
    house = House(BED, hour)
    out_s = lying_s = rested_s = 0.0  # since they were last in bed; in bed without a break, and the last time
    in_bed = night = was_told = sure = False  # sure: that it must be told
    plain_s = 0.0  # out, seen without a break, in the night, from the moment they left
    unseen_s = 0.0
    for value, readings in stretches:
        if isinstance(value, str):
            house.start(*LIVES[value])
            sure, lying_s, rested_s = False, 0.0, 0.0
            unseen_s += LIVES[value][0] if LIVES[value][1] else 0.0  # without a clock nobody can tell
            continue
        for _ in range(readings):
            house.read(one=value)
            unseen_s += EVERY_S
            if value is not None:
                if unseen_s > GAP_S + 60.0 and not was_told:  # who was seen before may be anywhere since
                    in_bed = night = sure = False
                    out_s = 0.0
                unseen_s = 0.0
            if value == 1:
                lying_s += EVERY_S
                rested_s = lying_s
                in_bed, plain_s = in_bed or lying_s >= 30.0, 0.0
                out_s = 0.0 if lying_s >= SURELY_S else out_s
            elif value is not None:
                if value == 0 and in_bed:
                    in_bed, at_night = False, house.is_night or not house.clock
                    night = at_night or (night and rested_s < SURELY_S)
                    sure = rested_s >= SURELY_S and house.is_night and house.clock
                out_s, lying_s = out_s + EVERY_S, 0.0
                night = night or not house.clock  # judged only when it is known
                plain_s = plain_s + EVERY_S if sure and value == 0 and house.is_night else 0.0
            sure = sure and value not in {None, 1}
            rested_s = 0.0 if value is None else rested_s
            told = house.is_told("care.bed_exit")
            assert not (told and not was_told) or (night and out_s >= 1200.0), "invented"
            assert told or plain_s < 1200.0 + 3 * EVERY_S, "missed"
            assert told or not was_told or value == 1, "ended by nobody who came back"
            was_told = told


@given(st.sampled_from([6.0, 9.0, 20.0, 22.0]), _stretches)
@_random
def test_what_is_told_to_be_quiet_was_seen_to_be_and_whoever_moved_ended_it(
    hour: float, stretches: Sequence[Stretch]
) -> None:
    """2 is a door that opens now and then, None a radar that is away."""
    house = House(HOME, hour, every_s=60.0)
    quiet_s = plain_s = 0.0  # seen to be quiet since the last movement; the same without a break, by day
    unseen_s = 0.0
    was_told = door = False
    for value, readings in stretches:
        if isinstance(value, str):
            house.start(*LIVES[value])
            plain_s = 0.0
            unseen_s += LIVES[value][0] if LIVES[value][1] else 0.0
            continue
        for count in range(readings // 3 + 1):
            opens = value == 2 and count % 50 == 1
            door = door is not opens
            house.read(one=None if value is None else value == 1, two=door)
            unseen_s += house.every_s
            if value is not None:
                quiet_s = 0.0 if unseen_s > GAP_S + 120.0 and not was_told else quiet_s
                unseen_s = 0.0
            if value == 1 or (opens and count):
                quiet_s = plain_s = 0.0
            elif value is not None:
                quiet_s += house.every_s
                by_day = 7.0 <= house.at % DAY_S / 3600.0 < 22.0
                plain_s = plain_s + house.every_s if by_day and house.clock else 0.0
            else:
                plain_s = 0.0
            told = house.is_told("care.quiet")
            assert not (told and not was_told) or quiet_s >= 3500.0, "invented"
            assert told or plain_s < 3600.0 + 4 * house.every_s, "missed"
            assert told or not was_told or quiet_s <= 60.0, "ended by nobody who moved"
            was_told = told


@pytest.mark.parametrize("made", [BED, HOME])
def test_a_watch_costs_a_restart_some_bytes_and_not_a_row_for_every_minute(made: AssetTable) -> None:
    house, rows = House(made, 12.0, every_s=120.0), 0
    for _ in range(int(DAY_S / house.every_s)):
        before = dict(house.memories)
        house.read(one=False, two=False)
        rows += before != house.memories
    assert rows <= 100, SHAPES[made.kind].name
    assert house.street.events == []
