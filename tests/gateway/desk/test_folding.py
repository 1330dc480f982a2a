"""A batch folds to the same whatever its order, and every event of it is owed a receipt."""

from itertools import pairwise

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.events import Change
from gateway.desk import folding
from gateway.desk.arrivals import Arrival
from tests.desk_parts import arrival

_EVENTS = [
    arrival(seq, epoch=epoch, life=life, change=change)
    for epoch in (1, 2)
    for seq, life, change in (
        (1, 1, Change.RAISED),
        (2, 2, Change.RAISED),
        (3, 1, Change.CLEARED),
        (9, 2, Change.UPDATED),
    )
]


@given(st.lists(st.sampled_from(_EVENTS), min_size=1, max_size=30), st.randoms())
def test_order_and_repeats_change_nothing(batch: list[Arrival], chance: object) -> None:
    shuffled = batch * 2
    chance.shuffle(shuffled)  # type: ignore[attr-defined]
    assert folding.newest(shuffled) == folding.newest(batch)
    assert folding.once(shuffled) == folding.once(batch)
    assert folding.receipts(shuffled) == folding.receipts(batch)


@given(st.lists(st.sampled_from(_EVENTS), min_size=1), st.integers(0, 30))
def test_two_batches_fold_as_one(batch: list[Arrival], cut: int) -> None:
    apart = [*folding.newest(batch[:cut]).values(), *folding.newest(batch[cut:]).values()]
    assert folding.newest(apart) == folding.newest(batch)


@given(st.sets(st.integers(0, 300)))
def test_ranges_hold_exactly_the_numbers(numbers: set[int]) -> None:
    found = folding.ranges(numbers)
    assert {number for first, last in found for number in range(first, last + 1)} == numbers
    assert all(first[1] + 1 < second[0] for first, second in pairwise(found))


def test_a_receipt_is_as_the_contract_has_it() -> None:
    made = folding.receipts([arrival(seq) for seq in (1040, 1041, 1042, 1045)])
    assert made == [("hxtp-01", b'{"epoch":1,"stored":[[1040,1042],[1045,1045]]}')]


def test_a_receipt_has_no_more_ranges_than_the_contract_allows() -> None:
    made = folding.receipts([arrival(seq) for seq in range(1, 4003, 2)])
    sizes = [len(msgspec.json.decode(payload)["stored"]) for _, payload in made]
    assert sizes == [1000, 1000, 1]
