"""Made-up products for tests, as small as the test allows; the shipped ones are played in test_products.py."""

from drivers.api import Action, Argument, Point, Priority, Profile, Text, Timing
from drivers.modbus.orders import ActionWire, Amount, Step
from drivers.modbus.wire import Freeze, Identify, ModbusWire, Register

NO_WORDS, FACTORY, QUICK = Text("", ""), ModbusWire(), Timing()


def product(
    *points: Point,
    actions: tuple[Action, ...] = (),
    wire: ModbusWire = FACTORY,
    timing: Timing = QUICK,
    rules: tuple[dict[str, object], ...] = (),
) -> Profile:
    return Profile(
        "product", "modbus", "smoke", NO_WORDS, points, actions=actions, wire=wire, timing=timing, rules=rules
    )


def number(name: str = "value", address: int = 0, *, table: str = "holding", **kind: object) -> Point:
    return Point(name, Register(table, address, **kind))  # type: ignore[arg-type]


def bit(name: str, address: int, *, table: str = "discrete", **kind: object) -> Point:
    return Point(name, Register(table, address, "bit", **kind), priority=Priority.FIRE)  # type: ignore[arg-type]


def action(name: str, *steps: Step, arguments: tuple[Argument, ...] = ()) -> Action:
    return Action(name, ActionWire(steps), NO_WORDS, arguments)


SECONDS = Argument("seconds", 0.5, 60.0, 5.0)
CHANNEL = Argument("channel", 1, 4)
ADDRESS = Argument("address", 1, 247)

RELAYS = product(
    *(bit(f"relay_{n}", n - 1, table="coil") for n in (1, 2, 3, 4)),
    actions=(
        action(
            "pulse",
            Step("coil", Amount(0x1FF, "channel"), Amount(0, "seconds", 10.0)),
            arguments=(CHANNEL, SECONDS),
        ),
    ),
)
DOOR = product(
    bit("strike", 0, table="coil"),
    bit("contact", 0, invert=True),
    actions=(
        action("unlock", Step("coil", Amount(0x200), Amount(0, "seconds", 10.0)), arguments=(SECONDS,)),
        action("lock", Step("coil", Amount(0), Amount(0)), Step("coil", Amount(0), Amount(0), expect=True)),
    ),
)
DETECTOR = product(
    bit("alarm", 2),
    bit("test", 3),
    number("silence_code", 1),
    actions=(
        action("reset", Step("holding", Amount(0), Amount(234))),
        action("self_test", Step("holding", Amount(1), Amount(7))),
        action("silence", Step("holding", Amount(1), Amount(9))),
    ),
)
TILT = product(
    Point("roll", Register("holding", 0x3D, "s16", scale=180 / 32768), unit="°"),
    Point("pitch", Register("holding", 0x3E, "s16", scale=180 / 32768), unit="°"),
    actions=(
        action(
            "set_address",
            Step("holding", Amount(0x69), Amount(0xB588)),
            Step(
                "holding", Amount(0x1A), Amount(0, "address"), within_s=10.0, to_address=Amount(0, "address")
            ),
            Step("holding", Amount(0), Amount(0)),
            arguments=(ADDRESS,),
        ),
        action("zero", Step("holding", Amount(1), Amount(8))),
    ),
)
COUNTING = product(
    number("heartbeat", 8),
    number("ppm", 3, sentinels=(0xFFFF,)),
    wire=ModbusWire(
        max_read=2,
        bridge=False,
        identify=Identify(Register("holding", 0x100), 7, 9),
        freeze=Freeze("heartbeat", 15.0),
    ),
    timing=Timing(warm_up_s=30.0),
)
