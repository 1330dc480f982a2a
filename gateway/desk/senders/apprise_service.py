"""Any of the services Apprise knows, by the address it has for them (extra `[apprise]`), in a thread with its own time.

Apprise tells success or not, no more, and for several Chinese services it takes a refusal for success: those schemes
are refused when desk.toml is looked at. The address holds the service's secrets, so it stands in a file, and Apprise's
own log, which may repeat it, goes nowhere; of what it says only the last line is kept, without them.
"""

import asyncio
import contextlib
import logging
from collections.abc import Iterator, Mapping
from contextvars import ContextVar
from typing import Final
from urllib.parse import quote, urlsplit

import apprise

from gateway.core.events import Words
from gateway.desk.senders.apprise_schemes import PERSON, scheme_of
from gateway.desk.sending import Delivered, Message, Rejected, Result, Unknown
from gateway.runtime.threads import in_thread

WHOLE_S: Final = 15.0
TYPES: Final[Mapping[int, str]] = {0: "info", 1: "info", 2: "warning", 3: "failure"}  # by rank

_UNREADABLE: Final = Words(
    "Apprise 不认识 url_file 里的地址：对照它的文档",
    "Apprise cannot read the address in url_file: see its documentation",
)


class AppriseService:
    """Sends to one address of Apprise's; `{to}` in it stands for a person's address."""

    def __init__(self, url: str, *, whole_s: float = WHOLE_S) -> None:
        self._url, self._whole_s = url, whole_s

    async def send(self, message: Message) -> Result:
        """Send one message."""
        try:
            async with asyncio.timeout(self._whole_s):
                return await in_thread(lambda: self._send(message))
        except TimeoutError:
            return Unknown(f"no answer in {self._whole_s:.0f} s")

    def _send(self, message: Message) -> Result:
        url = self._url.replace(PERSON, quote(message.address, safe=""))
        with _listening() as heard:
            service = apprise.Apprise()
            if not service.add(url):
                return Rejected(f"no address: {scheme_of(url)}", retryable=False, means=_UNREADABLE)
            took = bool(service.notify(body=message.text, notify_type=TYPES[message.rank]))
        return Delivered(scheme_of(url)) if took else Rejected(_blotted(heard.last, url), retryable=True)


class _Heard(logging.Handler):
    """Keeps the last line that Apprise says of our message: others are sent meanwhile, with secrets of their own."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.last = "no reason given"

    def emit(self, record: logging.LogRecord) -> None:
        """Keep a line."""
        lines = record.getMessage().split("\n")
        if _hearing.get() is self:
            self.last = next((line for line in reversed(lines) if line.strip()), self.last)


_hearing: ContextVar[_Heard | None] = ContextVar("_hearing", default=None)


@contextlib.contextmanager
def _listening() -> Iterator[_Heard]:
    """Hear what Apprise says, and nobody else."""
    said, heard = logging.getLogger("apprise"), _Heard()
    said.propagate = False
    said.setLevel(logging.WARNING)
    said.addHandler(heard)
    ours = _hearing.set(heard)  # it goes along to Apprise's own threads
    try:
        yield heard
    finally:
        _hearing.reset(ours)
        said.removeHandler(heard)


def _blotted(text: str, url: str) -> str:
    """Return a line with nothing in it that is part of an address."""
    parts = urlsplit(url)
    secrets = {url, parts.netloc, parts.username or "", parts.password or "", *parts.path.split("/")}
    secrets |= {parts.hostname or "", parts.query}
    for secret in sorted((each for each in secrets if len(each) > 3), key=len, reverse=True):
        text = text.replace(secret, "***")
    return text[:300]
