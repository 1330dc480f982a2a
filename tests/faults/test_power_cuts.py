"""The power is cut under gateway and desk: a few times here, as often as wanted by `python -m tests.faults.power_cuts`.

POWER_CUTS=1000 makes this test run so many.
"""

import asyncio
import os
from collections.abc import Mapping
from pathlib import Path

import pytest

from gateway.core import payload
from gateway.core.events import Event
from gateway.runtime.journal import Lane
from tests.broker import MOSQUITTO
from tests.events import alert
from tests.faults import card
from tests.faults.power_checks import Found, Position, Promise, look
from tests.faults.power_cuts import Plan, campaign
from tests.faults.power_house import ID, Answered
from tests.gateway.runtime.journal_use import running, store

CUTS = int(os.environ.get("POWER_CUTS", "8"))
WHY_NOT = card.missing() or ("" if MOSQUITTO else "needs mosquitto")


@pytest.mark.slow
@pytest.mark.skipif(bool(WHY_NOT), reason=WHY_NOT)
def test_after_each_power_cut_everything_that_was_promised_is_there() -> None:
    tally = campaign(Plan(cuts=CUTS, per_life=min(CUTS, Plan.per_life)))
    assert tally.cuts >= CUTS
    assert tally.published > 0, "nothing had been promised"
    assert not tally.wrong


def keep(folder: Path, count: int) -> dict[Position, bytes]:
    """Have so many alert events in the journal of a card; return what was published of them."""
    events = [alert(number) for number in range(1, count + 1)]
    state = folder / "gateway" / "state"
    state.mkdir(parents=True)
    for name in ("gateway", "desk"):
        (folder / name).mkdir(exist_ok=True)
        (folder / name / f"{name}.toml").write_text("# not empty")

    async def scene() -> None:
        async with running(state) as journal:
            await store(journal, Lane.URGENT, events)

    asyncio.run(scene())
    return {(each.epoch, each.seq): told(each) for each in events}


def told(event: Event) -> bytes:
    """Return an event as it is published."""
    return payload.alert_event(event, ID)


def seen(
    folder: Path, published: Mapping[Position, bytes], *, ever: Mapping[Position, bytes] | None = None,
    answered: tuple[Answered, ...] = (),
) -> Found:  # fmt: skip
    """Return what the checks say of a card."""
    return look(folder, Promise(set(published), set(), answered, published if ever is None else ever))


def test_the_checks_are_content_with_a_card_that_has_what_was_promised(tmp_path: Path) -> None:
    assert seen(tmp_path, keep(tmp_path, 5)).wrong == []


def test_the_checks_find_a_lost_row_an_invented_one_and_a_changed_one(tmp_path: Path) -> None:
    published = keep(tmp_path, 5)
    lost = {**published, (1, 6): told(alert(6))}
    assert "1 alert events lost, the first is (1, 6)" in seen(tmp_path, lost).wrong
    fewer = {each: content for each, content in published.items() if each != (1, 3)}
    assert "1 alert events invented, the first is (1, 3)" in seen(tmp_path, fewer).wrong
    other = {**published, (1, 2): told(alert(4))}
    assert "1 alert events changed, the first is (1, 2)" in seen(tmp_path, published, ever=other).wrong


def test_the_checks_find_numbers_that_would_be_given_twice(tmp_path: Path) -> None:
    published = keep(tmp_path, 2)
    far = {**published, (1, 1 << 30): told(alert(1 << 30))}
    assert any(each.startswith("numbers go on at") for each in seen(tmp_path, far).wrong)


def test_the_checks_find_an_answer_that_was_given_too_early(tmp_path: Path) -> None:
    found = seen(tmp_path, keep(tmp_path, 2), answered=(("acknowledge", "nobody"), ("card", "resident-1")))
    assert found.wrong == [
        "1 answers (acknowledge) for what is not there: nobody",
        "the access list is gone",
    ]
