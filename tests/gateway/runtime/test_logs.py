"""The daemon's log lines, in a terminal and under systemd."""

import logging
from collections.abc import Iterator

import pytest

from gateway.runtime import logs


@pytest.fixture(autouse=True)
def _logging_as_it_was() -> Iterator[None]:
    root = logging.getLogger()
    before = (root.level, root.handlers[:])
    yield
    root.setLevel(before[0])
    root.handlers[:] = before[1]
    for name in ("gateway", "drivers"):
        logging.getLogger(name).setLevel(logging.NOTSET)


def record(level: int, message: str, *, fault: bool = False) -> logging.LogRecord:
    trace = None
    if fault:
        with pytest.raises(ZeroDivisionError) as error:
            divmod(1, 0)
        trace = (error.type, error.value, error.tb)
    return logging.LogRecord("gateway.app", level, "", 0, message, None, trace)


@pytest.mark.parametrize(
    ("level", "priority"),
    [
        (logging.DEBUG, 7),
        (logging.INFO, 6),
        (logging.WARNING, 4),
        (logging.ERROR, 3),
        (logging.CRITICAL, 2),
        (1, 7),
        (25, 6),
    ],
)
def test_a_line_carries_the_priority_of_its_level(level: int, priority: int) -> None:
    assert logs.JournalFormatter().format(record(level, "it rains")) == f"<{priority}>gateway.app: it rains"


def test_every_line_of_a_trace_carries_the_priority() -> None:
    told = logs.JournalFormatter().format(record(logging.ERROR, "it broke", fault=True)).splitlines()
    assert len(told) > 2
    assert all(line.startswith("<3>") for line in told)


@pytest.mark.parametrize(("environ", "start"), [({"JOURNAL_STREAM": "8:1"}, "<6>"), ({}, "")])
def test_the_priority_is_written_only_where_the_journal_reads_it(
    environ: dict[str, str], start: str, capsys: pytest.CaptureFixture[str]
) -> None:
    logs.set_up(0, environ)
    logging.getLogger("gateway.app").info("it rains")
    logging.getLogger("gateway.app").debug("drop by drop")
    told = capsys.readouterr().err
    assert "it rains" in told
    assert "drop by drop" not in told
    assert told.startswith("<6>") == bool(start)


def test_details_come_when_asked_for_and_those_of_libraries_when_asked_twice(
    capsys: pytest.CaptureFixture[str],
) -> None:
    for verbosity in (1, 2):
        logs.set_up(verbosity, {})
        logging.getLogger("gateway.app").debug("ours %d", verbosity)
        logging.getLogger("somebody.else").debug("theirs %d", verbosity)
    told = capsys.readouterr().err
    assert "ours 1" in told
    assert "theirs 1" not in told
    assert "theirs 2" in told
