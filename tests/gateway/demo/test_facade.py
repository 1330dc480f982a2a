"""The demo's camera: its film, its stream that never ends, and the bottle on the page with its still."""

import asyncio
import json
import os
import re
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from gateway.demo import facade as facades
from gateway.demo.facade import Facade, Film, facade
from gateway.demo.play import Options, demo
from gateway.demo.site import camera
from gateway.runtime.loop import run
from gateway.vision.frames import open_source
from gateway.vision.sight import Fall, Frame, Outlook
from gateway.vision.tubelet import Tubelet
from gateway.vision.watcher import Watcher
from tests.broker import DEADLINE_S, needs_mosquitto, until

THROW = 'title = { zh = "瓶", en = "Bottle" }\n[[scene]]\nat_s = 0\ndo = "throw"\ntarget = "facade"\n'
AGAIN = THROW + '[[scene]]\nat_s = 45\ndo = "throw"\ntarget = "facade"\n'
"""On a machine with much else to do the first may fall before anybody looks."""
VIEW = facades.view()
DOOR = re.compile(r"http://localhost:\d+/pair#[\w-]+")


class Sure:
    """A judge that takes everything for a fall."""

    def classify(self, tubelets: Sequence[Tubelet]) -> NDArray[np.float32]:
        return np.tile(np.array([0.99, 0, 0, 0, 0], np.float32), (len(tubelets), 1))


@pytest.fixture(scope="module")
def streamed(tmp_path_factory: pytest.TempPathFactory) -> list[Frame]:
    """What a decoder makes of the stream: all quiet parts twice, the fall, and one quiet part more."""
    film = Film()
    path = tmp_path_factory.mktemp("facade") / "stream.ts"
    parts = [*film.quiet, *film.quiet, film.fall, film.quiet[0]]
    played_s = 0.0
    with path.open("wb") as file:
        for part in parts:
            for picture in part.pictures:
                file.write(film.encoded(picture, played_s + picture.at_s))
            played_s += part.lasts_s
    with open_source(str(path)) as source:
        frames = [Frame(each.index, each.time_s, each.luma.copy()) for each in source]
        assert source.statistics.corrupt == 0
    return frames


def test_the_film_is_small_enough_to_be_shipped() -> None:
    film = Path(facades.__file__).with_name("facade.mp4")
    assert film.stat().st_size <= 900_000
    assert {"watch", "floors"} < VIEW.keys()


def test_the_stream_runs_on_over_every_seam(streamed: list[Frame]) -> None:
    steps = np.diff([frame.time_s for frame in streamed])
    assert len(streamed) == 25 * (5 + 5 + 7 + 1)
    assert steps.min() == pytest.approx(0.04, abs=0.002)
    assert steps.max() == pytest.approx(0.04, abs=0.002)


def test_what_falls_is_seen_once_and_from_its_floor(streamed: list[Frame]) -> None:
    outlook = Outlook(
        watch=tuple((x, y) for x, y in VIEW["watch"]),
        floors=tuple((each["y"], each["floor"]) for each in VIEW["floors"]),
    )
    watcher = Watcher(Sure(), threshold=0.5, outlook=outlook)
    falls: list[Fall] = [fall for frame in streamed for fall in watcher.feed(frame)]
    (fall,) = [*falls, *watcher.finish()]
    assert 10.5 < fall.t_start < 12.0
    assert fall.origin is not None
    assert fall.origin.floor == VIEW["floor"]


def test_what_is_thrown_is_kept_for_the_first_who_looks() -> None:

    async def main() -> tuple[bytes, int]:
        async with facade() as hanging:
            hanging.throw()
            port = int(hanging.url.rpartition(":")[2].partition("/")[0])
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(b"GET /facade.ts HTTP/1.0\r\n\r\n")
            head = await reader.readuntil(b"\r\n\r\n")
            await reader.readexactly(188)
            writer.close()
            return head, hanging.thrown - hanging.shown

    head, waiting = run(main())
    assert b"200 OK" in head
    assert b"video/mp2t" in head
    assert waiting == 1


def test_its_table_says_where_it_looks_and_where_the_floors_are() -> None:
    table = camera("facade", Facade().url, building="2", view=VIEW)
    assert table["place"] == {"building": "2"}
    assert table["floors"] == VIEW["floors"]


@needs_mosquitto
def test_without_the_vision_parts_the_bottle_is_skipped_in_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "onnxruntime", None)  # as Python says that there is none
    script = tmp_path / "story.toml"
    script.write_text(THROW, encoding="utf-8")
    assert run(demo(Options(port=0, script=script, seconds=1.0))) == 0
    written = capsys.readouterr().out
    assert written.count("no camera can be watched here") == 1
    assert "摄像头 camera" not in written


@pytest.fixture
def door(tmp_path: Path) -> Iterator[str]:
    """The address that lets a phone in to a demo in which a bottle is thrown."""
    script, written = tmp_path / "story.toml", tmp_path / "written"
    script.write_text(AGAIN, encoding="utf-8")
    command = [sys.executable, "-m", "gateway", "demo", "--port", "0"]
    command += ["--script", str(script), "--seconds", "180"]
    environment = {**os.environ, "COLUMNS": "200"}
    with written.open("wb") as output:
        process = subprocess.Popen(command, stdout=output, env=environment)
    try:
        until(lambda: DOOR.search(written.read_text(encoding="utf-8")), what="the address")
        found = DOOR.search(written.read_text(encoding="utf-8"))
        assert found
        yield found[0]
    finally:
        process.terminate()
        ended = process.wait(DEADLINE_S)
    assert ended == 0


def let_in(door: str) -> tuple[str, str]:
    """Let a phone in; return the address of its desk and its cookie."""
    url, _, token = door.partition("/pair#")
    request = urllib.request.Request(
        f"{url}/api/pair", json.dumps({"token": token}).encode(), {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=10) as answer:
        return url, answer.headers["Set-Cookie"].partition(";")[0]


def get(url: str, cookie: str) -> bytes:
    with urllib.request.urlopen(
        urllib.request.Request(url, headers={"Cookie": cookie}), timeout=10
    ) as answer:
        return bytes(answer.read())


@needs_mosquitto
def test_the_bottle_comes_to_the_desk_with_its_still_and_its_clip(door: str) -> None:
    url, cookie = let_in(door)

    found: list[dict[str, Any]] = []

    def whole() -> bool:
        try:
            page = json.loads(get(f"{url}/api/alerts", cookie))
        except urllib.error.HTTPError as error:
            error.close()
            return False  # asked too often
        found[:] = [each for each in page["alerts"] if each["kind"] == "falling.object"]
        return any(len(each["evidence"]) == 2 for each in found)

    until(whole, within_s=150, what="the fall with its still and its clip")
    assert len(found) <= 2
    alert = next(each for each in found if len(each["evidence"]) == 2)
    assert (alert["place"]["building"], alert["place"]["floor"]) == ("2", str(VIEW["floor"]))
    assert alert["zh"] == "2 栋 7 楼附近有高空抛物"
    assert {each["kind"] for each in alert["evidence"]} == {"still", "clip"}
