"""Actions of profiles become exchanges: byte by byte where a manual shows them, and refused out of range."""

import pytest

from drivers import profile
from drivers.api import Action, Argument, DriverError, Text
from drivers.modbus.codec import ReadRequest, WriteMultiple, WriteSingle, encode_request, rtu_frame
from drivers.modbus.orders import ActionWire, Amount, Order, Step, coil_word, orders


def frames(address: int, given: tuple[Order, ...]) -> list[str]:
    """The requests as a driver sends them: a new address holds from the step after the one that gave it."""
    lines = []
    for order in given:
        lines.append(
            rtu_frame(0 if order.broadcast else address, encode_request(order.request)).hex(" ").upper()
        )
        address = order.new_address or address
    return lines


def test_an_unlock_of_five_seconds_is_timed_by_the_board_and_read_back() -> None:
    unlock = orders(profile.load("waveshare-door").action("unlock"), {})
    assert frames(1, unlock)[0] == "01 05 02 00 00 32 4D A7"
    assert unlock[1] == Order(ReadRequest(1, 0, 1), expect=(1,))


def test_a_pulse_goes_to_the_channel_that_was_named() -> None:
    pulse = orders(profile.load("waveshare-relay-8ch").action("pulse"), {"channel": 1, "seconds": 0.7})
    assert frames(1, pulse) == ["01 05 02 00 00 07 8D B0"]
    third = orders(profile.load("waveshare-relay-8ch").action("pulse"), {"channel": 3, "seconds": 2})
    assert third[0].request == WriteSingle(5, 0x0202, 20)


def test_a_new_address_is_unlocked_written_and_saved_at_the_new_address_in_time() -> None:
    steps = orders(profile.load("witmotion-wt901c485").action("set_address"), {"address": 0x51})
    assert frames(0x50, steps) == [
        "50 06 00 69 B5 88 22 A1",
        "50 06 00 1A 00 51 64 70",
        "51 06 00 00 00 00 85 9A",
    ]
    assert [step.within_s for step in steps] == [None, 10, 10]


def test_a_broadcast_says_so_and_where_the_device_is_afterwards() -> None:
    (step,) = orders(profile.load("waveshare-door").action("set_address"), {"address": 9})
    assert step.broadcast
    assert step.new_address == 9
    assert step.pause_s > 0
    assert frames(1, (step,))[0].startswith("00 06 40 00 00 09")


def test_a_fixed_word_is_written_as_it_is() -> None:
    (reset,) = orders(profile.load("calectro-ug-3-o-mb-r").action("reset"), {})
    assert reset.request == WriteSingle(6, 0, 234)


def test_a_step_can_ask_for_the_functions_that_write_several() -> None:
    wire = ActionWire(
        (
            Step("holding", Amount(4), Amount(7), multiple=True),
            Step("coil", Amount(4), Amount(coil_word(True)), multiple=True),
            Step("coil", Amount(4), Amount(coil_word(False)), multiple=True),
        )
    )
    requests = [order.request for order in orders(Action("go", wire, Text("走", "go")), {})]
    assert requests == [WriteMultiple(16, 4, (7,)), WriteMultiple(15, 4, (1,)), WriteMultiple(15, 4, (0,))]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"seconds": 1000.0}, r"unlock: seconds = 1000 \(from 0.5 to 60 s\)"),
        ({"seconds": 0.0}, "seconds = 0"),
        ({"second": 5.0}, r"unknown argument second \(it takes seconds\)"),
        ({"seconds": float("nan")}, "seconds = nan"),
    ],
)
def test_arguments_out_of_range_or_unknown_are_refused_with_a_hint(
    given: dict[str, float], message: str
) -> None:
    with pytest.raises(DriverError, match=message):
        orders(profile.load("waveshare-door").action("unlock"), given)


def test_a_missing_argument_without_a_default_is_refused() -> None:
    with pytest.raises(DriverError, match="address is missing"):
        orders(profile.load("waveshare-door").action("set_address"), {})
    with pytest.raises(DriverError, match="it takes none"):
        orders(profile.load("waveshare-door").action("lock"), {"now": 1})


def test_every_number_an_argument_allows_fits_on_the_wire() -> None:
    products = [found for name in profile.names() if (found := profile.load(name)).driver == "modbus"]
    for product in products:
        for action in product.actions:
            for end in ("minimum", "maximum"):
                for order in orders(action, {a.name: getattr(a, end) for a in action.arguments}):
                    assert rtu_frame(1, encode_request(order.request))


def test_an_amount_is_a_constant_or_an_argument_times_a_factor_plus_it() -> None:
    assert Amount(5).fill({}) == 5
    assert Amount(0x01FF, "channel").fill({"channel": 3}) == 0x0202
    assert Amount(0, "seconds", 10).fill({"seconds": 0.26}) == 3
    assert Argument("seconds", 0, 1).default is None
