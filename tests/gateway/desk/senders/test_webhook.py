"""Success is what a service's answer says: against a real HTTP server that answers as the real ones do."""

import asyncio
from collections.abc import Iterator

import pytest

from gateway.desk.senders.webhook import Endpoint, Ntfy, Webhook
from gateway.desk.sending import Delivered, Message, Rejected, Result, Unknown
from tests.broker import free_port
from tests.desk_service import Service

MESSAGE = Message("i|1.0|warden-1", "warden-1", "【紧急】烟感报警", 3)


@pytest.fixture
def service() -> Iterator[Service]:
    """Run a service."""
    made = Service()
    yield made
    made.close()


def send(sender: Ntfy | Webhook) -> Result:
    """Send the message."""
    return asyncio.run(sender.send(MESSAGE))


@pytest.mark.parametrize(
    ("status", "body", "wanted"),
    [
        (200, b'{"errcode":0,"errmsg":"ok"}', Delivered),
        (200, b'{"errcode":45009,"errmsg":"api freq out of limit"}', Rejected),
        (200, b'{"errcode":"0"}', Rejected),
        (200, b'{"errcode":false}', Rejected),
        (200, b"{}", Rejected),
        (200, b"<html>captive portal</html>", Rejected),
        (200, b"[0]", Rejected),
        (500, b'{"errcode":0}', Rejected),
    ],
)
def test_a_bot_that_answers_200_and_refuses_has_refused(
    service: Service, status: int, body: bytes, wanted: type[Result]
) -> None:
    service.status, service.body = status, body
    result = send(Webhook(Endpoint(service.url, key="errcode", value=0)))
    assert isinstance(result, wanted)
    assert not isinstance(result, Rejected) or result.retryable


@pytest.mark.parametrize(("status", "again"), [(400, False), (404, False), (429, True), (503, True)])
def test_a_refusal_by_what_was_sent_is_final_and_by_the_moment_is_not(
    service: Service, status: int, again: bool
) -> None:
    service.status = status
    result = send(Webhook(Endpoint(service.url)))
    assert isinstance(result, Rejected)
    assert result.retryable is again


def test_a_webhook_is_told_who_what_and_how_bad_under_an_id_that_stays_the_same(service: Service) -> None:
    assert isinstance(send(Webhook(Endpoint(service.url, token="secret"))), Delivered)
    assert service.heard == [
        {"id": MESSAGE.id, "to": "warden-1", "text": "【紧急】烟感报警", "rank": 3, "language": "zh"}
    ]
    assert service.headers[0]["Authorization"] == "Bearer secret"
    assert service.headers[0]["Idempotency-Key"] == MESSAGE.id


def test_ntfy_is_told_the_topic_and_rings_through_for_what_is_critical(service: Service) -> None:
    service.body = b'{"id":"xE73Iyuabi","time":1,"event":"message","topic":"warden-1"}'
    assert send(Ntfy(Endpoint(service.url))) == Delivered("xE73Iyuabi")
    assert (service.heard[0]["topic"], service.heard[0]["priority"]) == ("warden-1", 5)


def test_a_service_that_is_not_there_has_not_got_it_and_one_that_hangs_up_may_have(service: Service) -> None:
    nowhere = send(Webhook(Endpoint(f"http://127.0.0.1:{free_port()}/")))
    assert isinstance(nowhere, Rejected)
    assert nowhere.retryable
    service.hang_up = True
    assert isinstance(send(Webhook(Endpoint(service.url))), Unknown)


def test_a_secret_is_in_no_repr_of_a_message() -> None:
    assert "secret" not in repr(Webhook(Endpoint("http://x", token="secret")))
