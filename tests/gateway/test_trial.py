"""`desk notify test` sends a real page and says what the service said of it."""

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from gateway.cli import cli
from tests.desk_bots import DingtalkGroup, WecomGroup
from tests.desk_parts import opened
from tests.desk_service import Service

FILE = """
[desk]
name = "street"
[[channel]]
name = "wecom"
kind = "wecom"
url_file = "wecom-url"
[[channel]]
name = "dingtalk"
kind = "dingtalk"
url_file = "dingtalk-url"
[[person]]
name = "warden-1"
role = "warden"
channels = [["wecom", "13800001111"], ["dingtalk", "13800001111"]]
[[person]]
name = "duty-room"
role = "duty_room"
language = "en"
channels = [["wecom", "zhang.san"]]
"""


class Street:
    """A desk.toml in a folder, and two groups it may speak to."""

    def __init__(self, folder: Path) -> None:
        self.wecom, self.dingtalk = WecomGroup(), DingtalkGroup(keyword="消防")
        self.services = [Service(self.wecom), Service(self.dingtalk)]
        self.file = folder / "desk.toml"
        self.file.write_text(FILE)
        paths = {"wecom": self.wecom.path, "dingtalk": self.dingtalk.path}
        for (name, path), service in zip(paths.items(), self.services, strict=True):
            (folder / f"{name}-url").write_text(f"{service.origin}{path}\n")

    def test(self, *arguments: str, language: str = "en") -> Result:
        """Run the command."""
        told = ["--lang", language, "desk", "notify", "test", "-c", str(self.file), *arguments]
        return CliRunner().invoke(cli, told)


@pytest.fixture
def street(tmp_path: Path) -> Iterator[Street]:
    """Run the services."""
    made = Street(tmp_path)
    yield made
    for each in made.services:
        each.close()


def test_a_page_that_is_taken_is_shown_with_the_services_own_answer(street: Street) -> None:
    result = street.test("wecom")
    assert result.exit_code == 0, result.output
    assert "✓ wecom (wecom) → warden-1 delivered" in result.output
    assert '"errmsg": "ok"' in result.output
    [shown] = street.wecom.shown
    assert shown["text"]["mentioned_mobile_list"] == ["13800001111"]
    assert "测试" in shown["text"]["content"]


def test_a_refusal_is_shown_with_what_it_means_and_is_the_exit_code(street: Street) -> None:
    result = street.test("dingtalk")
    assert result.exit_code == 1
    assert "✗ dingtalk (dingtalk) → warden-1 refused" in result.output
    assert "keywords not in content" in result.output
    assert "set its custom word as keyword" in result.output
    assert street.dingtalk.token not in result.output


def test_without_a_channel_each_is_tried_once(street: Street) -> None:
    result = street.test(language="zh")
    assert result.exit_code == 1
    assert (len(street.wecom.shown), len(street.services[1].heard)) == (1, 1)
    assert "已送达" in result.output
    assert "自定义关键词要写进 keyword" in result.output


def test_a_person_gets_it_in_their_own_language_and_only_over_what_they_have(street: Street) -> None:
    result = street.test("--to", "duty-room")
    assert result.exit_code == 0, result.output
    assert street.wecom.shown[0]["text"]["content"] == "Test: a trial page to duty-room. Nothing to do"
    assert street.services[1].heard == []


def test_a_script_is_told_as_json(street: Street) -> None:
    result = street.test("--json")
    first, second = json.loads(result.output)
    assert (first["channel"], first["result"], first["retryable"]) == ("wecom", "delivered", False)
    assert (second["channel"], second["result"], second["retryable"]) == ("dingtalk", "rejected", False)
    assert "310000" in second["answer"]
    assert second["zh"]


def test_a_service_that_hangs_up_is_no_delivery(street: Street) -> None:
    street.services[0].hang_up = True
    result = street.test("wecom")
    assert result.exit_code == 1
    assert "? wecom" in result.output
    assert "look at the phone" in result.output


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["wecon"], "there is no channel wecon"),
        (["--to", "nobody"], "there is no person nobody"),
        (["dingtalk", "--to", "duty-room"], "nothing to try"),
    ],
)
def test_a_slip_is_told_in_a_line_with_what_there_is(street: Street, arguments: list[str], told: str) -> None:
    result = street.test(*arguments)
    assert result.exit_code == 1
    assert told in result.output


def test_a_file_with_mistakes_sends_nothing(street: Street) -> None:
    street.file.write_text(FILE.replace('kind = "wecom"', 'kind = "wecon"'))
    result = street.test()
    assert result.exit_code == 1
    assert '"wecon"' in result.output
    assert street.wecom.shown == []


def test_the_file_may_be_named_before_the_command_as_well(street: Street) -> None:
    result = CliRunner().invoke(cli, ["desk", "-c", str(street.file), "notify", "test", "wecom"])
    assert result.exit_code == 0, result.output


def test_the_desk_still_looks_at_its_file_when_nothing_more_is_asked(street: Street) -> None:
    result = CliRunner().invoke(cli, ["--lang", "en", "desk", "-c", str(street.file), "--check"])
    assert (result.exit_code, "2 people, 2 channels" in result.output) == (0, True), result.output


@pytest.mark.parametrize("language", ["zh", "en"])
def test_every_step_of_the_command_explains_itself(language: str) -> None:
    for arguments in (["desk"], ["desk", "notify"], ["desk", "notify", "test"]):
        result = CliRunner().invoke(cli, ["--lang", language, *arguments, "--help"])
        assert result.exit_code == 0, result.output
        assert "notify test" in result.output


def test_web_push_is_tried_with_the_desks_own_record(street: Street) -> None:
    channel = '[[channel]]\nname = "push"\nkind = "webpush"\ncontact = "mailto:desk@example.cn"\n'
    text = FILE.replace("[[person]]", f"{channel}[[person]]", 1).replace(
        '"zhang.san"]', '"zhang.san"], ["push", "duty-room"]'
    )
    street.file.write_text(text)
    result = street.test("push")
    assert result.exit_code == 1
    assert "allow notifications" in result.output
    assert (street.file.parent / "webpush.pem").exists()


def test_a_record_that_the_running_desk_holds_is_told_in_a_line(street: Street) -> None:
    channel = '[[channel]]\nname = "push"\nkind = "webpush"\ncontact = "mailto:desk@example.cn"\n'
    text = FILE.replace("[[person]]", f"{channel}[[person]]", 1).replace(
        '"zhang.san"]', '"zhang.san"], ["push", "duty-room"]'
    )
    street.file.write_text(text)

    async def main() -> Result:
        async with opened(str(street.file.parent / "desk.db")):
            return await asyncio.to_thread(street.test, "push")

    result = asyncio.run(main())
    assert result.exit_code == 1
    assert "database" in result.output
    assert "Traceback" not in result.output
