"""What nobody believed alone is told where a fall goes on in it, and nowhere else."""

from gateway.vision.remnants import AGO_S, CROWD, CROWD_S, GAP_S, Remnants
from gateway.vision.sight import Spot

FPS = 25


def way(first: int, last: int, *, aside: float = 0.0, size: float = 6.0) -> tuple[Spot, ...]:
    """What a bag would show from one frame to another: 2 px across and 5 px down in each."""
    return tuple(Spot(i, i / FPS, 100 + 2 * i + aside, 5 * i, size, size) for i in range(first, last + 1))


def frames(remnants: Remnants, track: tuple[Spot, ...]) -> tuple[list[int], list[int]]:
    before, beyond = remnants.around(track, now=track[-1].time_s + 0.2)
    return [spot.frame for spot in before], [spot.frame for spot in beyond]


def test_pieces_before_and_after_a_fall_belong_to_it_one_after_the_other() -> None:
    remnants = Remnants()
    for first, last in ((0, 8), (15, 22), (52, 57)):
        remnants.take(way(first, last))
    before, beyond = frames(remnants, way(30, 48))
    assert before == [*range(9), *range(15, 23)]
    assert beyond == [*range(52, 58)]


def test_of_a_piece_that_reaches_into_the_fall_only_what_is_outside_counts() -> None:
    remnants = Remnants()
    remnants.take(way(20, 33))
    assert frames(remnants, way(30, 48)) == ([*range(20, 30)], [])


def test_what_went_elsewhere_or_is_of_another_size_or_long_past_is_another_thing() -> None:
    late = 58 - round(GAP_S * FPS)
    for other in (way(40, 55, aside=60), way(40, 55, size=23), way(20, late), way(61, 77)):
        remnants = Remnants()
        remnants.take(other)
        assert frames(remnants, way(60, 78)) == ([], [])


def test_the_nearest_of_two_pieces_is_taken() -> None:
    remnants = Remnants()
    remnants.take(way(11, 25, aside=7, size=7))
    remnants.take(way(12, 25))
    before, _ = remnants.around(way(30, 48), now=2.2)
    assert [spot.frame for spot in before] == [*range(12, 26)]


def test_among_many_ways_one_fits_by_chance_so_none_is_believed_until_they_are_past() -> None:
    remnants = Remnants()
    for number in range(CROWD):
        remnants.take(way(5, 25, aside=300 + 20 * number))
    remnants.take(way(15, 27))
    track = way(30, 48)
    assert frames(remnants, track) == ([], [])
    later = 25 / FPS + CROWD_S
    assert [spot.frame for spot in remnants.around(track, now=later)[0]] == [*range(15, 28)]


def test_what_began_before_the_film_that_is_kept_is_not_told() -> None:
    remnants = Remnants()
    for first in range(0, 200, 25):
        remnants.take(way(first, first + 20))
    track = way(200, 220)
    before, _ = remnants.around(track, now=track[-1].time_s + 0.2)
    assert 0 <= before[0].time_s - (track[-1].time_s + 0.2 - AGO_S) < 1
