"""What leaves the journal: what is old and served; and when room is short what hurts least, with a word about it."""

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from gateway.core.events import Clock, Event, NoteBody
from gateway.runtime.journal import JournalSettings, Lane, Position
from gateway.runtime.journal.contract import JournalStatistics
from tests.events import MORNING, alert, event, note, reading
from tests.gateway.runtime.journal_use import SMALL, running, store
from tests.gateway.runtime.journal_use import served as served_rows

DAY = 86400.0
TODAY = MORNING + 30 * DAY
WEEK = replace(SMALL, retention_days=7.0, upkeep_s=0.01)
TIGHT = replace(SMALL, max_bytes=60_000, upkeep_s=0.01)


@dataclass(slots=True)
class Left:
    """What upkeep left, and what it said."""

    urgent: list[int] = field(default_factory=list)
    readings: list[int] = field(default_factory=list)
    told: list[NoteBody] = field(default_factory=list)
    statistics: JournalStatistics | None = None


def after_upkeep(
    folder: Path,
    events: Sequence[Event],
    settings: JournalSettings,
    *,
    served: int | None = None,
    protected: Iterable[Position] = (),
) -> Left:
    """Store events, let upkeep come to rest, return what is left. `served`: both sinks have come so far."""
    left = Left()

    async def scene() -> None:
        async with running(folder, settings) as journal:
            journal.report, journal.protect = left.told.append, lambda: set(protected)
            for sink in ("uplink.urgent", "uplink.readings") if served is not None else ():
                journal.cursor(sink)
                journal.move_cursor(sink, (1, served or 0))
            for one in events[:-1]:
                journal.append(one)
            await store(journal, Lane.URGENT, events[-1:])
            await rest(journal.statistics)
            left.statistics = journal.statistics()

    asyncio.run(scene())
    left.urgent = [e.seq for e in served_rows(folder, Lane.URGENT)]
    left.readings = [e.seq for e in served_rows(folder, Lane.READINGS)]
    return left


async def rest(statistics: object) -> None:
    """Return when upkeep, which begins a second after the start, has found nothing to do for a while."""
    assert callable(statistics)
    async with asyncio.timeout(20):
        await asyncio.sleep(1.1)
        before = -1
        while before != (before := statistics().rows):
            await asyncio.sleep(0.15)


def test_by_age_goes_what_is_old_and_served_and_nothing_else(tmp_path: Path) -> None:
    old = [alert(n, time=MORNING) for n in range(1, 11)] + [reading(n, time=MORNING) for n in range(11, 21)]
    new = [reading(n, time=TODAY) for n in range(21, 31)] + [alert(n, time=TODAY) for n in range(31, 41)]
    left = after_upkeep(tmp_path, old + new, WEEK, served=15)
    assert left.urgent == list(range(31, 41))
    assert left.readings == list(range(16, 31)), "a sink has not had 16 to 20"
    assert left.told == []


def test_without_a_sink_age_alone_counts(tmp_path: Path) -> None:
    old = [alert(n, time=MORNING) for n in range(1, 500)]
    left = after_upkeep(tmp_path, [*old, alert(500, time=TODAY)], WEEK)
    assert left.urgent == [500]


def test_a_protected_row_stays_as_long_as_it_is_protected(tmp_path: Path) -> None:
    old = [alert(n, time=MORNING) for n in range(1, 300)]
    events = [*old, alert(300, time=TODAY)]
    assert after_upkeep(tmp_path, events, WEEK, protected=[(1, 7), (1, 250)]).urgent == [7, 250, 300]
    last = [alert(1 << 21, time=TODAY)]
    assert after_upkeep(tmp_path, last, WEEK, protected=[(1, 250)]).urgent == [250, 300, 1 << 21]


def test_a_row_whose_clock_was_wrong_has_no_age(tmp_path: Path) -> None:
    """Booted in 1970: that does not make the alert of five minutes ago half a century old."""
    early = [event(n, alert(n).body, time=60.0 + n, clock=Clock.UNSYNCED) for n in range(1, 11)]
    left = after_upkeep(tmp_path, [*early, alert(11, time=TODAY)], WEEK)
    assert left.urgent == list(range(1, 12))


def test_when_room_is_short_readings_go_first_and_the_loss_is_told(tmp_path: Path) -> None:
    readings = [reading(n, value=n * 1.37) for n in range(1, 2001)]
    left = after_upkeep(tmp_path, [*readings, *(alert(n) for n in range(2001, 2101))], TIGHT, served=500)
    assert left.urgent == list(range(2001, 2101))
    assert left.readings == list(range(left.readings[0], 2001))
    assert left.statistics is not None
    assert left.statistics.bytes <= TIGHT.max_bytes
    assert left.statistics.lost == {"reading": left.readings[0] - 501}
    assert {note.what for note in left.told} == {"journal.lost"}
    assert "reading" in left.told[0].detail


def test_alerts_that_were_not_sent_outlast_notes_that_were_not(tmp_path: Path) -> None:
    events = [*(note(n) for n in range(1, 1001)), *(alert(n) for n in range(1001, 1101))]
    left = after_upkeep(tmp_path, events, TIGHT, served=0)
    assert left.urgent[-100:] == list(range(1001, 1101))
    assert left.statistics is not None
    assert set(left.statistics.lost) == {"note"}


def test_no_alert_goes_while_there_is_a_note(tmp_path: Path) -> None:
    events = [note(n) if n % 2 else alert(n) for n in range(1, 1001)]
    left = after_upkeep(tmp_path, events, TIGHT, served=0)
    assert left.statistics is not None
    assert left.statistics.lost["alert"] > 0
    assert left.statistics.lost["note"] == 500


def test_alerts_go_when_there_is_nothing_else_and_are_counted(tmp_path: Path) -> None:
    left = after_upkeep(tmp_path, [alert(n) for n in range(1, 1001)], TIGHT, served=0)
    assert left.urgent == list(range(left.urgent[0], 1001))
    assert left.urgent[0] > 1
    assert left.statistics is not None
    assert left.statistics.lost == {"alert": left.urgent[0] - 1}
    assert left.statistics.damaged == 0, "what retention removed is not missing"
