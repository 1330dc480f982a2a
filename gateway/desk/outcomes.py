"""What gateways say came of orders, read with distrust: anybody at the broker may send anything. Pure."""

from dataclasses import dataclass
from typing import Annotated, Final

import msgspec

LARGEST: Final = 65_536
RESULTS: Final = frozenset({"done", "failed", "late", "refused", "unknown"})
UNVERIFIED: Final = "unverified"

_Name = Annotated[str, msgspec.Meta(max_length=128)]
_Text = Annotated[str, msgspec.Meta(max_length=4_000)]


class _Data(msgspec.Struct, frozen=True):
    result: _Name
    detail: _Text
    origin: _Text


class _Envelope(msgspec.Struct, frozen=True):
    source: _Name
    subject: _Name
    data: _Data


@dataclass(frozen=True, slots=True)
class Outcome:
    """What `gateway` says came of the order `id`."""

    gateway: str
    id: str
    result: str
    detail: str
    origin: str

    @property
    def is_unverified(self) -> bool:
        """Return whether nobody knows who sent the order it is about."""
        return self.origin == UNVERIFIED

    @property
    def is_known(self) -> bool:
        """Return whether the result is one we have a word for."""
        return self.result in RESULTS

    @property
    def reason(self) -> str:
        """Return the reason of a refusal: the first word of its detail."""
        return self.detail.partition(":")[0]

    def concerns(self, operator: str) -> bool:
        """Return whether it may be about an order of ours at all."""
        ours = (f"remote:{operator}/", f"refused:{operator}/")
        return self.origin.startswith(ours) or (self.is_unverified and self.reason == "nonce")


_decoder = msgspec.json.Decoder(_Envelope)


def read(gateway: str, content: bytes) -> Outcome | None:
    """Return the outcome that `gateway` published; None where it is none."""
    try:
        told = _decoder.decode(content[: LARGEST + 1])
    except (msgspec.DecodeError, RecursionError):
        return None
    if told.source != f"/compound/{gateway}" or "\x00" in told.subject + told.data.detail + told.data.origin:
        return None
    return Outcome(gateway, told.subject, told.data.result, told.data.detail, told.data.origin)
