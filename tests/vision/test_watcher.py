"""From frames to falls: tracks are whole, exact, and there only when something falls."""

from collections.abc import Iterable, Iterator, Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from gateway.vision.motion import Motion
from gateway.vision.paths import filled, outlined
from gateway.vision.sight import Fall, Frame, NearMiss, Outlook, Spot
from gateway.vision.tubelet import CHANNELS, CROPS, CURVES, PATH_FEATURES, SIDE, STEPS, Tubelet
from gateway.vision.watcher import Watcher
from tests.vision.street import FPS, GRAVITY, HEIGHT, Way, falling, film, wall


class Sure:
    """A judge that takes everything for a fall, to see what reaches it."""

    def __init__(self, likely: float = 0.99) -> None:
        self.likely, self.asked = likely, 0

    def classify(self, tubelets: Sequence[Tubelet]) -> NDArray[np.float32]:
        self.asked += len(tubelets)
        return np.tile(np.array([self.likely, 0, 0, 0, 0], np.float32), (len(tubelets), 1))


def told(frames: Iterable[Frame]) -> list[Fall]:
    """All falls that a watcher with such a judge tells of some frames."""
    watcher = Watcher(Sure())
    return [fall for frame in frames for fall in watcher.feed(frame)] + watcher.finish()


def off(track: Sequence[Spot], way: Way) -> float:
    """How far a track lies from the truth, in px; what it holds before the release counts for nothing."""
    truths = [(spot.centre, way(spot.time_s + 0.004)) for spot in track]
    return float(np.median([np.hypot(*np.subtract(seen, true)) for seen, true in truths if true is not None]))


@pytest.mark.parametrize(
    "seen",
    [
        {},
        {"size": 3.0, "contrast": 25.0},
        {"noise": 3.0, "contrast": 50.0},
        {"shake": 1.2},
        {"size": 24.0},
        {"fps": 15},
        {"fps": 12},
        {"light": lambda t: 1.0 + 0.1 * np.sin(t)},
    ],
    ids=["plain", "small", "noisy", "shaking", "large", "slow camera", "slowest camera", "changing light"],
)
def test_a_fall_is_one_event_followed_to_the_pixel(seen: dict) -> None:  # type: ignore[type-arg]
    way = falling(330.3, 60.0, at_s=1.4)
    watcher = Watcher(Sure())
    falls = [fall for frame in film(way, **seen) for fall in watcher.feed(frame)] + watcher.finish()
    assert len(falls) == 1
    (fall,) = falls
    assert fall.t_start == pytest.approx(1.4, abs=0.3)
    assert off(fall.track, way) < 2.5
    assert fall.decided_s - fall.t_end <= 0.5


def test_an_empty_street_says_nothing_and_asks_the_judge_next_to_nothing() -> None:
    judge = Sure()
    watcher = Watcher(judge)
    falls = [fall for frame in film(lambda _: None, seconds=8, noise=2.0) for fall in watcher.feed(frame)]
    assert falls + watcher.finish() == []
    assert judge.asked == 0


@pytest.mark.parametrize(
    "way",
    [
        lambda t: (40 + 180 * t, 200.0),
        lambda t: (330.0, 440 - 140 * t),
        lambda t: (300 + 30 * np.sin(6 * t), 200 + 8 * np.cos(5 * t)),
    ],
    ids=["across", "up", "to and fro"],
)
def test_what_does_not_come_down_never_reaches_the_judge(way: Way) -> None:
    judge = Sure()
    watcher = Watcher(judge)
    for frame in film(way):
        watcher.feed(frame)
    watcher.finish()
    assert judge.asked == 0


def test_somebody_who_passes_close_to_the_camera_is_too_large_to_have_come_out_of_a_window() -> None:
    heard: list[NearMiss] = []
    judge = Sure()
    watcher = Watcher(judge, explain=heard.append)
    coat = np.random.default_rng(3).integers(0, 255, (180, 160), np.uint8)
    for frame in film(lambda _: None):
        luma, top = frame.luma.copy(), round(190 * (frame.time_s - 1.4))
        if 0 <= top <= HEIGHT - 180:
            luma[top : top + 180, 300:460] = coat
        watcher.feed(Frame(frame.index, frame.time_s, luma))
    watcher.finish()
    assert judge.asked == 0
    assert "large" in {miss.reason for miss in heard}


def test_what_the_judge_does_not_believe_is_a_near_miss() -> None:
    heard: list[NearMiss] = []
    watcher = Watcher(Sure(0.1), explain=heard.append)
    falls = [fall for frame in film(falling(330.0, 60.0, at_s=1.4)) for fall in watcher.feed(frame)]
    assert falls + watcher.finish() == []
    assert [miss.reason for miss in heard] == ["unlike"]


def test_a_fall_that_starts_outside_the_facade_is_a_near_miss() -> None:
    heard: list[NearMiss] = []
    beside = Outlook(watch=((0.0, 0.0), (200.0, 0.0), (200.0, HEIGHT), (0.0, HEIGHT)))
    watcher = Watcher(Sure(), outlook=beside, explain=heard.append)
    falls = [fall for frame in film(falling(330.0, 60.0, at_s=1.4)) for fall in watcher.feed(frame)]
    assert falls + watcher.finish() == []
    assert [miss.reason for miss in heard] == ["outside"]


def thrown(x: float, y: float, *, up: float, at_s: float) -> Way:
    """A thing thrown up from (x, y), `up` px high, that comes down again and a little further to the right."""
    pull = 60.0 * GRAVITY
    pace = (2 * pull * up) ** 0.5

    def way(time_s: float) -> tuple[float, float] | None:
        since = time_s - at_s
        return (x + 20 * since, y - pace * since + pull * since**2 / 2) if since > 0 else None

    return way


def test_a_ball_thrown_up_from_below_is_no_fall_and_what_it_was_is_said() -> None:
    heard: list[NearMiss] = []
    watcher = Watcher(Sure(), explain=heard.append)
    way = thrown(210.0, HEIGHT + 10.0, up=230.0, at_s=1.0)
    falls = [fall for frame in film(way, seconds=4) for fall in watcher.feed(frame)]
    assert falls + watcher.finish() == []
    assert "thrown" in {miss.reason for miss in heard}


def test_what_is_thrown_up_a_little_out_of_a_window_falls() -> None:
    way = thrown(330.0, 120.0, up=40.0, at_s=1.4)
    (fall,) = told(film(way))
    assert off(fall.track, way) < 2.5


def towards(*, out: float, up: float, wall_m: float = 35.0, high_m: float = 12.0) -> Way:
    """A thing thrown out of a window towards the camera, in metres and seconds; the camera looks up at 26 degrees."""

    def way(time_s: float) -> tuple[float, float] | None:
        since = time_s - 1.4
        if since < 0:
            return None
        away, above = wall_m - out * since, high_m + up * since - GRAVITY * since**2 / 2 - 1.5
        depth = away * np.cos(0.45) + above * np.sin(0.45)
        over = above * np.cos(0.45) - away * np.sin(0.45)
        return (330.0 + 10 * since, HEIGHT / 2 - 620.0 * over / depth) if above > -1.5 else None

    return way


@pytest.mark.parametrize(("out", "up"), [(0.0, 0.0), (4.0, 4.0), (8.0, 2.0)])
def test_what_is_thrown_towards_the_camera_falls_though_no_fall_along_the_wall_looks_so(
    out: float, up: float
) -> None:
    (fall,) = told(film(towards(out=out, up=up), seconds=4))
    assert off(fall.track, towards(out=out, up=up)) < 3.0


def test_what_rises_in_the_picture_first_is_told_with_its_way_up_from_the_window_it_left() -> None:
    """Thrown towards a camera that looks up, a thing seems to rise; its floor is where it set off, not the highest."""
    way = towards(out=8.0, up=4.0)
    left = way(1.4)
    assert left is not None
    floors = ((left[1] + 20.0, 4.0), (left[1] - 30.0, 5.0), (left[1] - 80.0, 6.0))
    watcher = Watcher(Sure(), outlook=Outlook(floors=floors))
    falls = [fall for frame in film(way, seconds=4) for fall in watcher.feed(frame)] + watcher.finish()
    (fall,) = falls
    rows = [spot.centre[1] for spot in fall.track]
    assert min(rows) < left[1] - 35, "a storey and more above the window"
    assert fall.t_start < 1.4 + 0.3
    assert off(fall.track, way) < 3.0
    assert fall.origin is not None
    assert fall.origin.floor == 4


def test_what_is_thrown_far_aside_falls_though_it_goes_further_aside_than_down() -> None:
    def way(time_s: float) -> tuple[float, float] | None:
        since = time_s - 1.4
        return (40 + 330 * since, 60 - 70 * since + 65 * since**2) if since > 0 else None

    (fall,) = told(film(way, size=8.0, seconds=4))
    assert off(fall.track, way) < 2.5
    assert fall.track[0].time_s == pytest.approx(1.4, abs=0.2)
    (left, top), (right, bottom) = fall.track[0].centre, fall.track[-1].centre
    assert right - left > 2 * (bottom - top)


def test_a_fall_is_told_from_where_its_thing_drifted_before_it_was_lost() -> None:
    """The first piece is too flat to be believed; where it began is the floor that the thing left."""
    steep = falling(337.0, 148.0, at_s=2.25)

    def way(time_s: float) -> tuple[float, float] | None:
        since = time_s - 1.2
        if since < 0 or 0.48 < since < 1.15:
            return None
        return (280.0 + 60 * since, 100.0 + 40 * since) if since < 1.0 else steep(time_s)

    heard: list[NearMiss] = []
    outlook = Outlook(floors=((150.0, 4.0), (115.0, 5.0), (80.0, 6.0)))
    watcher = Watcher(Sure(), outlook=outlook, explain=heard.append)
    falls = [fall for frame in film(way, seconds=4) for fall in watcher.feed(frame)] + watcher.finish()
    (fall,) = falls
    assert "shallow" in {miss.reason for miss in heard}
    frames = [spot.frame for spot in fall.track]
    assert frames == [*range(frames[0], frames[-1] + 1)], "where it was lost is put in"
    assert fall.t_start == pytest.approx(1.2, abs=0.2)
    assert fall.origin is not None
    assert fall.origin.floor == 5


def test_balls_do_not_make_the_watcher_doubt_what_falls() -> None:
    watcher = Watcher(Sure(0.9), threshold=0.85)
    balls = [thrown(150.0 + 30 * n, HEIGHT + 10.0, up=230.0, at_s=1.0 + 2.5 * n) for n in range(5)]
    last = falling(500.0, 60.0, at_s=15.0)

    def way(time_s: float) -> tuple[float, float] | None:
        if time_s >= 15.0:
            return last(time_s)
        return balls[min(max(int((time_s - 1.0) / 2.5), 0), 4)](time_s)

    falls = [fall for frame in film(way, seconds=17) for fall in watcher.feed(frame)] + watcher.finish()
    assert [round(fall.t_start) for fall in falls] == [15]


def test_nothing_is_looked_for_where_it_is_to_be_ignored() -> None:
    judge = Sure()
    ignored = Outlook(ignore=(((250.0, 0.0), (400.0, 0.0), (400.0, HEIGHT), (250.0, HEIGHT)),))
    watcher = Watcher(judge, outlook=ignored)
    for frame in film(falling(330.0, 60.0, at_s=1.4)):
        watcher.feed(frame)
    watcher.finish()
    assert judge.asked == 0


def test_a_tubelet_has_the_shape_the_network_wants() -> None:
    collected: list[Tubelet] = []
    watcher = Watcher(None, collect=collected.append)
    for frame in film(falling(330.0, 60.0, at_s=1.4)):
        watcher.feed(frame)
    watcher.finish()
    (tubelet,) = collected
    assert tubelet.crops.shape == (CROPS, CHANNELS, SIDE, SIDE)
    assert tubelet.path.shape == (PATH_FEATURES, STEPS)
    assert np.isfinite(tubelet.path).all()
    centre = (
        tubelet.crops[5, 1, SIDE // 2 - 3 : SIDE // 2 + 3, SIDE // 2 - 3 : SIDE // 2 + 3].astype(int) - 128
    )
    assert np.abs(centre).max() > 15, "the thing is in the middle of its picture"


def test_a_part_of_a_picture_is_measured_as_the_whole_would_be() -> None:
    """Training watches narrow strips; what the network learns of them must hold for whole pictures."""
    down = []
    for height in (0, 2 * HEIGHT):
        collected: list[Tubelet] = []
        watcher = Watcher(None, collect=collected.append, height=height)
        for frame in film(falling(330.0, 60.0, at_s=1.4)):
            watcher.feed(frame)
        watcher.finish()
        down.append(collected[0].path[CURVES.index("down"), -1])
    assert down[1] == pytest.approx(down[0] / 2)


def test_the_box_that_is_told_holds_the_whole_thing_with_its_faded_edge() -> None:
    way, size = falling(330.0, 60.0, at_s=1.4), 12.0
    (fall,) = told(film(way, size=size))
    early = [spot for spot in fall.track if 1.5 < spot.time_s < 1.7]
    assert early
    assert all(spot.w >= size - 1 for spot in early)


def test_a_box_is_as_large_as_the_thing_mostly_is_though_it_was_half_seen_once() -> None:
    spots = [Spot(i, i / 25, 50.0, 8.0 * i, 10.0, 14.0) for i in range(9)]
    spots[4] = Spot(4, 4 / 25, 54.0, 36.0, 2.0, 6.0)
    spots[6] = Spot(6, 6 / 25, 35.0, 33.0, 40.0, 44.0)
    boxes = outlined(spots)
    assert {(box.w, box.h) for box in boxes} == {(10.0 * 1.1 + 2, 14.0 * 1.1 + 2)}
    assert [box.centre for box in boxes] == [pytest.approx(spot.centre) for spot in spots]


def test_a_picture_of_another_size_begins_anew() -> None:
    watcher = Watcher(Sure())
    for frame in film(lambda _: None, seconds=0.5):
        watcher.feed(frame)
    watcher.feed(Frame(13, 0.52, np.full((240, 320), 80, np.uint8)))
    assert watcher.statistics.frames == 13


def test_a_scene_that_changes_as_a_whole_is_learned_anew_and_invents_nothing() -> None:
    judge = Sure()
    watcher = Watcher(judge)
    for frame in film(lambda _: None, seconds=1):
        watcher.feed(frame)
    for index, frame in enumerate(film(lambda _: None, seconds=3, seed=5), start=25):
        watcher.feed(Frame(index, index / 25, frame.luma))
    watcher.finish()
    assert judge.asked == 0


def test_a_flickering_picture_is_counted_as_blind_and_invents_nothing() -> None:
    judge = Sure()
    watcher = Watcher(judge)
    for frame in film(lambda _: None, seconds=3, light=lambda t: 1.0 if int(t * 25) % 7 else 1.6):
        watcher.feed(frame)
    watcher.finish()
    assert judge.asked == 0
    assert watcher.statistics.blind > 0


def test_the_background_takes_over_what_stays_and_not_what_passes() -> None:
    motion = Motion(Outlook())
    for frame in film(lambda t: (200.0, 200.0) if t > 0.4 else None, seconds=3, size=30, noise=0):
        motion.feed(frame)
    assert abs(int(motion.background[200, 200]) - int(frame.luma[200, 200])) < 6
    motion = Motion(Outlook())
    for frame in film(lambda t: (200.0, 200.0) if 1.0 < t < 1.2 else None, seconds=3, size=30, noise=0):
        motion.feed(frame)
    assert np.abs(motion.background.astype(int) - wall().astype(np.uint8)).mean() < 1.0


def test_a_large_thing_is_followed_back_to_where_it_set_off() -> None:
    """It covers its own outline for long, so it is noticed late; what was remembered tells where it came from."""
    falls = told(film(falling(300.0, 60.0, at_s=1.4, scale=25.0), seconds=4.4, size=18.0))
    assert len(falls) == 1
    assert falls[0].track[0].frame <= 1.4 * FPS + 6


def test_a_film_of_25_pictures_a_second_that_is_shown_at_30_is_watched_as_well() -> None:
    """Every sixth picture is the last one again, so times are only good to a picture."""

    def stuttering() -> Iterator[Frame]:
        index = 0
        for frame in film(falling(300.0, 40.0, at_s=1.4, scale=40.0), seconds=3.4, size=6.0):
            yield Frame(index, index / 30, frame.luma)
            index += 1
            if index % 6 == 5:
                yield Frame(index, index / 30, frame.luma)
                index += 1

    falls = told(stuttering())
    assert len(falls) == 1
    assert falls[0].t_end - falls[0].t_start > 0.9


def test_a_moment_in_which_a_thing_was_hidden_is_put_into_its_track() -> None:
    spots = [Spot(frame, frame / 25, 10.0, 4.0 * frame, 3.0, 5.0) for frame in (3, 4, 7, 40)]
    track = filled(spots)
    assert [spot.frame for spot in track] == [3, 4, 5, 6, 7, 40]
    assert (track[2].y, round(track[2].time_s, 3)) == (20.0, 0.2)


def test_a_fall_of_which_a_slow_camera_shows_six_pictures_is_told() -> None:
    way = falling(330.3, 60.0, at_s=1.4)

    def shown(t: float) -> tuple[float, float] | None:
        return way(t) if t < 1.9 else None

    (fall,) = told(film(shown, fps=12))
    assert len(fall.track) == 6


def test_a_film_of_a_few_pictures_a_second_says_nothing() -> None:
    """What is seen every half second could have gone any way in between."""
    judge = Sure()
    watcher = Watcher(judge)
    falls = [
        fall
        for frame in film(falling(300.0, 40.0, at_s=4.0, scale=4.0), seconds=12, fps=3)
        for fall in watcher.feed(frame)
    ]
    assert falls + watcher.finish() == []
    assert judge.asked == 0


def test_what_shrinks_to_less_than_half_on_its_way_is_several_things() -> None:
    """Who lets an arm sink is followed from the sleeve to the finger tip, down and at the pace of a fall."""

    def told_of(width: float) -> set[str]:
        heard: list[NearMiss] = []
        watcher = Watcher(Sure(), explain=heard.append)
        way = falling(330.0, 60.0, at_s=1.4)
        for frame in film(way):
            at, luma = way(frame.time_s), frame.luma.copy()
            half = round(width * (1 - (frame.time_s - 1.4) / 1.2))
            if at is not None and half > 1:
                luma[max(int(at[1]) - half, 0) : int(at[1]) + half, int(at[0]) - half : int(at[0]) + half] = (
                    20
                )
            watcher.feed(Frame(frame.index, frame.time_s, luma))
        watcher.finish()
        return {miss.reason for miss in heard}

    assert "shrank" in told_of(36.0)
    assert "shrank" not in told_of(8.0)


def test_a_first_piece_that_is_doubted_is_told_with_the_second_a_second_later() -> None:
    """A bag is lost before a wall of its own shade; its first piece alone looks like a leaf."""

    class Doubtful(Sure):
        def classify(self, tubelets: Sequence[Tubelet]) -> NDArray[np.float32]:
            self.likely = 0.99 if self.asked else 0.4
            return super().classify(tubelets)

    def bag(time_s: float) -> tuple[float, float] | None:
        lapse = time_s - 1.4
        return None if lapse < 0 or 1.0 < lapse < 2.0 or lapse > 3.0 else (330.0, 40.0 + 120 * lapse)

    watcher = Watcher(Doubtful(), threshold=0.9)
    falls = [fall for frame in film(bag, seconds=5.0) for fall in watcher.feed(frame)] + watcher.finish()
    assert [round(fall.t_start - 1.4) for fall in falls] == [0]
    assert falls[0].t_end > 4.3


def test_what_sinks_by_fits_and_starts_falls_by_no_law() -> None:
    """A lift, a thing let down on a rope: the way leads down all the time, and no fall goes so."""

    def sinking(swing: float) -> Way:
        def way(t: float) -> tuple[float, float] | None:
            lapse = t - 1.4
            return (
                (330.3, 60.0 + 130 * lapse + swing * np.sin(lapse * 2 * np.pi / 1.6)) if lapse >= 0 else None
            )

        return way

    missed: list[NearMiss] = []
    for swing in (0.0, 32.0):
        watcher = Watcher(Sure(), explain=missed.append)
        falls = [fall for frame in film(sinking(swing), seconds=4.4) for fall in watcher.feed(frame)]
        assert len(falls + watcher.finish()) == (0 if swing else 1)
    assert "unphysical" in {miss.reason for miss in missed}


@pytest.mark.parametrize(("pace", "count"), [(60.0, 0), (300.0, 1)], ids=["drifts", "falls"])
def test_in_a_quiet_street_less_is_asked_of_what_comes_down_fast_and_not_of_what_drifts(
    pace: float, count: int
) -> None:
    """There the wind lifts bags as well: half of all alarms of nothing were of what came down so slowly."""

    def way(t: float) -> tuple[float, float] | None:
        return (330.3, 40.0 + pace * (t - 1.4)) if t >= 1.4 else None

    watcher = Watcher(Sure(0.7), threshold=0.85)
    falls = [fall for frame in film(way) for fall in watcher.feed(frame)] + watcher.finish()
    assert len(falls) == count
