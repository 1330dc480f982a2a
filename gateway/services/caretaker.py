"""The caretaker: looks at the machine twice a minute, remembers what it says, and tells what a person must act on.

Looking may block on a disk that hangs, so it is done beside the loop; while one look does not come back there is no
second. What it found last stands in the health document.
"""

import asyncio
import dataclasses
from collections.abc import Callable, Collection
from typing import Any, Final

from gateway.core.board import Judge, Measured, Seen, Wear, years_of_card
from gateway.core.events import Body, LinkBody
from gateway.runtime.threads import in_thread

EVERY_S: Final = 30.0


class Caretaker:
    """Watches the machine. `name` is the gateway's; `wrong` are the links an earlier life left wrong."""

    def __init__(
        self,
        measure: Callable[[], Measured],
        *,
        name: str,
        submit: Callable[[Body], object],
        synced: Callable[[], bool],
        card_tbw: float = 0.0,
        wrong: Collection[str] = (),
        every_s: float = EVERY_S,
    ) -> None:
        self._measure, self._name, self._submit, self._synced = measure, name, submit, synced
        self._card_tbw, self._every_s = card_tbw, every_s
        self._judge = Judge(wrong)
        self._own, self._card = Wear(), Wear()
        self._seen = Seen()

    async def run(self) -> None:
        """Look and tell until cancelled."""
        while True:
            self.take(await in_thread(self._measure), asyncio.get_running_loop().time())
            await asyncio.sleep(self._every_s)

    def take(self, measured: Measured, now: float) -> None:
        """Take in one look; `now` is monotonic."""
        self._own.add(measured.written_bytes, now)
        self._card.add(measured.card_written_bytes, now)
        per_day = self._card.per_day()
        self._seen = Seen(
            measured,
            clock_synced=self._synced(),
            written_bytes_per_day=self._own.per_day(),
            card_written_bytes_per_day=per_day,
            card_years=years_of_card(self._card_tbw, per_day),
        )
        for change in self._judge.look(self._seen, now):
            self._submit(LinkBody(change.link, self._name, up=change.up, reason=change.reason))

    def statistics(self) -> dict[str, Any]:
        """Return what is known of the machine; what it does not tell is left out."""
        seen = self._seen
        rates = {
            "written_bytes_per_day": seen.written_bytes_per_day,
            "card_written_bytes_per_day": seen.card_written_bytes_per_day,
            "card_years": seen.card_years,
        }
        told = {**dataclasses.asdict(seen.measured), **rates}
        return {name: round(value, 3) if isinstance(value, float) else value for name, value in told.items()
                if value is not None}  # fmt: skip
