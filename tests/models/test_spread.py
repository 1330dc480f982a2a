"""Work that is spread over processes is all done, however much there is, and a failure is told."""

import pytest

from models.train.spread import JOBS_PER_PROCESS, spread


def double(number: int) -> int:
    return 2 * number


def refuse(number: int) -> int:
    if number == 3:
        raise ValueError("three")
    return number


@pytest.mark.parametrize("processes", [1, 2])
def test_every_job_is_done_once_also_when_processes_are_made_anew(processes: int) -> None:
    todo = range(2 * JOBS_PER_PROCESS * processes + 3)
    assert sorted(spread(double, todo, processes)) == [2 * number for number in todo]


def test_a_job_that_fails_ends_the_run() -> None:
    with pytest.raises(ValueError, match="three"):
        list(spread(refuse, range(8), 2))
