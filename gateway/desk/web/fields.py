"""What requests may bring as text: bounded, without control characters, the same for every endpoint."""

from typing import Annotated, Final

import msgspec

from gateway.core.events import Place
from gateway.core.places import LEVELS

Id = Annotated[str, msgspec.Meta(min_length=8, max_length=64, pattern=r"^[A-Za-z0-9-]+\Z")]
"""Made on the phone, once: a UUID."""
Sum = Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{64}\Z")]
Text = Annotated[str, msgspec.Meta(max_length=2_000, pattern=r"^[^\x00]*\Z")]
Name = Annotated[str, msgspec.Meta(max_length=100, pattern=r"^[^\x00-\x1f\x7f]*\Z")]

MOST_PHOTOS: Final = 10
Photos = Annotated[tuple[Sum, ...], msgspec.Meta(max_length=MOST_PHOTOS)]


class Where(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A place somebody names; what they leave out is ''."""

    community: Name = ""
    grid: Name = ""
    microgrid: Name = ""
    compound: Name = ""
    building: Name = ""
    unit: Name = ""
    floor: Name = ""

    @property
    def place(self) -> Place:
        """Return it as the rest of the desk has it."""
        return Place(**{level: getattr(self, level).strip() for level in LEVELS})
