"""The duty desk of the demo: the very same desk as `desk`, on a file of its own, with two people and a pretend pager.

Each of them has an address that lets a phone in, once. What the desk would send to a phone that sleeps comes to the
pager here, which shows it on the terminal and answers as a group's bot does.
"""

import asyncio
import contextlib
import json
import time
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from gateway import duty
from gateway.core.events import Place
from gateway.core.faults import ConfigError
from gateway.demo.broker import free_port
from gateway.desk.server import serve
from gateway.desk.service import Desk, opened
from gateway.desk.store import phones
from gateway.runtime import key_file
from gateway.runtime.systemd import Notifier

PEOPLE: Final = ("property-1", "duty-room")
LASTS_S: Final = 86_400.0
OPERATOR: Final = "desk"

_DESK = """\
[desk]
name = "demo"
store = "desk.db"
files = "desk-files"
key_file = "desk.key"

[web]
listen = {listen}

[mqtt]
url = {broker_url}

[[channel]]
name = "pager"
kind = "webhook"
url = {pager_url}
success = {{ errcode = 0 }}
per_minute = 60

[[person]]
name = "property-1"
role = "property"
place = {{ compound = "红星亭坡 1 号院" }}
channels = [["pager", "property-1"]]
phone = "119"

[[person]]
name = "duty-room"
role = "duty_room"
channels = [["pager", "duty-room"]]

[[duty]]
people = ["property-1"]

[[ladder]]
severity = "critical"
steps = [
  {{ after_minutes = 0, to = "first" }},
  {{ after_minutes = 0.5, to = "duty_room" }},
]
repeat_minutes = 5

[[resident]]
gateway = "demo"
code = "2-1-5"
see = ["property"]
note = "听力不好，请按门铃并等一等 · hard of hearing: ring, and wait"
"""


@dataclass(frozen=True, slots=True)
class Office:
    """A desk at work. `doors` are the addresses that let a phone in, by person."""

    desk: Desk
    doors: Mapping[str, str]


class Pager:
    """Takes what is sent to people and hands it to `show` as (person, text)."""

    def __init__(self, show: Callable[[str, str], None]) -> None:
        self._show = show
        self.app = Starlette(routes=[Route("/page", self._page, methods=["POST"])])

    def close(self) -> None:
        """Have nothing to end: nobody is kept waiting."""

    async def _page(self, request: Request) -> Response:
        told = msgspec.json.decode(await request.body(), type=dict[str, object])
        self._show(str(told["to"]), str(told["text"]))
        return Response(b'{"errcode": 0}', media_type="application/json")


@contextlib.asynccontextmanager
async def office(
    folder: Path, *, broker_url: str, host: str, port: int, paged: Callable[[str, str], None]
) -> AsyncIterator[Office]:
    """Have a desk at work over files in `folder`."""
    pager_port = free_port()
    file = folder / "desk.toml"
    text = _DESK.format(
        listen=json.dumps(f"{host}:{port}"),
        broker_url=json.dumps(broker_url),
        pager_url=json.dumps(f"http://127.0.0.1:{pager_port}/page"),
    )
    file.write_text(text, encoding="utf-8")
    config, faults = duty.load(file)
    if config is None:
        raise ConfigError(tuple(faults))
    async with opened(config, Notifier()) as (desk, supervisor), asyncio.TaskGroup() as group:
        tasks = [
            group.create_task(serve(Pager(paged), port=pager_port), name="pager"),
            group.create_task(supervisor.run(), name="desk"),
        ]
        yield Office(
            desk, await _doors(desk, f"http://{'localhost' if host == '127.0.0.1' else host}:{port}")
        )
        for task in tasks:
            task.cancel()


def key(folder: Path) -> str:
    """Make the desk's key in `folder`; return its public half, for the gateway."""
    return key_file.public_text(key_file.make(folder / "desk.key"))


async def _doors(desk: Desk, base: str) -> dict[str, str]:
    found: dict[str, str] = {}
    async with desk.database.transaction() as transaction:
        for person in PEOPLE:
            token, _ = await phones.offer(
                transaction,
                person=person,
                place=Place(),
                label=person,
                by="demo",
                now=time.time(),
                lasts_s=LASTS_S,
            )
            found[person] = f"{base}/pair#{token}"
    return found
