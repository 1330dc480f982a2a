"""The bots of groups, against pretend ones that check keys, signatures, words, lengths and pace as the real ones do."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from gateway.desk.senders import bark, dingtalk, feishu, wecom
from gateway.desk.senders.bark import Bark
from gateway.desk.senders.dingtalk import Dingtalk
from gateway.desk.senders.feishu import Feishu
from gateway.desk.senders.wecom import Wecom
from gateway.desk.sending import Delivered, Message, Rejected, Result, Sender, Unknown
from tests.broker import free_port
from tests.desk_bots import BarkServer, DingtalkGroup, FeishuGroup, WecomGroup
from tests.desk_service import Service

TEXT = "【紧急】2 栋 1 单元 3 楼 烟感报警"
SECRET = "SEC0123456789abcdef"
NOW = 1_700_000_000.0
Bot = WecomGroup | DingtalkGroup | FeishuGroup | BarkServer


def message(address: str = "", text: str = TEXT, rank: int = 3) -> Message:
    """Return a page."""
    return Message("i|1.0|warden-1", address, text, rank)


def send(sender: Sender, told: Message | None = None) -> Result:
    """Send a page."""
    return asyncio.run(sender.send(told or message("phone")))


@dataclass
class Peer:
    """A bot, the service it answers on, and the sender that speaks to it."""

    bot: Bot
    service: Service
    sender: Sender

    @property
    def shown(self) -> dict[str, Any]:
        [only] = self.bot.shown
        return only


def sender_to(bot: Bot, origin: str) -> Sender:
    match bot:
        case WecomGroup():
            return Wecom(origin + bot.path)
        case DingtalkGroup():
            return Dingtalk(origin + bot.path, secret=SECRET, keyword="消防", now=lambda: NOW)
        case FeishuGroup():
            return Feishu(origin + bot.path, secret=SECRET, keyword="消防", now=lambda: NOW)
        case BarkServer():
            return Bark(origin, {"phone": bot.key})


def bot_called(name: str) -> Bot:
    match name:
        case "wecom":
            return WecomGroup()
        case "dingtalk":
            return DingtalkGroup(secret=SECRET, keyword="消防")
        case "feishu":
            return FeishuGroup(secret=SECRET, keyword="消防")
        case _:
            return BarkServer()


@pytest.fixture(params=["wecom", "dingtalk", "feishu", "bark"])
def peer(request: pytest.FixtureRequest) -> Iterator[Peer]:
    """Have each of the bots."""
    bot = bot_called(request.param)
    service = Service(bot)
    yield Peer(bot, service, sender_to(bot, service.origin))
    service.close()


@pytest.fixture
def served() -> Iterator[list[Service]]:
    """Keep the services of a test, to be closed."""
    made: list[Service] = []
    yield made
    for each in made:
        each.close()


def test_a_page_that_every_check_of_a_bot_passes_is_delivered_and_its_answer_kept(peer: Peer) -> None:
    result = send(peer.sender)
    assert isinstance(result, Delivered), result
    assert any(word in result.answer for word in ("ok", "success"))
    assert TEXT in str(peer.shown)


def test_an_answer_that_is_no_json_is_no_success(peer: Peer) -> None:
    peer.service.answering = lambda *_: (200, b"<html>please log in</html>")
    result = send(peer.sender)
    assert isinstance(result, Rejected)
    assert result.retryable
    assert result.means is not None
    assert "认证" in result.means.zh


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"null", b'{"errmsg":"ok"}', b'{"errcode":"0","code":"0"}', b"[" * 9999]
)
def test_garbage_is_no_success(peer: Peer, body: bytes) -> None:
    peer.service.answering = lambda *_: (200, body)
    result = send(peer.sender)
    assert isinstance(result, Rejected)
    assert result.retryable


def test_a_bot_that_hangs_up_may_have_shown_it(peer: Peer) -> None:
    peer.service.hang_up = True
    assert isinstance(send(peer.sender), Unknown)


def test_a_bot_out_of_reach_has_not_shown_it(peer: Peer) -> None:
    result = send(sender_to(peer.bot, f"http://127.0.0.1:{free_port()}"))
    assert isinstance(result, Rejected)
    assert result.retryable


def test_a_server_error_may_be_over_later_and_too_many_as_well(peer: Peer) -> None:
    for status in (429, 500, 502):
        peer.service.answering = lambda *_, code=status: (code, {})
        result = send(peer.sender)
        assert isinstance(result, Rejected)
        assert result.retryable


def test_no_secret_is_in_a_result_whatever_a_service_repeats(peer: Peer) -> None:
    secrets = [SECRET, "693a91f6", "566cc69da782", "0b1c2d3e-aaaa", "nysrshcq"]
    its_own = getattr(peer.bot, "secret", "")
    peer.service.answering = lambda path, told: (
        200,
        {"echo": [its_own, peer.service.origin + path, path, told]},
    )
    result = send(peer.sender)
    assert "echo" in repr(result)
    assert not any(secret in repr(result) for secret in secrets), result


@pytest.mark.parametrize(
    ("name", "answer", "again", "word"),
    [
        ("wecom", {"errcode": 45009, "errmsg": "api freq out of limit"}, True, "per_minute"),
        ("wecom", {"errcode": 93000, "errmsg": "invalid webhook url"}, False, "url_file"),
        ("wecom", {"errcode": -1, "errmsg": "system busy"}, True, "busy"),
        ("dingtalk", {"errcode": 130101, "errmsg": "send too fast"}, True, "per_minute"),
        ("dingtalk", {"errcode": 310000, "errmsg": "ip 1.2.3.4 not in whitelist"}, False, "public IP"),
        ("feishu", {"code": 19022, "msg": "Ip Not Allowed"}, False, "IP"),
        ("feishu", {"code": 19002, "msg": "params error"}, False, "argument"),
        ("feishu", {"code": 11232, "msg": "frequency limited"}, True, "per_minute"),
        ("bark", {"code": 500, "message": "push failed: BadDeviceToken"}, True, "Apple"),
    ],
)
def test_a_refusal_that_is_known_says_what_to_do_and_whether_later_may_be_better(
    served: list[Service], name: str, answer: dict[str, object], again: bool, word: str
) -> None:
    bot = bot_called(name)
    served.append(Service(lambda *_: (200, answer)))
    result = send(sender_to(bot, served[0].origin))
    assert isinstance(result, Rejected)
    assert result.retryable is again
    assert result.means is not None
    assert word in result.means.en
    assert result.means.zh
    assert str(next(iter(answer.values()))) in result.answer


def test_a_refusal_nobody_knows_may_be_tried_again(peer: Peer) -> None:
    peer.service.answering = lambda *_: (200, {"errcode": 77, "code": 77})
    result = send(peer.sender)
    assert isinstance(result, Rejected)
    assert (result.retryable, result.means) == (True, None)


def test_a_signature_is_only_right_under_the_right_secret_and_within_the_hour(served: list[Service]) -> None:
    for bot in (DingtalkGroup(secret=SECRET), FeishuGroup(secret=SECRET)):
        served.append(Service(bot))
        url = served[-1].origin + bot.path
        made = Dingtalk if isinstance(bot, DingtalkGroup) else Feishu
        assert isinstance(send(made(url, secret=SECRET, now=lambda: NOW)), Delivered)
        for wrong in (
            made(url, secret="SECwrong", now=lambda: NOW),
            made(url),
            made(url, secret=SECRET, now=lambda: 0.0),
        ):
            result = send(wrong)
            assert isinstance(result, Rejected)
            assert not result.retryable
            assert result.means is not None
            assert "secret_file" in result.means.en


def test_a_missing_word_is_refused_and_the_configured_one_is_put_in_front_once() -> None:
    assert dingtalk.body(message(), "消防")["text"] == {"content": f"消防 {TEXT}"}
    assert dingtalk.body(message(), "烟感")["text"] == {"content": TEXT}
    assert feishu.body(message(), "消防")["content"] == {"text": f"消防 {TEXT}"}


def test_the_21st_message_of_a_minute_is_refused_by_wecom_and_dingtalk(served: list[Service]) -> None:
    for bot in (WecomGroup(), DingtalkGroup(secret=SECRET, keyword="消防")):
        served.append(Service(bot))
        sender = sender_to(bot, served[-1].origin)
        results = [send(sender) for _ in range(21)]
        assert [isinstance(each, Delivered) for each in results] == [True] * 20 + [False]
        last = results[-1]
        assert isinstance(last, Rejected)
        assert last.retryable
        bot.pace.now = 61.0
        assert isinstance(send(sender), Delivered)


def test_a_key_that_is_not_the_bots_is_refused_for_good(served: list[Service]) -> None:
    served.append(Service(WecomGroup()))
    result = send(Wecom(f"{served[0].origin}/cgi-bin/webhook/send?key=another-key"))
    assert isinstance(result, Rejected)
    assert not result.retryable


@pytest.mark.parametrize(
    ("address", "wanted"),
    [
        ("13800001111", {"mentioned_mobile_list": ["13800001111"]}),
        ("zhang.san", {"mentioned_list": ["zhang.san"]}),
        ("@all", {"mentioned_list": ["@all"]}),
        ("", {}),
    ],
)
def test_wecom_mentions_by_mobile_by_userid_or_everybody(address: str, wanted: dict[str, object]) -> None:
    assert wecom.body(message(address)) == {"msgtype": "text", "text": {"content": TEXT} | wanted}


def test_wecom_in_markdown_has_a_colour_and_a_mention_and_is_text_for_a_mobile() -> None:
    content = f'<font color="warning">{TEXT}</font>\n<@zhang.san>'
    assert wecom.body(message("zhang.san"), markdown=True) == {
        "msgtype": "markdown",
        "markdown": {"content": content},
    }
    assert wecom.body(message("13800001111"), markdown=True)["msgtype"] == "text"


@pytest.mark.parametrize("markdown", [False, True])
@pytest.mark.parametrize("lead", ["", "a", "ab", "abc"])
def test_a_text_too_long_for_wecom_is_cut_between_characters_and_then_taken(
    served: list[Service], markdown: bool, lead: str
) -> None:
    bot = WecomGroup()
    served.append(Service(bot))
    sender = Wecom(served[0].origin + bot.path, markdown=markdown)
    assert isinstance(send(sender, message("@all", lead + "火" * 3000)), Delivered)
    content = bot.shown[0]["markdown" if markdown else "text"]["content"]
    assert "�" not in content
    assert "火…" in content


def test_dingtalk_mentions_in_the_text_as_well_because_it_wants_both() -> None:
    told = dingtalk.body(message("13800001111"))
    assert told["text"] == {"content": f"{TEXT} @13800001111"}
    assert told["at"] == {"atMobiles": ["13800001111"], "atUserIds": [], "isAtAll": False}
    assert dingtalk.body(message("@all"))["at"] == {"atMobiles": [], "atUserIds": [], "isAtAll": True}


def test_feishu_mentions_an_open_id_and_nothing_that_a_text_pretends() -> None:
    assert feishu.body(message("ou_1f"))["content"] == {"text": f'<at user_id="ou_1f"></at> {TEXT}'}
    sly = feishu.body(message("", 'x <at user_id="all"></at>'))
    assert "<at" not in str(sly)


def test_bark_rings_through_for_what_is_critical_and_only_for_that() -> None:
    loud, quiet = bark.body(message(), "k"), bark.body(message(rank=1), "k")
    assert (loud["level"], loud["volume"], loud["call"]) == ("critical", 10, "1")
    assert (quiet["level"], quiet.get("call")) == ("active", None)
    assert loud["id"] == "i|1.0|warden-1"


def test_bark_tells_of_a_name_without_a_key_and_of_a_wrong_key(served: list[Service]) -> None:
    served.append(Service(BarkServer()))
    for sender in (Bark(served[0].origin, {}), Bark(served[0].origin, {"phone": "nosuchkey"})):
        result = send(sender)
        assert isinstance(result, Rejected)
        assert not result.retryable
        assert result.means is not None
        assert "keys_file" in result.means.en
        assert "nosuchkey" not in result.answer


def test_a_file_of_keys_has_a_name_and_a_key_on_a_line() -> None:
    assert bark.keys("# phones\nwarden-1 abc\n\nproperty-1   def\nnonsense\n") == {
        "warden-1": "abc",
        "property-1": "def",
    }
