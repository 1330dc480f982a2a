"""Tracks end, go on behind what hides them, and never stop the watcher, however many cross one another."""

import numpy as np

from gateway.vision.laying import Picture
from gateway.vision.linking import Linker
from gateway.vision.motion import Candidates
from gateway.vision.shake import Shift
from gateway.vision.sight import Ground
from gateway.vision.tracks import Track

HEIGHT, WIDTH = 480, 320
WALL = np.full((HEIGHT, WIDTH), 120, np.uint8)
GROUND = Ground(WALL, np.full_like(WALL, 6))


def pictures(places: list[list[tuple[float, float]]]) -> list[tuple[Picture, Candidates]]:
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
        made.append((Picture(index, index / 25, luma, Shift(), before), found))
        before = luma
    return made


def link(places: list[list[tuple[float, float]]]) -> list[list[int]]:
    """Return the frames of each track that was ended, longest last."""
    linker = Linker()
    seen: list[Picture] = []
    ended: list[Track] = []
    for picture, found in pictures(places):
        ended += linker.feed(picture, found, GROUND, seen[:-8:-1])
        seen.append(picture)
    ended += linker.finish()
    return sorted(([hit.index for hit in track.hits] for track in ended), key=len)


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


def test_what_goes_up_or_aside_is_no_track() -> None:
    assert link([[(20.0 + 9 * i, 200.0)] for i in range(26)] + [[]] * 8) == []
    assert link([[(100.0, 400.0 - 9 * i)] for i in range(26)] + [[]] * 8) == []


def test_two_pieces_of_a_fall_are_one_track_though_the_later_reaches_back_into_the_earlier() -> None:
    """A track that has been lost is looked back for along its way, and may find again what the first has seen."""
    places = [[(100.0, drop(i))] if not 14 <= i < 18 else [] for i in range(30)]
    longest = link(places + [[]] * 8)[-1]
    assert longest == sorted(set(longest))
    assert (longest[0] <= 1, longest[-1]) == (True, 29)
