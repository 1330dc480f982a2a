"""Web Push against a push service on loopback that reads what it gets as a browser and a service would."""

import asyncio
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import http_ece
import jwt
import msgspec
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from py_vapid import Vapid02

from gateway.core import base64url
from gateway.desk.senders import sealing, vapid
from gateway.desk.senders.posting import Answer, Request
from gateway.desk.senders.webpush import SERVICES, WebPush, allowed
from gateway.desk.sending import Delivered, Message, Rejected, Result, Unknown
from gateway.desk.store import pushes
from gateway.desk.store.pushes import Push
from tests.desk_parts import opened
from tests.desk_service import Service

NOW = 1_795_399_200.0
MESSAGE = Message("i|1.0|warden-1", "warden-1", "【紧急】烟感报警", 3)


class Browser:
    """A browser that allowed pushes, and its push service."""

    def __init__(self) -> None:
        self.key, self.auth = ec.generate_private_key(ec.SECP256R1()), os.urandom(16)
        self.status, self.got, self.spoilt = 201, list[bytes](), dict[str, str]()
        browser = self

        class Push(Service):
            def hear(self, path: str, body: bytes, headers: dict[str, str]) -> None:
                browser.got.append(body)
                super().hear(path, b"{}", headers)

        self.service = Push(lambda *_: (self.status, b""))
        self.endpoint = f"{self.service.origin}/push/dGhlIHNlY3JldCBhZGRyZXNz"

    @property
    def push(self) -> Push:
        point = self.key.public_key().public_bytes(
            serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint
        )
        return Push(self.endpoint, {"p256dh": _text(point), "auth": _text(self.auth), **self.spoilt})

    def opened(self) -> bytes:
        """Return what came last, as the browser opens it."""
        content = http_ece.decrypt(
            self.got[-1], private_key=self.key, auth_secret=self.auth, version="aes128gcm"
        )
        assert isinstance(content, bytes)
        return content

    def read(self) -> dict[str, Any]:
        """Return what came last as the browser's worker is given it."""
        return msgspec.json.decode(self.opened(), type=dict)


def _bytes(text: str) -> bytes:
    return base64url.decoded(text.encode())


def _text(data: bytes) -> str:
    return base64url.encoded(data).decode()


@pytest.fixture
def browsers() -> Iterator[list[Browser]]:
    """Have two browsers."""
    made = [Browser(), Browser()]
    yield made
    for each in made:
        each.service.close()


def send(folder: Path, browsers: list[Browser], *, person: str = "warden-1") -> tuple[Result, list[str]]:
    """Send the message to a person with these browsers; return what came of it and the browsers that stay."""

    async def main() -> tuple[Result, list[str]]:
        async with opened(str(folder / "desk.db")) as database:
            async with database.transaction() as transaction:
                for number, each in enumerate(browsers):
                    await pushes.remember(transaction, each.push, phone=f"{number}", person=person, now=NOW)
            origins = [each.service.origin for each in browsers]
            key = vapid.load_or_make(folder / "webpush.pem")
            sender = WebPush(database, key, "mailto:desk@example.cn", origins, now=lambda: NOW)
            result = await sender.send(MESSAGE)
            async with database.transaction() as transaction:
                left = await pushes.of_person(transaction, person)
            return result, [each.endpoint for each in left]

    return asyncio.run(main())


def test_a_push_service_that_hangs_keeps_no_other_browser_waiting(
    tmp_path: Path, browsers: list[Browser], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = list[str]()
    both = asyncio.Event()

    async def hang(request: Request) -> Answer:
        asked.append(request.url)
        if len(asked) == len(browsers):
            both.set()
        async with asyncio.timeout(5):
            await both.wait()
        return Answer(201, b"", "")

    monkeypatch.setattr("gateway.desk.senders.webpush.post", hang)
    result, _ = send(tmp_path, browsers)
    assert isinstance(result, Delivered)
    assert sorted(asked) == sorted(each.endpoint for each in browsers)


def test_a_browser_reads_what_was_sent_and_its_service_knows_by_whom(
    tmp_path: Path, browsers: list[Browser]
) -> None:
    result, left = send(tmp_path, browsers[:1])
    assert isinstance(result, Delivered), result
    [browser, _] = browsers
    assert browser.read() == {"title": "紧急告警", "body": MESSAGE.text, "tag": MESSAGE.id, "path": ""}
    headers = {name.lower(): value for name, value in browser.service.headers[0].items()}
    assert (headers["urgency"], headers["content-encoding"], int(headers["ttl"]) > 0) == (
        "high",
        "aes128gcm",
        True,
    )
    key = vapid.load_or_make(tmp_path / "webpush.pem")
    scheme, _, rest = headers["authorization"].partition(" ")
    token, _, public = rest.removeprefix("t=").partition(",k=")
    assert (scheme, public) == ("vapid", vapid.public_text(key))
    assert Vapid02.verify(headers["authorization"])
    claims = jwt.decode(
        token,
        key.public_key(),
        algorithms=["ES256"],
        audience=browser.service.origin,
        options={"verify_exp": False},
    )
    assert (claims["sub"], claims["exp"]) == ("mailto:desk@example.cn", NOW + 12 * 3600)
    assert left == [browser.endpoint]


@pytest.mark.parametrize("status", [404, 410])
def test_a_browser_that_is_gone_is_forgotten_and_the_other_is_enough(
    tmp_path: Path, browsers: list[Browser], status: int
) -> None:
    browsers[0].status = status
    result, left = send(tmp_path, browsers)
    assert isinstance(result, Delivered)
    assert "1 of 2" in result.answer
    assert left == [browsers[1].endpoint]


def test_a_person_without_a_browser_is_told_how_to_get_one(tmp_path: Path, browsers: list[Browser]) -> None:
    browsers[0].status = 410
    for having in ([], browsers[:1]):
        result, left = send(tmp_path, having)
        assert isinstance(result, Rejected)
        assert (result.retryable, left) == (False, [])
        assert result.means is not None


@pytest.mark.parametrize(
    ("status", "again"), [(400, False), (403, False), (413, False), (429, True), (503, True)]
)
def test_a_refusal_keeps_the_browser(
    tmp_path: Path, browsers: list[Browser], status: int, again: bool
) -> None:
    browsers[0].status = status
    result, left = send(tmp_path, browsers[:1])
    assert isinstance(result, Rejected)
    assert result.retryable is again
    assert len(left) == 1
    assert "dGhlIHNlY3JldCBhZGRyZXNz" not in repr(result)


def test_a_service_that_hangs_up_may_have_it(tmp_path: Path, browsers: list[Browser]) -> None:
    browsers[0].service.hang_up = True
    result, left = send(tmp_path, browsers[:1])
    assert isinstance(result, Unknown)
    assert len(left) == 1


@pytest.mark.parametrize(
    "keys",
    [
        {"auth": ""},
        {"auth": "AAAA"},
        {"p256dh": ""},
        {"p256dh": _text(b"\4" + bytes(64))},
        {"p256dh": "no base64!"},
        {"auth": "说"},
    ],
)
def test_keys_that_are_none_are_refused(
    tmp_path: Path, browsers: list[Browser], keys: dict[str, str]
) -> None:
    browsers[0].spoilt = keys
    result, _ = send(tmp_path, browsers[:1])
    assert isinstance(result, Rejected)
    assert not result.retryable
    assert browsers[0].got == []


def test_the_example_of_rfc_8291_is_sealed_as_there() -> None:
    """Its appendix A."""
    own = ec.derive_private_key(
        int.from_bytes(_bytes("yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw"), "big"), ec.SECP256R1()
    )
    keys = {
        "p256dh": "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4",
        "auth": "BTBZMqHH6r4Tts7J_aSIgg",
    }
    sealed = sealing.seal(
        b"When I grow up, I want to be a watermelon", keys, own=own, salt=_bytes("DGv6ra1nlYgDCS1FRnbzlw")
    )
    assert _text(sealed) == (
        "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8w"
        "EqKK6PBru3jl7A_yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN"
    )


@pytest.mark.parametrize("more", [0, 1])
def test_what_is_sealed_is_as_long_as_any_service_takes_or_is_not_sealed(more: int) -> None:
    browser = Browser()
    browser.service.close()
    content = b"x" * (sealing.MOST + more)
    if more:
        with pytest.raises(ValueError, match="at most 3993"):
            sealing.seal(content, browser.push.keys)
    else:
        browser.got.append(sealing.seal(content, browser.push.keys))
        assert len(browser.got[0]) == 4096
        assert browser.opened() == content


def test_a_page_for_somebody_else_reaches_no_browser_of_mine(tmp_path: Path, browsers: list[Browser]) -> None:
    result, _ = send(tmp_path, browsers, person="warden-2")
    assert isinstance(result, Rejected)
    assert [each.got for each in browsers] == [[], []]


@pytest.mark.parametrize(
    ("endpoint", "good"),
    [
        ("https://fcm.googleapis.com/fcm/send/abc", True),
        ("https://web.push.apple.com/abc", True),
        ("https://updates.push.services.mozilla.com/wpush/v2/abc", True),
        ("https://db5p.notify.windows.com/w/?token=abc", True),
        ("http://fcm.googleapis.com/fcm/send/abc", False),
        ("https://fcm.googleapis.com:8443/x", False),
        ("https://fcm.googleapis.com.evil.example/x", False),
        ("https://evil.example/fcm.googleapis.com", False),
        ("https://x@fcm.googleapis.com/x", False),
        ("https://evilpush.apple.com/x", False),
        ("http://127.0.0.1:8080/api/doors", False),
        ("https://fcm.googleapis.com:bad/x", False),
        ("https://fcm.googleapis.com/a b", False),
        ("", False),
    ],
)
def test_only_the_services_of_browsers_are_asked(endpoint: str, good: bool) -> None:
    assert allowed(endpoint, SERVICES) is good


def test_a_key_is_made_once_for_its_owner_alone(tmp_path: Path) -> None:
    file = tmp_path / "webpush.pem"
    first = vapid.public_text(vapid.load_or_make(file))
    assert vapid.public_text(vapid.load_or_make(file)) == first
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert list(tmp_path.iterdir()) == [file]
    assert len(_bytes(first)) == 65


@pytest.mark.parametrize(
    "text", ["", "no key", "-----BEGIN PRIVATE KEY-----\nMC4CAQ\n-----END PRIVATE KEY-----\n"]
)
def test_a_file_that_holds_no_key_or_is_open_to_others_is_told(tmp_path: Path, text: str) -> None:
    file = tmp_path / "webpush.pem"
    file.write_text(text)
    file.chmod(0o600)
    with pytest.raises(vapid.VapidError, match="no key"):
        vapid.load_or_make(file)
    file.chmod(0o644)
    with pytest.raises(vapid.VapidError, match="others may read"):
        vapid.load_or_make(file)
