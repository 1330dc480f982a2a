"""Certificates renewed under a running uplink: no restart, nothing lost. A real mosquitto, an authority of openssl."""

import asyncio
import shutil
import subprocess
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from gateway.core import health
from gateway.core.config import MqttTable
from gateway.core.events import Clock
from gateway.services.uplink import Uplink
from tests.broker import PATIENT, Mosquitto, Pki, free_port, listener, make_pki, needs_mosquitto
from tests.uplink_parts import GATEWAY, MemoryJournal, until

pytestmark = needs_mosquitto
LOOK_S = 0.05


@pytest.fixture
def pki(tmp_path: Path) -> Pki:
    made = make_pki(tmp_path)
    (tmp_path / "mine").mkdir()
    return made


def put(pki: Pki, name: str, authority: str = "ca") -> None:
    """Put a certificate, its key and the authority where the gateway looks, as a renewal does: file by file."""
    for source, target in ((f"{name}.crt", "cert"), (f"{name}.key", "key"), (f"{authority}.crt", "ca")):
        fresh = pki.directory / "mine" / f"{target}.new"
        shutil.copyfile(pki.file(source), fresh)
        fresh.rename(pki.directory / "mine" / target)


def ending_soon(pki: Pki, name: str, seconds: int) -> None:
    """Sign a certificate that ends in a few seconds: one of a day, made a day ago."""
    pki.issue(name, GATEWAY)
    past = ["faketime", "-f", f"-{86_400 - seconds}s"]
    sign = [
        "openssl",
        "x509",
        "-req",
        "-in",
        f"{name}.csr",
        "-CA",
        "ca.crt",
        "-CAkey",
        "ca.key",
        "-days",
        "1",
    ]
    subprocess.run([*past, *sign, "-out", f"{name}.crt"], cwd=pki.directory, check=True, capture_output=True)


def run(pki: Pki, broker: Mosquitto, work: Callable[[Uplink, MemoryJournal], Awaitable[None]]) -> None:
    async def scenario() -> None:
        mine = pki.directory / "mine"
        table = MqttTable(
            url=f"mqtts://localhost:{broker.port}", ca_file=str(mine / "ca"), cert_file=str(mine / "cert"),
            key_file=str(mine / "key"),
        )  # fmt: skip
        journal = MemoryJournal()
        uplink = Uplink(
            table, GATEWAY, journal=journal, states=lambda _: None, health=lambda: b"{}", submit=journal.submit,
            renewal_s=LOOK_S, chance=lambda: 0.0,
        )  # fmt: skip
        task = asyncio.create_task(uplink.run())
        try:
            await until(lambda: uplink.statistics().connected, what="a connection")
            await work(uplink, journal)
        finally:
            task.cancel()
            await asyncio.wait([task])

    asyncio.run(scenario())


def secured(pki: Pki, *, authority: str = "ca") -> tuple[Mosquitto, int]:
    """Return a broker with TLS, and the port of its other door, for the one who listens."""
    lines = [line.replace(pki.file("ca.crt"), pki.file(f"{authority}.crt")) for line in pki.listener()]
    inside = free_port()
    plain = (*PATIENT, f"listener {inside} 127.0.0.1")
    return Mosquitto(pki.directory, *plain, listener=lines, protocol="mqtts"), inside


@contextmanager
def served(broker: Mosquitto, inside: int) -> Iterator[None]:
    """Have the broker run and somebody listen to it, also after a restart."""
    broker.start()
    try:
        with listener(inside, name="desk"):
            yield
    finally:
        broker.kill()


def test_a_change_of_authority_is_taken_up_while_it_runs_and_nothing_is_lost(pki: Pki) -> None:
    pki.authority("next")
    pki.issue("renewed", GATEWAY, by="next")
    pki.issue("broker-next", "localhost", by="next", broker=True)
    both = pki.directory / "both.crt"
    both.write_text("".join((pki.directory / f"{name}.crt").read_text() for name in ("ca", "next")))
    broker, inside = secured(pki, authority="both")
    put(pki, "client", "both")

    async def work(uplink: Uplink, journal: MemoryJournal) -> None:
        journal.submit_alerts(5)
        await until(lambda: uplink.statistics().confirmed == 5)
        put(pki, "renewed", "both")
        await until(lambda: uplink.statistics().connected and uplink.statistics().connections == 2)
        broker.kill()
        journal.submit_alerts(5)
        text = broker._config.read_text().replace(
            str(both), pki.file("next.crt")
        )  # the old authority is dropped
        broker._config.write_text(text.replace("/broker.", "/broker-next."))
        broker.start()
        await until(lambda: uplink.statistics().confirmed == 10, within_s=60)

    with served(broker, inside):
        run(pki, broker, work)


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("faketime") is None, reason="no faketime")
def test_one_that_ended_is_refused_and_its_successor_takes_over_at_the_next_try(pki: Pki) -> None:
    ending_soon(pki, "short", 8)
    ended_at = time.monotonic() + 9
    broker, inside = secured(pki)
    put(pki, "short")

    async def work(uplink: Uplink, journal: MemoryJournal) -> None:
        await until(lambda: time.monotonic() > ended_at, what="its end")
        assert uplink.statistics().connected  # a connection that stands is not looked at again
        broker.kill()
        broker.start()
        journal.submit_alerts(3)
        await until(lambda: "verify failed" in broker.log.read_text(), what="a refusal")
        assert not uplink.statistics().confirmed
        pki.issue("long", GATEWAY)
        put(pki, "long")
        await until(lambda: uplink.statistics().confirmed == 3)

    with served(broker, inside):
        run(pki, broker, work)


def test_a_pair_that_is_half_written_leaves_the_connection_alone_and_is_told(pki: Pki) -> None:
    pki.issue("renewed", GATEWAY)
    broker, inside = secured(pki)
    put(pki, "client")

    async def work(uplink: Uplink, journal: MemoryJournal) -> None:
        shutil.copyfile(pki.file("renewed.crt"), pki.directory / "mine" / "cert")
        await until(lambda: "not used" in uplink.statistics().note, what="a note")
        journal.submit_alerts(2)
        await until(lambda: uplink.statistics().confirmed == 2)
        assert uplink.statistics().connections == 1
        shutil.copyfile(pki.file("renewed.key"), pki.directory / "mine" / "key")
        await until(lambda: uplink.statistics().connections == 2, what="a new connection")
        assert uplink.statistics().note == ""

    with served(broker, inside):
        run(pki, broker, work)


def test_files_that_vanish_leave_the_connection_alone(pki: Pki) -> None:
    broker, inside = secured(pki)
    put(pki, "client")

    async def work(uplink: Uplink, journal: MemoryJournal) -> None:
        (pki.directory / "mine" / "key").rename(pki.directory / "mine" / "away")
        await until(lambda: "key" in uplink.statistics().note, what="a note")
        (pki.directory / "mine" / "away").rename(pki.directory / "mine" / "key")
        await until(lambda: not uplink.statistics().note, what="no note")
        journal.submit_alerts(1)
        await until(lambda: uplink.statistics().confirmed == 1)
        assert uplink.statistics().connections == 1

    with served(broker, inside):
        run(pki, broker, work)


def test_the_days_that_are_left_are_told_before_they_are_over(pki: Pki) -> None:
    pki.issue("client", GATEWAY, days=12)
    broker, inside = secured(pki)
    put(pki, "client")

    async def work(uplink: Uplink, journal: MemoryJournal) -> None:
        document = health.document(
            health.Identity("hxtp-01", "", "0.1.0", "boot", 1, 0.0), clock=Clock.SYNCED, uptime_s=1.0, faults=0,
            buses=[], uplink=uplink.statistics(), journal={}, alerts=[], services={}, now=0.0, wall=time.time(),
        )  # fmt: skip
        assert document["uplink"]["certificate_days"] == pytest.approx(12, abs=0.01)
        assert [each["what"] for each in document["advice"]] == ["uplink.certificate"]

    with served(broker, inside):
        run(pki, broker, work)
