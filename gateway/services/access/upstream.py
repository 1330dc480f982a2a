"""What a list upstream is to whoever asks for it: where it is, what came of asking, and why nothing did.

Apart from the asking itself (gateway/services/access/pulling.py), which loads all of HTTP and is done by few gateways.
"""

from dataclasses import dataclass, field


class PullError(Exception):
    """The list could not be had; the text says why and holds no secret."""


@dataclass(frozen=True, slots=True)
class Upstream:
    """Where the list is and what is needed to get it. Paths may be empty."""

    url: str
    token_file: str = field(default="", repr=False)
    ca_file: str = ""


@dataclass(frozen=True, slots=True)
class Pulled:
    """What came: `data` is None where nothing has changed since `etag`."""

    data: bytes | None = field(repr=False)
    etag: str = ""
