"""What the tables of desk.toml mean together: names that must be known, times that must be times, ladders in order.

Pure. A desk that would page nobody is a mistake of its file, found before the first alert and not by it.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final
from urllib.parse import urlsplit

from drivers.api import Text
from gateway.core import schedule
from gateway.core.config import BROKER_SCHEMES
from gateway.core.events import Severity
from gateway.core.faults import NOTHING, Fault, near, one_of, same, shown
from gateway.core.operator_checks import NAME
from gateway.core.roles import ROLES
from gateway.desk import channel_checks, consent_checks
from gateway.desk.arrivals import rank_of
from gateway.desk.ladders import Ladder, Rung, in_order
from gateway.desk.reading import Read
from gateway.desk.routing import DUTY_ROOM, Audience, Directory, Duty, Person, Role
from gateway.desk.tables import DeskConfig, LadderTable, WebTable

LANGUAGES: Final = ("zh", "en")
MINUTE_S: Final = 60.0
LEAST_GB: Final = 0.1
MOST_GB: Final = 100_000
LEAST_DAYS: Final = 7
MOST_DAYS: Final = 36_500


def _rungs(*steps: tuple[float, Audience]) -> tuple[Rung, ...]:
    return tuple(Rung(minutes * MINUTE_S, to) for minutes, to in steps)


LADDERS: Final[Mapping[int, Ladder]] = {
    3: Ladder(
        _rungs((0, Audience.FIRST), (2, Audience.NEXT), (5, Audience.EVERYBODY), (10, Audience.DUTY_ROOM)),
        600.0,
    ),
    2: Ladder(
        _rungs((0, Audience.FIRST), (10, Audience.NEXT), (20, Audience.EVERYBODY), (40, Audience.DUTY_ROOM))
    ),
    1: Ladder(_rungs((0, Audience.FIRST), (60, Audience.NEXT)), while_active=True),
}
"""What holds for a severity that desk.toml has no ladder for. Info pages nobody: it stands in the list."""


def check(read: Read) -> Iterator[Fault]:
    """Yield what is wrong between the tables."""
    yield from _names("channel", {key: each.name for key, each in read.channels.items()})
    yield from _names("person", {key: each.name for key, each in read.people.items()})
    yield from _brokers(read)
    yield from _channels(read)
    yield from _people(read)
    yield from _duties(read)
    yield from _ladders(read)
    yield from consent_checks.check(read)
    if read.web is not None:
        yield from _web(read.web)
    if read.desk is not None:
        yield from _times("desk.quiet_hours", read.desk.quiet_hours)
        yield from _weekly(read.desk.weekly_test)
        if not LEAST_DAYS <= read.desk.keep_days <= MOST_DAYS:
            wanted = Text(f"{LEAST_DAYS} 至 {MOST_DAYS} 天", f"{LEAST_DAYS} to {MOST_DAYS} days")
            yield Fault("desk.keep_days", shown(read.desk.keep_days), wanted)
        if not LEAST_GB <= read.desk.evidence_gb <= MOST_GB:
            wanted = Text(f"{LEAST_GB} 至 {MOST_GB} GB", f"{LEAST_GB} to {MOST_GB} GB")
            yield Fault("desk.evidence_gb", shown(read.desk.evidence_gb), wanted)
        if not NAME.fullmatch(read.desk.operator):
            wanted = Text("字母、数字和 . _ -", "letters, digits and . _ -")
            yield Fault("desk.operator", shown(read.desk.operator), wanted)


def ladders(config: DeskConfig) -> dict[int, Ladder]:
    """Return the ladders by severity, the usual ones where the file has none."""
    return {**LADDERS, **{rank_of(each.severity): _ladder(each) for each in config.ladder}}


def directory(config: DeskConfig) -> Directory:
    """Return everybody that desk.toml names."""
    return Directory(
        people={
            each.name: Person(each.name, each.language, tuple(each.channels), each.phone)
            for each in config.person
        },
        roles=tuple(Role(each.name, each.role, each.place) for each in config.person),
        duties=tuple(
            Duty(each.place, tuple(each.kinds), tuple(each.times), tuple(each.people)) for each in config.duty
        ),
    )


def address_of(listen: str) -> tuple[str, int] | None:
    """Return the host and port of `host:port`, `[::1]:port` for IPv6; None if it is none."""
    host, colon, port = listen.rpartition(":")
    if not colon or not host or not port.isascii() or not port.isdigit() or int(port) > 65_535:
        return None
    return host.strip("[]"), int(port)


def _ladder(table: LadderTable) -> Ladder:
    rungs = tuple(
        Rung(float(str(step["after_minutes"])) * MINUTE_S, Audience(str(step["to"]))) for step in table.steps
    )
    return Ladder(rungs, table.repeat_minutes * MINUTE_S, table.while_active)


def _names(what: str, names: Mapping[str, str]) -> Iterator[Fault]:
    first: dict[str, str] = {}
    for key, name in names.items():
        if name in first:
            wanted = Text("不重复的名称", f"a name that no other [[{what}]] has")
            yield Fault(f"{key}.name", shown(name), wanted, same(f"{first[name]}.name"))
        first.setdefault(name, key)


def _brokers(read: Read) -> Iterator[Fault]:
    urls = [] if read.mqtt is None else [read.mqtt.url] if isinstance(read.mqtt.url, str) else read.mqtt.url
    for url in urls:
        try:
            parts = urlsplit(url)
            good = parts.scheme in BROKER_SCHEMES and bool(parts.hostname) and parts.username is None
            good = good and (parts.port is None or parts.port > 0)
        except ValueError:
            good = False
        if not good:
            wanted = Text(
                "mqtt:// 或 mqtts:// 加主机，不带用户名", "mqtt:// or mqtts:// and a host, no user in it"
            )
            yield Fault("mqtt.url", shown(url), wanted)


def _web(table: WebTable) -> Iterator[Fault]:
    if address_of(table.listen) is None:
        wanted = Text("主机:端口，如 0.0.0.0:8090", "host:port, like 0.0.0.0:8090")
        yield Fault("web.listen", shown(table.listen), wanted)
    if table.url and urlsplit(table.url).scheme not in {"http", "https"}:
        wanted = Text("http:// 或 https:// 地址", "an http:// or https:// address")
        yield Fault("web.url", shown(table.url), wanted)


def _channels(read: Read) -> Iterator[Fault]:
    for key, each in read.channels.items():
        yield from channel_checks.check(key, each)


def _people(read: Read) -> Iterator[Fault]:
    channels = [each.name for each in read.channels.values()]
    for key, each in read.people.items():
        if each.role not in ROLES:
            yield Fault(f"{key}.role", shown(each.role), one_of(ROLES), near(each.role, ROLES))
        if each.language not in LANGUAGES:
            yield Fault(f"{key}.language", shown(each.language), one_of(LANGUAGES))
        for name, _ in each.channels:
            if name not in channels:
                yield Fault(f"{key}.channels", shown(name), one_of(channels), near(name, channels))
    if not read.people and not any(fault.key.startswith(("person", "file")) for fault in read.faults):
        yield Fault(
            "person",
            NOTHING,
            Text("至少一个 [[person]]", "at least one [[person]]: an alert must reach somebody"),
        )
    elif not any(each.role == DUTY_ROOM for each in read.people.values()):
        wanted = Text(
            '至少一人 role = "duty_room"', 'somebody whose role = "duty_room": the last rung of a ladder'
        )
        yield Fault("person", NOTHING, wanted, warning=True)


def _duties(read: Read) -> Iterator[Fault]:
    people = [each.name for each in read.people.values()]
    for key, each in read.duties.items():
        for name in each.people:
            if name not in people:
                yield Fault(f"{key}.people", shown(name), one_of(people), near(name, people))
        if not each.people:
            yield Fault(f"{key}.people", NOTHING, Text("至少一个人", "at least one person"))
        yield from _times(f"{key}.times", each.times)


def _ladders(read: Read) -> Iterator[Fault]:
    for key, each in read.ladders.items():
        if each.severity not in list(Severity):
            yield Fault(
                f"{key}.severity", shown(each.severity), one_of(Severity), near(each.severity, Severity)
            )
        wrong = [step for step in each.steps if not _is_step(step)]
        if wrong:
            wanted = Text(
                f'形如 {{ after_minutes = 5, to = "next" }}，to 为 {"、".join(Audience)} 之一',
                f'like {{ after_minutes = 5, to = "next" }}, to one of {", ".join(Audience)}',
            )
            yield Fault(f"{key}.steps", shown(str(wrong[0])), wanted)
        elif not in_order(_ladder(each).rungs):
            yield Fault(f"{key}.steps", shown(each.steps), Text("按时间先后", "steps in order of time"))
        if each.repeat_minutes < 0 or 0 < each.repeat_minutes < 1:
            yield Fault(
                f"{key}.repeat_minutes", shown(each.repeat_minutes), Text("0，或 1 以上", "0, or 1 and more")
            )


def _is_step(step: Mapping[str, object]) -> bool:
    minutes = step.get("after_minutes")
    number = isinstance(minutes, int | float) and not isinstance(minutes, bool) and 0 <= minutes <= 10_080
    return set(step) == {"after_minutes", "to"} and number and step["to"] in list(Audience)


def _times(key: str, times: Sequence[str]) -> Iterator[Fault]:
    try:
        schedule.parse(times)
    except schedule.ScheduleError as error:
        yield Fault(key, shown(error.found), same(error.wanted))


def _weekly(text: str) -> Iterator[Fault]:
    try:
        schedule.weekly(text or "mon 00:00")
    except schedule.ScheduleError as error:
        yield Fault("desk.weekly_test", shown(error.found), same(error.wanted))
