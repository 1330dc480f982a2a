"""What the desk says it has stored: `{"epoch": 1, "stored": [[1040, 1042], [1045, 1045]]}`, ranges of seq."""

from typing import Annotated, Final

import msgspec

LARGEST: Final = 65_536

Seq = Annotated[int, msgspec.Meta(ge=0)]


class Receipt(msgspec.Struct, frozen=True):
    """Ranges of seq, ends included, that the desk has committed."""

    epoch: Annotated[int, msgspec.Meta(ge=1)]
    stored: Annotated[list[tuple[Seq, Seq]], msgspec.Meta(max_length=1000)]


class ReceiptError(ValueError):
    """The bytes are no receipt."""


_decoder = msgspec.json.Decoder(Receipt)


def decode(data: bytes) -> Receipt:
    """Return the receipt; raises ReceiptError for anything else, whatever its size."""
    if len(data) > LARGEST:
        raise ReceiptError(f"{len(data)} bytes, {LARGEST} at most")
    try:
        receipt = _decoder.decode(data)
    except (msgspec.DecodeError, msgspec.ValidationError, RecursionError) as error:
        raise ReceiptError(str(error)) from error
    if any(first > last for first, last in receipt.stored):
        raise ReceiptError("a range ends before it begins")
    return receipt
