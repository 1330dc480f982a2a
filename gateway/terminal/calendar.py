"""The maintenance calendar and the history of units, as rows for a table or a CSV. Pure, told the day."""

from datetime import date

from gateway.core import maintenance
from gateway.terminal.upkeep import Sheet, day_of
from gateway.terminal.words import Words

PERIODS = {31: "month", 92: "quarter", 365: "year"}


def calendar(sheet: Sheet, words: Words) -> list[list[str]]:
    """Return what is to be done by when, its head first: the month's tests, then the rounds by how they press."""
    head = [
        words(f"calendar.{name}")
        for name in ("task", "what", "period", "last", "by", "next", "state", "source")
    ]
    rows = [head]
    if sheet.detectors():
        rows.append(_month(sheet, words))
    for entry in entries(sheet):
        told, task = sheet.done.get(entry.task.name), entry.task
        rows.append(
            [
                task.name,
                words.of(task),
                _period(task.days or 0, words),
                _day(entry.last),
                "" if told is None else " ".join((told.by.removeprefix("local:"), told.how)).strip(),
                _day(entry.next),
                words(f"calendar.{entry.state}"),
                f"{task.source}{'' if task.checked else ' *'}",
            ]
        )
    return rows


def entries(sheet: Sheet) -> list[maintenance.Entry]:
    """Return the rounds for what this gateway has."""
    done = {task: day_of(told.at, sheet.offset_h) for task, told in sheet.done.items()}
    return maintenance.calendar({*sheet.things, *(row.category for row in sheet.rows)}, done, sheet.today)


def history(sheet: Sheet, words: Words) -> list[list[str]]:
    """Return every swap of a unit, its head first, the newest after it."""
    head = [words(f"calendar.{name}") for name in ("day", "device", "before", "after", "swapped_by")]
    swaps = sorted(
        ((swap, row.device) for row in sheet.rows for swap in row.swaps), key=lambda each: -each[0].at
    )
    unknown = words("calendar.unknown")
    rows = [
        [
            day_of(swap.at, sheet.offset_h).isoformat(),
            device,
            swap.before or unknown,
            swap.after or unknown,
            swap.by.removeprefix("local:") or words("calendar.noticed"),
        ]
        for swap, device in swaps
    ]
    return [head, *rows]


def _month(sheet: Sheet, words: Words) -> list[str]:
    planned, late = len(sheet.plan()), len(sheet.overdue())
    state = "overdue" if late else "due" if planned else "good"
    what = words("calendar.tests", n=planned, late=late)
    return [
        "tests plan",
        what,
        words("calendar.month"),
        "",
        "",
        "",
        words(f"calendar.{state}"),
        words("calendar.share"),
    ]


def _period(days: int, words: Words) -> str:
    if days in PERIODS:
        return words(f"calendar.{PERIODS[days]}")
    return words("calendar.years", n=round(days / 365.25))


def _day(day: date | None) -> str:
    return "" if day is None else day.isoformat()
