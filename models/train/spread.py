"""Spread work over processes; a process that dies ends the run with an error and does not let it wait for ever."""

import multiprocessing
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from typing import TypeVar

Job = TypeVar("Job")
Result = TypeVar("Result")

JOBS_PER_PROCESS = 16
"""A process is made anew after so many jobs: what a codec keeps of its buffers must not add up over an evening."""


def spread(work: Callable[[Job], Result], todo: Sequence[Job], processes: int) -> Iterator[Result]:
    """Yield the results of all jobs in whatever order they are done; raise what a job raises.

    multiprocessing.Pool would do but for one thing: it waits for ever for a job whose process was killed.
    """
    if processes == 1 or len(todo) < 2:
        yield from map(work, todo)
        return
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(processes, context, max_tasks_per_child=JOBS_PER_PROCESS)
    try:
        for done in as_completed([pool.submit(work, job) for job in todo]):
            yield done.result()
    finally:
        pool.shutdown(cancel_futures=True)
