"""The tool against a pretend gateway at a real broker: nonces that others took, silence, passwords, no gateway."""

import asyncio
import base64
import json
import os
import queue
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from gateway import errand, signing
from gateway.signing import Wish
from gateway.terminal.errors import ToolError
from gateway.terminal.words import Words
from tests.broker import Heard, Listener, Mosquitto, listener, mosquitto, needs_mosquitto, until
from tests.proxy import Proxy, turn_mqtt_5_away

pytestmark = needs_mosquitto
WISH = Wish("hxtp-01", "door-1", "unlock", {"seconds": 5.0}, "warden-1", seconds=2)
TOPIC = "compound/v1/hxtp-01"


@pytest.fixture(name="key")
def _key(tmp_path: Path) -> Path:
    signing.keygen("desk", tmp_path / "desk.key", Words("en"))
    return tmp_path / "desk.key"


@pytest.fixture(name="broker")
def _broker(tmp_path: Path) -> Iterator[Mosquitto]:
    with mosquitto(tmp_path) as broker:
        yield broker


class Pretend:
    """A gateway that refuses so many orders because of their nonce, then does as it is told."""

    def __init__(self, stale: int, *, clock: str = "synced") -> None:
        self.claims: list[dict[str, Any]] = []
        self.stale, self.clock = stale, clock

    def publish_nonces(self, ears: Listener) -> None:
        pool = [{"nonce": f"{number:022d}", "seconds": 60.0 - number} for number in range(8)]
        told = {"gateway": "hxtp-01", "clock": self.clock, "nonces": pool}
        ears.publish(f"{TOPIC}/nonce", json.dumps(told).encode(), retain=True)
        until(lambda: ears.on("/nonce"), what="the nonces at the broker")

    def answer(self, ears: Listener, heard: Heard) -> None:
        if not heard.topic.endswith("/command"):
            return
        claims = json.loads(base64.urlsafe_b64decode(heard.content.split(b".")[1] + b"=="))
        self.claims.append(claims)
        stale = len(self.claims) <= self.stale
        data = {
            "device": "door-1", "action": "unlock", "result": "refused" if stale else "done",
            "detail": "nonce: used" if stale else "contact: open",
            "origin": "unverified" if stale else "remote:desk/warden-1",
        }  # fmt: skip
        ears.publish(f"{TOPIC}/outcome", b"no json")
        ears.publish(f"{TOPIC}/outcome", json.dumps({"subject": "somebody else's", "data": data}).encode())
        ears.publish(f"{TOPIC}/outcome", json.dumps({"subject": claims["jti"], "data": data}).encode())


def order(key: Path, broker: Mosquitto, **access: str) -> int:
    return signing.order(WISH, key, Words("en"), broker={"url": broker.url, **access})


@pytest.mark.parametrize("clock", ["synced", "unsynced"])
def test_an_order_whose_nonce_another_took_is_given_again_under_its_id(
    broker: Mosquitto, key: Path, clock: str, capsys: pytest.CaptureFixture[str]
) -> None:
    pretend = Pretend(2 if clock == "synced" else 1, clock=clock)
    with listener(broker.port, answer=pretend.answer) as ears:
        pretend.publish_nonces(ears)
        assert order(key, broker) == 0
    assert "contact: open" in capsys.readouterr().out
    assert len({claims["jti"] for claims in pretend.claims}) == 1
    assert len({claims["nonce"] for claims in pretend.claims}) == len(pretend.claims) == pretend.stale + 1


def test_a_forgery_under_the_orders_own_id_that_is_refused_first_is_not_its_answer(
    broker: Mosquitto, key: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    class Forged(Pretend):
        def answer(self, ears: Listener, heard: Heard) -> None:
            if heard.topic.endswith("/command"):
                claims = json.loads(base64.urlsafe_b64decode(heard.content.split(b".")[1] + b"=="))
                data = {"device": "hxtp-01", "action": "command", "result": "refused", "detail": "signature",
                        "origin": "unverified"}  # fmt: skip
                ears.publish(
                    f"{TOPIC}/outcome", json.dumps({"subject": claims["jti"], "data": data}).encode()
                )
            super().answer(ears, heard)

    pretend = Forged(0)
    with listener(broker.port, answer=pretend.answer) as ears:
        pretend.publish_nonces(ears)
        assert order(key, broker) == 0
    assert "contact: open" in capsys.readouterr().out


@contextmanager
def old_protocol_only(broker: Mosquitto) -> Iterator[int]:
    """Have a port at which the broker speaks MQTT 3.1.1 only."""
    ports: queue.Queue[int] = queue.Queue()
    stop = threading.Event()

    async def serve() -> None:
        async with Proxy(broker.port, answer=turn_mqtt_5_away(b"\x20\x02\x00\x01")) as old:
            ports.put(old.port)
            while not stop.is_set():
                await asyncio.sleep(0.02)

    thread = threading.Thread(target=asyncio.run, args=(serve(),))
    thread.start()
    try:
        yield ports.get(timeout=10)
    finally:
        stop.set()
        thread.join()


def test_the_old_protocol_is_enough(broker: Mosquitto, key: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pretend = Pretend(1)
    with listener(broker.port, answer=pretend.answer) as ears, old_protocol_only(broker) as port:
        pretend.publish_nonces(ears)
        way = {"url": f"mqtt://127.0.0.1:{port}"}
        assert signing.order(WISH, key, Words("en"), broker=way) == 0
        assert all("ResponseTopic" not in heard.properties for heard in ears.on("/command"))
    assert "contact: open" in capsys.readouterr().out


def test_an_order_that_is_always_too_late_with_its_nonce_ends_refused(broker: Mosquitto, key: Path) -> None:
    pretend = Pretend(99)
    with listener(broker.port, answer=pretend.answer) as ears:
        pretend.publish_nonces(ears)
        assert order(key, broker) == 1
    assert len(pretend.claims) == signing.TRIES


def test_a_gateway_that_says_nothing_is_told_as_that(
    broker: Mosquitto, key: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(errand, "GRACE_S", 0.1)
    monkeypatch.setattr(errand, "NONCE_S", 0.5)
    with listener(broker.port) as ears:
        with pytest.raises(ToolError) as caught:
            order(key, broker)
        assert caught.value.key == "sign.no_nonce"
        Pretend(0).publish_nonces(ears)
        with pytest.raises(ToolError) as caught:
            order(key, broker)
        assert caught.value.key == "sign.no_answer"


def test_a_password_comes_from_a_file_and_a_wrong_one_is_told(tmp_path: Path, key: Path) -> None:
    import subprocess

    subprocess.run(["mosquitto_passwd", "-c", "-b", str(tmp_path / "users"), "desk", "s3cret"], check=True)
    os.chmod(tmp_path / "users", 0o644)
    (tmp_path / "password").write_text("wrong\n", encoding="ascii")
    settings = ("allow_anonymous false", f"password_file {tmp_path / 'users'}")
    with mosquitto(tmp_path, *settings) as broker:
        with pytest.raises(ToolError) as caught:
            order(key, broker, username="desk", password_file=str(tmp_path / "password"))
        assert caught.value.key == "sign.broker"
        assert "wrong" not in str(caught.value.values)
