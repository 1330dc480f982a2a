"""Tracks end, go on behind what hides them, and never stop the watcher, however many cross one another."""

import numpy as np
import pytest

from gateway.vision.gathering import Candidates
from gateway.vision.laying import Picture
from gateway.vision.linking import Linker
from gateway.vision.shake import Shift
from gateway.vision.sight import Ground
from gateway.vision.tracks import Hit, Track

HEIGHT, WIDTH = 480, 320
WALL = np.full((HEIGHT, WIDTH), 120, np.uint8)
GROUND = Ground(WALL, np.full_like(WALL, 6))


def pictures(places: list[list[tuple[float, float]]], fps: float = 25) -> list[tuple[Picture, Candidates]]:
    """One picture for each list of places, a dark dot at each."""
    made: list[tuple[Picture, Candidates]] = []
    before = WALL
    for index, spots in enumerate(places):
        luma = WALL.copy()
        for x, y in spots:
            luma[int(y) - 2 : int(y) + 3, int(x) - 2 : int(x) + 3] = 30
        at = np.array(spots, np.float32).reshape(-1, 2)
        box = np.concatenate([at - 2, at + 3], axis=1)
        many = np.full(len(spots), 25, np.float32)
        found = Candidates(at, box, many)
        made.append((Picture(index, index / fps, luma, Shift(), before), found))
        before = luma
    return made


def tracks_of(shown: list[tuple[Picture, Candidates]]) -> list[Track]:
    """Return each track that was ended, the longest last."""
    linker = Linker()
    seen: list[Picture] = []
    ended: list[Track] = []
    for picture, found in shown:
        ended += linker.feed(picture, found, GROUND, seen[:-17:-1])
        seen.append(picture)
    ended += linker.finish()
    return sorted(ended, key=lambda track: len(track.hits))


def link(places: list[list[tuple[float, float]]]) -> list[list[int]]:
    """Return the frames of each track that was ended, longest last."""
    return [[hit.index for hit in track.hits] for track in tracks_of(pictures(places))]


def drop(frame: int, *, since: int = 0) -> float:
    return 20 + 0.8 * (frame - since) ** 2 / 2 + 3 * (frame - since)


def test_a_fall_is_one_track_from_first_to_last() -> None:
    (track,) = link([[(100.0, drop(i))] for i in range(26)] + [[]] * 8)
    assert track[0] <= 1
    assert track[-1] == 25


def test_a_fall_that_vanishes_for_a_moment_goes_on_as_the_same_track() -> None:
    places = [[(100.0, drop(i))] if not 13 <= i < 20 else [] for i in range(30)]
    longest = link(places + [[]] * 8)[-1]
    assert longest[0] <= 1
    assert longest[-1] == 29


def test_many_falls_that_break_off_and_go_on_at_once_stop_nothing() -> None:
    """Joining looks through the tracks that ended of late, and must tell them apart without comparing pictures."""
    columns = [20.0 + 40 * number for number in range(7)]
    places = [[(x, drop(i)) for x in columns] if not 13 <= i < 20 else [] for i in range(30)]
    tracks = [track for track in link(places + [[]] * 8) if track[-1] == 29]
    assert len(tracks) == len(columns)
    assert all(track[0] <= 1 for track in tracks)


def test_a_later_piece_that_was_seen_before_the_earlier_was_given_up_is_joined_to_it_when_it_ends() -> None:
    """The earlier one has gone on with what the thing left behind, and is still waited for when the later begins."""

    def seen(frame: int) -> list[tuple[float, float]]:
        way, aside = (100.0, 20.0 + 4 * frame), (110.5, 20.0 + 4 * frame)
        return [way] if frame < 14 else [way, aside] if frame < 17 else [aside]

    longest = link([seen(frame) for frame in range(30)] + [[]] * 8)[-1]
    assert longest == sorted(set(longest))
    assert (longest[0] <= 1, longest[-1]) == (True, 29)


def test_a_piece_too_short_to_be_looked_back_for_is_joined_all_the_same() -> None:
    first = [[(100.0, drop(i))] if not 13 <= i < 18 else [] for i in range(22)]
    track = tracks_of(pictures(first + [[]] * 8))[-1]
    assert (track.hits[0].index <= 1, track.hits[-1].index) == (True, 21)
    assert all(hit.crop is not None for hit in track.hits)


def test_a_fall_of_twelve_pictures_a_second_is_followed_though_it_speeds_up_between_them() -> None:
    places = [[(100.0, 20.0 + 650 * (i / 12) ** 2)] for i in range(11)]
    (track,) = tracks_of(pictures(places + [[]] * 8, fps=12))
    assert (track.hits[0].index <= 3, track.hits[-1].index) == (True, 10)


@pytest.mark.parametrize("first", [0, 1, 2])
def test_a_fall_is_followed_in_a_film_of_25_of_which_two_pictures_of_five_were_left_out(first: int) -> None:
    """Its times are even, what they show is not: one step is twice as long as the next."""
    shown = [(5 * number + first) // 3 for number in range(16)]
    places = [[(100.0, 20.0 + 2 * at + 200 * (at / 25) ** 2)] for at in shown]
    longest = tracks_of(pictures(places + [[]] * 8, fps=15))[-1]
    assert (longest.hits[0].index <= 1, longest.hits[-1].index) == (True, 15)


def test_where_few_pictures_come_a_track_waits_for_three_of_them() -> None:
    places = [[(100.0, 20.0 + 650 * (i / 12) ** 2)] if i not in {6, 7} else [] for i in range(11)]
    longest = tracks_of(pictures(places + [[]] * 8, fps=12))[-1]
    assert (longest.hits[0].index <= 3, longest.hits[-1].index) == (True, 10)


def test_what_goes_up_or_aside_is_no_track() -> None:
    assert link([[(20.0 + 9 * i, 200.0)] for i in range(26)] + [[]] * 8) == []
    assert link([[(100.0, 400.0 - 9 * i)] for i in range(26)] + [[]] * 8) == []


def test_two_pieces_of_a_fall_are_one_track_though_the_later_reaches_back_into_the_earlier() -> None:
    """A track that has been lost is looked back for along its way, and may find again what the first has seen."""
    places = [[(100.0, drop(i))] if not 14 <= i < 18 else [] for i in range(30)]
    longest = link(places + [[]] * 8)[-1]
    assert longest == sorted(set(longest))
    assert (longest[0] <= 1, longest[-1]) == (True, 29)


def test_pictures_that_are_shown_twice_break_no_track_and_are_no_sighting() -> None:
    """25 pictures a second sent as 30: each sixth is the fifth again, and in the next the thing goes two steps."""
    shown = [frame - frame // 6 for frame in range(30)]
    (track,) = link([[(100.0, drop(true))] for true in shown] + [[]] * 8)
    assert (track[0] <= 1, track[-1]) == (True, 29)
    again = {frame for frame in range(1, 30) if shown[frame] == shown[frame - 1]}
    assert len(again) == 4
    assert not again & set(track)


def test_frames_that_were_shown_twice_are_known_by_number() -> None:
    shown = [frame - frame // 6 for frame in range(30)]
    linker = Linker()
    for picture, found in pictures([[(100.0, drop(true))] for true in shown]):
        linker.feed(picture, found, GROUND, [])
    assert list(linker.repeats) == [frame for frame in range(1, 30) if shown[frame] == shown[frame - 1]]


def test_what_stands_beside_a_small_thing_that_falls_is_no_sign_of_a_picture_shown_twice() -> None:
    """A lamp that came on is seen for a while, and does not move; of the thing too few pixels tell that it does."""
    linker = Linker()
    for picture, found in pictures([[(250.0, 300.0), (100.0, drop(i))] for i in range(20)]):
        linker.feed(picture, Candidates(found.centre, found.box, np.array([25, 5], np.float32)), GROUND, [])
    assert all(frame < 6 for frame in linker.repeats)  # until it is followed
    assert max(len(track.hits) for track in linker.tracks) >= 16


def test_what_stands_still_for_long_is_not_taken_for_pictures_shown_twice() -> None:
    """No two pictures in a row are passed over, so time goes on for everything else."""
    linker = Linker()
    for picture, found in pictures([[(100.0, drop(i))] for i in range(12)] + [[(100.0, drop(11))]] * 12):
        linker.feed(picture, found, GROUND, [])
    assert linker.tracks == []


def test_what_rises_first_is_followed_up_and_judged_from_its_highest_place_on() -> None:
    def height(frame: int) -> float:
        return 200 + 0.7 * (frame - 12) ** 2 / 2

    *_, track = tracks_of(pictures([[(60.0 + 2 * i, height(i))] for i in range(36)] + [[]] * 8))
    down, up = [hit.index for hit in track.hits], [hit.index for hit in track.rise]
    assert down == list(range(down[0], 36))
    assert abs(down[0] - 12) <= 1
    assert len(up) >= 8
    assert up == list(range(up[0], down[0]))
    assert track.rise[0].y - track.hits[0].y > 30


def test_what_is_thrown_far_aside_is_followed_over_its_highest_place_and_down() -> None:
    """It goes twice as far aside as down, and for a third of a second neither up nor down."""

    def height(frame: int) -> float:
        return 60 + 0.24 * (frame - 8) ** 2 / 2

    (track,) = tracks_of(pictures([[(10.0 + 8 * i, height(i))] for i in range(36)] + [[]] * 8))
    frames = [hit.index for hit in (*track.rise, *track.hits)]
    assert (frames[0] <= 1, frames[-1]) == (True, 35)
    assert len(frames) >= 34
    assert abs(track.hits[0].index - 8) <= 2


def test_specks_below_what_is_let_go_of_are_no_way_it_came_up() -> None:
    """Noise lies everywhere, and wherever a thing is looked for something is found."""
    way = [(100.0, 100.0 + 0.9 * (i - 12) ** 2, 1 if i < 11 else 13) for i in range(26)]
    track = tracks_of(blots(way, [1 if wide == 1 else 150 for *_, wide in way]))[-1]
    assert track.hits[-1].index == 25
    assert track.rise == ()


def blots(places: list[tuple[float, float, int]], pixels: list[int]) -> list[tuple[Picture, Candidates]]:
    """One picture for each place, with a dark square that wide; of so many of its pixels it is seen that they moved."""
    made: list[tuple[Picture, Candidates]] = []
    before = WALL
    for index, ((x, y, wide), many) in enumerate(zip(places, pixels, strict=True)):
        luma = WALL.copy()
        left, top = round(x - wide / 2), round(y - wide / 2)
        luma[max(top, 0) : top + wide, left : left + wide] = 30
        box = np.array([[left, top, left + wide, top + wide]], np.float32)
        found = Candidates(np.array([[x, y]], np.float32), box, np.array([many], np.float32))
        made.append((Picture(index, index / 25, luma, Shift(), before), found))
        before = luma
    return made


def test_a_large_thing_that_is_near_begins_a_track_however_fast_and_in_pieces() -> None:
    """Of what overlaps itself only the rims move: now most of it, now a tenth."""
    places = [(100.0, 30.0 + 40 * i + 2.0 * i * i, 30) for i in range(9)]
    pixels = [700, 60, 800, 60, 700, 60, 800, 60, 700]
    track = tracks_of(blots(places, pixels))[-1]
    assert [hit.index for hit in track.hits] == list(range(9))


def test_a_followed_track_takes_neither_a_speck_nor_what_its_thing_left_behind() -> None:
    """A noise filter leaves a faint rest where a thing was; specks lie beside one that turns."""
    hits = [
        Hit(i, i / 25, 100.0, drop(i), (90.0, drop(i) - 10, 110.0, drop(i) + 10), 50.0, Shift())
        for i in range(10)
    ]
    track = Track(hits, ahead=(100.0, 120.0, 20.0))
    assert hits[-1].y < 90
    assert track.goes_on_with(100.0, 118.0, 18.0)
    assert track.goes_on_with(104.0, 108.0, 8.0)
    assert not track.goes_on_with(100.0, 120.0, 2.0)
    assert not track.goes_on_with(100.0, hits[-1].y + 2, 18.0)
    assert Track(hits[:3], ahead=track.ahead).goes_on_with(100.0, 120.0, 2.0)
    # unseen for four pictures: what lies where it was in the third was left there
    late = Track(hits, waited=4, ahead=(100.0, hits[-1].y + 100.0, 20.0))
    assert late.goes_on_with(100.0, hits[-1].y + 95.0, 18.0)
    assert not late.goes_on_with(100.0, hits[-1].y + 75.0, 18.0)


def test_what_sways_is_joined_where_its_last_bend_alone_would_lead_elsewhere() -> None:
    def swaying(frame: int) -> tuple[float, float]:
        return 160 + 16 * np.sin(2 * np.pi * frame / 30), 20.0 + 4 * frame

    longest = link([[swaying(i)] if not 20 <= i < 30 else [] for i in range(60)] + [[]] * 8)[-1]
    assert (longest[0] <= 1, longest[-1]) == (True, 59)


def test_a_way_up_that_was_lost_before_the_top_is_put_before_the_way_down() -> None:
    """A ball comes up before a wall of its own shade for a moment, and is seen again at its highest place."""

    def height(frame: int) -> float:
        return 100 + 0.9 * (frame - 20) ** 2 / 2

    places = [[(60.0 + 2 * i, height(i))] if not 12 <= i < 18 else [] for i in range(46)]
    *_, track = tracks_of(pictures(places + [[]] * 8))
    assert track.hits[-1].index == 45
    assert [hit.index for hit in track.rise][:12] == list(
        range(track.rise[0].index, track.rise[0].index + 12)
    )
    assert track.rise[0].index <= 1


def test_what_was_thrown_up_a_little_goes_on_from_nothing_that_sank_before() -> None:
    """Steam drifts away; a bottle comes out of the window, rises and falls: it is followed, with its own way up."""
    steam = [[(41.0 + 6 * k, 185.0 + 2 * k)] for k in range(7)]
    bottle = [[(136 + 10.5 * (i - 14), 200 + 0.5 * (i - 18) ** 2)] for i in range(14, 31)]
    *_, track = tracks_of(pictures([*steam, *[[] for _ in range(7)], *bottle, *[[] for _ in range(8)]]))
    indices = [hit.index for hit in (*track.rise, *track.hits)]
    assert (indices[0], indices[-1]) == (14, 30)
    assert indices == sorted(indices)
