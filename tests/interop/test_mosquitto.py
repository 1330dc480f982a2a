"""The uplink against a real mosquitto: plain, TLS, MQTT 5 and 3.1.1, refusals, restarts."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from gateway.core import payload
from gateway.core.config import MqttTable
from gateway.core.events import Event
from gateway.runtime.journal.rows import Lane
from gateway.runtime.loop import run
from gateway.services.uplink import Uplink
from gateway.services.uplink.session import URGENT_SINK
from tests.broker import Heard, Listener, Mosquitto, Pki, listener, make_pki, mosquitto, needs_mosquitto
from tests.broker import until as wait
from tests.proxy import Proxy, turn_mqtt_5_away
from tests.uplink_parts import (
    GATEWAY,
    MemoryJournal,
    alert_body,
    first_seen_order,
    outcome_body,
    reading_body,
    until,
)

pytestmark = needs_mosquitto


@pytest.fixture(name="broker")
def _broker(tmp_path: Path) -> Iterator[Mosquitto]:
    with mosquitto(tmp_path) as broker:
        yield broker


@pytest.fixture(name="pki", scope="module")
def _pki(tmp_path_factory: pytest.TempPathFactory) -> Pki:
    return make_pki(tmp_path_factory.mktemp("pki"))


@asynccontextmanager
async def running(journal: MemoryJournal, url: str | list[str], **table: Any) -> AsyncIterator[Uplink]:
    """Run an uplink beside the test."""
    uplink = Uplink(
        MqttTable(url=url, **table),
        GATEWAY,
        journal=journal,
        states=lambda device: payload.state(device, []),
        health=lambda: payload.health({"gateway": {"id": GATEWAY}}),
        submit=journal.submit,
    )
    task = asyncio.create_task(uplink.run(), name="uplink")
    try:
        yield uplink
    finally:
        task.cancel()
        await asyncio.wait([task])
    assert task.cancelled()


def ids(heard: list[Heard]) -> list[str]:
    return [json.loads(one.content)["id"] for one in heard]


def confirmed(journal: MemoryJournal) -> Callable[[], bool]:
    return lambda: journal.depth(URGENT_SINK, Lane.URGENT) == 0


def test_an_alert_arrives_as_published(broker: Mosquitto) -> None:
    journal = MemoryJournal()

    async def story() -> None:
        event = journal.submit(alert_body())
        async with running(journal, broker.url) as uplink:
            await until(confirmed(journal))
            assert uplink.statistics().protocol == "5"
            assert uplink.statistics().confirmed == 1
        await until(lambda: ears.on("/alert"))
        heard = ears.on("/alert")[0]
        assert heard.topic == "compound/v1/hxtp-01/alert"
        assert heard.content == payload.alert_event(event, GATEWAY)
        assert heard.properties == {"ContentType": "application/cloudevents+json"}, "an alert never expires"

    with listener(broker.port) as ears:
        run(story())


def test_a_state_is_retained_and_expires(broker: Mosquitto) -> None:
    journal = MemoryJournal()

    async def story() -> None:
        for _ in range(50):
            journal.submit(reading_body("smoke-1"))
        async with running(journal, broker.url) as uplink:
            await until(lambda: uplink.statistics().states_confirmed)
            assert uplink.statistics().thinned == 49

    run(story())
    with listener(broker.port) as late:
        wait(lambda: late.on("/state/smoke-1"))
        state = late.on("/state/smoke-1")[0]
        assert state.retained
        assert 3_500 < state.properties["MessageExpiryInterval"] <= 3_600
        assert state.properties["ContentType"] == "application/json"


def test_availability_follows_the_gateway(broker: Mosquitto) -> None:
    """On a stalled machine the goodbye may be cut short: then the last will says the same once more."""

    def told() -> list[bytes]:
        return [heard.content for heard in ears.on("/availability")]

    async def story() -> None:
        async with running(MemoryJournal(), broker.url):
            await until(lambda: told() == [b"online"])
        await until(lambda: told() in ([b"online", b"offline"], [b"online", b"offline", b"offline"]))

    with listener(broker.port) as ears:
        run(story())


def test_it_stops_within_a_second(broker: Mosquitto) -> None:
    async def story() -> float:
        journal = MemoryJournal()
        async with running(journal, broker.url) as uplink:
            await until(lambda: uplink.statistics().connected)
            journal.submit_alerts(2_000)
            await until(lambda: uplink.statistics().confirmed)
            began = asyncio.get_running_loop().time()
        return asyncio.get_running_loop().time() - began

    with listener(broker.port):
        assert run(story()) < 1.0


def test_the_window_is_that_of_the_broker_where_it_is_smaller(tmp_path: Path) -> None:
    journal = MemoryJournal()

    async def story() -> None:
        journal.submit_alerts(500)
        async with running(journal, broker.url) as uplink:
            await until(confirmed(journal))
            assert uplink.statistics().window == 20

    with (
        mosquitto(tmp_path, "max_queued_messages 0") as broker,
        listener(broker.port, "compound/v1/+/alert") as ears,
    ):
        run(story())
        wait(lambda: len(ears.heard) == 500)


def test_a_refusal_is_no_delivery_and_is_named(tmp_path: Path) -> None:
    (tmp_path / "acl").write_text("topic write compound/v1/hxtp-01/health\ntopic read #\n")
    journal = MemoryJournal()

    async def story() -> None:
        journal.submit(alert_body())
        async with running(journal, broker.url) as uplink:
            await until(lambda: uplink.statistics().refused)
            await until(lambda: "alert" in uplink.statistics().trouble)
            assert uplink.statistics().trouble == "the broker refuses alert: Not authorized (0x87)"
            assert journal.depth(URGENT_SINK, Lane.URGENT) == 1
            assert uplink.statistics().confirmed == 0

    with mosquitto(tmp_path, f"acl_file {tmp_path / 'acl'}") as broker:
        run(story())


def test_an_alert_nobody_hears_waits_for_somebody(broker: Mosquitto) -> None:
    """PUBACK 0x10, no matching subscribers: the broker threw it away."""
    journal = MemoryJournal()

    async def story() -> None:
        event = journal.submit(alert_body())
        async with running(journal, broker.url) as uplink:
            await until(lambda: "0x10" in uplink.statistics().trouble)
            assert journal.depth(URGENT_SINK, Lane.URGENT) == 1
            with listener(broker.port, "compound/v1/+/alert") as ears:
                await until(confirmed(journal))
                await until(lambda: ids(ears.heard) == [event.id])

    run(story())


def test_an_outcome_goes_up_beside_the_alerts(broker: Mosquitto) -> None:
    journal = MemoryJournal()

    async def story() -> None:
        journal.submit(outcome_body())
        async with running(journal, broker.url):
            await until(confirmed(journal))
        await until(lambda: ears.on("/outcome"))
        assert json.loads(ears.on("/outcome")[0].content)["type"] == "compound.outcome.done"

    with listener(broker.port) as ears:
        run(story())


@pytest.mark.parametrize(
    "last_words", [b"\x20\x02\x00\x01", b"\x20\x03\x00\x84\x00", b""], ids=["old", "new", "hangs up"]
)
def test_a_broker_without_mqtt_5_gets_3_1_1_and_status_says_what_that_means(
    broker: Mosquitto, last_words: bytes
) -> None:
    journal = MemoryJournal()

    async def story() -> None:
        async with Proxy(broker.port, answer=turn_mqtt_5_away(last_words)) as old:
            sent = journal.submit_alerts(300)
            async with running(journal, f"mqtt://127.0.0.1:{old.port}") as uplink:
                await until(confirmed(journal))
                assert uplink.statistics().protocol == "3.1.1"
                assert "hides refusals" in uplink.statistics().note
            await until(lambda: ids(ears.on("/alert")) == [event.id for event in sent])

    with listener(broker.port) as ears:
        run(story())


def trusted(pki: Pki, **other: str) -> dict[str, str]:
    return {
        "ca_file": pki.file("ca.crt"),
        "cert_file": pki.file("client.crt"),
        "key_file": pki.file("client.key"),
    } | {key: pki.file(name) for key, name in other.items()}


def test_tls_with_a_client_certificate(tmp_path: Path, pki: Pki) -> None:
    journal = MemoryJournal()

    def prepare(client: Any) -> None:
        client.tls_set(pki.file("ca.crt"), pki.file("client.crt"), pki.file("client.key"))

    async def story() -> None:
        sent = journal.submit_alerts(2_000)
        async with running(journal, f"mqtts://localhost:{broker.port}", **trusted(pki)) as uplink:
            await until(confirmed(journal))
            assert uplink.statistics().protocol == "5"
        await until(lambda: ids(ears.on("/alert")) == [event.id for event in sent])

    with (
        mosquitto(tmp_path, listener=pki.listener(), protocol="mqtts") as broker,
        listener(broker.port, host="localhost", prepare=prepare) as ears,
    ):
        run(story())


@pytest.mark.parametrize(
    ("other", "certificate", "words"),
    [
        ({"ca_file": "stranger.crt"}, "broker", "certificate verify failed"),
        ({}, "wrong-name", "Hostname mismatch"),
        ({"cert_file": "impostor.crt", "key_file": "impostor.key"}, "broker", "no CONNACK"),
        ({"cert_file": "missing.crt"}, "broker", "missing.crt"),
        ({"key_file": "ca.key"}, "broker", "no pair of certificate"),
    ],
    ids=[
        "broker of a stranger",
        "broker of another name",
        "client of a stranger",
        "missing file",
        "wrong key",
    ],
)
def test_tls_that_is_not_right_is_refused_and_told(
    tmp_path: Path, pki: Pki, other: dict[str, str], certificate: str, words: str
) -> None:
    async def story() -> None:
        url = f"mqtts://localhost:{broker.port}"
        async with running(MemoryJournal(), url, **trusted(pki, **other)) as uplink:
            await until(lambda: words in uplink.statistics().trouble)
            assert not uplink.statistics().connected

    with mosquitto(tmp_path, listener=pki.listener(certificate), protocol="mqtts") as broker:
        run(story())


def test_with_a_desk_nothing_is_lost_when_the_broker_is_killed_in_mid_flow(tmp_path: Path) -> None:
    """mosquitto forgets what it acknowledged: only the desk's own word counts."""
    journal = MemoryJournal()

    async def story() -> None:
        async with running(journal, broker.url, confirm="desk") as uplink:
            sent = await killed_three_times(broker, journal, uplink)
            await until(confirmed(journal))
        assert {event.id for event in sent} == set(ids(ears.on("/alert")))

    with (
        mosquitto(tmp_path) as broker,
        listener(broker.port, "compound/v1/+/alert", name="desk", answer=desk) as ears,
    ):
        run(story())


def test_the_order_of_first_arrival_is_kept_when_the_broker_is_killed(tmp_path: Path) -> None:
    """The broker's disk remembers who listens, so it refuses nothing when it is back."""
    remembers = ("persistence true", f"persistence_location {tmp_path}/", "autosave_interval 1",
                 "autosave_on_changes true", "max_queued_messages 0", "max_inflight_messages 200")  # fmt: skip
    journal = MemoryJournal()

    async def story() -> None:
        async with running(journal, broker.url) as uplink:
            sent = await killed_three_times(broker, journal, uplink)
            await until(confirmed(journal))
            assert uplink.statistics().refused == 0
        await until(lambda: sent[-1].id in ids(ears.on("/alert")))
        arrived = first_seen_order(ids(ears.on("/alert")))
        assert arrived == [event.id for event in sent if event.id in set(arrived)]

    with (
        mosquitto(tmp_path, *remembers) as broker,
        listener(broker.port, "compound/v1/+/alert", name="desk") as ears,
    ):
        run(story())


async def killed_three_times(broker: Mosquitto, journal: MemoryJournal, uplink: Uplink) -> list[Event]:
    """Submit alerts while the broker is killed and started again; return them."""
    sent: list[Event] = []
    for _ in range(3):
        goal = uplink.statistics().confirmed + 100
        sent += journal.submit_alerts(300)
        await until(lambda goal=goal: uplink.statistics().confirmed >= goal)  # type: ignore[misc]
        broker.kill()
        sent += journal.submit_alerts(100)
        await until(lambda: not uplink.statistics().connected)
        broker.start()
        await until(lambda: uplink.statistics().connected)
    return sent


def test_the_next_broker_of_the_list_takes_over(tmp_path: Path) -> None:
    journal = MemoryJournal()

    async def story() -> None:
        async with running(journal, [first.url, second.url]) as uplink:
            journal.submit_alerts(10)
            await until(confirmed(journal))
            assert uplink.statistics().broker == first.url
            first.kill()
            journal.submit_alerts(10)
            await until(confirmed(journal))
            assert uplink.statistics().broker == second.url

    with (
        mosquitto(tmp_path) as first,
        mosquitto(tmp_path) as second,
        listener(first.port),
        listener(second.port),
    ):
        run(story())


def desk(ears: Listener, heard: Heard) -> None:
    """Send a receipt for an alert, as a desk does after its commit."""
    if heard.topic.endswith("/alert"):
        epoch, seq = map(int, json.loads(heard.content)["id"].split("."))
        receipt = {"epoch": epoch, "stored": [[seq, seq]]}
        ears.publish("compound/v1/hxtp-01/receipt", json.dumps(receipt).encode())


def test_alerts_go_over_a_web_socket_too(broker: Mosquitto) -> None:
    """Debian 12's mosquitto opens no web socket listener, so a small proxy stands before it."""
    sockets = pytest.importorskip("websockets.asyncio.server")
    journal = MemoryJournal()

    async def serve(outside: Any) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", broker.port)

        async def back() -> None:
            while data := await reader.read(65_536):
                await outside.send(data)

        task = asyncio.create_task(back(), name="back")
        try:
            async for data in outside:
                writer.write(data)
        finally:
            task.cancel()
            writer.close()
            await writer.wait_closed()

    async def story() -> None:
        sent = journal.submit_alerts(500)
        async with sockets.serve(serve, "127.0.0.1", 0, subprotocols=["mqtt"]) as proxy:
            port = proxy.sockets[0].getsockname()[1]
            async with running(journal, f"ws://127.0.0.1:{port}/mqtt") as uplink:
                await until(confirmed(journal))
                assert uplink.statistics().protocol == "5"
            await until(lambda: ids(ears.on("/alert")) == [event.id for event in sent])

    with listener(broker.port) as ears:
        run(story())


def test_with_a_desk_the_cursor_waits_for_receipts(broker: Mosquitto) -> None:
    journal = MemoryJournal()

    async def story() -> None:
        sent = journal.submit_alerts(50)
        async with running(journal, broker.url, confirm="desk") as uplink:
            with listener(broker.port, "compound/v1/+/alert") as deaf:
                await until(lambda: len(set(ids(deaf.heard))) == 50)
                assert journal.depth(URGENT_SINK, Lane.URGENT) == 50
            with listener(broker.port, "compound/v1/+/alert", answer=desk) as ears:
                await until(confirmed(journal))
                assert {event.id for event in sent} == set(ids(ears.heard))
            assert uplink.statistics().resent >= 50

    run(story())


def test_receipts_that_are_none_are_counted_and_ignored(broker: Mosquitto) -> None:
    journal = MemoryJournal()

    async def story() -> None:
        journal.submit(alert_body())
        async with running(journal, broker.url, confirm="desk") as uplink:
            with listener(broker.port, "compound/v1/+/alert") as ears:
                await until(lambda: ears.heard)
                for nonsense in (b"", b"[]", b'{"epoch":1,"stored":[[2,1]]}', b"x" * 70_000, b"[" * 60_000):
                    ears.publish("compound/v1/hxtp-01/receipt", nonsense)
                ears.publish("compound/v1/hxtp-01/receipt", b'{"epoch":1,"stored":[[77,99]]}')
                ears.publish("compound/v1/hxtp-01/receipt", b'{"epoch":9,"stored":[[0,99]]}')
                await until(lambda: uplink.statistics().receipts_ignored == 5)
                assert journal.depth(URGENT_SINK, Lane.URGENT) == 1
                ears.publish("compound/v1/hxtp-01/receipt", b'{"epoch":1,"stored":[[1,1]]}')
                await until(confirmed(journal))

    run(story())


def test_password_and_user_come_from_a_file(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    import subprocess

    subprocess.run(["mosquitto_passwd", "-c", "-b", str(tmp_path / "users"), "hxtp-01", "s3cret"], check=True)
    (tmp_path / "password").write_text("s3cret\n")
    settings = ("allow_anonymous false", f"password_file {tmp_path / 'users'}")

    async def story() -> None:
        journal = MemoryJournal()
        access = {"username": "hxtp-01", "password_file": str(tmp_path / "password")}
        async with running(journal, broker.url, **access) as uplink:
            await until(lambda: uplink.statistics().connected)
            assert "s3cret" not in repr(uplink.statistics())
        (tmp_path / "password").write_text("wrong\n")
        async with running(journal, broker.url, **access) as uplink:
            await until(lambda: "Not authorized" in uplink.statistics().trouble)
        assert "s3cret" not in caplog.text

    with mosquitto(tmp_path, *settings) as broker:
        run(story())
