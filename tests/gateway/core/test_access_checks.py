"""`[access]`: one source, a safe one."""

import pytest

from gateway.core.access_checks import check
from gateway.core.loading import parse

GATEWAY = '[gateway]\nid = "hxtp-01"\n[access]\n'


def found(text: str) -> list[tuple[str, str]]:
    return [(fault.key, fault.found.en) for fault in check(parse(GATEWAY + text))]


@pytest.mark.parametrize(
    "text",
    [
        "",
        'file = "access.csv"',
        'url = "https://desk.example/access.csv"\ntoken_file = "token"\nca_file = "ca.pem"',
        'url = "https://desk.example:8443/lists/2?compound=17"',
        'url = "http://localhost:8080/access.csv"',
        'url = "http://[::1]/access.csv"',
        'without_clock = "deny"\npull_minutes = 1',
    ],
)
def test_what_makes_sense_has_no_fault(text: str) -> None:
    assert found(text) == []


def test_there_is_one_source() -> None:
    assert found('file = "a.csv"\nurl = "https://desk.example/a"') == [("access.url", "both file and url")]


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("http://desk.example/a.csv", "an address that is not encrypted"),
        ("http://localhost.evil.example/a.csv", "an address that is not encrypted"),
        ("https://user:secret@desk.example/a.csv", "a name or password inside the address"),
        ("http://localhost@evil.example/a.csv", "a name or password inside the address"),
        ("ftp://desk.example/a.csv", '"ftp://desk.example/a.csv"'),
        ("file:///etc/passwd", '"file:///etc/passwd"'),
    ],
)
def test_a_list_comes_encrypted_or_from_this_machine(url: str, told: str) -> None:
    assert found(f'url = "{url}"') == [("access.url", told)]


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ('token_file = "t"', "access.token_file"),
        ('ca_file = "t"', "access.ca_file"),
        ("pull_minutes = 0", "access.pull_minutes"),
        ("pull_minutes = 1e9", "access.pull_minutes"),
        ('without_clock = "grnat"', "access.without_clock"),
    ],
)
def test_what_makes_no_sense_is_told(text: str, key: str) -> None:
    assert [each for each, _ in found(text)] == [key]


def test_a_list_nobody_can_use_is_a_warning() -> None:
    (fault,) = check(parse(GATEWAY + '[[door]]\nname = "gate"\nstrike = "board-1"\n'))
    assert fault.warning
