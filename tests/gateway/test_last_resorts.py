"""`[[last_resort]]` in gateway.toml: every mistake told with its place, and the desk's own senders behind good ones."""

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway import configuration, last_resorts
from gateway.core.events import Body, Words
from tests.desk_service import Service
from tests.events import alert_body, event

BASE = """
[gateway]
id = "hxtp-01"
state_dir = "{folder}"
[[last_resort]]
kind = "webhook"
url = "{url}"
to = "13800000000"
after_s = 20
success = {{ errcode = 0 }}
[[last_resort]]
kind = "wecom"
url_file = "bot"
"""


@pytest.fixture
def service() -> Iterator[Service]:
    """Run a service that pages people."""
    running = Service()
    yield running
    running.close()


class Everything:
    """An uplink that has everything confirmed."""

    def is_confirmed(self, position: tuple[int, int]) -> bool:
        return position > (0, 0)


def checked(folder: Path, url: str, *changes: tuple[str, str]) -> configuration.Checked:
    text = BASE.format(folder=folder, url=url)
    for before, after in changes:
        assert before in text
        text = text.replace(before, after)
    (folder / "bot").write_text(f"{url}/cgi-bin/webhook/send?key=secret-key-1\n")
    (folder / "gateway.toml").write_text(text, encoding="utf-8")
    return configuration.check(folder / "gateway.toml")


def test_the_senders_are_the_desks_and_only_their_services_yes_is_a_yes(
    tmp_path: Path, service: Service
) -> None:
    found = checked(tmp_path, service.url)
    assert [fault for fault in found.faults if not fault.warning] == []
    assert found.config is not None
    bodies: list[Body] = []
    made = last_resorts.make(found.config, None, bodies.append, ())
    assert set(made._ways) == {"webhook-1", "wecom-2"}

    async def main() -> None:
        webhook, bot = made._ways.values()
        service.body = b'{"errcode":0}'
        assert (await webhook.send("m-1", Words("火警", "Fire"), 3)).delivered
        service.body = b'{"errcode":93000,"errmsg":"no such bot"}'
        answer = await bot.send("m-1", Words("火警", "Fire"), 3)
        assert (answer.delivered, answer.retryable) == (False, False)
        assert "url_file" in answer.said
        assert "secret-key-1" not in answer.said

    asyncio.run(main())
    assert service.heard[0]["text"] == "火警"
    assert service.heard[0]["to"] == "13800000000"
    assert service.heard[1]["text"]["content"] == "火警"
    assert [way.after_s for way in made._ways.values()] == [20, 30]


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        ('kind = "webhook"', 'kind = "pager"', 'last_resort[0].kind: "pager"; one of ntfy, webhook'),
        ('kind = "webhook"', "", "last_resort[0].kind: nothing; one of ntfy"),
        ("after_s = 20", "after_s = 1", "last_resort[0].after_s: 1.0; 5 to 3600 s"),
        ("after_s = 20", 'language = "de"', 'last_resort[0].language: "de"; one of zh, en'),
        ("after_s = 20", "aftr_s = 20", "last_resort[0].aftr_s: an unknown key"),
        ("http://", "ftp://", "last_resort[0].url"),
        ('url_file = "bot"', "", "last_resort[1].url_file: nothing"),
    ],
)
def test_every_mistake_is_told_with_its_place(tmp_path: Path, before: str, after: str, told: str) -> None:
    found = checked(tmp_path, "http://127.0.0.1:8090/page", (before, after))
    lines = [f"{each.key}: {each.found.en}; {each.wanted.en}" for each in found.faults]
    assert any(line.startswith(told) for line in lines), lines
    assert found.config is None


def test_without_a_line_there_is_none_unless_the_desk_confirms(tmp_path: Path) -> None:
    text = f'[gateway]\nid = "hxtp-01"\nstate_dir = "{tmp_path}"\n'
    file = tmp_path / "gateway.toml"
    for mqtt, wanted in (("", False), ('confirm = "broker"', False), ('confirm = "desk"', True)):
        file.write_text(text + (f'[mqtt]\nurl = "mqtt://127.0.0.1"\n{mqtt}\n' if mqtt else ""))
        config = configuration.check(file).config
        assert config is not None
        bodies: list[Body] = []
        made = last_resorts.make(config, Everything() if mqtt else None, bodies.append, ())
        assert (bool(made.services), made.statistics() is not None) == (wanted, wanted)


def test_lines_are_silent_where_a_broker_has_taken_everything_and_the_desk_has_the_shortest_time_of_all(
    tmp_path: Path,
) -> None:
    first = '[[last_resort]]\nkind = "webhook"'
    broker = (first, f'[mqtt]\nurl = "mqtt://127.0.0.1"\n{first}')
    found = checked(tmp_path, "http://127.0.0.1:8090/page", broker)
    assert found.config is not None
    bodies: list[Body] = []
    made = last_resorts.make(found.config, Everything(), bodies.append, ())
    assert (made._name, made._unheard._after_s) == ("hxtp-01", 20.0)
    made.follow(event(1, alert_body(1)))
    made.look()
    statistics = made.statistics()
    assert statistics is not None
    assert statistics.waiting == 0


def test_a_line_whose_secret_is_missing_is_told_and_the_gateway_starts_with_the_others(
    tmp_path: Path,
) -> None:
    found = checked(tmp_path, "http://127.0.0.1:8090/page", ('url_file = "bot"', 'url_file = "none"'))
    [fault] = [each for each in found.faults if each.key.startswith("last_resort")]
    assert (fault.key, fault.warning) == ("last_resort[1].url_file", True)
    assert found.config is not None
    bodies: list[Body] = []
    assert set(last_resorts.make(found.config, None, bodies.append, ())._ways) == {"webhook-1"}


def test_a_gateway_without_a_last_resort_carries_no_sender_in_its_memory() -> None:
    wanted = "('gateway.desk', 'cryptography')"
    script = f"import sys, gateway.app; print([m for m in sys.modules if m.startswith({wanted})])"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout == "[]\n"
