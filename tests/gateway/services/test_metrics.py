"""The figures for Prometheus: off by default, of the health document and nothing else, in a form Prometheus reads."""

import asyncio
import copy
import importlib.util
import shutil
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from prometheus_client.openmetrics.parser import text_string_to_metric_families as read_open
from prometheus_client.parser import text_string_to_metric_families as read_text

from gateway import configuration
from gateway.core.listening import address
from gateway.core.measures import PREFIX, families
from gateway.services.metrics import MOST_CLIENTS, Metrics
from tests.broker import free_port
from tests.gateway.core.test_advice import good

DOOR = {"door": "gate-1-1", "state": "locked", "mode": "normal"}
FIRE = {"interlock": "fire", "engaged": True}


def document() -> dict[str, Any]:
    told = {**good(), "alerts": {"major": 2}, "doors": [DOOR], "interlocks": [FIRE]}
    told["gateway"]["id"] = 'hx"tp\\-01\n'  # what a label must not trip over
    told["journal"]["lost"] = {"reading": 3}
    told["uplink"]["certificate_days"] = 61.5
    return told


async def served(work: Callable[[int], Awaitable[None]], told: Callable[[], Any] = document) -> None:
    port = free_port()
    task = asyncio.create_task(Metrics("127.0.0.1", port, told).run())
    try:
        async with asyncio.timeout(20):
            while True:
                try:
                    (await asyncio.open_connection("127.0.0.1", port))[1].close()
                    break
                except OSError:
                    await asyncio.sleep(0.01)
            await work(port)
    finally:
        task.cancel()


@pytest.mark.parametrize("turns", range(7))
def test_one_stopped_while_it_begins_leaves_its_port_to_the_next(turns: int) -> None:
    async def main() -> None:
        port = free_port()
        serving = asyncio.create_task(Metrics("127.0.0.1", port, document).run())
        for _ in range(turns):
            await asyncio.sleep(0)
        serving.cancel()
        await asyncio.wait([serving])
        with socket.create_server(("127.0.0.1", port)):
            pass

    asyncio.run(main())


async def asked(port: int, request: bytes) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(request)
    writer.write_eof()
    try:
        return await reader.read()
    except ConnectionError:
        return b""
    finally:
        writer.close()


def scraped(accept: str = "") -> tuple[str, str]:
    """Return the page and its type as an ordinary HTTP client sees them."""
    page: list[tuple[str, str]] = []

    async def work(port: int) -> None:
        request = urllib.request.Request(f"http://127.0.0.1:{port}/metrics", headers={"Accept": accept})

        def get() -> None:
            with urllib.request.urlopen(request, timeout=10) as answer:
                page.append((answer.read().decode(), answer.headers["Content-Type"]))

        await asyncio.to_thread(get)

    asyncio.run(served(work))
    return page[0]


@pytest.mark.parametrize(("accept", "read"), [("", read_text), ("application/openmetrics-text", read_open)])
def test_prometheus_own_parser_reads_every_figure(accept: str, read: Callable[[str], Any]) -> None:
    text, kind = scraped(accept)
    assert ("openmetrics" in kind) == bool(accept)
    found = {
        (sample.name, *sorted(sample.labels.items())): sample.value
        for family in read(text)
        for sample in family.samples
    }
    wanted = {
        (
            family.name + "_total" * (family.kind == "counter"),
            *sorted(zip(family.labels, labels, strict=True)),
        ): value
        for family in families(document())
        for labels, value in family.samples
    }
    assert found == wanted
    assert found[f"{PREFIX}device_up", ("bus", "riser-a"), ("device", "smoke-1")] == 1.0
    assert found[f"{PREFIX}door_state", ("door", "gate-1-1"), ("state", "locked")] == 1.0
    assert found[f"{PREFIX}alerts_open", ("severity", "major")] == 2.0
    assert found[f"{PREFIX}board_temperature_celsius",] == 48.0


@pytest.mark.skipif(shutil.which("promtool") is None, reason="no promtool (Debian: prometheus)")
def test_promtool_has_nothing_to_say_against_the_names() -> None:
    text, _ = scraped()
    done = subprocess.run(
        ["promtool", "check", "metrics"], input=text, capture_output=True, text=True, check=False, timeout=60
    )
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


@pytest.mark.skipif(shutil.which("promtool") is None, reason="no promtool (Debian: prometheus)")
def test_promtool_would_have_found_a_bad_name() -> None:
    bad = "# HELP x_total a\n# TYPE x_total gauge\nx_total 1\n"
    done = subprocess.run(
        ["promtool", "check", "metrics"], input=bad, capture_output=True, text=True, check=False
    )
    assert done.returncode != 0


def test_every_part_of_the_document_has_its_figures() -> None:
    names = {family.name.removeprefix(PREFIX).partition("_")[0] for family in families(document())}
    parts = {
        "bus",
        "device",
        "camera",
        "door",
        "journal",
        "uplink",
        "alerts",
        "board",
        "service",
        "evidence",
        "access",
    }
    assert parts <= names


def test_what_the_document_does_not_have_is_no_zero() -> None:
    told = document()
    told["uplink"], told["board"] = None, {}
    told["buses"][0]["devices"][0]["last_good_ago_s"] = None
    names = {family.name for family in families(told)}
    assert not any(name.startswith((f"{PREFIX}uplink", f"{PREFIX}board")) for name in names)
    assert f"{PREFIX}device_last_good_age_seconds" not in names


def test_the_same_key_is_never_told_under_two_names_nor_two_under_one() -> None:
    names = [family.name for family in families(document())]
    assert len(names) == len(set(names))


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n", b"200"),
        (b"GET /metrics?x=1 HTTP/1.0\r\n\r\n", b"200"),
        (b"GET /secret HTTP/1.1\r\n\r\n", b"404"),
        (b"POST /metrics HTTP/1.1\r\n\r\n", b"405"),
        (b"nonsense\r\n\r\n", b"400"),
        (b"GET /metrics", b"400"),
        (b"GET /metrics HTTP/1.1\r\nX: " + b"a" * 9000 + b"\r\n\r\n", b"400"),
        (b"GET /metrics HTTP/1.1\r\nAccept: application/openmetrics-text; version=x\r\n\r\n", b"200"),
    ],
)
def test_a_request_is_answered_or_refused_in_order(request_: bytes, status: bytes) -> None:
    async def work(port: int) -> None:
        answer = await asked(port, request_)
        assert answer.startswith(b"HTTP/1.1 " + status), answer[:80]

    asyncio.run(served(work))


@settings(max_examples=25, deadline=None)
@given(st.binary(max_size=300))
def test_whatever_bytes_come_the_next_reader_is_served(noise: bytes) -> None:
    async def work(port: int) -> None:
        await asked(port, noise)
        await asked(port, b"GET /metrics HTTP/1.1\r\nAccept: " + noise.replace(b"\r", b"") + b"\r\n\r\n")
        assert (await asked(port, b"GET /metrics HTTP/1.1\r\n\r\n")).startswith(b"HTTP/1.1 200")

    asyncio.run(served(work))


def test_more_readers_than_there_can_be_are_sent_away() -> None:
    async def work(port: int) -> None:
        idle = [await asyncio.open_connection("127.0.0.1", port) for _ in range(MOST_CLIENTS)]
        while not (answer := await asked(port, b"GET /metrics HTTP/1.1\r\n\r\n")).startswith(b"HTTP/1.1 503"):
            assert answer.startswith(b"HTTP/1.1 200")  # those before us are being taken in
        for _, writer in idle:
            writer.close()

    asyncio.run(served(work))


# --- where it listens -----------------------------------------------------------------------------

BASE = '[gateway]\nid = "hxtp-01"\nstate_dir = "state"\n[[bus]]\nname = "a"\nport = "socket://127.0.0.1:9"\n'


@pytest.mark.parametrize(
    ("listen", "where"),
    [
        ("127.0.0.1:9108", ("127.0.0.1", 9108)),
        ("localhost:1", ("127.0.0.1", 1)),
        ("[::1]:9108", ("::1", 9108)),
        ("0.0.0.0:80", ("0.0.0.0", 80)),
        ("::1:9108", None), ("9108", None), ("127.0.0.1", None), ("127.0.0.1:0", None), ("127.0.0.1:65536", None),
        ("example:9108", None), ("[127.0.0.1]:80", None), ("127.0.0.1:８", None), ("", None),
    ],
)  # fmt: skip
def test_an_address_is_read_or_refused(listen: str, where: tuple[str, int] | None) -> None:
    assert address(listen) == where


@pytest.mark.parametrize(
    ("listen", "warning", "error"),
    [
        ("127.0.0.1:9108", 0, 0),
        ("[::1]:9108", 0, 0),
        ("0.0.0.0:9108", 1, 0),
        ("192.168.1.5:9108", 1, 0),
        ("9108", 0, 1),
    ],
)
def test_check_warns_of_a_port_that_others_can_read(
    tmp_path: Path, listen: str, warning: int, error: int
) -> None:
    file = tmp_path / "gateway.toml"
    file.write_text(f'{BASE}[metrics]\nlisten = "{listen}"\n', encoding="utf-8")
    faults = [fault for fault in configuration.check(file).faults if fault.key == "metrics.listen"]
    assert (sum(fault.warning for fault in faults), sum(not fault.warning for fault in faults)) == (
        warning,
        error,
    )


def loads_it(tmp_path: Path, more: str) -> bool:
    """Run a gateway until it is ready, in a process of its own; return whether prometheus-client was loaded."""
    file = tmp_path / "gateway.toml"
    file.write_text(BASE + more, encoding="utf-8")
    script = (
        "import asyncio, sys\n"
        "from pathlib import Path\n"
        "from gateway import app, configuration\n"
        "async def main():\n"
        "    stop = asyncio.Event()\n"
        f"    await app.serve(configuration.load(Path({str(file)!r})), stop=stop, ready=stop.set)\n"
        "asyncio.run(main())\n"
        "print('prometheus_client' in sys.modules)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip() == "True"


def test_it_is_off_unless_somebody_asks_for_it_and_then_its_library_is_not_even_loaded(
    tmp_path: Path,
) -> None:
    assert importlib.util.find_spec("prometheus_client") is not None
    assert not loads_it(tmp_path, "")
    assert loads_it(tmp_path, f'[metrics]\nlisten = "127.0.0.1:{free_port()}"\n')


def test_a_real_gateway_is_scraped(tmp_path: Path) -> None:
    from gateway import app

    port = free_port()
    file = tmp_path / "gateway.toml"
    file.write_text(f'{BASE}[metrics]\nlisten = "127.0.0.1:{port}"\n', encoding="utf-8")
    page: list[bytes] = []

    async def scenario() -> None:
        stop = asyncio.Event()
        async with asyncio.timeout(30), asyncio.TaskGroup() as group:
            group.create_task(app.serve(configuration.load(file), stop=stop))
            while not page:
                await asyncio.sleep(0.02)
                try:
                    page.append(await asked(port, b"GET /metrics HTTP/1.1\r\n\r\n"))
                except OSError:
                    continue
            stop.set()

    asyncio.run(scenario())
    text = page[0].partition(b"\r\n\r\n")[2].decode()
    samples = {sample.name: sample for family in read_text(text) for sample in family.samples}
    assert samples[f"{PREFIX}info"].labels["gateway"] == "hxtp-01"
    assert f"{PREFIX}journal_rows" in samples
    assert f"{PREFIX}service_running" in samples


def test_the_document_is_not_changed_by_being_read() -> None:
    told = document()
    before = copy.deepcopy(told)
    families(told)
    assert told == before


def test_a_port_that_is_taken_is_an_error_the_supervisor_can_show() -> None:
    async def work(port: int) -> None:
        with pytest.raises(OSError, match="in use"):
            await Metrics("127.0.0.1", port, document).run()

    asyncio.run(served(work))


def test_a_missing_page_is_an_http_error_to_any_client() -> None:
    async def work(port: int) -> None:
        def get() -> None:
            with pytest.raises(urllib.error.HTTPError):
                urllib.request.urlopen(f"http://127.0.0.1:{port}/else", timeout=10)

        await asyncio.to_thread(get)

    asyncio.run(served(work))
