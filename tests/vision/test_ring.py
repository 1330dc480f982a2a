"""A clip holds the very pictures of the stream, from a key frame on; the ring stays as small as it was told."""

import hashlib
import shutil
import subprocess
import threading
from pathlib import Path

import pytest

from gateway.vision.frames import Encoded, open_source
from gateway.vision.ring import ClipError, Ring
from tests.vision.films import film, number_of
from tests.vision.rtsp_server import RtspServer


def fill(ring: Ring, path: Path) -> list[tuple[float, str]]:
    """Let a whole film run into the ring; return time and hash of each of its pictures."""
    with open_source(str(path)) as source:
        ring.follow(source)
        return [(frame.time_s, hashlib.sha256(frame.luma.tobytes()).hexdigest()) for frame in source]


def pictures(path: Path) -> list[str]:
    with open_source(str(path)) as source:
        return [hashlib.sha256(frame.luma.tobytes()).hexdigest() for frame in source]


def packet(time_s: float, size: int = 1000, *, is_key: bool = False) -> Encoded:
    return Encoded(b"x" * size, time_s, 0.0, 0.04, is_key)


@pytest.fixture(scope="module")
def street(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return film(tmp_path_factory.mktemp("films") / "street.mp4", range(250))


@pytest.mark.parametrize(
    ("name", "codec", "pixels"),
    [
        ("h264.mp4", "libx264", "yuv420p"),
        ("h264.ts", "libx264", "yuv420p"),
        ("hevc.mp4", "libx265", "yuv420p"),
        ("hevc.mkv", "libx265", "yuv420p"),
        ("mjpeg.avi", "mjpeg", "yuvj420p"),
    ],
)
def test_a_clip_holds_the_same_pictures_bit_for_bit(
    tmp_path: Path, name: str, codec: str, pixels: str
) -> None:
    ring = Ring()
    seen = fill(ring, film(tmp_path / name, range(150), codec=codec, pixels=pixels, gop=25))
    clip = ring.cut(2.3, 4.3, tmp_path / "clip.mp4")
    got = pictures(clip.path)
    first = next(i for i, (time_s, _) in enumerate(seen) if time_s >= clip.start_s - 1e-6)
    assert got == [digest for _, digest in seen[first : first + len(got)]]
    assert clip.start_s <= 2.3 < clip.start_s + 1.1
    assert clip.end_s >= 4.3
    assert len(got) == clip.frames


@pytest.mark.skipif(not shutil.which("ffmpeg"), reason="ffmpeg is not installed")
def test_another_player_decodes_the_clip_without_a_word_to_the_same_pictures(
    tmp_path: Path, street: Path
) -> None:
    ring = Ring()
    fill(ring, street)
    clip = ring.cut(4.0, 6.0, tmp_path / "clip.mp4")

    def digests(path: Path, seek_s: float) -> list[str]:
        command = ["ffmpeg", "-v", "warning", "-ss", str(seek_s), "-i", str(path), "-f", "framemd5", "-"]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        assert done.stderr == ""
        return [line.rsplit(",", 1)[1] for line in done.stdout.splitlines() if not line.startswith("#")]

    own, original = digests(clip.path, 0), digests(street, clip.start_s)
    assert own == original[: len(own)]
    assert len(own) == clip.frames


def test_a_clip_plays_from_its_first_bytes(tmp_path: Path, street: Path) -> None:
    ring = Ring()
    fill(ring, street)
    data = ring.cut(1.0, 2.0, tmp_path / "clip.mp4").path.read_bytes()
    assert data.index(b"moov") < data.index(b"mdat")


def test_what_is_asked_for_too_early_or_too_late_gives_what_there_is(tmp_path: Path, street: Path) -> None:
    ring = Ring()
    fill(ring, street)
    clip = ring.cut(-10.0, 60.0, tmp_path / "clip.mp4")
    assert (clip.start_s, clip.frames) == (0.0, 250)


def test_old_groups_go_and_the_time_asked_for_stays(street: Path) -> None:
    ring = Ring(seconds=4.0)
    fill(ring, street)
    assert ring.span == pytest.approx((5.0, 9.96))


def test_what_a_clip_still_wants_does_not_go_by_its_age_and_goes_once_it_is_cut() -> None:
    ring = Ring(seconds=4.0)
    for i in range(500):
        if i == 200:
            ring.hold(5.0)
            ring.hold(6.5)
        ring.add(packet(i / 25, is_key=i % 25 == 0))
    assert ring.span == pytest.approx((5.0, 19.96))
    ring.release(5.0)
    ring.add(packet(20.0, is_key=True))
    assert ring.span == pytest.approx((6.0, 20.0))
    ring.release(6.5)
    ring.add(packet(21.0, is_key=True))
    assert ring.span == pytest.approx((17.0, 21.0))


def test_what_is_held_takes_no_more_bytes_than_anything_else() -> None:
    ring = Ring(seconds=4.0, most_bytes=200_000)
    ring.hold(0.0)
    for i in range(500):
        ring.add(packet(i / 25, is_key=i % 25 == 0))
    assert ring.size <= 200_000
    assert ring.lost_packets >= 300


def test_a_group_longer_than_the_ring_is_kept_from_its_key_frame(tmp_path: Path) -> None:
    ring = Ring(seconds=1.0)
    fill(ring, film(tmp_path / "long.mp4", range(100), gop=1000))
    assert ring.span == pytest.approx((0.0, 3.96))
    assert ring.cut(2.0, 3.0, tmp_path / "clip.mp4").start_s == 0.0


def test_the_ring_never_holds_more_bytes_than_it_may() -> None:
    ring, most = Ring(seconds=60.0, most_bytes=50_000), 0
    for i in range(1000):
        ring.add(packet(i / 25, is_key=i % 20 == 0))
        most = max(most, ring.size)
    assert 20_000 < most <= 50_000
    assert ring.lost_packets > 900


def test_one_group_too_large_is_let_go_and_the_next_key_frame_begins_anew() -> None:
    ring = Ring(most_bytes=10_000)
    for i in range(15):
        ring.add(packet(i / 25, is_key=i == 0))
    assert ring.size == 0
    ring.add(packet(1.0, is_key=True))
    assert ring.span == (1.0, 1.0)
    assert ring.lost_packets == 15


def test_before_the_first_key_frame_nothing_is_kept(tmp_path: Path) -> None:
    ring = Ring()
    ring.add(packet(0.0))
    assert ring.span is None
    with pytest.raises(ClipError):
        ring.cut(0.0, 1.0, tmp_path / "clip.mp4")
    assert list(tmp_path.iterdir()) == []


def test_a_clip_that_cannot_be_written_leaves_nothing_and_says_where(tmp_path: Path, street: Path) -> None:
    ring = Ring()
    fill(ring, street)
    with pytest.raises(ClipError) as failed:
        ring.cut(0.0, 1.0, tmp_path / "no-folder" / "clip.mp4")
    assert "no-folder" in failed.value.where
    (tmp_path / ".clip.mp4.part").symlink_to("/dev/full")
    with pytest.raises(ClipError):
        ring.cut(0.0, 1.0, tmp_path / "clip.mp4")
    assert list(tmp_path.iterdir()) == []


def test_a_camera_that_comes_back_the_same_goes_on_in_the_same_clip(tmp_path: Path, street: Path) -> None:
    ring = Ring()
    fill(ring, street)
    with open_source(str(street)) as source:
        source.start_at(250, 12.0)
        ring.follow(source)
        list(source)
    clip = ring.cut(9.0, 13.0, tmp_path / "clip.mp4")
    with open_source(str(clip.path)) as source:
        times, numbers = zip(*((f.time_s + clip.start_s, number_of(f.luma)) for f in source), strict=True)
    assert numbers[:50] == (*range(225, 250), *range(25))
    assert times[24:26] == pytest.approx((9.96, 12.0), abs=1e-3)


def test_a_camera_that_comes_back_in_another_form_begins_anew(tmp_path: Path, street: Path) -> None:
    ring = Ring()
    fill(ring, street)
    fill(ring, film(tmp_path / "small.mp4", range(30), size=(240, 180)))
    assert ring.lost_packets == 250
    assert ring.cut(0.0, 10.0, tmp_path / "clip.mp4").frames == 30


def test_a_clip_of_a_network_camera_outlives_its_connection(tmp_path: Path) -> None:
    ring = Ring()
    path = film(tmp_path / "s.mp4", range(50), gop=10, options={"bf": "0"})
    with RtspServer(path, speed=0) as server, open_source(server.url) as source:
        ring.follow(source)
        frames = source.frames()
        seen = [hashlib.sha256(next(frames).luma.tobytes()).hexdigest() for _ in range(80)]
    clip = ring.cut(1.0, 2.9, tmp_path / "clip.mp4")
    assert pictures(clip.path)[:45] == seen[20:65]
    assert clip.start_s == pytest.approx(0.8, abs=1e-3)


@pytest.mark.parametrize(
    ("name", "codec", "pixels"), [("yuyv.avi", "rawvideo", "yuyv422"), ("v.mkv", "libvpx", "yuv420p")]
)
def test_a_camera_whose_coding_goes_into_no_clip_is_watched_all_the_same(
    tmp_path: Path, name: str, codec: str, pixels: str
) -> None:
    """Many a USB camera gives nothing but bare pixels."""
    ring = Ring()
    assert len(fill(ring, film(tmp_path / name, range(30), codec=codec, pixels=pixels))) == 30
    assert ring.size == 0
    with pytest.raises(ClipError, match="no clip holds"):
        ring.cut(0.0, 1.0, tmp_path / "clip.mp4")
    fill(ring, film(tmp_path / "h264.mp4", range(30)))
    assert ring.cut(0.0, 1.0, tmp_path / "clip.mp4").frames == 26


def test_packets_may_come_while_clips_are_cut(tmp_path: Path, street: Path) -> None:
    ring, over = Ring(seconds=3.0), threading.Event()
    fill(ring, street)
    frames = iter(range(10_000_000))

    def come() -> None:
        while not over.is_set():
            i = next(frames)
            ring.add(packet(10 + i / 1e6, size=10, is_key=i % 25 == 0))

    coming = threading.Thread(target=come)
    coming.start()
    clips = [ring.cut(8.0, 9.0, tmp_path / f"{i}.mp4") for i in range(10)]
    over.set()
    coming.join()
    assert {clip.start_s for clip in clips} == {8.0}
    assert len({clip.frames for clip in clips}) == 1
