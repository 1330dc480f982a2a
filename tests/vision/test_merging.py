"""One fall is one event, whatever it looked like in pieces."""

from dataclasses import replace

from gateway.vision.merging import HOLD_S, LONGEST_S, PATIENCE_S, Merger
from gateway.vision.sight import Fall, Origin, Spot


def fall(first: int, last: int, *, x: float = 100.0, top: float = 0.0, size: float = 4.0) -> Fall:
    track = tuple(Spot(i, i / 25, x, top + (i - first) * 10, size, size) for i in range(first, last + 1))
    return Fall(first / 25, last / 25, 0.9, track, last / 25 + 0.2)


def test_a_lone_fall_is_told_after_a_short_hold() -> None:
    merger = Merger()
    merger.add(fall(0, 20))
    assert merger.due(1.0 + HOLD_S - 0.02) == []
    (told,) = merger.due(1.0 + HOLD_S + 0.02)
    assert told.pieces == 1
    assert merger.due(9.0) == []


def test_the_mirror_image_adds_no_event_and_no_spots() -> None:
    merger = Merger()
    merger.add(fall(0, 20, size=6))
    merger.add(fall(2, 20, x=160, size=3))
    (told,) = merger.due(9.0)
    assert told.pieces == 2
    assert {spot.x for spot in told.track} == {100.0}


def test_pieces_of_one_way_down_become_one_track() -> None:
    merger = Merger()
    merger.add(fall(0, 10))
    merger.add(fall(14, 30, top=140))
    (told,) = merger.due(9.0)
    assert (told.track[0].frame, told.track[-1].frame) == (0, 30)
    assert (told.t_start, told.t_end) == (0.0, 30 / 25)


def test_what_goes_on_far_below_where_it_was_lost_is_the_same_fall() -> None:
    merger = Merger()
    merger.add(fall(0, 20))
    merger.add(fall(37, 60, top=370))
    (told,) = merger.due(9.0)
    assert (told.track[0].frame, told.track[-1].frame) == (0, 60)


def test_a_fall_in_pieces_left_the_floor_that_its_first_piece_left() -> None:
    merger = Merger()
    merger.add(replace(fall(0, 10), origin=Origin(7, 7, 8)))
    merger.add(replace(fall(14, 40, top=140, size=12), origin=Origin(3, 2, 3)))
    (told,) = merger.due(9.0)
    assert told.origin == Origin(7, 7, 8)


def test_two_falls_a_second_apart_are_two_events() -> None:
    merger = Merger()
    merger.add(fall(0, 20))
    merger.add(fall(46, 66))
    assert len(merger.due(9.0)) == 2


def test_a_piece_that_comes_after_the_event_was_told_is_no_second_event() -> None:
    merger = Merger()
    merger.add(fall(0, 20))
    assert len(merger.due(1.3)) == 1
    merger.add(fall(24, 36, x=110, top=240))
    assert merger.due(9.0) == []


def test_the_end_of_the_stream_tells_what_still_waits() -> None:
    merger = Merger()
    merger.add(fall(0, 20))
    assert len(merger.finish()) == 1
    assert merger.finish() == []


def test_of_two_things_at_once_the_event_tells_of_the_one_that_is_believed_more() -> None:
    """A bag in the wind may be larger than the bottle that falls beside it."""
    merger = Merger()
    merger.add(replace(fall(0, 20, x=180, size=12), confidence=0.68))
    merger.add(replace(fall(2, 20, x=100, size=5), confidence=0.95))
    (told,) = merger.due(9.0)
    assert {spot.x for spot in told.track} == {100.0}


def test_a_large_thing_that_is_half_believed_takes_no_small_sure_things_place() -> None:
    merger = Merger()
    merger.add(replace(fall(0, 20, size=12), confidence=0.85))
    merger.add(replace(fall(2, 22, x=160), confidence=0.99))
    (told,) = merger.due(9.0)
    assert {spot.x for spot in told.track} == {160.0}


def test_what_comes_down_far_off_at_the_same_time_is_an_event_of_its_own() -> None:
    """A bird before the next house must not take the place of the bottle."""
    merger = Merger()
    merger.add(replace(fall(0, 20, x=900, size=12), confidence=0.99))
    merger.add(fall(2, 20))
    assert len(merger.due(9.0)) == 2


def test_what_begins_elsewhere_just_after_is_an_event_of_its_own() -> None:
    merger = Merger()
    merger.add(fall(0, 20))
    merger.add(fall(24, 44, x=600))
    assert len(merger.due(9.0)) == 2


def test_what_is_not_believed_alone_is_told_as_the_first_piece_of_a_fall() -> None:
    merger = Merger()
    merger.add(replace(fall(0, 10), confidence=0.3), sure=False)
    merger.add(fall(14, 30, top=140))
    (told,) = merger.due(9.0)
    assert (told.track[0].frame, told.track[-1].frame) == (0, 30)
    assert told.confidence == 0.9


def test_what_is_not_believed_is_never_told_alone() -> None:
    merger = Merger()
    merger.add(replace(fall(0, 10), confidence=0.3), sure=False)
    merger.add(replace(fall(14, 30, top=140), confidence=0.3), sure=False)
    assert merger.due(9.0) + merger.finish() == []


def test_a_fall_is_not_told_while_its_thing_is_still_followed_further_down_and_then_as_one_way() -> None:
    merger = Merger()
    merger.add(fall(0, 20))
    further = fall(24, 34, top=240)
    assert merger.due(1.4, [further.track]) == []
    merger.add(further)
    (told,) = merger.due(1.9)
    assert [spot.frame for spot in told.track] == list(range(35))


def test_what_is_followed_elsewhere_or_for_ever_holds_no_fall_back() -> None:
    merger = Merger()
    merger.add(fall(0, 20))
    assert len(merger.due(1.4, [fall(24, 34, x=400, top=240).track])) == 1
    merger.add(fall(100, 120))
    for_ever = fall(122, 400, top=210)
    assert merger.due(5.2, [for_ever.track]) == []
    assert len(merger.due(5.0 + LONGEST_S + 0.01, [for_ever.track])) == 1


def test_a_fall_is_not_swallowed_by_what_was_told_beside_it_and_was_there_long_before() -> None:
    merger = Merger()
    merger.add(fall(0, 40))
    assert len(merger.due(2.0)) == 1
    merger.add(fall(30, 60, x=150, top=330))
    assert len(merger.due(9.0)) == 1


def test_one_large_thing_followed_twice_at_a_time_is_one_way_from_the_first_sight_to_the_last() -> None:
    """One track may hold its head and one its foot; the first to end must not take the rest of the way with it."""
    merger = Merger()
    merger.add(fall(0, 20, size=30))
    merger.add(fall(12, 40, x=106, top=128, size=24))
    (told,) = merger.due(9.0)
    assert (told.track[0].frame, told.track[-1].frame, len(told.track)) == (0, 40, 41)


def test_pieces_of_what_is_thrown_far_aside_become_one_track() -> None:
    def thrown(first: int, last: int) -> Fall:
        track = tuple(Spot(i, i / 25, 100 + 14.0 * i, 0.4 * i * i, 6, 6) for i in range(first, last + 1))
        return Fall(first / 25, last / 25, 0.9, track, last / 25 + 0.2)

    merger = Merger()
    merger.add(thrown(0, 12))
    merger.add(thrown(20, 34))
    (told,) = merger.due(9.0)
    assert (told.track[0].frame, told.track[-1].frame) == (0, 34)


def test_a_film_waits_for_what_comes_later_of_a_fall_and_says_when_the_first_verdict_stood() -> None:
    def told(merger: Merger) -> list[Fall]:
        merger.add(fall(0, 20))
        falls = merger.due(1.2)
        merger.add(fall(32, 50, top=310))
        return falls + merger.due(2.3) + merger.due(9.0)

    (alarm,) = told(Merger())
    (whole,) = told(Merger(PATIENCE_S))
    assert (alarm.track[-1].frame, whole.track[-1].frame) == (20, 50)
    assert alarm.decided_s == whole.decided_s == 1.2


def test_a_camera_tells_at_once_and_once_more_when_the_whole_way_is_known() -> None:
    merger = Merger(PATIENCE_S, at_once=True)
    merger.add(fall(0, 20))
    merger.add(fall(0, 20, x=900))
    first, second = merger.due(1.2)
    assert merger.waits
    merger.add(fall(32, 50, top=310))
    assert merger.due(2.3) == []
    again = merger.due(9.0)
    assert [one.number for one in (first, second, *again)] == [1, 2, 1, 2]
    assert [one.track[-1].frame for one in (first, second, *again)] == [20, 20, 50, 20]
    assert merger.due(9.1) == merger.finish() == []


def test_a_stream_that_ends_tells_whole_what_it_told_at_once() -> None:
    merger = Merger(PATIENCE_S, at_once=True)
    merger.add(fall(0, 20))
    (told,) = merger.due(1.2)
    merger.add(fall(60, 80))
    assert [one.number for one in merger.finish()] == [told.number, told.number + 1]


def test_a_film_waits_no_longer_than_it_must() -> None:
    merger = Merger(PATIENCE_S)
    merger.add(fall(0, 20))
    assert merger.due(1.0 + HOLD_S + 0.01) == []
    assert merger.due(1.0 + PATIENCE_S - 0.05) == []
    assert len(merger.due(1.0 + HOLD_S + PATIENCE_S + 0.05)) == 1


def test_of_a_thing_and_its_image_in_the_glass_the_event_tells_of_the_thing_which_is_seen_above() -> None:
    """A camera that looks up sees the image, which lies further off, further down; it may look the better fall."""
    merger = Merger()
    merger.add(replace(fall(0, 20), confidence=0.84))
    merger.add(replace(fall(0, 20, x=112, top=40), confidence=0.99))
    (told,) = merger.due(9.0)
    assert {spot.x for spot in told.track} == {100.0}


def test_the_end_of_a_piece_that_strayed_gives_way_to_the_piece_that_goes_on() -> None:
    """The last sights may be of what the thing passed: from where the next piece begins that one is right."""
    earlier, later = fall(0, 20), fall(17, 40, top=170)
    strayed = tuple(
        replace(spot, x=spot.x + 20 * max(0, spot.frame - 16), y=min(spot.y, 160)) for spot in earlier.track
    )
    merger = Merger()
    merger.add(later)
    merger.add(replace(earlier, track=strayed))
    (told,) = merger.due(9.0)
    assert [(spot.frame, spot.x, spot.y) for spot in told.track] == [(i, 100.0, 10.0 * i) for i in range(41)]
