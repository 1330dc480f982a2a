"""Apprise sends to what else there is; what it says of the Chinese bots is not believed, and here is why."""

import asyncio
import logging
import threading
import time
from collections.abc import Iterator
from typing import Any

import apprise
import pytest
import requests

from gateway.desk.senders.apprise_schemes import REFUSED, refusal, scheme_of
from gateway.desk.senders.apprise_service import AppriseService
from gateway.desk.sending import Delivered, Message, Rejected, Result, Unknown
from tests.desk_service import Service

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of what Apprise imports
MESSAGE = Message("1", "warden-1", "【紧急】烟感报警", 3)


@pytest.fixture
def service() -> Iterator[Service]:
    """Run a service."""
    made = Service()
    yield made
    made.close()


def send(service: Service, *, path: str = "", whole_s: float = 15.0) -> Result:
    """Send a message through Apprise's own JSON service."""
    url = service.origin.replace("http://", "json://user:verysecret@") + path
    return asyncio.run(AppriseService(url, whole_s=whole_s).send(MESSAGE))


def test_a_message_goes_out_with_how_bad_it_is(service: Service) -> None:
    assert send(service, path="/to/{to}") == Delivered("json")
    assert (service.heard[0]["message"], service.heard[0]["type"]) == (MESSAGE.text, "failure")
    assert service.paths[0].startswith("/to/warden-1")


@pytest.fixture
def journal() -> Iterator[list[str]]:
    """Keep what the root logger is handed, which is what a desk writes out."""
    kept: list[str] = []

    class Keeping(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            kept.append(record.getMessage())

    handler = Keeping()
    logging.getLogger().addHandler(handler)
    yield kept
    logging.getLogger().removeHandler(handler)


def test_a_refusal_may_be_over_later_and_no_secret_is_told(service: Service, journal: list[str]) -> None:
    service.status = 500
    result = send(service)
    assert isinstance(result, Rejected)
    assert result.retryable
    assert "verysecret" not in repr(result) + repr(journal)


def test_what_apprise_says_of_another_message_meanwhile_is_not_taken_for_ours(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = apprise.Apprise.notify

    def notify(self: apprise.Apprise, **told: Any) -> Any:
        took = real(self, **told)
        other = threading.Thread(target=logging.getLogger("apprise").warning, args=("othersecret",))
        other.start()
        other.join()
        return took

    monkeypatch.setattr(apprise.Apprise, "notify", notify)
    service.status = 500
    result = send(service)
    assert isinstance(result, Rejected)
    assert "othersecret" not in repr(result)
    assert "500" in repr(result)


def test_a_service_that_hangs_up_or_hangs_is_no_success(service: Service) -> None:
    service.hang_up = True
    assert isinstance(send(service), Rejected)
    service.hang_up, service.drip = False, True
    began = time.monotonic()
    assert isinstance(send(service, whole_s=0.5), Unknown)
    assert time.monotonic() - began < 5


def test_an_address_apprise_cannot_read_is_final_and_told_without_it(
    caplog: pytest.LogCaptureFixture,
) -> None:
    result = asyncio.run(AppriseService("nosuch://verysecret").send(MESSAGE))
    assert isinstance(result, Rejected)
    assert not result.retryable
    assert "verysecret" not in repr(result) + repr(journal)


@pytest.mark.parametrize("scheme", ["dingtalk", "wecombot", "schan", "pushdeer", "pushme", "chanify", "qq"])
def test_apprise_still_takes_a_refusal_of_these_for_success(
    service: Service, monkeypatch: pytest.MonkeyPatch, scheme: str
) -> None:
    """Its own requests, led to a service that refuses as those do. When this fails, the scheme may be allowed."""
    service.body = b'{"errcode":45009,"code":19021,"errmsg":"refused","msg":"refused"}'
    whole = requests.Session.request

    def led(session: requests.Session, method: str, url: str, **settings: Any) -> requests.Response:
        settings["data"], settings["json"] = b"{}", None
        return whole(session, "POST", service.url, **settings)

    monkeypatch.setattr(requests.Session, "request", led)
    believing = apprise.Apprise()
    assert believing.add(f"{scheme}://{'a' * 36}")
    assert bool(believing.notify("x"))
    assert service.heard
    assert refusal(f"{scheme}://{'a' * 36}") is not None


@pytest.mark.parametrize("scheme", sorted(REFUSED))
def test_a_scheme_that_is_refused_says_why_in_both_languages(scheme: str) -> None:
    found = refusal(f"{scheme.upper()}://key")
    assert found is not None
    assert "当作成功" in found[0].zh
    assert "takes a refusal for success" in found[0].en
    assert "key" not in found[0].en


@pytest.mark.parametrize("url", ["tgram://1:a/2", "mailto://a:b@c.d", "json://x"])
def test_other_services_are_taken(url: str) -> None:
    assert refusal(url) is None
    assert scheme_of(url) == url.partition(":")[0]


@pytest.mark.parametrize("url", ["", "no address", "://x"])
def test_what_is_no_address_is_told(url: str) -> None:
    assert refusal(url) is not None
