"""The lines of `[[last_resort]]` in gateway.toml: the same senders that the desk has. Loaded only where there is one.

Each table is a channel of the desk's (gateway/desk/channels.py) with three keys of its own: `to`, the address there;
`after_s`, how long the desk may take to confirm a critical alert; `language`. Its name is its kind and number.
"""

import dataclasses
import logging
from collections.abc import Iterator, Mapping
from typing import Any, Final

import msgspec

from drivers.api import Text
from gateway.core.config import Config
from gateway.core.events import Words
from gateway.core.faults import NOTHING, Fault, near, one_of, shown
from gateway.core.toml_tables import WANTED, table_of
from gateway.desk import channel_checks, channels
from gateway.desk.channels import ChannelTable
from gateway.desk.senders.building import Builder
from gateway.desk.sending import Delivered, Message, Rejected, Sender, told
from gateway.services.last_resort import AFTER_S, Answer, Way
from gateway.surroundings import readable

log = logging.getLogger(__name__)

LANGUAGES: Final = ("zh", "en")
_WANTED: Final = WANTED | {
    dict[str, object]: Text("形如 { errcode = 0 } 的表", "a table like { errcode = 0 }")
}


class LastResortTable(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What `[[last_resort]]` has besides what its kind of channel has."""

    to: str = ""
    after_s: float = AFTER_S
    language: str = "zh"


_OWN: Final = tuple(each.name for each in msgspec.structs.fields(LastResortTable))


def check(tables: Mapping[str, dict[str, object]]) -> Iterator[Fault]:
    """Yield what is wrong with the tables; and as warnings, with their files: fire and doors go on without a line."""
    for number, (key, each) in enumerate(tables.items(), 1):
        faults: list[Fault] = []
        found = read(each, key, number, faults)
        yield from faults
        if found is None:
            continue
        own, channel = found
        if not 5 <= own.after_s <= 3600:
            yield Fault(f"{key}.after_s", shown(own.after_s), Text("5 到 3600 秒", "5 to 3600 s"))
        if own.language not in LANGUAGES:
            yield Fault(f"{key}.language", shown(own.language), one_of(LANGUAGES))
        yield from channel_checks.check(key, channel)
        files = channels.files(channel)
        missing = [
            fault for name, file in files.items() if file and (fault := readable(f"{key}.{name}", file))
        ]
        of_files = missing or channel_checks.check_files(key, channel, {f"{key}.to": own.to})
        yield from (dataclasses.replace(fault, warning=True) for fault in of_files)


def ways(config: Config) -> list[Way]:
    """Return what tells people; a line whose secret cannot be read is left out, and told."""
    builder = Builder()
    made = (_way(each, number, builder) for number, each in enumerate(config.last_resort, 1))
    return [way for way in made if way is not None]


def read(
    table: dict[str, object], key: str, number: int, faults: list[Fault]
) -> tuple[LastResortTable, ChannelTable] | None:
    """Return a table in its two halves; None if it is wrong, which is then among `faults`."""
    kind: Any = table.get("kind")
    channel = channels.ALONE.get(kind) if isinstance(kind, str) else None
    if channel is None:
        hint = near(kind, channels.ALONE) if isinstance(kind, str) else None
        faults.append(
            Fault(f"{key}.kind", NOTHING if kind is None else shown(kind), one_of(channels.ALONE), hint)
        )
        return None
    own = {name: value for name, value in table.items() if name in _OWN}
    rest = {name: value for name, value in table.items() if name not in _OWN}
    first = table_of(own, LastResortTable, key, faults, _WANTED)
    second = table_of({"name": f"{kind}-{number}", **rest}, channel, key, faults, _WANTED)
    return None if first is None or second is None else (first, second)


def _way(table: dict[str, object], number: int, builder: Builder) -> Way | None:
    """Return what tells people over a line; None where its secret cannot be read, which is told."""
    found = read(table, "last_resort", number, [])
    assert found is not None
    own, channel = found
    try:
        sender = builder.build(channel)
    except (OSError, UnicodeDecodeError) as error:
        log.error("last_resort no. %d cannot be used: %s", number, error)
        return None

    async def send(name: str, text: Words, rank: int) -> Answer:
        return await _send(sender, Message(name, own.to, _in(text, own.language), rank, own.language))

    return Way(channel.name, own.after_s, send, channel.pace.longest_s)


async def _send(sender: Sender, message: Message) -> Answer:
    result = await sender.send(message)
    retryable = not isinstance(result, Rejected) or result.retryable
    return Answer(isinstance(result, Delivered), retryable, told(result))


def _in(text: Words, language: str) -> str:
    return text.zh if language == "zh" else text.en
