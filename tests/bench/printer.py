"""How fast a panel's print-out is understood, and how long the worst pattern that is let through can take.

    .venv/bin/python -m tests.bench.printer

Prints a table; its last line is one JSON object. A printer port at 9600 baud brings 960 bytes a second.
"""

import json
import time
from collections.abc import Callable

from drivers import profile
from drivers.printer.patterns import compiled
from drivers.printer.rules import meaning_of
from drivers.printer.wire import PrinterWire
from tests.drivers.printer.test_paper import FIRST_FIRE, NEXT_FIRE, RESET

LONGEST = 240
WORST = {
    r"^[A-Z ]+ [A-Z ]+ x": "A " * (LONGEST // 2),
    r"^.*a.*b": "a" * LONGEST,
    r".*(?:火警|FIRE)\d": "火警" * (LONGEST // 2),
    r"^[^\n]* [^\n]*\d\d:": "1 " * (LONGEST // 2),
}
"""Patterns near the limit, each with a record made to have it try everything."""
SECONDS = 2.0


def main() -> None:
    """Measure and print."""
    wire = profile.load("gst9000-printer").wire
    assert isinstance(wire, PrinterWire)
    data = FIRST_FIRE + NEXT_FIRE + RESET
    paper, records = wire.paper(), wire.records()

    def understand() -> int:
        found = [
            meaning_of(each.text, wire.rules, wire.addressing) for each in records.take(paper.feed(data))
        ]
        assert len(found) == 3
        return len(data)

    bytes_per_s = _rate(understand)
    worst_ms = {pattern: _once_ms(pattern, text) for pattern, text in WORST.items()}
    for pattern, took in worst_ms.items():
        print(f"{pattern:<28} {took:8.2f} ms")
    print(
        f"{'bytes understood a second':<28} {bytes_per_s:8.0f}   ({bytes_per_s / 960:.0f} ports at 9600 baud)"
    )
    print(
        json.dumps({"bytes_per_s": round(bytes_per_s), "worst_pattern_ms": round(max(worst_ms.values()), 2)})
    )


def _rate(work: Callable[[], int]) -> float:
    began, done = time.perf_counter(), 0
    while (took := time.perf_counter() - began) < SECONDS:
        done += work()
    return done / took


def _once_ms(pattern: str, text: str) -> float:
    made = compiled(pattern, longest=LONGEST)
    began = time.perf_counter()
    made.search(text)
    return (time.perf_counter() - began) * 1000


if __name__ == "__main__":
    main()
