"""Who may use the line next: fire first, a share for each other class, deadlines inside them. No I/O.

A line carries one exchange at a time. A `Job` is a question asked every `interval_s`; its `due` is its
deadline. `next` picks, in this order:

  1. commands, the longest waiting first;
  2. what somebody wants to see again at once (`hasten`): the second look that confirms a fire;
  3. fire, as long as it is due, but for a tenth of the time it uses, which is kept for all below it;
  4. of the other classes the one that had least of the line for its share (`SHARES`).

Inside a class goes first what is latest in proportion to its interval. When the line cannot keep all intervals,
fire keeps its own, and the rest is shared: a class that asks for no more than its share gets all it asks for, however
much the others want, and one that asks for more has all its intervals stretched alike (drivers/crowding.py says by how
much). So twenty doors that ask for twice what the wire carries cost an SOS button nothing, and thirty gas detectors
do not leave a door unread for ten seconds. Nothing starves; each exchange of the others delays fire by its own length
and no more. Who wanted nothing for a while has saved nothing up.

A silent device's jobs are parked and one of them becomes its probe, after 0.5 s, 1 s, 2 s, ... up to 10 s (4.5 s
where a detector of fire is silent, so that it is asked at least every 5 s). Failed probes get at most a tenth
of the time while anybody healthy waits for the line.
"""

import heapq
from collections.abc import Callable, Iterable, Mapping
from typing import Final, Generic, TypeVar

from drivers.api import Priority

LOWER_SHARE: Final = 0.1  # of the time of fire, for those below
SHARES: Final[Mapping[int, int]] = {Priority.SAFETY: 4, Priority.DOOR: 4, Priority.TELEMETRY: 1}
PROBE_SHARE: Final = 0.1  # of all time, for failed probes
LEAST_WAIT_S: Final = 0.001
LEAST_INTERVAL_S: Final = 0.1  # in which lateness is told: for what is asked as often as the line allows
PROBE_CREDIT_S: Final = 0.5
FIRST_PROBE_S: Final = 0.5
LAST_PROBE_S: Final = 10.0
MOST_DOUBLED: Final = 20  # a million times: past any limit, and no number that is too large
LAST_FIRE_PROBE_S: Final = 4.5
MOST_LEFT: Final = 1000  # places that jobs have left, before all of them are cleared away
NEVER: Final = float("inf")


class Job:
    """A question to a device, asked again every `interval_s` (0: as often as the line allows)."""

    __slots__ = ("due", "failures", "interval_s", "level", "owner", "priority", "ticket")

    def __init__(self, owner: int, priority: Priority, interval_s: float) -> None:
        self.owner = owner  # the device, as the line numbers them
        self.priority = priority
        self.level: int = priority  # PROBE while it is one
        self.interval_s = interval_s
        self.due = 0.0
        self.failures = 0  # in a row
        self.ticket = 0  # of its valid place in a queue; 0: in none


J = TypeVar("J", bound=Job)
ReadyAt = Callable[[J], float]  # from when on a job may be sent: the device's own pauses, quarantine


class Bus(Generic[J]):
    """The queue of one line. After `next` returned None, `wake_at` says when to ask again."""

    def __init__(self, jobs: Iterable[J], ready_at: ReadyAt[J], now: float) -> None:
        self.wake_at = now
        self._ready_at = ready_at
        self._queues: list[dict[float, list[tuple[float, int, J]]]] = [{} for _ in Priority]
        self._soon: list[J] = []
        self._tickets = 0
        self._left = 0  # places that jobs have left since then
        self._lifted: J | None = None  # sent for the share of those below
        self._unpaid: J | None = None  # a probe sent because nobody else wanted the time
        self._used = [0.0] * len(Priority)  # seconds a class had of the line, over its share
        self._lower_credit_s = 0.0
        self._probe_credit_s = PROBE_CREDIT_S
        self._credited_at = now
        for job in jobs:
            self.queue(job, now)

    def queue(self, job: J, due: float) -> None:
        """Put a job in the queue of its level; it leaves the place it had."""
        self.park(job)
        self._tickets += 1
        job.due, job.ticket = due, self._tickets
        interval_s = 0.0 if job.level == Priority.PROBE else job.interval_s
        heapq.heappush(self._queues[job.level].setdefault(interval_s, []), (due, self._tickets, job))

    def park(self, job: J) -> None:
        """Take a job out of the queue. Its place is left there until it comes to be first, which may take a day."""
        self._left += job.ticket != 0
        job.ticket = 0
        if self._left > MOST_LEFT:
            self._clear()

    def forget(self, job: J) -> None:
        """Take a job out for good: it is asked no more, not even where somebody wants to see it again."""
        self.park(job)
        if job in self._soon:
            self._soon.remove(job)

    def hasten(self, job: J) -> None:
        """Ask this again at once, ahead of all but commands; once, however often it is wanted."""
        if job not in self._soon:
            self._soon.append(job)

    def next(self, now: float) -> J | None:
        """Return the job to send now and take it out of the queue; None: nothing may be sent before `wake_at`."""
        self.wake_at = NEVER
        self._lifted = self._unpaid = None
        job = self._first(Priority.COMMAND, now)
        if job is None and self._soon:
            job = self._hastened(now)
        if job is None:
            job = self._poll(now)
            job = self._probe(now, poll=job) or job
        if job is not None:
            self.park(job)
        return job

    def done(self, job: J, now: float, took_s: float) -> None:
        """A job was answered after `took_s` of the line's time: ask again an interval after it was due.

        One that was hastened is asked again an interval from now: a hundred looks must not put the next one off by a
        hundred intervals.
        """
        job.failures = 0
        self.spend(job, took_s)
        self.queue(job, max(min(job.due, now) + job.interval_s, now))

    def failed(self, job: J, again_at: float, took_s: float) -> None:
        """A job was not answered: ask again then. What a probe finds says nothing of the one question."""
        job.failures += job.level != Priority.PROBE
        self.spend(job, took_s)
        self.queue(job, again_at)

    def suspend(self, jobs: Iterable[J], probe: J, at: float) -> None:
        """Park all jobs of a silent device but one, which becomes its probe."""
        for job in jobs:
            job.level = job.priority
            self.park(job)
        probe.level = Priority.PROBE
        self.queue(probe, at)

    def resume(self, jobs: Iterable[J], due_at: Callable[[J], float]) -> None:
        """Ask all jobs of a device that is back, each when it is due."""
        for job in jobs:
            job.level = job.priority
            self.queue(job, due_at(job))

    def spend(self, job: J, took_s: float) -> None:
        """Charge the line's time to the class the job belongs to."""
        if job.level == Priority.PROBE:
            self._probe_credit_s -= 0.0 if job is self._unpaid else took_s
            return
        if share := SHARES.get(job.level):
            self._used[job.level] += took_s / share
        if job is self._lifted:
            self._lower_credit_s -= took_s
        elif not share:
            self._lower_credit_s = min(LOWER_SHARE * took_s, self._lower_credit_s + LOWER_SHARE * took_s)

    def _clear(self) -> None:
        """Clear all places that were left: a device that comes and goes leaves those of what is asked once a day."""
        self._left = 0
        for queues in self._queues:
            for queue in queues.values():
                queue[:] = [entry for entry in queue if entry[1] == entry[2].ticket]
                heapq.heapify(queue)

    def _first(self, level: int, now: float) -> J | None:
        """Return the job of a level that is latest for its interval, of those that are due and may be sent."""
        found: J | None = None
        for queue in self._queues[level].values():
            if not queue:
                continue
            due, ticket, job = queue[0]
            if due > now and ticket == job.ticket:  # nearly always, and a call is what this costs
                self.wake_at = min(self.wake_at, due)
                continue
            head = self._head(queue, now)
            if head is not None and (found is None or _lateness(head, now) > _lateness(found, now)):
                found = head
        return found

    def _head(self, queue: list[tuple[float, int, J]], now: float) -> J | None:
        """Return the job with the earliest deadline that has come and that may be sent."""
        held: list[tuple[float, int, J]] = []
        found: J | None = None
        while queue and found is None:
            due, ticket, job = queue[0]
            if ticket != job.ticket:
                heapq.heappop(queue)
            elif due > now:
                self.wake_at = min(self.wake_at, due)
                break
            elif (ready_at := self._ready_at(job)) <= now:
                found = job
            else:
                self.wake_at = min(self.wake_at, ready_at)
                held.append(heapq.heappop(queue))
        for entry in held:
            heapq.heappush(queue, entry)
        return found

    def _hastened(self, now: float) -> J | None:
        for job in self._soon:
            ready_at = self._ready_at(job)
            if ready_at <= now:
                self._soon.remove(job)
                return job
            self.wake_at = min(self.wake_at, ready_at)
        return None

    def _poll(self, now: float) -> J | None:
        fire = self._first(Priority.FIRE, now)
        if fire is not None and self._lower_credit_s <= 0.0:
            return fire
        below = self._below(now)
        if fire is None:
            return below
        self._lifted = below
        return below or fire

    def _below(self, now: float) -> J | None:
        """Return the job of the class that had least for its share, the more urgent of equals."""
        chosen: J | None = None
        for level in SHARES:
            job = self._first(level, now)
            if job is not None and (chosen is None or self._used[level] < self._used[chosen.level]):
                chosen = job
        if chosen is not None:
            least = self._used[chosen.level]
            for level in SHARES:
                self._used[level] = max(self._used[level], least)  # who wanted nothing has saved nothing up
        return chosen

    def _probe(self, now: float, *, poll: J | None) -> J | None:
        """Return a probe, if it is within its share, or if it takes time that nobody else wants."""
        if not any(self._queues[Priority.PROBE].values()):
            return None
        alone = poll is None and self.wake_at == NEVER
        self._probe_credit_s = min(
            PROBE_CREDIT_S, self._probe_credit_s + PROBE_SHARE * (now - self._credited_at)
        )
        self._credited_at = now
        probe = self._first(Priority.PROBE, now)
        if probe is None or self._probe_credit_s > 0.0:
            return probe
        if alone or (poll is None and probe.priority == Priority.FIRE):
            self._unpaid = probe
            return probe
        owed_s = -self._probe_credit_s / PROBE_SHARE
        self.wake_at = min(
            self.wake_at, now + max(owed_s, LEAST_WAIT_S)
        )  # less would not move the clock's last digit
        return None


def probe_pause_s(failed: int, *, fire: bool) -> float:
    """Return how long after a probe was sent, the `failed`-th in a row, the next one follows."""
    return doubled_s(FIRST_PROBE_S, failed, LAST_FIRE_PROBE_S if fire else LAST_PROBE_S)


def doubled_s(first_s: float, times: int, last_s: float) -> float:
    """Return a pause that was doubled so often, however often: what is dead for a year is asked on."""
    return min(first_s * 2.0 ** min(times, MOST_DOUBLED), last_s)


def _lateness(job: Job, now: float) -> float:
    """Return how late a job is, in its intervals."""
    return (now - job.due) / max(job.interval_s, LEAST_INTERVAL_S)
