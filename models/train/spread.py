"""Spread work over processes; one that dies ends the run with an error, and none works on when the run was killed."""

import multiprocessing
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from typing import TypeVar

Job = TypeVar("Job")
Result = TypeVar("Result")

JOBS_PER_PROCESS = 16
"""Processes are made anew after so many jobs: what a codec keeps of its buffers must not add up over an evening."""


def spread(work: Callable[[Job], Result], todo: Sequence[Job], processes: int) -> Iterator[Result]:
    """Yield the results of all jobs in whatever order they are done; raise what a job raises.

    multiprocessing.Pool would do but for one thing: it waits for ever for a job whose process was killed. And of
    this pool `max_tasks_per_child` would do, but with it Python 3.11 stands still when all processes retire at once.
    """
    if processes == 1 or len(todo) < 2:
        yield from map(work, todo)
        return
    context = multiprocessing.get_context("spawn")
    for start in range(0, len(todo), JOBS_PER_PROCESS * processes):
        pool = ProcessPoolExecutor(processes, context, _leave_with_parent)
        try:
            part = todo[start : start + JOBS_PER_PROCESS * processes]
            for done in as_completed([pool.submit(work, job) for job in part]):
                yield done.result()
        finally:
            pool.shutdown(cancel_futures=True)


def _leave_with_parent() -> None:
    """End this process as soon as the one that made it is gone, in whatever way it went."""

    def wait() -> None:
        if (parent := multiprocessing.parent_process()) is not None:
            parent.join()
            os._exit(1)

    threading.Thread(target=wait, name="leave with parent", daemon=True).start()
