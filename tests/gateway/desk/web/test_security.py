"""What an attacker tries: headers, guessing, floods, bodies without end, names with dots, foreign pages, logs."""

import asyncio
import logging
import socket
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from gateway.desk import server
from gateway.desk.impatient import Impatient
from gateway.desk.routing import Directory
from gateway.desk.store import people, phones
from gateway.desk.web import endpoints, live
from gateway.desk.web.app import ENDPOINTS, WebServer
from gateway.desk.web.asking import COOKIE
from gateway.desk.web.endpoints import Asked, Endpoint
from gateway.desk.web.limits import Limit, Limiter, address_of
from gateway.desk.web.live import Live
from tests.desk_cases import ALL, CASES, HERE, STREAM
from tests.desk_parts import arrival
from tests.desk_web import HOST, Office, run

POLICY = "default-src 'self'"


def browser(office: Office, app: WebServer, address: str = "10.0.0.1") -> httpx.AsyncClient:
    """Return a browser at an address, at a server that others use as well."""
    transport = httpx.ASGITransport(app.app, client=(address, 50_000))
    made = httpx.AsyncClient(transport=transport, base_url=HOST)
    office.clients.append(made)
    return made


def test_every_answer_keeps_the_page_to_itself(where: str) -> None:
    async def body(office: Office) -> None:
        ticks = iter(range(1 << 30))
        office.parts.clock = lambda: float(next(ticks) * 100)
        admin = await office.phone("administrator-1")
        answers = [await admin.get(path) for path in ("/openapi.json", "/none-at-all", "/assets/0/none.js")]
        answers.append(await admin.delete("/api/alerts"))
        for endpoint in ALL:
            if (endpoint.method, endpoint.path) != STREAM:
                request = await CASES[endpoint.method, endpoint.path](office, HERE)
                answers.append(await admin.request(endpoint.method, request.path, **request.body))
        for answer in answers:
            policy = answer.headers["content-security-policy"]
            assert policy.startswith(POLICY) or "sandbox" in policy, answer.url
            assert "unsafe" not in policy, answer.url
            assert "frame-ancestors 'none'" in policy, answer.url
            assert answer.headers["x-content-type-options"] == "nosniff", answer.url
            assert answer.headers["cache-control"] == "no-store", answer.url
            assert answer.headers["referrer-policy"] == "no-referrer", answer.url

    run(where, body)


def test_a_page_that_fails_is_asked_for_again_by_the_browser_itself(where: str) -> None:
    async def fails(_: Asked) -> None:
        raise ZeroDivisionError

    async def body(office: Office) -> None:
        broken = [Endpoint("GET", "/", None, fails, "The phone page"), *ENDPOINTS]
        other = browser(office, WebServer(office.parts, broken))
        page = await other.get("/", headers={"accept": "text/html,*/*;q=0.8"})
        assert (page.status_code, page.headers["refresh"]) == (500, "5")
        assert "refresh" not in (await other.get("/api/me", headers={"accept": "text/html"})).headers
        assert "refresh" not in (await other.get("/")).headers

    run(where, body)


def test_an_endpoint_that_fails_costs_only_whoever_asked_and_is_in_the_log(
    where: str, caplog: pytest.LogCaptureFixture
) -> None:
    async def fails(_: Asked) -> None:
        raise ZeroDivisionError("secret of the inside")

    async def body(office: Office) -> None:
        broken = [replace(each, handle=fails) if each.path == "/api/me" else each for each in ENDPOINTS]
        client = await office.phone("warden-1")
        other = browser(office, WebServer(office.parts, broken))
        other.cookies = client.cookies
        answer = await other.get("/api/me")
        assert (answer.status_code, answer.json()["error"]) == (500, "broken")
        assert "secret of the inside" not in answer.text
        assert answer.headers["content-security-policy"].startswith(POLICY)
        assert (await other.get("/api/alerts")).status_code == 200

    run(where, body)
    assert "ZeroDivisionError" in caplog.text


def test_guessing_words_is_slow_from_one_address_and_from_all_together(where: str) -> None:
    async def body(office: Office) -> None:
        office.parts.clock = lambda: 0.0
        app = WebServer(office.parts)
        guess = {"token": "A" * 22}
        own = browser(office, app)
        codes = [(await own.post("/api/pair", json=guess)).json()["error"] for _ in range(12)]
        assert codes == ["token"] * 10 + ["often"] * 2
        tried = []
        for number in range(2, 102):
            other = browser(office, app, f"10.0.0.{number}")
            tried.append((await other.post("/api/pair", json=guess)).json()["error"])
        assert tried == ["token"] * 90 + ["often"] * 10

    run(where, body)


def test_a_flood_of_addresses_fills_no_memory_and_frees_nobody(where: str) -> None:
    limiter, limit = Limiter(most_known=100), Limit(2.0, 0.0)
    assert [limiter.take("guesser", limit, 0.0) for _ in range(3)] == [True, True, False]
    for number in range(1_000):
        limiter.take(f"other-{number}", limit, 0.0)
        assert not limiter.take("guesser", limit, 0.0)
    assert len(limiter._known) == 100


@pytest.mark.parametrize(
    ("host", "name"),
    [
        ("10.0.0.1", "10.0.0.1"),
        ("::ffff:10.0.0.1", "10.0.0.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("testclient", "testclient"),
    ],
)
def test_who_has_a_network_of_addresses_is_one_who_asks(host: str, name: str) -> None:
    from starlette.requests import Request

    assert address_of(Request({"type": "http", "client": (host, 1), "headers": []})) == name


def test_a_body_that_is_too_large_or_never_ends_is_refused(
    where: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def drops() -> AsyncIterator[bytes]:
        yield b'{"on": '
        await asyncio.Event().wait()

    async def body(office: Office) -> None:
        client = await office.phone("warden-1")
        large = await client.post("/api/me/duty", content=b" " * (endpoints.LARGEST + 1))
        assert (large.status_code, large.json()["error"]) == (413, "large")
        deep = await client.post("/api/me/duty", content=b"[" * 50_000)
        assert deep.status_code == 400
        monkeypatch.setattr(endpoints, "told", lambda request, _: endpoints.body(request, 100, 0.05))
        slow = await client.post("/api/me/duty", content=drops())
        assert (slow.status_code, slow.json()["error"]) == (408, "slow")

    run(where, body)


@pytest.mark.parametrize(
    "path",
    [
        "/assets/0/..%2f..%2fweb%2fapp.py",
        "/assets/0/%2e%2e/%2e%2e/service.py",
        "/assets/../service.py",
        "/assets/0/duty.html",
        "/assets/0/words.toml",
        "/assets/0/%00",
    ],
)
def test_no_name_leads_out_of_the_assets(where: str, path: str) -> None:
    async def body(office: Office) -> None:
        answer = await office.client().get(path)
        assert answer.status_code == 404
        assert len(answer.content) < 200

    run(where, body)


def test_a_browser_that_is_let_in_anew_needs_no_old_page_and_is_no_longer_what_it_was(where: str) -> None:
    async def body(office: Office) -> None:
        client = await office.phone("warden-1")
        old = client.cookies[COOKIE]
        answer = await client.post(
            "/api/pair", json={"token": await office.token("warden-2")}, headers={"x-desk": ""}
        )
        assert answer.json()["person"] == "warden-2"
        assert client.cookies[COOKIE] != old
        async with office.database.transaction() as transaction:
            assert await phones.known(transaction, old, office.at) is None
        foreign = {"origin": "http://elsewhere.test"}
        told = {"token": await office.token("warden-1")}
        assert (await client.post("/api/pair", json=told, headers=foreign)).json()["error"] == "csrf"

    run(where, body)


def test_no_stream_opens_without_a_phone_and_one_phone_has_only_so_many(where: str) -> None:
    async def body(office: Office) -> None:
        assert (await office.client().get("/api/events")).status_code == 401
        shared = await office.phone(None, HERE)
        assert (await shared.get("/api/events")).json()["error"] == "nobody"
        streams = [office.parts.live.follow("p", (HERE,), 0) for _ in range(live.MOST_OF_A_PHONE + 1)]
        for stream in streams:
            await anext(stream)
        with pytest.raises(StopAsyncIteration):
            await anext(streams[0])
        assert office.parts.live.streams == live.MOST_OF_A_PHONE
        office.parts.live.close()
        for stream in streams[1:]:
            with pytest.raises(StopAsyncIteration):
                await anext(stream)
        assert (office.parts.live.streams, office.parts.live._of_phone) == (0, {})

    run(where, body)


def test_no_secret_stands_in_the_log_of_a_whole_session(where: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    secrets: list[str] = []

    async def body(office: Office) -> None:
        await office.take(arrival(1))
        admin, client = await office.phone("administrator-1"), office.client()
        code = (await admin.post("/api/pairings", json={"person": "warden-1"})).json()
        me = (await client.post("/api/pair", json={"token": code["token"]})).json()
        await client.post("/api/pair", json={"token": code["token"]})
        client.headers["x-desk"] = me["csrf"]
        await client.get("/api/alerts")
        await client.post("/api/me/duty", json={"on": True})
        secrets.extend([code["token"], me["csrf"], client.cookies[COOKIE], admin.headers["x-desk"]])
        await client.post("/api/me/leave")

    run(where, body)
    assert len(secrets) == 4
    assert [secret for secret in secrets if secret in caplog.text] == []


@asynccontextmanager
async def served(office: Office) -> AsyncIterator[str]:
    """Serve the office on a socket, and return its path."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "web.sock"
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(str(path))
        listener.listen(512)
        task = asyncio.create_task(server.serve(WebServer(office.parts), listener=listener))
        try:
            yield str(path)
        finally:
            task.cancel()
            await asyncio.wait([task])
            listener.close()


async def ask(path: str, request: bytes) -> bytes:
    """Return the whole answer to a request."""
    reader, writer = await asyncio.open_unix_connection(path)
    writer.write(request)
    answer = await reader.read()
    writer.close()
    return answer


def test_idle_and_half_open_connections_stop_nobody_and_are_let_go(
    where: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Impatient, "patience_s", 0.5)

    async def body(office: Office) -> None:
        async with served(office) as path:
            held = []
            for number in range(200):
                reader, writer = await asyncio.open_unix_connection(path)
                writer.write((b"", b"GET /pair HTT", b"GET /pair HTTP/1.1\r\nHost: d\r\nX: ")[number % 3])
                held.append((reader, writer))
            whole = b"GET /pair HTTP/1.1\r\nHost: desk.test\r\nConnection: close\r\n\r\n"
            assert (await ask(path, whole)).startswith(b"HTTP/1.1 200")
            for reader, writer in held:
                assert await reader.read() == b""
                writer.close()

    run(where, body)


def test_a_stream_outlasts_the_patience_of_the_server(where: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Impatient, "patience_s", 0.05)
    monkeypatch.setattr(live, "BEAT_S", 0.3)

    async def body(office: Office) -> None:
        client = await office.phone("warden-1")
        office.parts.live = Live(office.database, office.parts.feed, office.parts.showing)
        running = asyncio.create_task(office.parts.live.run())
        async with served(office) as path:
            reader, writer = await asyncio.open_unix_connection(path)
            cookie = f"Cookie: {COOKIE}={client.cookies[COOKIE]}\r\n".encode()
            writer.write(b"GET /api/events HTTP/1.1\r\nHost: d\r\n" + cookie + b"\r\n")
            for _ in range(2):
                await reader.readuntil(b"event: beat")
            writer.close()
        running.cancel()
        await asyncio.wait([running])

    run(where, body)


def test_open_pages_are_looked_at_anew_when_somebody_is_taken_out_of_the_file(where: str) -> None:
    async def body(office: Office) -> None:
        everybody = await office.parts.people.everybody()
        fewer = Directory(
            {name: person for name, person in everybody.people.items() if name != "warden-1"},
            tuple(role for role in everybody.roles if role.person != "warden-1"),
            everybody.duties,
        )
        async with office.database.transaction() as transaction:
            assert not await people.replace(transaction, everybody)
            assert await people.replace(transaction, fewer)
            assert not await people.replace(transaction, fewer)

    run(where, body)


def test_the_word_of_one_phone_is_good_for_no_other(where: str) -> None:
    async def body(office: Office) -> None:
        own, other = await office.phone("warden-1"), await office.phone("warden-2")
        assert own.headers["x-desk"] != other.headers["x-desk"]
        own.headers["x-desk"] = other.headers["x-desk"]
        answer = await own.post("/api/me/duty", json={"on": True})
        assert (answer.status_code, answer.json()["error"]) == (403, "csrf")

    run(where, body)
