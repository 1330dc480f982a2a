"""A rule tried against recorded readings: what would have been raised and cleared, when and for how long.

How it works: the very same alerting as on the wall is fed the readings of an export; time is that of the record. The
journal keeps changes only, so a value holds until the next one, and is read as often as the rules want. What changed by
less than its deadband, or between two polls, was never recorded. Nothing is sent or written, and no clock is asked.
"""

import csv
import heapq
import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

import msgspec

from drivers.api import Quality, Value
from gateway import assetry, site
from gateway.configuration import Checked
from gateway.core import kinds, loading
from gateway.core.config import Config
from gateway.core.events import AlertBody, Body, Change, Clock, Event, LinkBody, ReadingBody
from gateway.core.faults import Fault
from gateway.core.rule_tables import Ruled, compile_rules, for_nobody
from gateway.core.rules import Watched
from gateway.core.toml_tables import each_of, tree
from gateway.services.alerting import Alerting

POLL_S: Final = 1.0  # how often a device is taken to be read while its value stands
SOON_S: Final = 0.05  # after which a read that is asked for at once is there


class RecordError(ValueError):
    """A line that is no row of an export; `line` counts from 1."""

    def __init__(self, line: int, found: str) -> None:
        super().__init__(f"line {line}: {found}")
        self.line, self.found = line, found


@dataclass(slots=True)
class Spell:
    """One alert as it would have been: wall seconds, `cleared` None where it still stood at the end of the record."""

    kind: str
    severity: str
    device: str
    zh: str
    en: str
    raised: float
    cleared: float | None = None
    count: int = 1


@dataclass(slots=True)
class Told:
    """What came of a replay. `since` and `until` are the first and last moment of the record."""

    spells: list[Spell] = field(default_factory=list)
    readings: int = 0
    strangers: set[str] = field(default_factory=set)  # devices of the record that the configuration has not
    since: float = 0.0
    until: float = 0.0


def rules_of(text: str, file: str, checked: Checked) -> tuple[list[dict[str, Any]], list[Fault]]:
    """Return the `[[rule]]` tables of a TOML text and all that is wrong with them for these devices."""
    faults: list[Fault] = []
    tables = tree(text, faults) or {}
    rules = [table for _, table in each_of(tables, "rule", "rule", faults)]
    known = kinds.built_in()
    config = _config(checked)
    ruled = [*assetry.ruled(assetry.assets_of(config, checked.profiles), config.rule)]
    for number, table in enumerate(each for bus in config.bus for each in bus.device):
        profile = checked.profiles[table.profile]
        ruled.append(Ruled(table.name, profile.category, profile.points, (*profile.rules, *config.rule)))
        compiled = compile_rules(
            profile.rules,
            rules,
            {},
            device=table.name,
            category=profile.category,
            points=profile.points,
            kinds=known,
            where=f"device[{number}]",
        )
        faults += [fault for fault in compiled.faults if fault.key.startswith("rule[")]
    faults += for_nobody(rules, ruled, known)
    return rules, loading.located(faults, text, file)


def watched_of(checked: Checked, rules: Sequence[dict[str, Any]], *, alone: bool) -> dict[str, Watched]:
    """Return every device and asset with the rules in force and these on top; `alone`: only what these change."""
    known, config = kinds.built_in(), _config(checked)
    tried = msgspec.structs.replace(config, rule=(*config.rule, *rules))
    made = assetry.assets_of(config, checked.profiles)

    def watched(each: Config) -> dict[str, Watched]:
        of_devices = site.watched_of(each, checked.profiles, known, made)
        return dict(assetry.watched_with(made, of_devices, each, known))

    new, old = watched(tried), watched(config)
    if not alone:
        return new
    return {
        name: Watched(
            each.name, each.label, each.place, each.category, each.bus, each.profile,
            tuple(rule for rule in each.rules if rule not in old[name].rules), each.baseline,
        )
        for name, each in new.items()
    }  # fmt: skip


def events_of(lines: Iterable[str]) -> Iterator[Event]:
    """Yield the readings and links of an export, JSON lines or CSV; RecordError with its line for anything else."""
    numbered = iter(lines)
    first = next(numbered, "")
    if not first:
        raise RecordError(1, "the file is empty")
    every = itertools.chain([first], numbered)
    if first.lstrip().startswith("{"):
        yield from _of_json(every)
    else:
        yield from _of_csv(every)


def replay(watched: Mapping[str, Watched], events: Iterable[Event]) -> Told:
    """Return what these rules would have told of these events."""
    return _Replay(watched).run(events)


class _Replay:
    """Alerting, and the readings that a device would have gone on giving."""

    def __init__(self, watched: Mapping[str, Watched]) -> None:
        self._watched = watched
        self._reads = {name: _reads(each) for name, each in watched.items()}
        self._told = Told()
        self._open: dict[str, Spell] = {}
        self._last: dict[tuple[str, str], ReadingBody] = {}
        self._coming: list[tuple[float, int, ReadingBody]] = []  # a heap of reads the record left out
        self._now = 0.0
        self._seq = itertools.count(1)
        self._alerting = Alerting(
            watched,
            kinds=kinds.built_in(),
            submit=self._submit,
            read_soon=self._read_soon,
            new_id=lambda: f"replay-{next(self._seq)}",
        )

    def run(self, events: Iterable[Event]) -> Told:
        for event in events:
            body = event.body
            self._told.since = self._told.since or event.time
            self._until(max(event.time, self._now))
            if isinstance(body, ReadingBody):
                self._take(body)
            else:
                self._follow(body)
        self._told.until = self._now
        if self._coming:  # what the record ends with stood for the reads that a rule wants, too
            self._until(max(at for at, _, _ in self._coming))
        return self._told

    def _take(self, body: ReadingBody) -> None:
        """Take a recorded reading; the device would have gone on giving it until it changed."""
        self._told.readings += 1
        if body.device not in self._watched:
            self._told.strangers.add(body.device)
            return
        self._last[body.device, body.point] = body
        self._follow(body)
        for number in range(1, self._reads[body.device]):
            self._later(self._now + number * POLL_S, body)

    def _until(self, moment: float) -> None:
        """Let the time of the record go on, and do what falls due meanwhile."""
        while True:
            due = self._alerting.next_due()
            again = self._coming[0][0] if self._coming else None
            if again is not None and again <= moment and (due is None or again <= due):
                self._now, _, body = heapq.heappop(self._coming)
                if self._last.get((body.device, body.point)) is body:
                    self._follow(body)
            elif due is not None and due <= moment:
                self._now = max(due, self._now)
                self._alerting.tick(self._now, self._now)
                if self._alerting.next_due() == due and not self._coming:
                    break
            else:
                break
        self._now = moment

    def _follow(self, body: Body) -> None:
        told = msgspec.structs.replace(body, at=self._now) if isinstance(body, ReadingBody) else body
        self._alerting.follow(Event(1, next(self._seq), self._now, self._now, Clock.SYNCED, told))

    def _read_soon(self, device: str, point: str) -> None:
        """Give alerting the read it asks for: the value that stands."""
        if (body := self._last.get((device, point))) is not None:
            self._later(self._now + SOON_S, body)

    def _later(self, at: float, body: ReadingBody) -> None:
        heapq.heappush(self._coming, (at, next(self._seq), body))

    def _submit(self, body: Body) -> None:
        if not isinstance(body, AlertBody):
            return
        spell = self._open.get(body.alert)
        if spell is None:
            spell = Spell(
                body.kind, body.severity.value, body.device or "", body.text.zh, body.text.en, self._now
            )
            self._told.spells.append(spell)
            self._open[body.alert] = spell
        spell.count = body.count
        latched = body.state.startswith("latched")
        if body.change is Change.CLEARED or latched:
            spell.cleared = self._now
        elif body.change is Change.RAISED:
            spell.cleared = None


def _reads(watched: Watched) -> int:
    """Return how many reads that agree the most cautious rule of a device wants."""
    return max((max(rule.reads, rule.clear_reads) for rule in watched.rules), default=1)


def _config(checked: Checked) -> Config:
    assert checked.config is not None
    return checked.config


def _of_json(lines: Iterable[str]) -> Iterator[Event]:
    decoder = msgspec.json.Decoder(Event)
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            event = decoder.decode(line)
        except (msgspec.DecodeError, UnicodeEncodeError) as error:
            raise RecordError(number, str(error)) from error
        if isinstance(event.body, ReadingBody | LinkBody):
            yield event


def _of_csv(lines: Iterable[str]) -> Iterator[Event]:
    rows = csv.DictReader(lines)
    wanted = {"time", "type", "device", "point", "value", "quality"}
    if missing := wanted - set(rows.fieldnames or ()):
        raise RecordError(1, f"no column {', '.join(sorted(missing))}")
    try:
        for row in rows:
            if row["type"] == "reading":
                yield _reading(row, rows.line_num)
    except csv.Error as error:
        raise RecordError(rows.line_num, str(error)) from error


def _reading(row: Mapping[str, str], line: int) -> Event:
    try:
        wall = datetime.fromisoformat(row["time"]).timestamp()
        quality = Quality(row["quality"])
        value = _value(row["value"])
    except (ValueError, TypeError) as error:
        raise RecordError(line, str(error)) from error
    body = ReadingBody(row["device"], row["point"], value, quality, wall, row.get("unit") or None)
    return Event(1, line, wall, wall, Clock.SYNCED, body)


def _value(told: str) -> Value | None:
    if told in {"", "true", "false"}:
        return None if not told else told == "true"
    return float(told) if any(mark in told for mark in ".eEn") else int(told)
