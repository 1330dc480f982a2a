"""One request over HTTP: its whole time is limited, and nothing secret comes back out of it."""

import asyncio
import time

import pytest

from gateway.desk.senders.posting import Answer, Request, post, request
from gateway.desk.sending import Rejected, Unknown
from tests.desk_service import Service


def test_a_service_that_sends_a_byte_now_and_then_is_left_at_the_end_of_the_whole_time() -> None:
    service = Service()
    service.drip = True
    began = time.monotonic()
    got = asyncio.run(post(request(service.url, {}, "1"), whole_s=0.5))
    service.close()
    assert isinstance(got, Unknown)
    assert time.monotonic() - began < 5.0


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:99999/x?key=topsecret",
        "http://127.0.0.1:1/a b?key=topsecret",
        "http://[::1/?key=topsecret",
    ],
)
def test_an_address_that_is_none_is_told_without_the_secret_in_it(url: str) -> None:
    got = asyncio.run(post(Request(url, b"{}", "1")))
    assert isinstance(got, Rejected)
    assert "topsecret" not in repr(got)


def test_an_address_that_no_request_line_can_carry_is_told_without_the_secret_in_it() -> None:
    service = Service()
    got = asyncio.run(post(Request(f"{service.origin}/a b\u706b?key=topsecret", b"{}", "1")))
    service.close()
    assert isinstance(got, Unknown)
    assert "topsecret" not in repr(got)


def test_a_request_shows_neither_its_address_nor_its_token() -> None:
    asked = request("http://x/?key=topsecret", {}, "1", token="topsecret", secrets=("topsecret",))
    assert "topsecret" not in repr(asked)


def test_what_a_service_repeats_of_a_token_is_blotted_out() -> None:
    service = Service(lambda *_: (401, {"error": "bad token topsecret"}))
    got = asyncio.run(post(request(service.url, {}, "1", token="topsecret")))
    service.close()
    assert isinstance(got, Answer)
    assert "topsecret" not in got.said
