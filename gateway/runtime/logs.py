"""The daemon's log: one line a fact on standard error, with the priority systemd's journal reads.

Under systemd JOURNAL_STREAM is set and each line begins with `<N>` (sd-daemon(3)), which the journal takes for
the line's priority and cuts off; the time is the journal's affair there.
"""

import logging
import sys
from collections.abc import Mapping

PRIORITIES = {
    logging.CRITICAL: 2,
    logging.ERROR: 3,
    logging.WARNING: 4,
    logging.INFO: 6,
    logging.DEBUG: 7,
}


def set_up(verbosity: int, environ: Mapping[str, str]) -> None:
    """Have everything logged: facts by default, details with `verbosity` 1, libraries' details with 2."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JournalFormatter() if environ.get("JOURNAL_STREAM") else plain_formatter())
    logging.basicConfig(
        level=logging.DEBUG if verbosity > 1 else logging.INFO, handlers=[handler], force=True
    )
    for name in ("gateway", "drivers"):
        logging.getLogger(name).setLevel(logging.DEBUG if verbosity else logging.INFO)


def plain_formatter() -> logging.Formatter:
    """Return the formatter for a terminal: time, level, who, what."""
    return logging.Formatter("%(asctime)s %(levelname).1s %(name)s: %(message)s", "%H:%M:%S")


class JournalFormatter(logging.Formatter):
    """Puts the priority before every line, those of a trace too."""

    def __init__(self) -> None:
        super().__init__("%(name)s: %(message)s")

    def format(self, record: logging.LogRecord) -> str:
        """Return the record's lines, each with its priority."""
        level = max((each for each in PRIORITIES if each <= record.levelno), default=logging.DEBUG)
        return "\n".join(f"<{PRIORITIES[level]}>{line}" for line in super().format(record).splitlines())
