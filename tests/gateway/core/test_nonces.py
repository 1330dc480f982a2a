"""Nonces: unguessable, single, short-lived, always a few to be had."""

import secrets
from itertools import count

from hypothesis import given
from hypothesis import strategies as st

from gateway.core.allowances import Allowance
from gateway.core.nonces import BYTES, LIFE_S, MARGIN_S, PUBLISHED, Nonces


def pool(now: float = 0.0) -> Nonces:
    numbers = count()
    nonces = Nonces(lambda: f"nonce-{next(numbers)}")
    nonces.renew(now)
    return nonces


def test_a_few_are_published_and_each_has_life_left() -> None:
    published = pool().published(0.0)
    assert len(published) == PUBLISHED
    assert all(MARGIN_S < left_s <= LIFE_S for _, left_s in published)
    assert published[0][1] == LIFE_S


def test_a_used_one_is_replaced_at_once_and_is_gone() -> None:
    nonces = pool()
    used = nonces.published(0.0)[0][0]
    nonces.use(used)
    assert nonces.born(used, 0.0) is None
    assert nonces.renew(0.0)
    assert len(nonces.published(0.0)) == PUBLISHED
    assert used not in dict(nonces.published(0.0))


def test_one_that_left_the_pool_is_good_until_its_end_and_not_longer() -> None:
    nonces = pool()
    text, left_s = nonces.published(0.0)[0]
    nonces.renew(left_s - MARGIN_S)
    assert text not in dict(nonces.published(left_s - MARGIN_S))
    assert nonces.born(text, left_s - 0.1) == 0.0
    assert nonces.born(text, left_s) is None


def test_none_is_good_for_longer_than_a_minute_and_the_freshest_comes_first() -> None:
    nonces = pool()
    nonces.use(nonces.published(0.0)[-1][0])
    nonces.renew(10.0)
    lives = [left_s for _, left_s in nonces.published(10.0)]
    assert lives[0] == 60.0
    assert max(lives[1:]) == 50.0
    assert min(lives) > 5.0


def test_nothing_changes_before_it_is_due() -> None:
    nonces = pool()
    assert not nonces.renew(nonces.next_due() - 0.1)
    assert nonces.renew(nonces.next_due())


@given(st.lists(st.tuples(st.floats(0.0, 90.0), st.booleans()), max_size=60))
def test_whatever_happens_there_are_always_fresh_ones_and_never_many_in_memory(
    steps: list[tuple[float, bool]],
) -> None:
    nonces, now = pool(), 0.0
    for pause_s, used in steps:
        now += pause_s
        nonces.renew(now)
        published = nonces.published(now)
        assert len(published) == PUBLISHED
        assert all(MARGIN_S < left_s <= LIFE_S + 1e-6 for _, left_s in published)
        assert all(nonces.born(text, now) is not None for text, _ in published)
        if used:
            nonces.use(published[-1][0])
    assert len(nonces._live) <= 2 * PUBLISHED


def test_the_real_ones_are_128_bits_in_22_letters() -> None:
    drawn = {secrets.token_urlsafe(BYTES) for _ in range(100)}
    assert len(drawn) == 100
    assert {len(text) for text in drawn} == {22}


def test_an_allowance_fills_with_time_and_never_over() -> None:
    allowance = Allowance(2, 0.5)
    assert [allowance.take(0.0) for _ in range(3)] == [True, True, False]
    assert not allowance.take(1.9)
    assert allowance.take(2.0)
    assert [allowance.take(1e6) for _ in range(3)] == [True, True, False]
