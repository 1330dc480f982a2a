"""What polling is measured against: a loop that asks, waits for the answer, keeps the silence and asks on, and no more.

It blocks, checks no CRC, gives nobody a place in a queue and does nothing with an answer but look whether it is whole
and whose it is. What it misses of the wire, the machine and the simulator take: no master could do better here by much.
"""

import os
import select
import termios
import time
import tty
from collections.abc import Sequence
from dataclasses import dataclass

from drivers.modbus.exchange import Question

PATIENCE_S = 0.2  # after which an answer is given up


@dataclass(frozen=True, slots=True)
class Rate:
    """What a master did: good polls a second, and seconds of processor time for each of them."""

    polls_per_s: float
    cpu_s: float


def poll(port: str, questions: Sequence[Question], gap_s: float, seconds: float) -> Rate:
    """Ask one question after the other for so long, `gap_s` of silence before each."""
    descriptor = os.open(port, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
    try:
        tty.setraw(descriptor)
        return _poll(descriptor, questions, gap_s, seconds)
    finally:
        os.close(descriptor)


def _poll(descriptor: int, questions: Sequence[Question], gap_s: float, seconds: float) -> Rate:
    _settle(descriptor)
    good = asked = 0
    began, cpu_began = time.monotonic(), time.process_time()
    while time.monotonic() - began < seconds:
        question = questions[asked % len(questions)]
        asked += 1
        time.sleep(gap_s)
        os.write(descriptor, question.frame)
        reply = b""
        while len(reply) < question.reply_size and select.select([descriptor], [], [], PATIENCE_S)[0]:
            reply += os.read(descriptor, 256)
        if len(reply) == question.reply_size and reply.startswith(question.head):
            good += 1
        else:
            _settle(descriptor)
    took_s, cpu_s = time.monotonic() - began, time.process_time() - cpu_began
    return Rate(good / took_s, cpu_s / max(1, good))


def _settle(descriptor: int) -> None:
    """Throw away what still comes for a question asked before, or every answer would be taken for the next one's."""
    time.sleep(PATIENCE_S)
    termios.tcflush(descriptor, termios.TCIFLUSH)
