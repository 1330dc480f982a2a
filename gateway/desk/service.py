"""The desk at work: ingest, escalation, delivery and the watch over gateways, side by side in one process."""

import asyncio
import contextlib
import logging
import os
import socket
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from gateway.core import schedule
from gateway.desk import consent_checks, losing, server
from gateway.desk.broker import Broker
from gateway.desk.channels import WebpushTable
from gateway.desk.checking import address_of, directory, ladders
from gateway.desk.delivery import Delivery
from gateway.desk.escalating import Escalation, Rules
from gateway.desk.evidence.service import Evidence
from gateway.desk.feed import Feed
from gateway.desk.intake import Intake
from gateway.desk.missing import Gaps
from gateway.desk.ordering.door_states import DoorStates
from gateway.desk.ordering.service import Ordering
from gateway.desk.port import Port
from gateway.desk.registry.reports import Reports
from gateway.desk.registry.telling import Telling
from gateway.desk.retention import Retention
from gateway.desk.senders import vapid, webpush
from gateway.desk.senders.building import Builder
from gateway.desk.sharing import Share
from gateway.desk.standing import standing
from gateway.desk.store import consents, news, people
from gateway.desk.store.database import Database, Record
from gateway.desk.store.opening import open_database
from gateway.desk.tables import DeskConfig, WebTable
from gateway.desk.watching import Watch
from gateway.desk.web.app import WebServer
from gateway.desk.web.asking import People
from gateway.desk.web.live import Live
from gateway.desk.web.parts import Parts, WebPush
from gateway.desk.web.showing import Showing
from gateway.desk.weekly import WeeklyTest
from gateway.runtime.key_file import KeyFileError, load
from gateway.runtime.supervisor import Run, Supervisor
from gateway.runtime.systemd import Notifier

log = logging.getLogger(__name__)


class Desk:
    """One instance of the desk over an open database."""

    def __init__(self, config: DeskConfig, database: Record, supervisor: Supervisor) -> None:
        self.instance = f"{config.desk.name}-{socket.gethostname()}"
        owner = f"{self.instance}-{os.getpid()}"
        self.database = database
        self._began = time.time()
        self.parts: Parts | None = None
        self.intake = Intake(database)
        self.feed = Feed(database)
        channels = Builder(database).build_all(config.channel)
        paces = {each.name: each.pace for each in config.channel}
        self.delivery = Delivery(database, channels, owner=owner, paces=paces)
        self.escalation = Escalation(
            database, rules(config), paged=self.delivery.wake, changed=self.feed.wake
        )
        key, told = signing_key(config.desk.key_file), self.feed.wake
        self.ordering = Ordering(database, key, operator=config.desk.operator, owner=owner, changed=told)
        self.door_states = DoorStates(database, changed=told)
        self.reports = Reports(database, wake=told)
        quota = int(config.desk.evidence_gb * 1e9)
        self.evidence = Evidence(database, Path(config.desk.files), quota_bytes=quota, changed=told)
        self.port = Port(self.intake, [self.ordering, self.door_states, self.evidence, self.reports])
        self.intake.ears.taken += [self.escalation.wake, self.evidence.wake]
        self.intake.ears.stored.append(self.feed.wake)
        self.delivery.taken += [self.escalation.wake, self.feed.wake]
        self.brokers = list(self._connect(config))
        self.shares = list(self._share(config))
        for name, run in {**self._services(), **self._watchers(config, database)}.items():
            supervisor.add(name, run)
        if config.web is not None:
            for name, run in self._pages(config, config.web, database).items():
                supervisor.add(name, run)

    async def standing(self) -> Mapping[str, Any]:
        """Return how this desk is, as a document."""
        return await standing(
            self.database,
            name=self.instance,
            brokers=self.brokers,
            intake=self.intake.tally,
            evidence=self.evidence.tally,
        )

    def _services(self) -> dict[str, Run]:
        """Return what works on what comes."""
        return {
            "feed": self.feed.run,
            "intake": self.intake.run,
            "escalation": self.escalation.run,
            "delivery": self.delivery.run,
            "ordering": self.ordering.run,
            "door states": self.door_states.run,
            "evidence": self.evidence.run,
            "registry": self.reports.run,
            **{f"broker {each.url} {each.name}": each.run for each in self.brokers},
            **{f"share {each.url}": each.run for each in self.shares},
        }

    def _watchers(self, config: DeskConfig, database: Record) -> dict[str, Run]:
        """Return what works by the clock."""
        taken = [self.escalation.wake, self.feed.wake]
        watch = Watch(
            database,
            name=self.instance,
            listening_since=self._since,
            quiet_s=config.desk.quiet_s,
            taken=taken,
        )
        found: dict[str, Run] = {
            "watch": watch.run,
            "gaps": Gaps(database, taken=taken).run,
            "retention": Retention(
                database, keep_days=config.desk.keep_days, care_days=config.desk.care_keep_days
            ).run,
            "what is due": Telling(database, taken=taken).run,
        }
        if config.desk.weekly_test:
            weekly = schedule.weekly(config.desk.weekly_test)
            found["weekly test"] = WeeklyTest(database, weekly, paged=self.delivery.wake).run
        return found

    def _pages(self, config: DeskConfig, table: WebTable, database: Database) -> dict[str, Run]:
        """Return what serves people's phones."""
        showing = Showing(database)
        live = Live(database, self.feed, showing)
        parts = Parts(
            database, self.feed, showing, live, People(database), self.evidence,
            url=table.url, wake=self.escalation.wake, signs=self.ordering.signs, ordered=self.ordering.wake,
            push=web_push(config),
        )  # fmt: skip
        self.parts = parts
        return {"live": live.run, "web": partial(_web, parts, table)}

    def _connect(self, config: DeskConfig) -> Iterator[Broker]:
        """Yield the connections: evidence and readings have their own, so that no alert waits behind a film."""
        if config.mqtt is None:
            return
        for url in [config.mqtt.url] if isinstance(config.mqtt.url, str) else config.mqtt.url:
            yield Broker(config.mqtt, url, self.instance, self.intake, [self.ordering, self.door_states])
            yield Broker(config.mqtt, url, f"{self.instance}-evidence", None, [self.evidence])
            yield Broker(config.mqtt, url, f"{self.instance}-registry", None, [self.reports])

    def _share(self, config: DeskConfig) -> Iterator[Share]:
        """Yield what takes a share of the alerts, where several desks are to."""
        if config.mqtt is not None and config.desk.share:
            for plain in (each for each in self.brokers if each.takes_alerts):
                yield Share(config.mqtt, plain.url, self.instance, plain, self.intake)

    def _since(self) -> float | None:
        """Return since when all brokers are heard; a gateway may be at any of them, or in this very process."""
        times = [broker.listening_since() for broker in self.brokers if broker.takes_alerts]
        if not times:
            return self._began
        heard = [each for each in times if each is not None]
        return max(heard) if heard and len(heard) == len(times) else None


async def _web(parts: Parts, table: WebTable) -> None:
    """Serve the pages until cancelled."""
    address = address_of(table.listen)
    assert address is not None  # checked with the file
    await server.serve(WebServer(parts), host=address[0], port=address[1])


@contextlib.asynccontextmanager
async def opened(config: DeskConfig, notifier: Notifier) -> AsyncIterator[tuple[Desk, Supervisor]]:
    """Yield a desk that is ready to run, its people taken over from the configuration; raises StoreError."""
    database = await open_database(config.desk.store, secret(config.desk.store_password_file))
    try:
        async with database.transaction() as transaction:
            if await people.replace(transaction, directory(config)):
                await news.tell(transaction, "people", [config.desk.name], time.time())
            await consents.replace(transaction, consent_checks.given(config.resident), time.time())
            await losing.tell(transaction, config.desk.name, time.time())
        supervisor = Supervisor(notifier)
        yield Desk(config, database, supervisor), supervisor
    finally:
        await database.close()


async def serve(
    config: DeskConfig,
    stop: asyncio.Event,
    notifier: Notifier,
    ready: Callable[[], None] = lambda: None,
    *,
    beside: socket.socket | None = None,
    more: Callable[["Desk", DeskConfig], Mapping[str, Run]] = lambda _, __: {},
) -> None:
    """Run a desk until `stop` is set, or until the gateway beside it closes `beside`, its end of the hatch.

    `more` is what else is to run with it.

    What was taken in and not committed stays with the broker, or with that gateway. Raises StoreError, in a group,
    when the record turns out damaged: whoever starts us anew gets one that is whole.
    """
    async with opened(config, notifier) as (desk, supervisor), asyncio.TaskGroup() as group:
        for name, run in more(desk, config).items():
            supervisor.add(name, run)
        work = group.create_task(supervisor.run(), name="desk")
        if beside is not None:
            hatch = group.create_task(desk.port.serve(beside), name="hatch")
            hatch.add_done_callback(lambda _: stop.set())
        whole = group.create_task(desk.database.damaged(), name="damage")
        ready()
        await stop.wait()
        work.cancel()
        whole.cancel()
        if beside is not None:
            hatch.cancel()


def rules(config: DeskConfig) -> Rules:
    """Return how alerts escalate."""
    quiet = config.desk.quiet_hours
    behind = frozenset(each.name for each in config.channel if each.kind in consent_checks.BEHIND)
    return Rules(ladders(config), schedule.parse(quiet) if quiet else None, behind)


def web_push(config: DeskConfig) -> WebPush | None:
    """Return what browsers must know to get pages over Web Push; None where no channel sends it."""
    table = next((each for each in config.channel if isinstance(each, WebpushTable)), None)
    if table is None:
        return None
    services = (*webpush.SERVICES, *table.services)
    key = vapid.public_text(vapid.load_or_make(Path(table.key_file)))
    return WebPush(key, lambda endpoint: webpush.allowed(endpoint, services))


def signing_key(file: str) -> Ed25519PrivateKey | None:
    """Return the key that signs orders; None where there is none, or none that is safe to use."""
    if not file:
        return None
    try:
        return load(Path(file))
    except KeyFileError as error:  # people are paged all the same; doors say why they cannot be opened
        log.error("no order can be signed: %s", error)
        return None


def secret(file: str) -> str | None:
    """Return what a secret's file holds; None where none is named."""
    return Path(file).read_text(encoding="utf-8").strip() if file else None
