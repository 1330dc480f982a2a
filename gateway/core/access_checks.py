"""What `[access]` means: one source, a safe one, and doors with readers to use it at. Pure."""

import math
import re
from collections.abc import Iterator
from typing import Final

from drivers.api import Text
from gateway.core.config import AccessTable
from gateway.core.faults import Fault, near, one_of, same, shown
from gateway.core.loading import Parsed

LOCAL_HOSTS: Final = ("localhost", "127.0.0.1", "[::1]")
WITHOUT_CLOCK: Final = ("grant", "deny")
_EXAMPLE: Final = "https://desk.example/access.csv"
_URL = re.compile(
    r"(?P<scheme>https?)://(?P<user>[^/@\s]*@)?(?P<host>\[[0-9a-fA-F:.]+\]|[A-Za-z0-9.\-]+)(?::[0-9]{1,5})?(?:[/?][^\s#]*)?"
)
_LEAST_MINUTES, _MOST_MINUTES = 0.5, 10_080.0

Faults = Iterator[Fault]


def check(parsed: Parsed) -> Faults:
    """Yield everything about the access list that does not go together."""
    table = parsed.access
    if table is None:
        return
    if table.file and table.url:
        found = Text("file 和 url 都有", "both file and url")
        yield Fault("access.url", found, Text("名单只有一个来源", "one source of the list"))
    if table.url:
        yield from url_faults(table.url)
    for name in ("token_file", "ca_file"):
        if getattr(table, name) and not table.url:
            yield Fault(f"access.{name}", Text(f"有 {name} 却没有 url", f"{name} without url"), same("url"))
    yield from _values(table)
    if parsed.doors and not any(door.readers for door in parsed.doors.values()):
        found = Text("没有一扇门有读卡器", "no door with a reader")
        yield Fault("access", found, Text("[[door]] 里的 readers", "readers in a [[door]]"), warning=True)


def url_faults(url: str) -> Faults:
    """Yield what is wrong with the address of a list: it says who may come in, so it comes encrypted or from here."""
    wanted = Text(f"形如 {_EXAMPLE} 的地址", f"an address like {_EXAMPLE}")
    parts = _URL.fullmatch(url)
    if parts is None:
        yield Fault("access.url", shown(url), wanted)
    elif parts["user"]:
        found = Text("地址里有用户名或密码", "a name or password inside the address")
        yield Fault("access.url", found, wanted, Text("请用 token_file", "use token_file"))
    elif parts["scheme"] == "http" and parts["host"].lower() not in LOCAL_HOSTS:
        found = Text("不加密的地址", "an address that is not encrypted")
        hint = Text("http 只用于本机", "http is for this machine only")
        yield Fault("access.url", found, wanted, hint)


def _values(table: AccessTable) -> Faults:
    minutes = table.pull_minutes
    if not (math.isfinite(minutes) and _LEAST_MINUTES <= minutes <= _MOST_MINUTES):
        wanted = Text(f"{_LEAST_MINUTES:g} 到 {_MOST_MINUTES:g}", f"{_LEAST_MINUTES:g} to {_MOST_MINUTES:g}")
        yield Fault("access.pull_minutes", shown(minutes), wanted)
    if table.without_clock not in WITHOUT_CLOCK:
        hint = near(table.without_clock, WITHOUT_CLOCK)
        yield Fault("access.without_clock", shown(table.without_clock), one_of(WITHOUT_CLOCK), hint)
