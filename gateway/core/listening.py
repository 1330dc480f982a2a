"""Where a port listens: an address from text, and whether more than this machine reaches it. Pure."""

import ipaddress
from collections.abc import Iterator

from drivers.api import Text
from gateway.core.config import MetricsTable
from gateway.core.faults import Fault, shown

WANTED = Text("IP 地址:端口，如 127.0.0.1:9108", "an IP address and a port, like 127.0.0.1:9108")


def address(listen: str) -> tuple[str, int] | None:
    """Return host and port of "127.0.0.1:9108", "[::1]:9108" or "localhost:9108"; None for anything else."""
    host, colon, port = listen.rpartition(":")
    bare = host.removeprefix("[").removesuffix("]") if host.startswith("[") else host
    if bare == "localhost":
        bare = "127.0.0.1"
    if not colon or not port.isascii() or not port.isdigit() or not 0 < int(port) < 65536:
        return None
    try:
        version = ipaddress.ip_address(bare).version
    except ValueError:
        return None
    return (bare, int(port)) if (version == 6) == host.startswith("[") else None


def check(table: MetricsTable) -> Iterator[Fault]:
    """Yield what is wrong with `[metrics]`; a warning where others than this machine may read."""
    found = address(table.listen)
    if found is None:
        yield Fault("metrics.listen", shown(table.listen), WANTED)
    elif not ipaddress.ip_address(found[0]).is_loopback:
        wide = Text(
            f"{table.listen}，本机以外也能读", f"{table.listen}, which others than this machine can read"
        )
        wanted = Text("127.0.0.1；没有密码，也不加密", "127.0.0.1: there is no password and no encryption")
        hint = Text(
            "让 Prometheus 经 VPN 或 SSH 隧道来取", "let Prometheus come through a VPN or an SSH tunnel"
        )
        yield Fault("metrics.listen", wide, wanted, hint, warning=True)
