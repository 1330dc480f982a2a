"""The desk's connection to a broker: from when on it hears, told by a small broker that answers when we like."""

import asyncio
import logging
from collections.abc import Awaitable, Callable

import pytest

from gateway.core.config import MqttTable
from gateway.desk.broker import Broker

CONNACK = b"\x20\x02\x00\x00"
Writer = asyncio.StreamWriter


async def packet(reader: asyncio.StreamReader) -> bytes:
    """Return the body of the next packet; it is shorter than 16 kB."""
    await reader.readexactly(1)
    length, scale = 0, 1
    while True:
        digit = (await reader.readexactly(1))[0]
        length, scale = length + (digit & 127) * scale, scale * 128
        if digit < 128:
            return await reader.readexactly(length)


def suback(subscribe: bytes, *codes: int) -> bytes:
    """Return the answer to a request to listen."""
    return bytes([0x90, 2 + len(codes)]) + subscribe[:2] + bytes(codes)


class Hearing:
    """Whoever listens to two topics."""

    subscriptions = ("compound/v1/+/evidence/+", "compound/v1/+/outcome")

    def hear(self, _heard: object, _way: object) -> bool:
        """Take everything."""
        return True


def with_broker(body: Callable[[Broker, asyncio.StreamReader, Writer], Awaitable[None]]) -> None:
    """Have the desk connect to us, and do what a test does once it has."""

    async def main() -> None:
        came: asyncio.Queue[tuple[asyncio.StreamReader, Writer]] = asyncio.Queue()
        server = await asyncio.start_server(lambda reader, writer: came.put((reader, writer)), "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        url = f"mqtt://127.0.0.1:{port}"
        broker = Broker(MqttTable(url=url), url, "street-evidence", None, [Hearing()])
        running = asyncio.create_task(broker.run())
        async with asyncio.timeout(30):
            reader, writer = await came.get()
            await packet(reader)
            writer.write(CONNACK)
            await body(broker, reader, writer)
        running.cancel()
        await asyncio.wait([running])
        writer.close()
        server.close()

    asyncio.run(main())


async def until(condition: Callable[[], object]) -> None:
    """Wait until it holds; the time is bounded outside."""
    while not condition():
        await asyncio.sleep(0.005)


def test_it_hears_from_the_brokers_answer_on_and_not_before(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)

    async def body(broker: Broker, reader: asyncio.StreamReader, writer: Writer) -> None:
        asked = await packet(reader)
        await asyncio.sleep(0.1)  # the connection stands, and what is published now is for nobody
        assert broker.listening_since() is None
        assert not broker.is_open()
        assert "street-evidence is connected" not in caplog.text
        writer.write(suback(asked, 1, 1))
        await until(broker.listening_since)
        assert broker.is_open()
        assert "street-evidence is connected" in caplog.text

    with_broker(body)
    assert "access rules" not in caplog.text


def test_a_topic_it_begins_to_follow_before_the_answer_is_asked_for_as_well() -> None:
    async def body(broker: Broker, reader: asyncio.StreamReader, writer: Writer) -> None:
        asked = await packet(reader)
        broker.follow(["compound/v1/hxtp-01/nonce"])
        more = await packet(reader)
        assert b"hxtp-01/nonce" in more
        writer.write(suback(more, 0))
        await asyncio.sleep(0.1)
        assert broker.listening_since() is None
        writer.write(suback(asked, 1, 1))
        await until(broker.listening_since)

    with_broker(body)


def test_a_broker_that_lets_it_not_listen_is_named(caplog: pytest.LogCaptureFixture) -> None:
    async def body(broker: Broker, reader: asyncio.StreamReader, writer: Writer) -> None:
        writer.write(suback(await packet(reader), 1, 0x80))
        await until(broker.listening_since)

    with_broker(body)
    assert "lets street-evidence not listen to all it should" in caplog.text
    assert "access rules" in caplog.text


def test_a_broker_that_hangs_up_in_place_of_an_answer_is_told_as_lost(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def body(broker: Broker, reader: asyncio.StreamReader, writer: Writer) -> None:
        await packet(reader)
        writer.close()
        await until(lambda: "is lost" in caplog.text)
        assert broker.listening_since() is None

    with_broker(body)
