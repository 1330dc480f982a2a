"""Pictures come out of files of every make as they are, with the stream's own times; what is broken is said."""

import contextlib
import gc
import os
import re
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from gateway.vision.annotate import shots
from gateway.vision.frames import Encoded, Source, SourceError, open_source
from tests.vision.films import film, number_of, picture


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return film(tmp_path_factory.mktemp("films") / "plain.mp4")


def numbers(path: Path) -> list[int]:
    with open_source(str(path)) as source:
        return [number_of(frame.luma) for frame in source]


def limited(grey: NDArray[Any]) -> NDArray[Any]:
    """Return brightness in the range of television, 16 to 235."""
    return 16 + grey * (219 / 255)


def refusal(url: str | Path) -> SourceError:
    with pytest.raises(SourceError) as refused, open_source(str(url)) as source:
        list(source)
    return refused.value


def test_every_picture_comes_once_in_order_with_number_and_time(plain: Path) -> None:
    with open_source(str(plain)) as source:
        seen = [(f.index, round(f.time_s, 6), number_of(f.luma)) for f in source.frames()]
    assert seen == [(i, round(i / 25, 6), i) for i in range(75)]


def test_facts_and_counters_tell_what_it_is(plain: Path) -> None:
    with open_source(f"file://{plain}") as source:
        list(source)
        facts, counted = source.facts, source.statistics
    assert (facts.width, facts.height, facts.rate, facts.codec, facts.live) == (320, 240, 25.0, "h264", False)
    assert facts.duration_s == pytest.approx(3.0)
    assert (counted.frames, counted.packets, counted.corrupt, counted.time_faults) == (75, 75, 0, 0)


def test_hardware_that_is_not_there_falls_back_to_software_without_a_word(plain: Path) -> None:
    with open_source(str(plain), hardware=True) as source:
        assert source.facts.decoder
        assert len(list(source)) == 75


@pytest.mark.parametrize("suffix", ["avi", "mp4", "mkv"])
def test_a_title_in_gbk_keeps_no_film_from_being_read(suffix: str, tmp_path: Path) -> None:
    """As Chinese recorders write it; the file says UTF-8 or nothing, and PyAV refuses the whole file."""
    path = film(tmp_path / f"titled.{suffix}", range(10), title="a title of ten")
    path.write_bytes(path.read_bytes().replace(b"a title of ten", "一号楼东侧监控".encode("gbk")))
    assert numbers(path) == list(range(10))


def test_luma_is_the_decoder_s_own_memory_and_may_not_be_written(plain: Path) -> None:
    with open_source(str(plain)) as source:
        first = next(source.frames()).luma
    assert not first.flags.owndata
    assert not first.flags.writeable
    assert first.dtype == np.uint8
    assert np.abs(first - limited(picture(0))).mean() < 4  # still valid after closing


@pytest.mark.parametrize(
    ("name", "codec", "pixels"),
    [
        ("gray.avi", "ffv1", "gray"), ("y420.avi", "rawvideo", "yuv420p"), ("nv12.nut", "rawvideo", "nv12"),
        ("y422.mkv", "ffv1", "yuv422p"), ("yuyv.avi", "rawvideo", "yuyv422"), ("uyvy.mov", "rawvideo", "uyvy422"),
        ("mjpeg.avi", "mjpeg", "yuvj420p"), ("rgb.mkv", "ffv1", "bgr0"), ("ten.mkv", "ffv1", "yuv420p10le"),
        ("hevc.mp4", "libx265", "yuv420p"), ("mpeg4.mp4", "mpeg4", "yuv420p"), ("h264.ts", "libx264", "yuv420p"),
    ],
)  # fmt: skip
def test_brightness_is_right_whatever_the_pixels_are_made_of(
    tmp_path: Path, name: str, codec: str, pixels: str
) -> None:
    path = film(tmp_path / name, range(8), codec=codec, pixels=pixels, size=(322, 242))
    with open_source(str(path)) as source, av.open(str(path)) as reference:
        frames = list(source)
        greys = [f.reformat(format="gray").to_ndarray() for f in reference.decode(video=0)]
    assert [number_of(frame.luma) for frame in frames] == list(range(8))
    assert frames[3].luma.shape == (242, 322)
    assert (
        min(np.abs(frames[3].luma - each).mean() for each in (limited(greys[3]), greys[3].astype(float))) < 1
    )


def test_times_of_a_variable_rate_are_the_true_ones(tmp_path: Path) -> None:
    times = [0.0, 0.04, 0.2, 0.21, 1.5, 1.54, 9.0]
    with open_source(str(film(tmp_path / "vfr.mkv", range(7), times_s=times))) as source:
        assert [frame.time_s for frame in source] == pytest.approx(times, abs=0.002)
        assert source.statistics.time_faults == 0


@pytest.mark.parametrize("codec", ["libx264", "mpeg4"])
def test_times_of_an_avi_are_right_though_it_only_says_when_to_decode(codec: str, tmp_path: Path) -> None:
    """Pictures that are predicted from later ones are decoded after them, and FFmpeg stamps them so."""
    path = film(tmp_path / "later.avi", codec=codec, options={"bf": "2"})
    with open_source(str(path)) as source:
        frames = list(source)
        assert source.statistics.time_faults == 0
    assert [number_of(frame.luma) for frame in frames] == list(range(75))
    assert [frame.time_s for frame in frames[:-1]] == pytest.approx([i / 25 for i in range(74)], abs=0.002)
    assert [shot.time_s for shot in shots(path)] == pytest.approx([frame.time_s for frame in frames])


def test_recordings_joined_end_to_end_are_one_film_whose_times_go_on(tmp_path: Path) -> None:
    """Recorders cut MPEG-TS by the hour; the next one's clock may stand anywhere."""
    first = film(tmp_path / "first.ts", range(25))
    later = film(tmp_path / "later.ts", range(25, 50), times_s=[5000 + n / 25 for n in range(25)])
    path = tmp_path / "both.ts"
    for parts in ((first, later), (later, first)):
        path.write_bytes(b"".join(part.read_bytes() for part in parts))
        with open_source(str(path)) as source:
            times = [frame.time_s for frame in source]
        assert times == pytest.approx([n / 25 for n in range(50)], abs=0.002)
        assert [shot.time_s for shot in shots(path)] == pytest.approx(times)


def test_a_long_pause_in_a_film_is_one_for_the_drawn_film_too(tmp_path: Path) -> None:
    times = [0.0, 0.04, 0.08, 30.0, 30.04]
    path = film(tmp_path / "pause.mkv", range(5), times_s=times)
    with open_source(str(path)) as source:
        assert [frame.time_s for frame in source] == pytest.approx(times, abs=0.002)
    assert [shot.time_s for shot in shots(path)] == pytest.approx(times, abs=0.002)


def test_times_of_an_avi_are_right_again_behind_pictures_that_were_lost(tmp_path: Path) -> None:
    path = film(tmp_path / "later.avi", options={"bf": "2"})
    data = path.read_bytes()
    third = [found.start() for found in re.finditer(b"00dc[^\0]", data)][30:33]
    for start in third:  # what an AVI says of a packet is kept, and the pictures in it are none
        data = data[: start + 8] + bytes(12) + data[start + 20 :]
    path.write_bytes(data)
    with open_source(str(path)) as source:
        seen = {number_of(frame.luma): frame.time_s for frame in source}
    assert len(seen) < 75
    assert [seen[n] for n in range(50, 74)] == pytest.approx([n / 25 for n in range(50, 74)], abs=0.002)


def test_a_film_of_a_telephone_held_upright_comes_upright(tmp_path: Path) -> None:
    path = film(tmp_path / "turned.mp4", range(5), turned=90)
    with open_source(str(path)) as source:
        frames = list(source)
        assert (source.facts.width, source.facts.height) == (240, 320)
    assert [number_of(np.rot90(frame.luma, -1)) for frame in frames] == list(range(5))


@pytest.mark.parametrize(
    ("matrix", "as_shown"),
    [
        ((-1, 0, 0, 1), np.fliplr), ((1, 0, 0, -1), np.flipud),
        ((0, 1, 1, 0), np.transpose), ((0, -1, -1, 0), lambda luma: np.rot90(np.transpose(luma), 2)),
    ],
)  # fmt: skip
def test_a_film_that_says_it_is_mirrored_comes_as_players_show_it(
    matrix: tuple[int, int, int, int], as_shown: Callable[[NDArray[Any]], NDArray[Any]], tmp_path: Path
) -> None:
    """Mirrored is not turned by half a circle, as FFmpeg's angle has it: things would fall upward."""
    path = film(tmp_path / "mirrored.mp4", range(5))
    with open_source(str(path)) as source:
        plain = [as_shown(frame.luma) for frame in source]
    data, (a, b, c, d) = bytearray(path.read_bytes()), matrix
    at = data.index(b"tkhd") + 4 + 40  # ISO 14496-12 8.3.2
    data[at : at + 36] = struct.pack(">9i", a << 16, b << 16, 0, c << 16, d << 16, 0, 0, 0, 1 << 30)
    path.write_bytes(data)
    with open_source(str(path)) as source:
        frames = list(source)
    assert all(np.array_equal(one.luma, other) for one, other in zip(frames, plain, strict=True))
    drawn = next(iter(shots(path))).picture.mean(axis=2)
    assert np.abs(limited(drawn) - plain[0]).mean() < 3


def with_sound(path: Path, plain: Path, *, late_s: int = 0) -> Path:
    """Write a film with eight seconds of sound, to which the pictures come late."""
    with av.open(str(plain)) as pictures, av.open(str(path), "w") as container:
        copied = container.add_stream_from_template(pictures.streams.video[0])
        stream = container.add_stream("aac", rate=8000, layout="mono")
        for packet in pictures.demux(pictures.streams.video[0]):
            if packet.size and packet.pts is not None and packet.dts is not None:
                late = round(late_s / packet.time_base)
                packet.pts, packet.dts, packet.stream = packet.pts + late, packet.dts + late, copied
                container.mux(packet)
        for start in range(0, 8 * 8000, 1000):
            sound = av.AudioFrame.from_ndarray(np.zeros((1, 1000), np.float32), format="fltp", layout="mono")
            sound.sample_rate, sound.pts = 8000, start
            container.mux(stream.encode(sound))
        container.mux(stream.encode(None))
    return path


@pytest.mark.parametrize("name", ["sound.mp4", "sound.mkv"])
@pytest.mark.parametrize("late_s", [0, 4])
def test_a_film_is_as_long_as_its_pictures_and_not_as_its_sound(
    tmp_path: Path, plain: Path, name: str, late_s: int
) -> None:
    with open_source(str(with_sound(tmp_path / name, plain, late_s=late_s))) as source:
        assert source.facts.duration_s == pytest.approx(3.0, abs=0.2)
        assert len(list(source)) == 75


def test_a_picture_nobody_looks_at_any_more_is_let_go_of_at_once(tmp_path: Path) -> None:
    """One that waited for the garbage collector would take megabytes with it, and 200 of them a camera's process."""
    path = film(tmp_path / "film.mp4", range(60))
    gc.collect()
    gc.disable()
    try:
        with open_source(str(path), threads=1) as source:
            held = [sum(isinstance(each, av.VideoFrame) for each in gc.get_objects()) for _ in source]
    finally:
        gc.enable()
    assert len(held) == 60
    assert max(held) <= 3


@pytest.mark.parametrize("name", ["sound.mp4", "sound.mkv", "sound.ts"])
def test_times_are_those_a_player_shows_where_the_sound_begins_before_the_pictures(
    tmp_path: Path, plain: Path, name: str
) -> None:
    path = with_sound(tmp_path / name, plain, late_s=4)
    with open_source(str(path)) as source:
        times = [frame.time_s for frame in source]
    assert (times[0], times[-1]) == pytest.approx((4.0, 4.0 + 74 / 25), abs=0.15)
    assert [shot.time_s for shot in shots(path)] == pytest.approx(times)


def test_times_are_those_a_player_shows_where_a_recording_begins_between_two_key_frames(
    tmp_path: Path,
) -> None:
    path = film(tmp_path / "film.ts")
    data = path.read_bytes()
    path.write_bytes(data[188 * (len(data) // 188 // 5) :])
    with open_source(str(path)) as source:
        times = [frame.time_s for frame in source]
    with av.open(str(path)) as container:
        began_s = (container.start_time or 0) / av.time_base
        first = next(container.decode(video=0))
        assert first.time is not None
    assert times[0] > 0.2
    assert times[0] == pytest.approx(first.time - began_s)


def test_an_avi_that_is_cut_is_as_long_as_it_was_to_be(tmp_path: Path) -> None:
    """FFmpeg would have it as long as there are bytes for."""
    path = film(tmp_path / "half.avi", codec="mjpeg", pixels="yuvj420p")
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with open_source(str(path)) as source:
        assert source.facts.duration_s == pytest.approx(3.0)
        assert len(list(source)) < 40


def test_a_file_cut_short_gives_what_it_has(tmp_path: Path) -> None:
    path = film(tmp_path / "short.mkv", options={"bf": "0"})
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    seen = numbers(path)
    assert 20 < len(seen) < 70
    assert seen == list(range(len(seen)))


def test_a_broken_middle_is_skipped_and_counted(tmp_path: Path) -> None:
    path = film(tmp_path / "broken.avi", codec="mjpeg", pixels="yuvj420p")
    data = bytearray(path.read_bytes())
    middle = data.index(b"\xff\xd8", len(data) // 2)
    data[middle : middle + 400] = os.urandom(400)
    path.write_bytes(data)
    with open_source(str(path)) as source:
        assert 70 <= len(list(source)) <= 75
        assert source.statistics.packets == 75


def test_a_broken_middle_of_h264_ends_nothing(tmp_path: Path) -> None:
    path = film(tmp_path / "broken.ts")
    data = bytearray(path.read_bytes())
    data[len(data) // 2 : len(data) // 2 + 3000] = bytes(
        255 - b for b in data[len(data) // 2 : len(data) // 2 + 3000]
    )
    path.write_bytes(data)
    seen = numbers(path)
    assert seen[-1] == 74
    assert len(seen) > 40


def test_pictures_of_h265_that_lack_the_one_before_them_are_counted(tmp_path: Path) -> None:
    """FFmpeg leaves them out up to the next key frame, and says nothing."""
    path = film(tmp_path / "gone.hevc", codec="libx265", gop=250)
    whole = path.read_bytes()
    starts = [found.start() for found in re.finditer(rb"\x00\x00\x01[\x00-\x03]", whole)]
    path.write_bytes(whole[: starts[10]] + whole[starts[20] :])
    with open_source(str(path)) as source:
        seen = len(list(source))
        assert seen < 40
        assert source.statistics.corrupt == source.statistics.packets - seen


@pytest.mark.parametrize("name", ["whole.hevc", "whole.mp4", "whole.ts"])
def test_of_a_film_in_h265_that_is_whole_nothing_is_damaged(tmp_path: Path, name: str) -> None:
    with open_source(str(film(tmp_path / name, codec="libx265")), threads=0) as source:
        assert len(list(source)) == 75
        assert source.statistics.corrupt == 0


def test_packets_are_told_before_their_pictures_with_the_same_times(plain: Path) -> None:
    packets: list[Encoded] = []
    with open_source(str(plain)) as source:
        source.on_packet = packets.append
        times = [frame.time_s for frame in source]
    assert sorted(packet.time_s for packet in packets) == pytest.approx(times)
    assert [i for i, packet in enumerate(packets) if packet.is_key] == [0, 25, 50]
    assert all(packet.lag_s >= 0 for packet in packets if packet.is_key is False) or packets[0].lag_s > 0


def test_a_source_that_follows_on_counts_on(plain: Path) -> None:
    with open_source(str(plain)) as source:
        source.start_at(1000, 40.0)
        frame = next(source.frames())
    assert (frame.index, frame.time_s) == (1000, 40.0)


def test_pictures_that_change_their_size_for_good_are_another_stream(tmp_path: Path) -> None:
    """One MJPEG stream after another, as an encoder does that was set anew while it ran."""
    small = film(tmp_path / "a.mjpeg", range(5), codec="mjpeg", pixels="yuvj420p")
    large = film(tmp_path / "b.mjpeg", range(60), codec="mjpeg", pixels="yuvj420p", size=(400, 300))
    both = tmp_path / "both.mjpeg"
    both.write_bytes(small.read_bytes() + large.read_bytes())
    assert refusal(both).reason == "changed"


def test_what_is_missing_empty_or_no_video_is_said_with_a_hint(tmp_path: Path) -> None:
    empty, text, noise = tmp_path / "empty.mp4", tmp_path / "note.txt", tmp_path / "noise.mp4"
    empty.touch()
    text.write_text("no film\n" * 100)
    noise.write_bytes(np.random.default_rng(1).bytes(50_000))  # one in some thousand looks like sound
    told = {path: refusal(path) for path in (tmp_path / "none.mp4", empty, text, noise, tmp_path)}
    assert [error.reason for error in told.values()] == [
        "missing",
        "empty",
        "no_video",
        "no_video",
        "no_video",
    ]
    assert all(error.hint and error.found and error.where == str(path) for path, error in told.items())


def test_an_mp4_without_its_index_is_no_video(tmp_path: Path, plain: Path) -> None:
    path = tmp_path / "half.mp4"
    path.write_bytes(plain.read_bytes()[: plain.stat().st_size // 2])
    assert refusal(path).reason == "no_video"


def test_sound_alone_has_no_pictures(tmp_path: Path) -> None:
    path = tmp_path / "sound.wav"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("pcm_s16le", rate=8000)
        sound = av.AudioFrame.from_ndarray(np.zeros((1, 800), np.int16), format="s16", layout="mono")
        sound.sample_rate = 8000
        container.mux(stream.encode(sound))
    assert refusal(path).reason == "no_stream"


def test_a_playlist_does_not_reach_other_files(tmp_path: Path, plain: Path) -> None:
    path = tmp_path / "list.m3u8"
    path.write_text(
        f"#EXTM3U\n#EXT-X-TARGETDURATION:3\n#EXTINF:3,\nhttp://127.0.0.1:1/{plain.name}\n#EXT-X-ENDLIST\n"
    )
    assert refusal(path).reason in {"no_video", "broken", "no_stream"}


def test_a_camera_that_is_not_there_is_missing() -> None:
    assert refusal("/dev/video97").reason == "missing"


@pytest.mark.parametrize("cut", range(0, 4000, 370))
def test_a_file_cut_anywhere_gives_pictures_or_says_why_not(tmp_path: Path, plain: Path, cut: int) -> None:
    path = tmp_path / "cut.mp4"
    path.write_bytes(plain.read_bytes()[-cut:] if cut % 2 else plain.read_bytes()[:cut])
    with contextlib.suppress(SourceError):
        numbers(path)


def test_a_source_says_only_where_it_is(plain: Path) -> None:
    with open_source(str(plain)) as source:
        assert isinstance(source, Source)
        assert repr(source) == f"<Source {plain}>"


def test_a_film_of_which_nothing_can_be_decoded_is_no_video(tmp_path: Path) -> None:
    path = film(tmp_path / "wrecked.avi", range(20), codec="mjpeg", pixels="yuvj420p")
    data = bytearray(path.read_bytes())
    pictures, index = data.index(b"movi") + 4, data.rindex(b"idx1")
    data[pictures:index] = bytes(index - pictures)
    path.write_bytes(data)
    assert refusal(path).reason == "no_video"
