"""The channels of desk.toml: each kind has its own fields, and what its files hold is checked and never shown."""

from pathlib import Path

import pytest

from tests.gateway.test_duty import GOOD, faults

BOTS = """
[[channel]]
name = "group"
kind = "wecom"
url_file = "wecom-url"
[[channel]]
name = "iphones"
kind = "bark"
keys_file = "bark-keys"
"""


def with_bots(tmp_path: Path, channels: str = BOTS, **files: str) -> list[str]:
    """Return what is wrong with a desk that has bots and the files they name."""
    held = {
        "wecom_url": "https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=k1-secret",
        "bark_keys": "duty k2-secret",
    }
    for name, text in (held | files).items():
        (tmp_path / name.replace("_", "-")).write_text(text)
    return faults(tmp_path, GOOD.replace('"duty-room"]]', '"duty-room"], ["iphones", "duty"]]') + channels)


def test_bots_with_their_files_are_good(tmp_path: Path) -> None:
    assert with_bots(tmp_path) == []


@pytest.mark.parametrize(
    ("files", "told"),
    [
        ({"wecom_url": "k1-secret"}, "channel[1].url_file: something else; one line with such an address"),
        ({"bark_keys": "# k2-secret"}, "channel[2].keys_file: nothing; a name and a device key on each line"),
        ({"bark_keys": "warden k2-secret"}, 'person[0].channels: "duty"; one of warden'),
    ],
)
def test_what_is_wrong_in_a_file_of_secrets_is_told_and_never_shown(
    tmp_path: Path, files: dict[str, str], told: str
) -> None:
    found = with_bots(tmp_path, **files)
    assert any(told in line for line in found), found
    assert not any("secret" in line for line in found)


@pytest.mark.parametrize(
    ("wrong", "right", "told"),
    [
        ('"wecom-url"', '"no-such"', "a file that can be read"),
        ('url_file = "wecom-url"', "", "channel[1].url_file: nothing"),
        ("url_file =", "url =", "channel[1].url: an unknown key"),
        ('kind = "wecom"', 'kind = "wecon"', '"wecon"; one of ntfy'),
        ('kind = "wecom"', "kind = 5", "5; one of ntfy"),
        ('kind = "wecom"', "", "channel[1].kind: nothing; one of ntfy"),
        ('kind = "wecom"', 'kind = "wecom"\nper_minute = 0', "1 or more"),
        (
            'kind = "wecom"\nurl_file = "wecom-url"',
            'kind = "webhook"\nurl = "https://oapi.dingtalk.com/robot/send?access_token=s"',
            'channel[1].url: a bot\'s address; kind = "dingtalk"',
        ),
    ],
)
def test_a_mistake_in_a_bot_is_told_with_its_place(tmp_path: Path, wrong: str, right: str, told: str) -> None:
    found = with_bots(tmp_path, BOTS.replace(wrong, right, 1))
    assert any(told in line for line in found), found
    assert not any("access_token" in line for line in found)


def test_a_channel_of_an_unknown_kind_is_one_mistake_and_not_one_more_for_each_of_its_people(
    tmp_path: Path,
) -> None:
    assert len(faults(tmp_path, GOOD.replace('kind = "ntfy"', 'kind = "ntfi"').replace("url =", "#"))) == 1


MAIL = """
[[channel]]
name = "mail"
kind = "mail"
host = "smtp.example.cn"
sender = "desk@example.cn"
username = "desk"
password_file = "wecom-url"
"""


@pytest.mark.parametrize(
    ("wrong", "right", "told"),
    [
        ("", "", ""),
        ("desk@example.cn", "desk", 'sender: "desk"; an e-mail address'),
        ("username", 'security = "ssl"\nusername', '"ssl"; one of starttls, tls, none'),
        ("username", 'security = "none"\nusername', "no password is sent over another"),
        ("username", "port = 99999\nusername", "port: 99999; 0 to 65535"),
        ('username = "desk"', "", "username and password_file, or neither"),
    ],
)
def test_a_mail_server_is_looked_at(tmp_path: Path, wrong: str, right: str, told: str) -> None:
    found = with_bots(tmp_path, BOTS + MAIL.replace(wrong, right, 1))
    assert any(told in line for line in found) if told else found == []


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('kind = "call"\nport = "/dev/x"\nring_s = 20', ""),
        ('kind = "call"\nport = "/dev/x"\nring_s = 90', "ring_s: 90.0; 5 to 25 seconds"),
        ('kind = "sms"\nport = "/dev/x"\nbaud = 1', "baud: 1; 300 to 4000000"),
        ('kind = "sms"', "port: nothing"),
        ('kind = "sms"\nport = "/dev/x"\nring_s = 9', "ring_s: an unknown key"),
    ],
)
def test_a_modem_is_looked_at(tmp_path: Path, text: str, told: str) -> None:
    found = with_bots(tmp_path, f'{BOTS}[[channel]]\nname = "modem"\n{text}\n')
    assert any(told in line for line in found) if told else found == []


WEBPUSH = '[[channel]]\nname = "push"\nkind = "webpush"\ncontact = "mailto:desk@example.cn"\n'


def test_the_key_of_web_push_need_not_be_there_and_is_not_made_by_a_look_at_the_file(tmp_path: Path) -> None:
    assert with_bots(tmp_path, BOTS + WEBPUSH) == []
    assert not (tmp_path / "webpush.pem").exists()


def test_what_is_wrong_with_web_push_is_told(tmp_path: Path) -> None:
    (tmp_path / "webpush.pem").write_text("no key")
    assert any(
        "key_file" in line and "others may read" in line for line in with_bots(tmp_path, BOTS + WEBPUSH)
    )
    wrong = WEBPUSH.replace("mailto:desk@example.cn", "desk").replace(
        "[[channel]]", '[[channel]]\nkey_file = "no/such.pem"'
    )
    found = with_bots(tmp_path, BOTS + wrong)
    assert any("contact" in line and "an https:// address" in line for line in found)
    assert any("key_file" in line and "a folder to write to" in line for line in found)


APPRISE = '[[channel]]\nname = "other"\nkind = "apprise"\nurl_file = "apprise-url"\n'


@pytest.mark.parametrize(
    ("address", "told"),
    [
        ("tgram://123:abc/{to}", ""),
        ("dingtalk://tokenx", 'of which Apprise takes a refusal for success; kind = "dingtalk"'),
        ("schan://tokenx", "of which Apprise takes a refusal for success; another service"),
        ("tokenx", "no scheme://; one line with an address of Apprise's"),
    ],
)
def test_an_address_of_apprise_is_looked_at_and_never_shown(tmp_path: Path, address: str, told: str) -> None:
    found = with_bots(tmp_path, BOTS + APPRISE, apprise_url=address)
    assert any(told in line for line in found) if told else found == []
    assert not any("tokenx" in line for line in found)


def test_an_extra_that_is_not_installed_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    found = with_bots(tmp_path, BOTS + APPRISE, apprise_url="tgram://1:a/2")
    assert [line for line in found if "pip install 'compound-gateway[apprise]'" in line]
