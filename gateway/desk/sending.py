"""What it is to send a page: one message to one address, and what came of it.

Success is what the service says in its answer, not that it answered: the bots people use answer 200 to a page they
refuse. `Unknown` is the honest word for a page that was sent and never answered; it is tried again under the same
id, because a double ring is better than none.
"""

from dataclasses import dataclass
from typing import Protocol, TypeAlias

from gateway.core.events import Words


@dataclass(frozen=True, slots=True)
class Message:
    """One message to one address. `id` stays the same when it is sent again; `rank` 3 is critical."""

    id: str
    address: str
    text: str
    rank: int
    language: str = "zh"


@dataclass(frozen=True, slots=True)
class Delivered:
    """The service took it; `answer` is its own name for it."""

    answer: str


@dataclass(frozen=True, slots=True)
class Rejected:
    """The service refused it. `retryable`: later it may not. `means`: what to do, where it is known."""

    answer: str
    retryable: bool
    means: Words | None = None


@dataclass(frozen=True, slots=True)
class Unknown:
    """It may or may not have gone out."""

    answer: str


Result: TypeAlias = Delivered | Rejected | Unknown


class Sender(Protocol):
    """Sends messages over one channel."""

    async def send(self, message: Message) -> Result:
        """Send one message; never raises for what a service or a network may do."""


def told(result: Result) -> str:
    """Return what a service said, for the record: its own words, then what they mean."""
    means = result.means if isinstance(result, Rejected) else None
    return f"{result.answer} — {means.zh} / {means.en}" if means else result.answer
