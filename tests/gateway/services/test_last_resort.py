"""The last resort at work, in virtual time: alerts that nobody confirms reach people, once, and over a restart."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Iterable

import msgspec

from gateway.core.alerts import State
from gateway.core.events import AlertBody, Body, Event, LinkBody, NoteBody, Severity, Words
from gateway.core.last_resort import Position
from gateway.core.standing import Restored
from gateway.services.last_resort import SILENT, Answer, LastResort, LastResortStatistics, Way
from tests import virtual
from tests.events import alert_body, event

AFTER_S = 30.0
LONGEST_S = 50.0
DELIVERED = Answer(delivered=True, retryable=True, said="ok")
REFUSED = Answer(delivered=False, retryable=True, said="busy")


def silence(gateway: str = "hxtp-01") -> AlertBody:
    """Return the alert that a gateway's desk is silent."""
    body = alert_body(77, kind=SILENT)
    return msgspec.structs.replace(body, key=f"{SILENT}/{gateway}", severity=Severity.MAJOR)


class House:
    """A gateway as far as the last resort sees it, with its journal; `confirmed_to` is what upstream confirmed."""

    def __init__(self, before: Iterable[Event] = (), *, confirmed_to: int = 0, upstream: bool = True) -> None:
        self.journal: list[Event] = list(before)
        self.confirmed_to = confirmed_to
        self.answers: dict[str, Answer] = {}
        self.sent: list[tuple[str, float, str, str]] = []
        self.hangs: set[str] = set()
        self.takes_s = 0.0
        restored = Restored()
        for each in self.journal:
            restored.follow(each)
        loop = asyncio.get_running_loop()
        self.now = loop.time
        self.resort = LastResort(
            ("hxtp-01", "红星亭坡"),
            [self._way("phone"), self._way("bot")],
            after_s=AFTER_S,
            is_confirmed=self._is_confirmed if upstream else None,
            submit=self.submit,
            clock=loop.time,
            restored=restored.events(),
        )

    def submit(self, body: Body) -> Event:
        made = event(len(self.journal) + 1, body)
        made = msgspec.structs.replace(made, monotonic=asyncio.get_running_loop().time())
        self.journal.append(made)
        self.resort.follow(made)
        return made

    def raise_alert(
        self, life: int, *, state: str = "active_unacked", severity: Severity = Severity.CRITICAL
    ) -> None:
        self.submit(msgspec.structs.replace(alert_body(life, state=state), severity=severity))

    def confirm(self) -> None:
        self.confirmed_to = len(self.journal)

    def told(self, way: str = "phone") -> list[float]:
        return [at for name, at, _, _ in self.sent if name == way]

    def texts(self, way: str = "phone") -> list[str]:
        return [text for name, _, _, text in self.sent if name == way]

    def statistics(self) -> LastResortStatistics:
        found = self.resort.statistics()
        assert found is not None
        return found

    def links(self) -> list[bool]:
        return [each.body.up for each in self.journal if isinstance(each.body, LinkBody)]

    def _is_confirmed(self, position: Position) -> bool:
        return position[1] <= self.confirmed_to

    def _way(self, name: str) -> Way:
        async def send(message: str, text: Words, rank: int) -> Answer:
            assert rank in {1, 3}
            if name in self.hangs:
                await asyncio.sleep(1e6)
            await asyncio.sleep(self.takes_s)
            answer = self.answers.get(name, DELIVERED)
            self.sent.append((name, self.now(), message, text.zh))
            return answer

        return Way(name, AFTER_S, send, LONGEST_S)


def play(
    scenario: Callable[[House], Awaitable[None]],
    before: Iterable[Event] = (),
    *,
    confirmed_to: int = 0,
    upstream: bool = True,
) -> House:
    async def main() -> House:
        house = House(before, confirmed_to=confirmed_to, upstream=upstream)
        running = asyncio.create_task(house.resort.run())
        try:
            await asyncio.sleep(1.0)
            await scenario(house)
        finally:
            running.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await running
        return house

    return virtual.run(main())


def test_an_alert_nobody_confirms_is_told_once_over_each_line_within_a_second_of_its_time() -> None:
    async def scenario(house: House) -> None:
        house.raise_alert(1)
        began = house.now()
        await asyncio.sleep(3600)
        assert [round(at - began) for at in house.told()] in ([30], [31])
        assert len(house.told("bot")) == 1
        assert house.links() == [False]
        assert house.statistics().silent
        assert house.statistics().told == 2

    play(scenario)


def test_a_second_call_for_help_is_told_too_when_the_first_was_over_and_nobody_at_the_desk_saw_it() -> None:
    async def scenario(house: House) -> None:
        house.raise_alert(1)
        await asyncio.sleep(100)
        house.raise_alert(1)
        house.raise_alert(1, state="latched_unacked")
        await asyncio.sleep(3600)
        assert len(house.told()) == 1, "counted again, then normal: no news for anybody"
        house.raise_alert(1)
        await asyncio.sleep(3600)
        assert len(house.told()) == 2

    async def after_a_restart(house: House) -> None:
        await asyncio.sleep(100)
        assert house.told() == []
        house.raise_alert(1, state="latched_unacked")
        house.raise_alert(1)
        await asyncio.sleep(100)
        assert len(house.told()) == 1

    play(after_a_restart, play(scenario).journal)


def test_a_desk_that_answers_leaves_the_last_resort_quiet() -> None:
    async def scenario(house: House) -> None:
        for life in range(1, 50):
            house.raise_alert(life)
            await asyncio.sleep(20)
            house.confirm()
            await asyncio.sleep(5)
        assert house.sent == []
        assert house.links() == []

    play(scenario)


def test_when_the_desk_speaks_again_it_is_said_once_and_nothing_is_told_twice() -> None:
    async def scenario(house: House) -> None:
        house.raise_alert(1)
        await asyncio.sleep(100)
        house.confirm()
        await asyncio.sleep(3600)
        assert len(house.told()) == 2
        assert "已恢复应答" in house.texts()[1]
        assert house.links() == [False, True]
        assert not house.statistics().silent

    play(scenario)


def test_a_silence_in_which_nothing_was_told_ends_without_a_word_to_people() -> None:
    async def scenario(house: House) -> None:
        house.raise_alert(1, severity=Severity.MAJOR)
        await asyncio.sleep(100)
        house.confirm()
        await asyncio.sleep(100)
        assert house.links() == [False, True]
        assert house.sent == []

    play(scenario)


def test_a_modem_that_rings_for_most_of_a_minute_rings_once() -> None:
    async def scenario(house: House) -> None:
        house.takes_s = LONGEST_S - 5
        house.raise_alert(1)
        await asyncio.sleep(3600)
        assert (len(house.told()), house.statistics().failed) == (1, 0)

    play(scenario)


def test_a_line_that_refuses_is_tried_until_it_takes_it_and_holds_up_no_other() -> None:
    async def scenario(house: House) -> None:
        house.answers["phone"] = REFUSED
        house.hangs.add("bot")
        house.raise_alert(1)
        await asyncio.sleep(120)
        assert 4 <= len(house.told()) <= 8
        assert len({message for _, _, message, _ in house.sent}) == 1, "the same id each time"
        del house.answers["phone"]
        await asyncio.sleep(120)
        before = len(house.told())
        await asyncio.sleep(3600)
        assert len(house.told()) == before

    play(scenario)


def test_a_storm_is_a_handful_of_messages() -> None:
    async def scenario(house: House) -> None:
        for life in range(1, 1001):
            house.raise_alert(life)
            await asyncio.sleep(0.02)
        await asyncio.sleep(300)
        assert len(house.told()) <= 5
        assert house.statistics().told == 2000

    play(scenario)


def test_what_somebody_acknowledged_on_the_spot_meanwhile_is_not_told() -> None:
    async def scenario(house: House) -> None:
        house.raise_alert(1)
        await asyncio.sleep(10)
        house.raise_alert(1, state=State.ACTIVE_ACKED)
        await asyncio.sleep(100)
        assert house.sent == []

    play(scenario)


def test_a_restart_tells_nothing_twice_and_what_was_not_told_still() -> None:
    async def first(house: House) -> None:
        house.hangs.add("bot")
        house.raise_alert(1)
        await asyncio.sleep(50)
        assert len(house.told()) == 1

    async def second(house: House) -> None:
        await asyncio.sleep(100)
        assert house.told() == []
        assert len(house.told("bot")) == 1, "the line that hung never told it"
        house.confirm()
        await asyncio.sleep(100)
        assert len(house.texts()) == 1
        assert "已恢复应答" in house.texts()[0]

    before = play(first).journal
    before.append(event(len(before) + 1, silence()))
    assert [each for each in before if isinstance(each.body, NoteBody)]
    play(second, before)


def test_an_old_alert_that_the_desk_has_is_not_told_after_a_restart() -> None:
    async def scenario(house: House) -> None:
        await asyncio.sleep(1000)
        assert house.sent == []
        assert house.links() == []

    play(scenario, [event(1, alert_body(1))], confirmed_to=1)


def test_without_any_broker_people_are_told_and_no_desk_is_called_silent() -> None:
    async def scenario(house: House) -> None:
        house.raise_alert(1)
        await asyncio.sleep(100)
        assert len(house.told()) == 1
        assert house.links() == []

    play(scenario, upstream=False)


def test_a_sender_with_a_fault_is_tried_again_and_takes_nothing_else_down() -> None:
    async def scenario(house: House) -> None:
        faults = 0

        async def broken(_name: str, _text: Words, _rank: int) -> Answer:
            nonlocal faults
            faults += 1
            raise RuntimeError("a slip")

        house.resort._ways["bot"] = Way("bot", AFTER_S, broken, LONGEST_S)
        house.raise_alert(1)
        await asyncio.sleep(100)
        assert len(house.told()) == 1
        assert faults > 2
        assert house.statistics().lines["bot"] == "RuntimeError"

    play(scenario)


def test_an_alert_about_a_desk_that_nobody_expects_any_more_is_cleared() -> None:
    async def scenario(house: House) -> None:
        await asyncio.sleep(10)
        assert house.links() == [True]

    play(scenario, [event(1, silence())], upstream=False)


def test_a_desk_that_was_silent_under_another_id_of_the_gateway_is_told_as_silent_anew() -> None:
    async def scenario(house: House) -> None:
        house.raise_alert(2)
        await asyncio.sleep(100)
        assert house.links() == [False]

    play(scenario, [event(1, silence("gw-old"))])
