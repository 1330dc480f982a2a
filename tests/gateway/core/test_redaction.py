"""What is secret, personal or public is blanked; what a maintainer needs stays."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.redaction import BLANK, PERSON, Redactor

PLAIN = Redactor()


@pytest.mark.parametrize(
    ("told", "secret"),
    [
        ("rtsp://guard:s3cret@192.168.1.30/stream1", "s3cret"),
        ("mqtts://u:p%40ss@broker:8883 refused", "p%40ss"),
        ("POST https://qyapi.example.com/cgi-bin/webhook/send?key=693a91f6-7xxx-4bc4", "693a91f6"),
        ("https://open.example.cn/open-apis/bot/v2/hook/abcdef", "abcdef"),
        ("password = hunter2", "hunter2"),
        ('"password":"hunter2"', "hunter2"),
        ("Authorization: Bearer eyJhbGciOiJFZERTQSJ9.eyJpc3MiOiJkZXNrIn0.c2ln", "eyJhbGciOiJFZERTQSJ9"),
        ("the PIN is 482913", "482913"),
        ("密码：八八六六1234", "八八六六1234"),
        ("token=abc", "abc"),
        ("-----BEGIN PRIVATE KEY-----\nMC4CAQAw\n-----END PRIVATE KEY-----\n", "MC4CAQAw"),
        ("-----BEGIN EC PRIVATE KEY-----\nMC4CAQAw\n (cut)", "MC4CAQAw"),
        ("osdp key 00112233445566778899aabbccddeeff loaded", "00112233445566778899aabbccddeeff"),
        ("11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo", "hcvPapiMlrwIaaPcHURo"),
        ("call 13800138000 now", "13800138000"),
        ("call +86 138-0013-8000 now", "0013-8000"),
        ("route via 47.98.12.34 dev eth0", "47.98.12.34"),
        ("eth0 UP 2408:8207:7890:1::5/64", "2408:8207:7890:1::5"),
    ],
)
def test_what_is_secret_personal_or_public_goes(told: str, secret: str) -> None:
    assert secret not in PLAIN.text(told)


@pytest.mark.parametrize(
    "told",
    [
        "/dev/serial/by-id/usb-FTDI_FT232R_USB_UART_A50285BI-if00-port0",
        "platform-3f980000.usb-usb-0:1.2:1.0-port0",
        "boot 0193a5f2-7c2e-7000-8000-00000012ab34",
        "mqtts://broker.example:8883",
        "eth0 UP 192.168.1.20/24 fe80::1/64",
        "2026-11-23T08:15:30.123+08:00 compound-gateway[812]: line riser-a is down",
        "cryptography 50.0.2",
        "12:34:56 polling 40 devices on 3 lines",
        "disk 15931 MB",
        "the certificate ends 1795663331.5",
        "总线 riser-a 不通",
    ],
)
def test_what_a_maintainer_needs_stays(told: str) -> None:
    assert PLAIN.text(told) == told


def test_what_lies_in_a_secret_file_is_blanked_wherever_it_stands() -> None:
    redactor = Redactor(["open sesame\n", "first line\nsecond line\n", "abc"])
    told = redactor.text("said open sesame and second line, abc")
    assert told == f"said {BLANK} and {BLANK}, abc"  # three letters would blank half of every text


def test_the_longer_of_two_known_secrets_is_blanked_whole() -> None:
    assert Redactor(["pass", "password1"]).text("x password1 y") == f"x {BLANK} y"


def test_a_document_loses_people_and_what_is_called_secret_and_keeps_its_numbers() -> None:
    told = PLAIN.tree(
        {"by": "local:wang", "note": "王师傅已去", "seq": 15931539456, "token": "x", "api_key": 7,
         "password_file": "/a", "bodies": [{"card": "**12", "device": "smoke-1"}], "empty": None, "passed": True}
    )  # fmt: skip
    assert told == {
        "by": PERSON, "note": PERSON, "seq": 15931539456, "token": BLANK, "api_key": BLANK, "password_file": "/a",
        "bodies": [{"card": PERSON, "device": "smoke-1"}], "empty": None, "passed": True,
    }  # fmt: skip


def test_under_a_key_nobody_knows_nothing_is_told() -> None:
    assert PLAIN.tree({"id": "a", "strange": "b", "deep": {"id": "c"}}, {"id", "deep"}) == {
        "id": "a", "strange": BLANK, "deep": {"id": "c"},
    }  # fmt: skip


@given(st.text(max_size=200))
def test_any_text_can_be_blanked_and_blanking_twice_changes_nothing_dangerous(told: str) -> None:
    once = PLAIN.text(told)
    assert isinstance(PLAIN.text(once), str)


@given(st.text(alphabet="abcdefghijklmnop0123456789/+=", min_size=6, max_size=40), st.text(max_size=40))
def test_a_known_secret_never_comes_through(secret: str, around: str) -> None:
    assert secret not in Redactor([secret]).text(f"{around} {secret} {around}").replace(BLANK, "")
