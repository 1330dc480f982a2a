"""`desk notify test`: one real page over a channel, and the service's own answer with what it means.

It goes past the desk's record: no notification is written, no person is marked as reached. What is not delivered is
the exit code, so that an installer's script may ask as well.
"""

import asyncio
import contextlib
import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec
from rich.console import Console
from rich.text import Text

from gateway import duty
from gateway.core.events import Words as Said
from gateway.desk import texts
from gateway.desk.channels import ChannelTable, WebpushTable
from gateway.desk.senders.building import Builder, secret
from gateway.desk.sending import Delivered, Message, Rejected, Result, Sender, Unknown
from gateway.desk.store.database import StoreError
from gateway.desk.store.opening import open_database
from gateway.desk.tables import DeskConfig, PersonTable
from gateway.terminal import faults as fault_list
from gateway.terminal.errors import ToolError
from gateway.terminal.figures import BAD, FAINT, GOOD, WARN, console
from gateway.terminal.help import DONE, NO
from gateway.terminal.words import Words

RANK: Final = 1
CRITICAL: Final = 3


@dataclass(frozen=True, slots=True)
class Trial:
    """One page that is to be tried: over which channel, to whom."""

    channel: ChannelTable
    person: PersonTable
    address: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a trial, and how long it took."""

    trial: Trial
    result: Result
    seconds: float


def run(
    path: Path | None, words: Words, *, channel: str | None, person: str | None, critical: bool, as_json: bool
) -> int:
    """Send the pages, show what came of them; return the exit code: 1 when one was not delivered."""
    config, faults = duty.load(path or duty.find())
    if config is None:
        fault_list.show(faults, words, console())
        return NO
    trials = choose(config, channel, person)
    try:
        outcomes = asyncio.run(_try_all(config, trials, CRITICAL if critical else RANK))
    except StoreError as error:  # Web Push reads the desk's record; a SQLite file has one owner
        raise ToolError("desk.store", reason=error) from error
    if as_json:
        print(msgspec.json.encode([_plain(each) for each in outcomes]).decode())
    else:
        for each in outcomes:
            show(each, words, console())
    return DONE if all(isinstance(each.result, Delivered) for each in outcomes) else NO


def choose(config: DeskConfig, channel: str | None, person: str | None) -> list[Trial]:
    """Return what to try: each channel meant once, to the person meant or the first who has it; raises ToolError."""
    channels = {each.name: each for each in config.channel}
    people = {each.name: each for each in config.person}
    if channel is not None and channel not in channels:
        raise ToolError("desk_notify_test.channel", name=channel, names=", ".join(channels))
    if person is not None and person not in people:
        raise ToolError("desk_notify_test.person", name=person, names=", ".join(people))
    found: dict[str, Trial] = {}
    for each in config.person if person is None else [people[person]]:
        for name, address in each.channels:
            if channel in {None, name}:
                found.setdefault(name, Trial(channels[name], each, address))
    if not found:
        raise ToolError("desk_notify_test.nobody", channel=channel or "", person=person or "")
    return list(found.values())


async def _try_all(config: DeskConfig, trials: Sequence[Trial], rank: int) -> list[Outcome]:
    async with contextlib.AsyncExitStack() as stack:
        database = None
        if any(isinstance(each.channel, WebpushTable) for each in trials):
            password = secret(config.desk.store_password_file) or None
            database = await open_database(config.desk.store, password)
            stack.push_async_callback(database.close)
        senders = Builder(database).build_all(each.channel for each in trials)
        return [await _try(senders[each.channel.name], each, rank) for each in trials]


async def _try(sender: Sender, trial: Trial, rank: int) -> Outcome:
    text = texts.trial(trial.person.name)
    told = text.zh if trial.person.language == "zh" else text.en
    message = Message(f"try|{uuid.uuid4()}", trial.address, told, rank, trial.person.language)
    began, longest_s = time.monotonic(), trial.channel.pace.longest_s
    result: Result
    try:
        async with asyncio.timeout(longest_s):
            result = await sender.send(message)
    except TimeoutError:
        result = Unknown(f"no answer in {longest_s:.0f} s")
    return Outcome(trial, result, time.monotonic() - began)


def show(outcome: Outcome, words: Words, out: Console) -> None:
    """Print what came of one page: delivered or not, the service's own answer, what to do."""
    trial, result = outcome.trial, outcome.result
    mark, style, key = {
        Delivered: ("✓", GOOD, "delivered"),
        Rejected: ("✗", BAD, "rejected"),
        Unknown: ("?", WARN, "unknown"),
    }[type(result)]
    where = f"{trial.channel.name} ({trial.channel.kind}) → {trial.person.name} "
    told = words(f"desk_notify_test.{key}", seconds=f"{outcome.seconds:.1f}")
    out.print(Text.assemble((f"{mark} ", style), (where, "bold"), (told, style)), soft_wrap=True)
    answer = Text.assemble((f"  {words('desk_notify_test.answer')} ", FAINT), result.answer)
    out.print(answer, soft_wrap=True)
    if (means := meaning(result)) is not None:
        line = Text.assemble((f"  {words('desk_notify_test.means')} ", FAINT), words.of(means))
        out.print(line, soft_wrap=True)


def meaning(result: Result) -> Said | None:
    """Return what an answer means, and what to do."""
    if isinstance(result, Rejected) and result.means is None and result.retryable:
        return Said(
            "现在没有送到，稍后可能可以；值班台会自己重试",
            "not taken now, perhaps later; the desk tries again itself",
        )
    if isinstance(result, Unknown):
        return Said(
            "不知道送到没有：看看手机；值班台会再发一次",
            "nobody knows whether it arrived: look at the phone; the desk would send it again",
        )
    return result.means if isinstance(result, Rejected) else None


def _plain(outcome: Outcome) -> dict[str, object]:
    trial, result = outcome.trial, outcome.result
    means = meaning(result)
    return {
        "channel": trial.channel.name,
        "kind": trial.channel.kind,
        "person": trial.person.name,
        "result": type(result).__name__.lower(),
        "retryable": isinstance(result, Unknown) or (isinstance(result, Rejected) and result.retryable),
        "answer": result.answer,
        "zh": means.zh if means else None,
        "en": means.en if means else None,
        "seconds": round(outcome.seconds, 3),
    }
