"""Which known product a device may be: the reads of each are tried on it, and those that fit are ranked.

A product fits when its own identifying read gives a value it can have and the device answers its other reads.
Many products answer a read of register 0, so the one that explains most of the device comes first; a device
that stands at a product's factory address and speed is likelier to be it.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from drivers.api import Profile
from drivers.modbus.blocks import plan, register_of
from drivers.modbus.codec import ReadReply, ReadRequest
from drivers.modbus.wire import Identify, ModbusWire, decode
from drivers.scan.order import Answer, Setting

Ask = Callable[[ReadRequest], Answer]

LEAST_SHARE = 0.5  # of its reads a product must see answered, and explain of what the best one explains


@dataclass(frozen=True, slots=True)
class Fit:
    """A product the device may be, and what speaks for it.

    `identified`: its own identifying read gave a value it can have. `as_shipped`: it stands at the address and
    speed it left the factory with.
    """

    profile: str
    category: str
    answered: int
    asked: int
    identified: bool
    registers: int
    as_shipped: bool
    verified: bool

    @property
    def rank(self) -> tuple[float, bool, int, bool, bool]:
        """The better, the greater."""
        share = self.answered / self.asked
        return (share, self.identified, self.registers, self.as_shipped, self.verified)


def fits(ask: Ask, setting: Setting, address: int, profiles: Sequence[Profile]) -> tuple[Fit, ...]:
    """Return the products the device may be, likeliest first. The same read is asked once only."""
    known: dict[ReadRequest, ReadReply | None] = {}

    def read(request: ReadRequest) -> ReadReply | None:
        if request not in known:
            reply = ask(request).reply
            known[request] = reply if isinstance(reply, ReadReply) else None
        return known[request]

    found = [fit for profile in profiles if (fit := _fit(read, setting, address, profile))]
    found.sort(key=lambda fit: fit.rank, reverse=True)
    return tuple(fit for fit in found if fit.registers >= LEAST_SHARE * found[0].registers)


def _fit(
    read: Callable[[ReadRequest], ReadReply | None], setting: Setting, address: int, profile: Profile
) -> Fit | None:
    wire = profile.wire
    if not isinstance(wire, ModbusWire):
        return None
    if wire.identify is not None and not _is_it(read, wire.identify):
        return None
    gap_s = 3.5 * setting.char_s
    blocks = plan(
        profile.points, char_s=setting.char_s, gap_s=gap_s, max_read=wire.max_read, bridge=wire.bridge
    )
    good = [block for block in blocks if read(block.request) is not None]
    if len(good) < LEAST_SHARE * len(blocks):
        return None
    as_shipped = (wire.address, wire.baud, wire.parity) == (address, setting.baud, setting.parity)
    places = {
        (register.table, register.address) for block in good for register in map(register_of, block.points)
    }
    return Fit(
        profile.name,
        profile.category,
        answered=len(good),
        asked=len(blocks),
        identified=wire.identify is not None,
        registers=len(places),
        as_shipped=as_shipped,
        verified=profile.verified,
    )


def _is_it(read: Callable[[ReadRequest], ReadReply | None], identify: Identify) -> bool:
    reply = read(identify.register.request)
    value = decode(identify.register, reply.values) if reply is not None else None
    return value is not None and identify.minimum <= value <= identify.maximum
