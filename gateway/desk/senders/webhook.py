"""Any service that takes JSON, and ntfy. What its answer must have in it to mean success is told by desk.toml."""

from dataclasses import dataclass, field
from typing import Final

from gateway.desk.senders.judging import Sign, ask
from gateway.desk.senders.posting import request
from gateway.desk.sending import Message, Result

NTFY_PRIORITY: Final = (2, 3, 4, 5)  # by rank; 5 breaks through do-not-disturb


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where to post, and what an answer that means success has in it: `key` with `value`, both absent: any 2xx."""

    url: str
    token: str = field(default="", repr=False)
    key: str = ""
    value: str | int | bool | None = None


class Webhook:
    """Posts {id, to, text, rank} as JSON."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint

    async def send(self, message: Message) -> Result:
        """Send one message."""
        told = {
            "id": message.id,
            "to": message.address,
            "text": message.text,
            "rank": message.rank,
            "language": message.language,
        }
        sign = Sign("", self._endpoint.key, self._endpoint.value)
        return await ask(request(self._endpoint.url, told, message.id, token=self._endpoint.token), sign)


class Ntfy:
    """Publishes to a topic of an ntfy server, as JSON to its root; it answers with the message's own id."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint

    async def send(self, message: Message) -> Result:
        """Send one message; `address` is the topic."""
        told = {
            "topic": message.address,
            "message": message.text,
            "priority": NTFY_PRIORITY[message.rank],
            "tags": ["rotating_light"] if message.rank == 3 else ["warning"],
        }
        asked = request(self._endpoint.url, told, message.id, token=self._endpoint.token)
        return await ask(asked, Sign("ntfy", "event", "message"))
