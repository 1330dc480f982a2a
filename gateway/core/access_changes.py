"""What a new access list would change, and whether that can be meant. Pure."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from drivers.api import Text
from gateway.core.access import AccessList, DoorFacts, Entry, Secret, covers
from gateway.core.access_file import Row
from gateway.core.faults import Fault, near, same, shown
from gateway.core.schedule import Schedule


@dataclass(frozen=True, slots=True)
class Changes:
    """How many entries are new, changed, gone and as they were; `elsewhere` counts those for no door that is here.

    `guess_one_in`: of so many PINs typed at random one is somebody's; 0 where no PIN opens by itself.
    """

    new: int
    changed: int
    gone: int
    same: int
    elsewhere: int = 0
    guess_one_in: int = 0

    @property
    def nothing(self) -> bool:
        """Return whether the list stays as it is."""
        return not (self.new or self.changed or self.gone)

    @property
    def drops_half(self) -> bool:
        """Return whether more than half of the list would go: an empty or cut file must not lock people out."""
        return 2 * self.gone > self.gone + self.changed + self.same

    def __str__(self) -> str:
        return f"{self.new} new, {self.changed} changed, {self.gone} gone, {self.same} as before"


def entries_of(rows: Iterable[Row], secret: Secret) -> list[Entry]:
    """Return the rows of a file with hashes in place of what they are hashes of."""
    kept: dict[tuple[str, ...], tuple[str, ...]] = {}
    return [_entry(row, secret, kept) for row in rows]


def changes(old: AccessList, new: Sequence[Entry], doors: Iterable[DoorFacts]) -> Changes:
    """Return what would change if `new` took the place of `old`."""
    keys = {entry.key for entry in new}
    before = [old.entries.get(entry.key) for entry in new]
    fresh = sum(each is None for each in before)
    equal = sum(each == entry for each, entry in zip(before, new, strict=True))
    opening = [door for door in doors if door.readers]
    use = Counter(entry.doors for entry in new)
    elsewhere = sum(
        n for words, n in use.items() if not any(covers(word, door) for word in words for door in opening)
    )
    return Changes(
        new=fresh,
        changed=len(new) - fresh - equal,
        gone=sum(key not in keys for key in old.entries),
        same=equal,
        elsewhere=elsewhere,
    )


def guess_one_in(rows: Iterable[Row], doors: Iterable[DoorFacts]) -> int:
    """Return how many PINs of the likeliest length somebody must try to meet one; 0 where no PIN opens by itself."""
    if not any(door.entry == "card_or_pin" for door in doors):
        return 0
    taken = Counter(len(pin) for pin in {row.pin for row in rows if row.pin is not None})
    return min((10**length // count for length, count in taken.items()), default=0)


def unknown_schedules(rows: Iterable[Row], schedules: Mapping[str, Schedule]) -> list[Fault]:
    """Return a fault for every schedule the configuration does not have: nobody could come in by it."""
    wanted = Text("gateway.toml 里 [[schedule]] 的名称", "the name of a [[schedule]] in gateway.toml")
    first: dict[str, int] = {}
    for row in rows:
        for name in row.schedules:
            if name not in schedules:
                first.setdefault(name, row.line)
    return [
        Fault("schedule", shown(name), wanted, near(name, schedules) or _known(schedules), line=line)
        for name, line in first.items()
    ]


def _known(schedules: Mapping[str, Schedule]) -> Text | None:
    return same(", ".join(schedules)) if schedules else None


def _entry(row: Row, secret: Secret, kept: dict[tuple[str, ...], tuple[str, ...]]) -> Entry:
    card = None if row.card is None else secret.card(row.card)
    pin = None if row.pin is None else secret.pin(row.pin)
    key = card or pin
    assert key is not None, "a row has a card or a PIN"
    return Entry(
        key=key,
        card=card,
        pin=pin,
        tail="" if row.card is None else row.card.tail,
        holder=row.holder,
        doors=kept.setdefault(row.doors, row.doors),
        schedules=kept.setdefault(row.schedules, row.schedules),
        valid_from=row.valid_from,
        valid_until=row.valid_until,
        blocked=row.blocked,
        note=row.note,
    )
