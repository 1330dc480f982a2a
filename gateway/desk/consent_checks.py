"""Consent as desk.toml has it: names that must be known, days that must be days, who would be told in a group. Pure."""

from collections.abc import Iterable, Iterator
from typing import Final

from drivers.api import Text
from gateway.core.faults import Fault, near, one_of, shown
from gateway.core.roles import ROLES
from gateway.desk.consent import LEVELS, Consent
from gateway.desk.reading import Read
from gateway.desk.tables import ResidentTable

GROUPS: Final = frozenset({"wecom", "dingtalk", "feishu", "webhook", "apprise"})
"""Kinds of channels that more people read than the one who is called."""

BEHIND: Final = GROUPS | {"mail", "call"}
"""Kinds that no other channel is to wait for when somebody's life may hang on a door's number: nobody reads mail at
night, a call says no word, and a group reads along."""

LEAST_DAYS: Final = 1.0
MOST_DAYS: Final = 36_500.0


def given(tables: Iterable[ResidentTable]) -> list[Consent]:
    """Return what everybody agreed to."""
    return [
        Consent(each.gateway, each.code, tuple(each.see), each.shown, each.keep_days, each.name, each.note)
        for each in tables
    ]


def check(read: Read) -> Iterator[Fault]:
    """Yield what is wrong with consents, and a warning for who would be told a door in a group only."""
    people = [each.name for each in read.people.values()]
    first: dict[tuple[str, str], str] = {}
    most = 0.0 if read.desk is None else read.desk.keep_days
    if read.desk is not None:
        yield from _days("desk.care_keep_days", read.desk.care_keep_days, MOST_DAYS)
    for key, each in read.residents.items():
        for field in ("gateway", "code"):
            if not getattr(each, field):
                wanted = Text("与网关 [[resident]] 一致", "as in [[resident]] of that gateway")
                yield Fault(f"{key}.{field}", shown(""), wanted)
        if (each.gateway, each.code) in first:
            wanted = Text("每位住户一条", "one table for each resident")
            yield Fault(
                f"{key}.code", shown(each.code), wanted, Text(first[each.gateway, each.code], "see there")
            )
        first.setdefault((each.gateway, each.code), f"{key}.code")
        known = [*ROLES, *people]
        for name in each.see:
            if name not in known:
                yield Fault(f"{key}.see", shown(name), one_of(known), near(name, known))
        if each.shown not in LEVELS:
            yield Fault(f"{key}.shown", shown(each.shown), one_of(LEVELS), near(each.shown, LEVELS))
        if each.keep_days is not None:
            yield from _days(f"{key}.keep_days", each.keep_days, most)
    yield from _in_groups(read)


def _days(key: str, days: float, most: float) -> Iterator[Fault]:
    if not LEAST_DAYS <= days <= most:
        wanted = Text(
            f"{LEAST_DAYS:g} 至 {most:g} 天",
            f"{LEAST_DAYS:g} to {most:g} days",
        )
        yield Fault(key, shown(days), wanted)


def _in_groups(read: Read) -> Iterator[Fault]:
    """A door's number is told to who is called, over their own channel first; by a group's all of it read along."""
    if not read.residents:
        return
    groups = {each.name for each in read.channels.values() if each.kind in GROUPS}
    behind = {each.name for each in read.channels.values() if each.kind in BEHIND}
    for key, each in read.people.items():
        names = {name for name, _ in each.channels}
        if names & groups and names <= behind:
            found = Text(f"{each.name} 只有群通道", f"{each.name} is told of it in a group")
            wanted = Text(
                "至少一个会响、能写字的个人通道（短信、ntfy、Bark 等）",
                "one of their own that rings and says it: SMS, ntfy, Bark",
            )
            hint = Text("求助住户的门牌会被全群看到", "the whole group reads the door of who calls for help")
            yield Fault(f"{key}.channels", found, wanted, hint, warning=True)
