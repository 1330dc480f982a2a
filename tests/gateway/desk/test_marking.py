"""The marking page's server: nothing without the token, nothing too large, and a picture anew when asked."""

import asyncio
import json
from collections.abc import Mapping

import pytest

from drivers.api import Text
from gateway.core.marks import Marks
from gateway.desk.marking import (
    ALPHABET,
    LARGEST,
    PAGE,
    PRIVATE,
    TOKEN_LENGTH,
    MarkingServer,
    NoPictureError,
    Picture,
)

SEEN = Picture(b"\xff\xd8\xff one", 640, 480)
LATER = Picture(b"\xff\xd8\xff two", 1280, 720)


def judge(marks: Marks, picture: Picture) -> Mapping[str, object]:
    return {"floors": len(marks.floors), "width": picture.width}


async def look() -> Picture:
    return LATER


async def look_in_vain() -> Picture:
    raise NoPictureError(Text("没有画面", "no picture"))


@pytest.fixture
def server() -> MarkingServer:
    return MarkingServer(SEEN, camera={"name": "north"}, look=look, judge=judge)


async def answer(
    server: MarkingServer, path: str, body: bytes | None = None
) -> tuple[int, dict[str, str], bytes]:
    """Ask an ASGI app (its specification 3.0) and return status, headers and body."""
    sent: list[dict[str, object]] = []
    scope = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "GET" if body is None else "POST",
        "scheme": "http", "path": path, "raw_path": path.encode(), "query_string": b"", "root_path": "", "headers": [],
    }  # fmt: skip

    left = [{"type": "http.request", "body": body or b"", "more_body": False}]

    async def receive() -> dict[str, object]:
        if not left:
            await asyncio.Event().wait()  # nobody hangs up
        return left.pop()

    async def send(message: dict[str, object]) -> None:
        sent.append(message)

    await server.app(scope, receive, send)  # type: ignore[arg-type]  # its messages are wider than ours
    start, *rest = sent
    headers = {key.decode(): value.decode() for key, value in start["headers"]}  # type: ignore[attr-defined]
    return int(str(start["status"])), headers, b"".join(bytes(part.get("body", b"")) for part in rest)  # type: ignore[call-overload]


def ask(server: MarkingServer, name: str, body: bytes | None = None) -> tuple[int, dict[str, str], bytes]:
    return asyncio.run(answer(server, f"/{server.token}/{name}", body))


def test_every_file_the_page_names_is_served_and_says_that_it_is_private(server: MarkingServer) -> None:
    status, headers, page = ask(server, "")
    assert status == 200
    assert {name: headers[name.lower()] for name in PRIVATE} == PRIVATE
    for name in ("page.css", "marks.css", "marks.js"):
        assert f'"{name}"' in page.decode()
    for name in (file.name for file in PAGE.glob("marks*.*")):
        if name != "marks.html":
            assert ask(server, name)[0] == 200, name


@pytest.mark.parametrize(
    "path", ["/", "/picture.jpg/", "/wrongtoken/picture.jpg", "/wr\u00f6ng/", "/wrongtoken/", "//picture.jpg"]
)
def test_without_the_token_there_is_nothing(server: MarkingServer, path: str) -> None:
    assert asyncio.run(answer(server, path))[0] == 404
    assert len(server.token) == TOKEN_LENGTH
    assert set(server.token) <= set(ALPHABET)


def test_no_two_pages_have_the_same_token(server: MarkingServer) -> None:
    other = MarkingServer(SEEN, camera={}, look=look, judge=judge)
    assert server.token != other.token


def test_the_page_is_told_of_the_camera_and_its_picture(server: MarkingServer) -> None:
    assert json.loads(ask(server, "camera.json")[2]) == {"name": "north", "width": 640, "height": 480}
    assert ask(server, "picture.jpg")[2] == SEEN.jpeg


def test_marks_are_judged(server: MarkingServer) -> None:
    status, _, told = ask(
        server, "judge", b'{"floors": [{"y": 1, "floor": 2}], "watch": [[1, 2]], "ignore": []}'
    )
    assert (status, json.loads(told)) == (200, {"floors": 1, "width": 640})


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"[]", 400),
        (b"[" * 60_000, 400),
        (b'{"floors": [{"y": 1e9, "floor": 1}]}', 400),
        (b'{"floors": [{"y": 1, "floor": NaN}]}', 400),
        (b'{"floors": [{"y": 1, "floor": 1e99}]}', 400),
        (b'{"watch": [[1, 2, 3]]}', 400),
        (b'{"watch": "' + b"x" * LARGEST + b'"}', 413),
        (b'{"other": 1}', 400),
    ],
)
def test_what_is_no_marks_is_refused(server: MarkingServer, body: bytes, status: int) -> None:
    assert ask(server, "judge", body)[0] == status


def test_a_new_picture_takes_the_place_of_the_old(server: MarkingServer) -> None:
    assert json.loads(ask(server, "look", b"")[2]) == {"width": 1280, "height": 720}
    assert ask(server, "picture.jpg")[2] == LATER.jpeg


def test_where_no_new_picture_comes_the_old_one_stays_and_both_languages_say_why() -> None:
    server = MarkingServer(SEEN, camera={}, look=look_in_vain, judge=judge)
    assert json.loads(ask(server, "look", b"")[2]) == {"error": {"zh": "没有画面", "en": "no picture"}}
    assert ask(server, "picture.jpg")[2] == SEEN.jpeg


def test_the_camera_is_asked_once_however_often_somebody_presses() -> None:
    asked = 0

    async def main() -> list[int]:
        ready = asyncio.Event()

        async def look_slowly() -> Picture:
            nonlocal asked
            asked += 1
            await ready.wait()
            return LATER

        server = MarkingServer(SEEN, camera={}, look=look_slowly, judge=judge)
        first = asyncio.create_task(answer(server, f"/{server.token}/look", b""))
        while not asked:
            await asyncio.sleep(0)
        second = await answer(server, f"/{server.token}/look", b"")
        ready.set()
        return [(await first)[0], second[0]]

    assert asyncio.run(main()) == [200, 409]
    assert asked == 1
