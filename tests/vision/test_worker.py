"""The camera's own process: frame loop, overload, heartbeats, and the whole way from a film to still and clip."""

import contextlib
import hashlib
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import av
import cv2
import msgspec
import numpy as np
import pytest

from gateway.vision import lookout as looking_out
from gateway.vision import still, worker
from gateway.vision.adapting import AdaptedWatcher
from gateway.vision.backlog import FRAMES, Arrival, Backlog
from gateway.vision.intake import Intake
from gateway.vision.lookout import Health, LiveWatching, Lookout
from gateway.vision.messages import (
    Heartbeat,
    Inbox,
    Kept,
    Link,
    Missing,
    Picture,
    Seen,
    Setup,
    Up,
    View,
    encode,
)
from gateway.vision.picture import PictureState
from gateway.vision.ring import Ring
from gateway.vision.sight import Fall, Frame, Origin
from tests.vision import clips, keeping
from tests.vision.street import falling, film
from tests.vision.test_watcher import Sure

TIMES = clips.steady(3.0)
MB = 1024 * 1024


class Knows:
    """A watcher that knows when the thing falls: a fall is told with the frame it is decided at."""

    def __init__(self, fall: Fall | None = None) -> None:
        self.seen: list[int] = []
        self._fall = fall or clips.fall(TIMES, origin=Origin(7, 6, 8))

    def feed(self, frame: Frame) -> list[Fall]:
        self.seen.append(frame.index)
        return [self._fall] if frame.index == self._fall.track[-1].frame + 2 else []

    def finish(self) -> list[Fall]:
        return []

    def pause(self) -> list[Fall]:
        return []


class Tells:
    """A watcher that tells these falls with the frames of these numbers."""

    def __init__(self, falls: Mapping[int, list[Fall]]) -> None:
        self._falls = falls

    def feed(self, frame: Frame) -> list[Fall]:
        return self._falls.get(frame.index, [])

    def finish(self) -> list[Fall]:
        return []

    def pause(self) -> list[Fall]:
        return self._falls.get(-1, [])


class Well:
    """A picture that is always fine."""

    state = PictureState("fine", 0.0)

    def look(self, _luma: object, _time_s: float) -> None:
        return None

    def view(self) -> None:
        return None


class Moved(Well):
    """One that was out of focus before, and is moved with the first picture."""

    state = PictureState("defocused", 0.0)

    def look(self, _luma: object, _time_s: float) -> PictureState | None:  # type: ignore[override]
        self.state, before = PictureState("moved", 0.0), self.state
        return self.state if before.what != "moved" else None

    def view(self) -> View:  # type: ignore[override]
        return VIEW


WELL = Well()
VIEW = View(3, 2, bytes(range(6)), 0.5, 4.0, 2.0, 0.9)


def setup(folder: Path) -> Setup:
    return msgspec.structs.replace(keeping.setup(folder), room=MB)


def blank(index: int) -> Frame:
    return Frame(index, index / 25, np.zeros((48, 64), np.uint8))


def lookout(
    folder: Path, sent: list[Up], *, watcher: LiveWatching, ring: Ring | None = None, health: Health = WELL
) -> Lookout:
    return Lookout(setup(folder), send=sent.append, watcher=watcher, health=health, ring=ring or Ring())


def test_the_gateway_is_given_the_view_that_is_missed_before_it_is_told_so(tmp_path: Path) -> None:
    sent = list[Up]()
    looking = lookout(tmp_path, sent, watcher=Knows(), health=Moved())
    looking.go_round(0.0)
    before = looking.heartbeat(decode_errors=0, rss_bytes=1)
    for index in range(3):
        looking.decoded(blank(index))
        looking.go_round(0.0)
    after = looking.heartbeat(decode_errors=0, rss_bytes=1)
    assert sent == [VIEW, Picture("moved")]
    assert [beat.picture for beat in (before, after) if beat] == ["defocused", "moved"]


def until(condition: Callable[[], object], within_s: float = 10.0) -> None:
    end = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_a_watcher_that_cannot_keep_up_sees_the_newest_frames_and_counts_the_others(tmp_path: Path) -> None:
    watcher, sent = Knows(), list[Up]()
    looking = lookout(tmp_path, sent, watcher=watcher)
    for index in range(100):
        looking.decoded(blank(index))
    while looking.go_round(0.0):
        pass
    assert watcher.seen == list(range(100 - FRAMES, 100))
    beat = looking.heartbeat(decode_errors=3, rss_bytes=5)
    assert beat is not None
    assert (beat.frames, beat.dropped, beat.decode_errors) == (FRAMES, 100 - FRAMES, 3)


def test_the_heart_beats_without_frames_and_not_without_rounds(tmp_path: Path) -> None:
    looking = lookout(tmp_path, [], watcher=Knows())
    looking.go_round(0.0)
    assert looking.heartbeat(decode_errors=0, rss_bytes=0) is not None
    assert looking.heartbeat(decode_errors=0, rss_bytes=0) is None
    looking.go_round(0.0)
    assert looking.heartbeat(decode_errors=0, rss_bytes=0) is not None


def test_a_backlog_wakes_who_waits_and_remembers_when_frames_came() -> None:
    backlog = Backlog()
    threading.Timer(0.05, lambda: backlog.put(Arrival(blank(7), 123.0))).start()
    arrival = backlog.get(5.0)
    assert arrival is not None
    assert arrival.frame.index == 7
    assert backlog.arrived(7) == 123.0
    assert backlog.arrived(8) is None


def test_a_frame_that_waits_behind_another_holds_no_buffer_of_the_decoder() -> None:
    backlog, frames = Backlog(), [Frame(i, i / 25, luma) for i, luma in enumerate(clips.pictures(TIMES[:3]))]
    for frame in frames:
        backlog.put(Arrival(frame, 0.0))
    taken = [arrival.frame for _ in frames if (arrival := backlog.get(0.0))]
    assert [np.shares_memory(a.luma, b.luma) for a, b in zip(frames, taken, strict=True)] == [
        True,
        False,
        False,
    ]
    assert all(np.array_equal(a.luma, b.luma) for a, b in zip(frames, taken, strict=True))


def test_a_fall_is_sent_at_once_with_the_sum_of_a_still_that_is_written_after(tmp_path: Path) -> None:
    sent: list[Up] = []
    looking = lookout(tmp_path, sent, watcher=Knows())
    for index, luma in enumerate(clips.pictures(TIMES)):
        looking.decoded(Frame(index, TIMES[index], luma))
        looking.go_round(0.0)
    (seen,) = sent
    assert isinstance(seen, Seen)
    assert (seen.floor, seen.low, seen.high) == (7, 6, 8)
    assert 0 <= time.monotonic() - seen.seen_at < 10
    looking.recorder.start()
    until(lambda: len(sent) == 2)
    assert sent[1] == Kept(seen.fall, "still", str(seen.still))
    assert (tmp_path / "evidence" / f"{seen.still}.jpg").exists()


def part(fall: Fall, spots: int, number: int = 1) -> Fall:
    return replace(fall, track=fall.track[:spots], number=number)


def stills(folder: Path, falls: Mapping[int, list[Fall]]) -> tuple[list[Seen], list[Kept]]:
    """Return what a lookout whose watcher tells these falls sends of them."""
    sent: list[Up] = []
    looking = lookout(folder, sent, watcher=Tells(falls))
    for index, luma in enumerate(clips.pictures(TIMES)):
        looking.decoded(Frame(index, TIMES[index], luma))
        looking.go_round(0.0)
    looking.recorder.start()
    looking.recorder.finish(10.0)
    return [each for each in sent if isinstance(each, Seen)], [
        each for each in sent if isinstance(each, Kept)
    ]


def test_a_fall_that_went_on_after_it_was_told_gets_a_second_still_of_the_whole_way(tmp_path: Path) -> None:
    whole = clips.fall(TIMES)
    (seen,), (first, second) = stills(tmp_path, {50: [part(whole, 12)], 70: [part(whole, len(whole.track))]})
    assert (first.fall, first.sha256, second.fall, second.what) == (seen.fall, seen.still, seen.fall, "still")
    one, two = (
        np.asarray(cv2.imread(str(tmp_path / "evidence" / f"{each.sha256}.jpg")), np.int16)
        for each in (first, second)
    )
    red = [np.flatnonzero((each[..., 2] - each[..., 0] > 80)[:400].any(axis=1)) for each in (one, two)]
    assert red[1][-1] > red[0][-1] + 50, "the track is drawn further down"


@pytest.mark.parametrize("more", [0, 2])
def test_a_fall_of_whose_way_hardly_more_is_known_gets_no_second_still(tmp_path: Path, more: int) -> None:
    whole = clips.fall(TIMES)
    seen, kept = stills(tmp_path, {50: [part(whole, 20)], 70: [part(whole, 20 + more)]})
    assert (len(seen), len(kept)) == (1, 1)


def test_a_fall_told_by_its_image_in_the_glass_gets_a_second_still_of_the_thing(tmp_path: Path) -> None:
    thing = clips.fall(TIMES)
    image = tuple(replace(spot, x=spot.x + 90, y=spot.y + 40) for spot in thing.track)
    seen, kept = stills(
        tmp_path, {50: [replace(thing, track=image, number=1)], 70: [replace(thing, number=1)]}
    )
    assert (len(seen), len(kept)) == (1, 2)


def test_a_fall_too_many_in_a_minute_is_not_told_when_its_whole_way_is_known(tmp_path: Path) -> None:
    whole = clips.fall(TIMES)
    most = setup(tmp_path).max_falls_per_minute
    first = [part(whole, 12, number) for number in range(1, most + 2)]
    seen, kept = stills(tmp_path, {50: first, 70: [replace(whole, number=most + 1)]})
    assert (len(seen), len(kept)) == (most, most)


def test_a_fall_in_flight_when_the_camera_breaks_off_is_told_without_waiting_for_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(looking_out, "LULL_S", 0.0)
    sent: list[Up] = []
    looking = lookout(tmp_path, sent, watcher=Tells({-1: [clips.fall(TIMES)]}))
    looking.go_round(0.0)
    assert sent == [], "nothing was in flight before the first frame"
    for index, luma in enumerate(clips.pictures(TIMES)):
        looking.decoded(Frame(index, TIMES[index], luma))
        looking.go_round(0.0)
    assert sent == []
    looking.go_round(0.0)
    looking.go_round(0.0)
    (seen,) = sent
    assert isinstance(seen, Seen)
    assert seen.still


def test_the_real_watcher_judges_what_is_in_flight_in_a_lull_and_watches_on() -> None:
    way = falling(330.3, 60.0, at_s=1.4)
    frames = list(film(way))
    whole = AdaptedWatcher(Sure(), threshold=0.5, at_once=True)
    told = next(frame.index for frame in frames if whole.feed(frame))
    watcher = AdaptedWatcher(Sure(), threshold=0.5, at_once=True)
    assert [fall for frame in frames[: told - 3] for fall in watcher.feed(frame)] == []
    assert [fall.number for fall in watcher.pause()] == [1]
    assert watcher.pause() == []
    later = [replace(frame, index=frame.index + 500, time_s=frame.time_s + 20) for frame in frames]
    assert [fall.number for frame in later for fall in watcher.feed(frame)] == [2]


def test_what_is_still_to_be_written_is_written_when_nobody_hears_of_it_any_more(tmp_path: Path) -> None:
    ours, theirs = socket.socketpair()
    line = worker.Line(theirs)
    looking = Lookout(setup(tmp_path), send=line.send, watcher=Knows(), health=Well(), ring=Ring())
    for number in range(3):
        data = f"still {number}".encode()
        looking.recorder.still(f"fall-{number}", data, hashlib.sha256(data).hexdigest())
    ours.close()
    line.end()
    looking.recorder.start()
    looking.recorder.finish(5.0)
    theirs.close()
    assert len(list((tmp_path / "evidence").glob("*.jpg"))) == 3


def test_a_fall_for_whose_still_there_is_no_thread_left_is_told_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As under `TasksMax` of the unit."""

    def refused(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    sent: list[Up] = []
    looking = lookout(tmp_path, sent, watcher=Knows())
    monkeypatch.setattr(threading.Thread, "start", refused)
    for index, luma in enumerate(clips.pictures(TIMES)):
        looking.decoded(Frame(index, TIMES[index], luma))
        looking.go_round(0.0)
    seen, missing = sent
    assert isinstance(seen, Seen)
    assert missing == Missing(seen.fall, "still", "can't start new thread")


def test_a_fall_whose_still_cannot_be_drawn_is_told_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[Up] = []
    fall = clips.fall(TIMES)
    looking = lookout(tmp_path, sent, watcher=Knows(fall))
    last = fall.track[-1].frame + 2
    monkeypatch.setattr(still, "QUALITY", "no number")
    looking.decoded(blank(last))
    looking.go_round(0.0)
    seen, missing = sent
    assert isinstance(seen, Seen)
    assert seen.still is None
    assert isinstance(missing, Missing)


def test_a_film_becomes_a_still_and_a_clip_that_plays(tmp_path: Path) -> None:
    """A clock that runs fast: the film is played at its own speed by it."""
    sent: list[Up] = []
    ring = Ring()
    looking = lookout(tmp_path, sent, watcher=Knows(), ring=ring)
    looking.recorder.start()
    film = clips.film(tmp_path / "film.mp4", seconds=14.0)
    given = msgspec.structs.replace(setup(tmp_path), url=str(film), password="")

    class Enough(Exception):  # noqa: N818
        pass

    def take(frame: Frame) -> None:
        looking.decoded(frame)
        looking.go_round(0.0)
        if frame.time_s > 13.5:
            raise Enough

    intake = Intake(given, ring, send=sent.append, take=take, clock=time.monotonic, sleep=lambda _s: None)
    with contextlib.suppress(Enough):
        intake.run()
    until(lambda: len([each for each in sent if isinstance(each, Kept)]) == 2)
    assert sent[0] == Link(up=True, reason="")
    clip = next(each for each in sent if isinstance(each, Kept) and each.what == "clip")
    with av.open(str(tmp_path / "evidence" / f"{clip.sha256}.mp4")) as container:
        times = [frame.time for frame in container.decode(video=0) if frame.time is not None]
    assert max(times) - min(times) > 11


class Running:
    """The real process at the other end of a socket."""

    def __init__(self, given: Setup, *how: str) -> None:
        self.ours, theirs = socket.socketpair()
        command = [sys.executable, *(how or ("-m", "gateway.vision.worker")), given.camera]
        with theirs:
            self.process = subprocess.Popen(
                command,
                stdin=theirs.fileno(),
                stderr=subprocess.PIPE,
                env={**os.environ, "ORT_DISABLE_TELEMETRY": "1"},
            )
        self.ours.sendall(encode(given))

    def end(self) -> int:
        self.ours.close()
        assert self.process.stderr is not None
        self.process.stderr.close()
        return int(self.process.wait(10))


def heartbeats(data: bytes) -> list[Heartbeat]:
    return [each for each in Inbox(0.0).take(data, 0.0) if isinstance(each, Heartbeat)]


def test_the_real_process_watches_a_film_beats_and_ends_with_the_gateway(tmp_path: Path) -> None:
    film = clips.film(tmp_path / "film.mp4", seconds=4.0, drops=False)
    running = Running(msgspec.structs.replace(setup(tmp_path), url=str(film), password="secret-word"))
    data = b""
    while len(heartbeats(data)) < 2:
        data += running.ours.recv(65536)
    command = Path(f"/proc/{running.process.pid}/cmdline").read_bytes()
    name = Path(f"/proc/{running.process.pid}/comm").read_text()
    assert b"secret-word" not in command
    assert name == "cam:north\n"
    assert running.end() == 0
