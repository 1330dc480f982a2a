"""A lane read ahead: what it goes back to is read again."""

import asyncio

from gateway.runtime.journal import START, Lane
from gateway.runtime.journal.feed import Feed
from tests import virtual
from tests.uplink_parts import MemoryJournal


def test_rows_it_goes_back_to_are_read_again_though_nothing_new_ever_comes() -> None:
    """More alerts than are kept in mind go up twice; those of a quiet compound waited for the next alert of all."""
    journal = MemoryJournal()
    journal.submit_alerts(3)

    async def scenario() -> None:
        feed = Feed(journal, Lane.URGENT, START, lambda: None)
        reading = asyncio.create_task(feed.run())

        async def come() -> list[int]:
            await asyncio.sleep(1.0)
            return [event.seq for event in iter(feed.take, None)]

        assert await come() == [1, 2, 3]
        feed.rewind((1, 2))
        feed.rewind((1, 1))
        assert await come() == [2, 3]
        assert await come() == []
        journal.submit_alerts(1)
        assert await come() == [4]
        feed.rewind((1, 3))
        assert await come() == [4]
        reading.cancel()

    virtual.run(scenario())
