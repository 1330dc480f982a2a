"""The annotated film can be played, keeps its times, and shows the fall where it was."""

import errno
import itertools
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from gateway.vision.annotate import RED, YELLOW, Shot, annotate, draw, label, shots, still
from gateway.vision.sight import Fall, Origin, Spot
from tests.vision import clips, films

TIMES = clips.steady(2.4)
FALL = clips.fall(TIMES, origin=Origin(6, 5, 7))


def played(path: Path) -> list[tuple[float, np.ndarray]]:
    with av.open(str(path)) as container:
        return [(frame.time or 0.0, frame.to_ndarray(format="bgr24")) for frame in container.decode(video=0)]


def coloured(picture: np.ndarray) -> int:
    """Return how many pixels are no grey."""
    spread = picture.max(axis=2).astype(int) - picture.min(axis=2)
    return int((spread > 60).sum())


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return clips.film(tmp_path_factory.mktemp("film") / "film.mp4", seconds=2.4)


def test_the_film_has_every_picture_at_its_own_time(film: Path, tmp_path: Path) -> None:
    out = tmp_path / "seen.mp4"
    assert annotate(shots(film), [FALL], film=out) == [out]
    assert [time for time, _ in played(out)] == pytest.approx(TIMES, abs=0.001)
    assert [path.name for path in tmp_path.iterdir()] == ["seen.mp4"]


def test_a_film_whose_pictures_begin_late_shows_the_first_until_then_so_that_its_times_are_those_told(
    film: Path, tmp_path: Path
) -> None:
    late = [Shot(shot.index, shot.time_s + 2.0, shot.picture) for shot in shots(film)]
    annotate(late, [], film=tmp_path / "seen.mp4")
    first, *rest = (time for time, _ in played(tmp_path / "seen.mp4"))
    assert first == 0
    assert rest == pytest.approx([time + 2.0 for time in TIMES[1:]], abs=0.001)


def test_times_of_a_film_of_variable_rate_are_kept(tmp_path: Path) -> None:
    times = clips.uneven(2.0)
    source = clips.write(tmp_path / "uneven.mp4", clips.pictures(times), times)
    annotate(shots(source), [], film=tmp_path / "seen.mp4")
    assert [time for time, _ in played(tmp_path / "seen.mp4")] == pytest.approx(times, abs=0.001)


def test_it_is_drawn_on_from_the_first_sight_on_and_not_before(film: Path, tmp_path: Path) -> None:
    out = tmp_path / "seen.mp4"
    annotate(shots(film), [FALL], film=out)
    drawn = [coloured(picture) for _, picture in played(out)]
    assert not any(drawn[: FALL.track[0].frame])
    assert all(drawn[FALL.track[0].frame :])


def test_the_line_grows_with_the_fall() -> None:
    blank = np.zeros((480, 640, 3), np.uint8)
    lengths = []
    for spot in FALL.track[4:20:5]:
        picture = blank.copy()
        draw(picture, FALL, spot.frame)
        column = picture[:, round(clips.LEFT + clips.SIZE / 2)]
        lengths.append(int((np.abs(column.astype(int) - YELLOW).sum(axis=1) < 60).sum()))
    assert lengths == sorted(lengths)
    assert lengths[-1] > lengths[0] + 50


def test_the_box_leaves_the_thing_itself_to_be_seen() -> None:
    picture = np.zeros((480, 640, 3), np.uint8)
    spot = FALL.track[12]
    draw(picture, FALL, spot.frame)
    box = np.argwhere((picture == RED).all(axis=2) & (np.arange(480) > FALL.track[0].y + 20)[:, None])
    assert not picture[round(spot.y) : round(spot.y + spot.h), round(spot.x) : round(spot.x + spot.w)].any()
    (top, left), (bottom, right) = box.min(axis=0), box.max(axis=0)
    assert top < spot.y - 3 < spot.y + spot.h + 3 < bottom
    assert left < spot.x - 3 < spot.x + spot.w + 3 < right


@pytest.mark.parametrize(
    ("origin", "text"),
    [(None, "97%"), (Origin(6, 6, 6), "6F 97%"), (Origin(6, 5, 7), "6F (5-7) 97%")],
)
def test_floor_and_confidence_stand_beside_it(origin: Origin | None, text: str) -> None:
    assert label(clips.fall(TIMES, origin=origin)) == text


def test_the_text_stays_in_the_picture_at_every_edge() -> None:
    for x, y in ((0, 0), (630, 0), (0, 470), (630, 470), (-30, 700)):
        fall = Fall(0, 1, 0.9, (Spot(0, 0.0, x, y, 5, 5),), 1.0, Origin(6, 5, 7))
        picture = np.zeros((480, 640, 3), np.uint8)
        draw(picture, fall, 0)
        assert (picture == YELLOW).all(axis=2).sum() > 40


@pytest.mark.parametrize(("x", "y"), [(560, 200), (600, 2), (634, 200), (634, 474)])
def test_the_text_hides_no_thing_at_the_right_edge(x: int, y: int) -> None:
    fall = Fall(0, 1, 0.9, (Spot(0, 0.0, x, y, 5, 5),), 1.0, Origin(6, 5, 7))
    picture = np.full((480, 640, 3), 90, np.uint8)
    draw(picture, fall, 0)
    assert (picture[y : y + 5, x : x + 5] == 90).all()
    assert (picture == YELLOW).all(axis=2).sum() > 40


def test_a_still_shows_the_whole_track_and_leaves_the_picture_alone(film: Path, tmp_path: Path) -> None:
    (written,) = annotate(shots(film), [FALL], film=None, stills=tmp_path)
    assert written.name == "fall-001-1.52s.png"
    assert coloured(np.asarray(cv2.imread(str(written)))) > 300
    picture = np.zeros((480, 640, 3), np.uint8)
    assert still(picture, FALL).any()
    assert not picture.any()


def test_half_a_still_on_a_full_disk_is_not_left_behind(
    film: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(path: Path, data: bytes) -> int:
        with path.open("wb") as file:
            file.write(data[:100])
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(OSError, match="No space"):
        annotate(shots(film), [FALL], film=None, stills=tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("width", "height"), [(853, 479), (64, 48), (641, 480), (640, 481)])
def test_odd_and_tiny_pictures_make_a_film_that_plays(width: int, height: int, tmp_path: Path) -> None:
    times = clips.steady(0.4)
    luma = clips.pictures(times, width=width, height=height, drops=False)
    source = clips.write(tmp_path / "odd.mkv", luma, times, codec="ffv1", form="gray")
    annotate(shots(source), [FALL], film=tmp_path / "seen.mp4")
    shown = played(tmp_path / "seen.mp4")
    assert len(shown) == 10
    assert shown[0][1].shape == (height + height % 2, width + width % 2, 3)


def test_a_film_taken_on_its_side_is_drawn_upright(tmp_path: Path) -> None:
    times = clips.steady(2.4)
    turned = [np.rot90(picture) for picture in clips.pictures(times)]
    source = clips.on_its_side(clips.write(tmp_path / "side.mp4", turned, times))
    shot = list(shots(source))[FALL.track[10].frame]
    assert shot.picture.shape == (480, 640, 3)
    x, y = (round(value) for value in FALL.track[10].centre)
    assert shot.picture[y, x].min() > 190


@pytest.mark.parametrize(("turned", "ratio"), [(0, Fraction(4, 3)), (90, Fraction(3, 4))])
def test_pixels_that_are_not_square_are_drawn_on_as_they_are_and_played_as_wide_as_before(
    tmp_path: Path, turned: int, ratio: Fraction
) -> None:
    source = films.film(tmp_path / "wide.mp4", range(5), turned=turned, ratio=Fraction(4, 3))
    annotate(shots(source), [FALL], film=tmp_path / "seen.mp4")
    with av.open(str(tmp_path / "seen.mp4")) as container:
        stream = container.streams.video[0]
        assert stream.sample_aspect_ratio == ratio
        assert (stream.width, stream.height) == ((320, 240) if turned == 0 else (240, 320))


def test_the_colours_are_those_of_the_film(tmp_path: Path) -> None:
    source = tmp_path / "colour.mp4"
    with av.open(str(source), "w") as container:
        stream = container.add_stream("libx264", rate=25, options={"crf": "5"})
        stream.width, stream.height, stream.pix_fmt = 320, 240, "yuv420p"
        picture = np.zeros((240, 320, 3), np.uint8)
        picture[:120], picture[120:] = (60, 180, 90), (200, 80, 40)
        for _ in range(3):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="bgr24")))
        container.mux(stream.encode(None))
    annotate(shots(source), [], film=tmp_path / "seen.mp4")
    before = next(shots(source)).picture
    after = next(shots(tmp_path / "seen.mp4")).picture
    assert np.abs(before.astype(int) - after).mean() < 2


def test_a_grey_film_stays_grey_where_nothing_is_drawn(film: Path, tmp_path: Path) -> None:
    annotate(shots(film), [], film=tmp_path / "seen.mp4")
    assert np.ptp(played(tmp_path / "seen.mp4")[20][1].mean(axis=(0, 1))) < 0.7


@pytest.mark.parametrize("fault", [KeyboardInterrupt(), OSError(28, "No space left on device")])
def test_half_a_film_takes_no_whole_one_s_place_and_leaves_nothing(
    film: Path, tmp_path: Path, fault: BaseException
) -> None:
    def broken_off() -> Iterator[Shot]:
        yield from itertools.islice(shots(film), 40)
        raise fault

    seen = tmp_path / "seen.mp4"
    seen.write_bytes(b"the film of yesterday")
    with pytest.raises(type(fault)):
        annotate(broken_off(), [], film=seen)
    assert seen.read_bytes() == b"the film of yesterday"
    assert list(tmp_path.iterdir()) == [seen]


@pytest.mark.parametrize("name", ["12:30.mp4", "concat:a.mp4", "pipe:1.mp4", "%03d.mp4"])
def test_a_name_is_a_name_and_no_address(
    film: Path, tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    annotate(itertools.islice(shots(film), 3), [], film=Path(name))
    assert len(played(tmp_path / name)) == 3


def test_a_folder_that_is_not_there_is_said(film: Path, tmp_path: Path) -> None:
    with pytest.raises(OSError, match="No such file"):
        annotate(shots(film), [FALL], film=tmp_path / "nowhere" / "seen.mp4")
