"""Evidence: the still shows the whole track, the store keeps its quota and what is needed, a full disk harms nobody."""

import hashlib
import json
import os
import threading
import time
from dataclasses import replace
from pathlib import Path

import cv2
import msgspec
import numpy as np
import pytest

from gateway.vision import still
from gateway.vision.evidence import JOBS, Recorder
from gateway.vision.messages import Kept, Missing, Up
from gateway.vision.sight import Frame, Luma
from gateway.vision.sizing import scaled
from gateway.vision.store import EvidenceStore, Facts, spare_bytes
from tests.small_files import files_of_at_most
from tests.vision import clips

MB = 1024 * 1024
TIMES = clips.steady(3.0)
WHEN = 1_795_508_130.0


def frames() -> list[Frame]:
    pictures = clips.pictures(TIMES)
    return [Frame(i, t, luma) for i, (t, luma) in enumerate(zip(TIMES, pictures, strict=True))]


FRAMES = frames()
FALL = clips.fall(TIMES)


def picture(*, privacy: bool = False, most_bytes: int = still.MOST_BYTES) -> Luma:
    glances = still.Glances(most_bytes=most_bytes)
    for frame in FRAMES:
        glances.look(frame)
    data = still.jpeg(FRAMES[-1], FALL, glances.during(FALL), title="building 2", when=WHEN, privacy=privacy)
    return np.asarray(cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR), np.uint8)


def test_the_still_shows_the_object_where_it_was_all_along_its_way() -> None:
    drawn = picture()
    sights = [spot for spot in FALL.track if spot.frame % 5 == 0]
    bright = [drawn[int(s.y) + 2 : int(s.y) + 5, int(s.x) + 4 : int(s.x) + 6].max() for s in sights]
    assert len(sights) >= 5
    assert min(bright) > 200
    assert FRAMES[-1].luma[int(sights[0].y) + 3, int(sights[0].x) + 3] < 200, "it is gone from the last frame"


def test_the_still_of_a_camera_of_many_pixels_is_as_large_as_what_is_watched_of_it() -> None:
    times = 6
    large = [
        replace(frame, luma=np.asarray(cv2.resize(frame.luma, None, fx=times, fy=times), np.uint8))
        for frame in FRAMES[::5]
    ]
    fall = replace(FALL, track=scaled(FALL.track, times, times))
    glances = still.Glances()
    for frame in large:
        glances.look(frame)
    data = still.jpeg(large[-1], fall, glances.during(fall), title="building 2", when=WHEN)
    drawn = np.asarray(cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR), np.uint8)
    assert drawn.shape == (960, 1280, 3)
    sights = [spot for spot in FALL.track if spot.frame % 5 == 0]
    bright = [
        drawn[2 * int(s.y) + 4 : 2 * int(s.y) + 10, 2 * int(s.x) + 8 : 2 * int(s.x) + 12].max()
        for s in sights
    ]
    assert min(bright) > 200
    coloured = np.abs(drawn[..., 2].astype(int) - drawn[..., 0]) > 80
    assert coloured[:, 580:660].any(axis=1).sum() > 400


def test_the_track_is_drawn_in_colour_and_the_caption_is_there() -> None:
    drawn = picture().astype(int)
    coloured = np.abs(drawn[..., 2] - drawn[..., 0]) > 80
    assert coloured[:, 290:330].any(axis=1).sum() > 200
    assert drawn[-20:, :300].max() > 240


def test_with_privacy_what_lies_away_from_the_track_has_no_detail() -> None:
    plain, blurred = picture().astype(float), picture(privacy=True).astype(float)
    away = slice(60, 380), slice(60, 180)
    assert blurred[away].std() < plain[away].std() / 2
    along = slice(60, 380), slice(295, 310)
    assert blurred[along].std() > 0.7 * plain[along].std()


def test_glances_hold_no_more_memory_than_they_may() -> None:
    plenty, few = still.Glances(), still.Glances(most_bytes=200_000)
    for frame in FRAMES:
        plenty.look(frame)
        few.look(frame)
    assert 1 <= len(list(few.during(FALL))) < len(list(plenty.during(FALL)))
    assert picture(most_bytes=1).shape == (480, 640, 3)


class Kind:
    """A ring that gives what it is told to."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.held: list[float] = []
        self.start_s = 0.0  # of what it gives

    def hold(self, t0_s: float) -> None:
        self.held.append(t0_s)

    def release(self, t0_s: float) -> None:
        self.held.remove(t0_s)

    def cut(self, t0_s: float, t1_s: float, path: Path) -> "Kind":
        self.asked = t0_s, t1_s
        path.write_bytes(self.data)
        return self


class Recording:
    """A recorder with a clock that is told the time; `sent` is what the gateway hears."""

    def __init__(self, folder: Path, *, room: int = MB, clip: bytes = b"clip") -> None:
        self.sent: list[Up] = []
        self.now = 100.0
        self.ring = Kind(clip)
        self.recorder = Recorder(
            folder,
            "north",
            self.ring,
            send=self.sent.append,
            wall=lambda: WHEN,
            clock=lambda: self.now,
            room=room,
        )
        self.recorder.start()


def summed(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def test_a_still_lies_under_its_sum_with_its_facts_beside_it(tmp_path: Path) -> None:
    recording = Recording(tmp_path / "new")
    recording.recorder.still("fall-1", b"still", summed(b"still"))
    recording.recorder.finish(5)
    assert recording.sent == [Kept("fall-1", "still", summed(b"still"))]
    assert (tmp_path / "new" / f"{summed(b'still')}.jpg").read_bytes() == b"still"
    facts = json.loads((tmp_path / "new" / f"{summed(b'still')}.json").read_text())
    assert (facts["camera"], facts["fall"], facts["made_at"], facts["size"]) == ("north", "fall-1", WHEN, 5)
    assert not list(tmp_path.rglob("*.part"))


def test_a_clip_is_cut_ten_seconds_before_to_ten_after_and_not_sooner(tmp_path: Path) -> None:
    recording = Recording(tmp_path)
    recording.recorder.clip("fall-1", 30.0, 32.0)
    recording.recorder.tick(41.9)
    assert not hasattr(recording.ring, "asked")
    assert recording.ring.held == [20.0], "a slow disk or a long fall costs no clip its beginning"
    recording.recorder.tick(42.0)
    recording.recorder.finish(5)
    assert recording.ring.asked == (20.0, 42.0)
    assert recording.ring.held == []
    assert recording.sent == [Kept("fall-1", "clip", summed(b"clip"))]


def test_a_stream_that_broke_off_gives_the_clip_it_has(tmp_path: Path) -> None:
    recording = Recording(tmp_path)
    recording.recorder.clip("fall-1", 30.0, 32.0)
    recording.now += 15.0
    recording.recorder.tick(33.0)
    recording.recorder.finish(5)
    assert recording.sent == [Kept("fall-1", "clip", summed(b"clip"))]


@pytest.mark.parametrize(("start_s", "kept"), [(31.9, True), (32.1, False)])
def test_a_clip_that_begins_when_the_fall_is_over_is_told_as_missing(
    tmp_path: Path, start_s: float, *, kept: bool
) -> None:
    recording = Recording(tmp_path)
    recording.ring.start_s = start_s
    recording.recorder.clip("fall-1", 30.0, 32.0)
    recording.recorder.tick(42.0)
    recording.recorder.finish(5)
    assert [isinstance(message, Kept) for message in recording.sent] == [kept]
    assert kept or ("no longer" in str(recording.sent) and not list(tmp_path.iterdir()))


def test_without_room_the_piece_is_told_as_missing_and_leaves_nothing_behind(tmp_path: Path) -> None:
    recording = Recording(tmp_path, room=10, clip=b"x" * 11)
    recording.recorder.still("fall-1", b"y" * 11, summed(b"y" * 11))
    recording.recorder.clip("fall-1", 1.0, 2.0)
    recording.recorder.tick(12.0)
    recording.recorder.finish(5)
    assert [type(message) for message in recording.sent] == [Missing, Missing]
    assert "no room" in str(recording.sent[0])
    assert not list(tmp_path.iterdir())
    assert recording.ring.held == []


def test_what_is_too_much_to_write_at_once_is_told_and_no_longer_held(tmp_path: Path) -> None:
    """The first piece hangs, as on a dying disk."""
    recording, hung = Recording(tmp_path), threading.Event()
    recording.ring.cut = lambda *_: hung.wait(10)  # type: ignore[method-assign, assignment]
    for number in range(JOBS + 2):
        recording.recorder.clip(f"fall-{number}", 30.0, 32.0)
    recording.recorder.tick(42.0)
    refused = [message for message in recording.sent if isinstance(message, Missing)]
    assert len(refused) in {1, 2}, "the one in work may have left its place already"
    assert len(recording.ring.held) == JOBS + 2 - len(refused)
    hung.set()
    end = time.monotonic() + 10.0
    while recording.ring.held:
        assert time.monotonic() < end
        time.sleep(0.01)


def test_a_disk_that_takes_no_more_costs_the_piece_and_nothing_else(tmp_path: Path) -> None:
    recording = Recording(tmp_path, clip=b"x" * 9000)
    with files_of_at_most(1000):
        recording.recorder.clip("fall-1", 1.0, 2.0)
        recording.recorder.tick(12.0)
        recording.recorder.still("fall-1", b"small", summed(b"small"))
        recording.recorder.finish(5)
    missing, kept = recording.sent
    assert isinstance(missing, Missing)
    assert kept == Kept("fall-1", "still", summed(b"small"))
    assert not list(tmp_path.glob("*.part"))


def put(folder: Path, number: int, *, size: int = MB, what: str = "clip") -> str:
    """Put a piece into the folder as a camera's process does."""
    sha256 = summed(f"{number}".encode())
    facts = Facts(sha256, what, "north", f"fall-{number}", WHEN + number, size)  # type: ignore[arg-type]
    (folder / facts.file).write_bytes(bytes(size))
    (folder / f"{sha256}.json").write_bytes(msgspec.json.encode(facts))
    return sha256


def store(folder: Path, quota: int = 8 * MB, spare: int = 10**12) -> EvidenceStore:
    made = EvidenceStore(folder, quota_bytes=quota, spare=lambda _folder: spare)
    made.load()
    return made


def test_over_the_quota_the_oldest_goes_but_never_what_an_open_alert_needs(tmp_path: Path) -> None:
    sums = [put(tmp_path, number) for number in range(9)]
    kept = store(tmp_path)
    room = kept.make_room({sums[0], sums[1]})
    left = {file.stem for file in tmp_path.glob("*.mp4")}
    assert left == {*sums[:2], *sums[4:]}
    assert room == MB
    assert (kept.statistics().removed, kept.statistics().pieces) == (2, 7)


def test_a_piece_of_a_clock_that_was_years_ahead_goes_before_those_of_now(tmp_path: Path) -> None:
    _, *sums = [put(tmp_path, number) for number in (10**9, 1, 2, 3, 4, 5, 6, 7)]
    store(tmp_path).make_room(set())
    assert {file.stem for file in tmp_path.glob("*.mp4")} == set(sums)


def test_when_all_of_it_is_needed_there_is_no_room_and_nothing_goes(tmp_path: Path) -> None:
    sums = [put(tmp_path, number) for number in range(9)]
    kept = store(tmp_path)
    assert kept.make_room(set(sums)) < 0
    assert len(list(tmp_path.glob("*.mp4"))) == 9


def test_a_disk_nearly_full_of_something_else_makes_room_too(tmp_path: Path) -> None:
    for number in range(3):
        put(tmp_path, number)
    kept = store(tmp_path, spare=-1)
    assert kept.make_room(set()) == -1
    assert not list(tmp_path.glob("*.mp4"))


def test_the_journal_is_left_a_share_of_the_disk(tmp_path: Path) -> None:
    disk = os.statvfs(tmp_path)
    assert spare_bytes(tmp_path) < disk.f_bavail * disk.f_frsize


def test_a_start_finds_what_is_whole_and_throws_away_what_is_not(tmp_path: Path) -> None:
    whole = put(tmp_path, 1)
    (tmp_path / "orphan.mp4").write_bytes(b"no facts")
    (tmp_path / "broken.json").write_bytes(b"{")
    for name, bad in (("flipped", b'{"sha256":"\xee"}'), ("deep", b"[" * 4000)):
        (tmp_path / f"{name}.json").write_bytes(bad)
        os.utime(tmp_path / f"{name}.json", (1, 1))
    (tmp_path / "fall-7-clip.part").write_bytes(b"half")
    (tmp_path / "now.part").write_bytes(b"being written")
    (tmp_path / "README").write_bytes(b"not ours")
    old = time.time() - 3600
    for name in ("orphan.mp4", "broken.json", "fall-7-clip.part", "README"):
        os.utime(tmp_path / name, (old, old))
    assert [facts.sha256 for facts in store(tmp_path).unsent()] == [whole]
    assert {file.name for file in tmp_path.iterdir()} == {
        f"{whole}.mp4", f"{whole}.json", "now.part", "README"
    }  # fmt: skip


def test_stills_go_upstream_first_and_what_went_is_known_after_a_restart(tmp_path: Path) -> None:
    clip, picture_ = put(tmp_path, 1), put(tmp_path, 2, what="still", size=100)
    kept = store(tmp_path)
    assert [facts.sha256 for facts in kept.unsent()] == [picture_, clip]
    kept.sent(picture_)
    assert [facts.sha256 for facts in store(tmp_path).unsent()] == [clip]
    assert kept.read(clip, MB - 10, 100) == bytes(10)


def test_a_piece_that_is_claimed_and_not_there_whole_is_not_taken(tmp_path: Path) -> None:
    kept = store(tmp_path)
    sha256 = put(tmp_path, 1)
    assert kept.take(sha256)
    (tmp_path / f"{sha256}.mp4").write_bytes(b"cut short")
    assert not kept.take(sha256)
    assert not kept.take("f" * 64)


def test_a_folder_that_cannot_be_had_is_trouble_in_status_and_no_room(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    kept = store(tmp_path / "file" / "evidence")
    assert "evidence" in kept.statistics().trouble
    broken = EvidenceStore(tmp_path / "file", quota_bytes=MB)
    assert broken.make_room(set()) == 0


@pytest.mark.parametrize("pieces", [0, 3])
def test_statistics_count(tmp_path: Path, pieces: int) -> None:
    for number in range(pieces):
        put(tmp_path, number)
    told = store(tmp_path).statistics()
    assert (told.pieces, told.bytes, told.unsent) == (pieces, pieces * MB, pieces)
