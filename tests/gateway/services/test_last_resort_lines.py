"""The last resort's lines when something goes wrong on them: no answer, news that nobody takes, lines that are gone."""

import asyncio

from gateway.core.alerts import State
from gateway.core.events import Body, LinkBody, NoteBody, Severity
from gateway.core.last_resort import note
from gateway.services.last_resort import LastResort
from tests.events import alert_body, event
from tests.gateway.services.test_last_resort import REFUSED, House, play, silence

AGAIN = "已恢复应答"


def test_a_line_that_gives_no_answer_has_told_nobody_and_is_tried_again_soon() -> None:
    async def scenario(house: House) -> None:
        house.hangs = {"phone", "bot"}
        house.raise_alert(1)
        await asyncio.sleep(82)
        assert (house.statistics().told, house.statistics().failed) == (0, 2)
        assert house.statistics().lines["phone"] == "no answer in 50 s"
        assert not [each for each in house.journal if isinstance(each.body, NoteBody)]
        house.hangs = set()
        await asyncio.sleep(5)
        assert len(house.told()) == len(house.told("bot")) == 1

    play(scenario)


def test_what_is_told_of_the_desk_says_whether_it_fell_silent_or_answers() -> None:
    async def scenario(house: House) -> None:
        house.raise_alert(1)
        await asyncio.sleep(100)
        house.confirm()
        await asyncio.sleep(10)
        reasons = [
            (each.body.up, each.body.reason) for each in house.journal if isinstance(each.body, LinkBody)
        ]
        assert reasons == [(False, "no alert is confirmed any more"), (True, "alerts are confirmed again")]

    play(scenario)


def test_a_desk_that_is_still_silent_is_not_said_to_answer_because_somebody_saw_to_the_alert_on_the_spot() -> (
    None
):
    async def scenario(house: House) -> None:
        house.raise_alert(1)
        await asyncio.sleep(50)
        house.raise_alert(1, state=State.ACTIVE_ACKED)
        await asyncio.sleep(600)
        assert len(house.texts()) == 1
        assert AGAIN not in house.texts()[0]
        assert house.statistics().silent

    play(scenario)


def test_the_desk_is_not_said_to_answer_while_it_has_not_confirmed_all_that_is_critical() -> None:
    async def scenario(house: House) -> None:
        house.raise_alert(1)
        house.raise_alert(2)
        await asyncio.sleep(100)
        house.confirmed_to = 1
        await asyncio.sleep(20)
        assert not house.statistics().silent
        assert not any(AGAIN in text for text in house.texts())
        house.confirm()
        await asyncio.sleep(20)
        assert sum(AGAIN in text for text in house.texts()) == 1

    play(scenario)


def test_that_the_desk_answers_is_said_once_though_the_next_alert_waits_a_moment_for_it() -> None:
    async def scenario(house: House) -> None:
        house.raise_alert(1)
        await asyncio.sleep(100)
        house.confirm()
        await asyncio.sleep(20)
        for life in range(2, 6):
            house.raise_alert(life, severity=Severity.INFO)
            await asyncio.sleep(20)
            house.confirm()
        assert sum(AGAIN in text for text in house.texts()) == 1

    play(scenario)


def test_that_the_desk_answers_is_tried_again_until_the_line_takes_it_and_for_ten_minutes_at_most() -> None:
    async def scenario(house: House) -> None:
        house.raise_alert(1)
        await asyncio.sleep(100)
        house.answers["phone"] = house.answers["bot"] = REFUSED
        house.confirm()
        await asyncio.sleep(100)
        tried = len(house.told())
        assert 5 <= tried <= 9
        del house.answers["phone"]
        await asyncio.sleep(3600)
        assert len(house.told()) == tried + 1
        tried = len(house.told("bot"))
        assert 12 <= tried <= 18
        await asyncio.sleep(3600)
        assert len(house.told("bot")) == tried

    play(scenario)


def test_nobody_is_told_that_the_desk_answers_once_it_is_silent_again() -> None:
    async def scenario(house: House) -> None:
        house.raise_alert(1)
        await asyncio.sleep(100)
        house.answers["phone"] = REFUSED
        house.confirm()
        await asyncio.sleep(10)
        house.raise_alert(2)
        await asyncio.sleep(40)
        del house.answers["phone"]
        before = len(house.texts())
        await asyncio.sleep(300)
        (text,) = house.texts()[before:]
        assert text.startswith("【紧急】")

    play(scenario)


def test_a_restart_knows_lines_that_are_gone_and_tells_over_those_there_are() -> None:
    async def scenario(house: House) -> None:
        await asyncio.sleep(100)
        assert len(house.told()) == 1

    alert = alert_body(1)
    play(scenario, [event(1, alert), event(2, note(alert.alert, "pager", "ok"))])


def test_what_was_told_and_was_normal_before_a_restart_is_told_again_when_it_comes_again() -> None:
    async def first(house: House) -> None:
        house.raise_alert(1)
        await asyncio.sleep(100)
        house.raise_alert(1, state="latched_unacked")
        await asyncio.sleep(100)
        assert len(house.told()) == 1

    async def second(house: House) -> None:
        house.raise_alert(1)
        await asyncio.sleep(100)
        assert len(house.told()) == 1

    play(second, play(first).journal)


def test_a_desk_that_was_silent_before_a_restart_is_not_said_to_answer_until_it_confirms_something() -> None:
    async def scenario(house: House) -> None:
        await asyncio.sleep(100)
        assert (house.links(), house.statistics().silent) == ([], True)
        house.confirm()
        await asyncio.sleep(10)
        assert (house.links(), house.statistics().silent) == ([True], False)

    play(scenario, [event(1, alert_body(1)), event(2, silence())])


def test_where_no_desk_is_expected_any_more_none_is_silent() -> None:
    async def scenario(house: House) -> None:
        await asyncio.sleep(10)
        assert not house.statistics().silent

    play(scenario, [event(1, silence())], upstream=False)


def test_an_alert_about_a_desk_that_nobody_expects_is_cleared_also_where_there_is_no_line_any_more() -> None:
    bodies: list[Body] = []
    left = LastResort(
        ("hxtp-01", ""), [], after_s=30.0, is_confirmed=None, submit=bodies.append, clock=float,
        restored=[event(1, silence())],
    )  # fmt: skip
    assert left.services
