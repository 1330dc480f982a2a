"""What goes out alone, what as a summary, what waits: nothing is dropped."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.desk.delivering import LAST_TRIES, TRIES, after_failure, blanked, plan
from gateway.desk.store.notices import Notice


def notice(
    number: int, *, person: str = "warden-1", rank: int = 3, channel: int = 0, attempts: int = 0
) -> Notice:
    """Return a page to somebody."""
    channels = (("phones", person), ("bot", person))
    return Notice(
        f"i|1.{number}|{person}", "i", person, "zh", channels, rank, f"告警 {number}", f"alert {number}", 0.0,
        channel, attempts,
    )  # fmt: skip


def test_a_few_pages_go_out_one_by_one() -> None:
    found = plan([notice(1), notice(2), notice(3)], {})
    assert [parcel.message.text for parcel in found.parcels] == ["告警 1", "告警 2", "告警 3"]


def test_a_channel_without_a_limit_takes_all() -> None:
    found = plan([notice(1, person=f"warden-{number}") for number in range(50)], {})
    assert (len(found.parcels), found.waiting) == (50, ())


def test_many_pages_to_one_person_are_one_summary_that_says_how_many() -> None:
    found = plan([notice(number, rank=2) for number in range(40)], {})
    [parcel] = found.parcels
    assert parcel.message.text == "告警 0 / 告警 1 / 告警 2（另有 37 条通知，请打开值班页）"
    assert len(parcel.notices) == 40


def test_critical_pages_are_told_each_by_itself_as_long_as_there_is_room() -> None:
    fires = [notice(number) for number in range(8)]
    assert [len(parcel.notices) for parcel in plan(fires, {"phones": 8}).parcels] == [1] * 8
    assert [len(parcel.notices) for parcel in plan(fires, {"phones": 7}).parcels] == [8]


def test_a_channel_with_little_room_tells_in_summaries_and_makes_the_rest_wait() -> None:
    waiting = [notice(number, person=f"warden-{person}") for person in range(4) for number in range(3)]
    found = plan(waiting, {"phones": 2})
    assert [len(parcel.notices) for parcel in found.parcels] == [3, 3]
    assert len(found.waiting) == 6


@given(
    st.lists(st.tuples(st.integers(0, 3), st.integers(0, 1)), max_size=60),
    st.integers(-2, 20),
    st.integers(-2, 20),
)
def test_every_page_goes_out_or_waits_and_no_channel_is_given_more_than_it_takes(
    drawn: list[tuple[int, int]], phones: int, bot: int
) -> None:
    claimed = [
        notice(number, person=f"warden-{person}", channel=channel, rank=number % 4)
        for number, (person, channel) in enumerate(drawn)
    ]
    found = plan(claimed, {"phones": phones, "bot": bot})
    placed = [each for parcel in found.parcels for each in parcel.notices] + list(found.waiting)
    assert sorted(each.id for each in placed) == sorted(each.id for each in claimed)
    for name, room in (("phones", phones), ("bot", bot)):
        assert sum(parcel.channel == name for parcel in found.parcels) <= max(room, 0)


def test_a_page_is_tried_again_with_growing_pauses_then_on_the_next_channel_then_given_up() -> None:
    tried, now, pauses = notice(1), 100.0, []
    for _ in range(TRIES + LAST_TRIES):
        retry = after_failure(tried, now, retryable=True)
        pauses.append((retry.channel, retry.due_at - now, retry.given_up))
        tried = notice(1, channel=retry.channel, attempts=retry.attempts)
    assert pauses == [
        (0, 2.0, False),
        (0, 4.0, False),
        *((1, pause, False) for pause in (0.0, 2.0, 4.0, 8.0, 16.0, 32.0)),
        *[(1, 60.0, False)] * (LAST_TRIES - 6),
        (1, 0.0, True),
    ]


def test_others_are_told_once_while_the_last_channel_is_still_tried() -> None:
    retries = [
        after_failure(notice(1, channel=1, attempts=tried), 0.0, retryable=True)
        for tried in range(LAST_TRIES)
    ]
    assert [retry.hurry for retry in retries] == [False, False, True] + [False] * (LAST_TRIES - 3)
    assert all(
        after_failure(notice(1, channel=1, attempts=tried), 0.0, retryable=False).hurry for tried in range(3)
    )


def test_a_final_refusal_goes_to_the_next_channel_at_once() -> None:
    assert after_failure(notice(1), 100.0, retryable=False).channel == 1
    assert after_failure(notice(1, channel=1), 100.0, retryable=False).given_up


@pytest.mark.parametrize("ascii_only", [False, True])
def test_a_door_that_a_service_says_again_is_blanked_however_it_writes_it(ascii_only: bool) -> None:
    door = "2 栋 1 单元 2-1-301"
    answer = json.dumps({"code": 93000, "text": f"{door}：有人跌倒"}, ensure_ascii=ascii_only)
    assert "301" not in blanked(answer, (door,))
    assert "93000" in blanked(answer, (door,))
