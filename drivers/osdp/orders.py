"""Actions as OSDP commands: steps filled with a caller's numbers, in the words of libosdp.

An output's timer runs in the peripheral. A light, a buzzer or a text is a courtesy: a peripheral that has none is
not asked for it. An output it does not have is an error.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from drivers.api import Action, DriverError
from drivers.arguments import filled
from drivers.osdp import frames
from drivers.osdp.wire import (
    CODES,
    COLORS,
    MOST_TIMED_S,
    TICK_S,
    TIMED,
    ActionWire,
    BuzzerStep,
    LedStep,
    OutputStep,
    Seconds,
    Step,
)

# numbers of osdp_sys
OUTPUT, LED, BUZZER, TEXT = 1, 2, 3, 4
LED_TEMPORARY, LED_PERMANENT = 2, 1
DEFAULT_TONE: Final = 2
TEXT_PERMANENT, TEXT_TEMPORARY = 1, 3
# functions in a peripheral's list of capabilities
HAS_OUTPUTS, HAS_LEDS, HAS_BUZZER, HAS_TEXT = 2, 4, 5, 6
MOST_TEXT_S: Final = 255


@dataclass(frozen=True, slots=True)
class Order:
    """A command, its code on the wire, and the capability it needs: at least `number` of `function`."""

    command: Mapping[str, object]
    code: int
    function: int
    number: int
    courtesy: bool

    def possible(self, capabilities: Mapping[int, tuple[int, int]]) -> bool:
        """Say whether a peripheral with these capabilities can do it."""
        level, number = capabilities.get(self.function, (0, 0))
        return level > 0 and number >= self.number


def orders(action: Action, arguments: Mapping[str, float]) -> tuple[Order, ...]:
    """Return the commands that carry out an action; DriverError if an argument is missing, unknown or out of its
    range.
    """
    assert isinstance(action.wire, ActionWire)
    numbers = filled(action, arguments)
    return tuple(_order(action.name, step, numbers) for step in action.wire.steps)


def _order(action: str, step: Step, numbers: Mapping[str, float]) -> Order:
    if isinstance(step, OutputStep):
        timer = _ticks(action, _time(step.seconds, numbers)) if step.code in TIMED else 0
        return Order(
            {"command": OUTPUT, "output_no": step.number, "control_code": CODES[step.code], "timer_count": timer},
            frames.OUTPUT, HAS_OUTPUTS, step.number + 1, courtesy=False,
        )  # fmt: skip
    if isinstance(step, LedStep):
        return Order(_led(action, step, numbers), frames.LED, HAS_LEDS, step.number + 1, courtesy=True)
    if isinstance(step, BuzzerStep):
        command = {
            "command": BUZZER, "reader": step.reader, "control_code": DEFAULT_TONE,
            "on_count": _ticks(action, step.on_s), "off_count": round(step.off_s / TICK_S), "rep_count": step.times,
        }  # fmt: skip
        return Order(command, frames.BUZZER, HAS_BUZZER, 0, courtesy=True)
    seconds = min(MOST_TEXT_S, round(_time(step.seconds, numbers)))
    control = TEXT_TEMPORARY if seconds else TEXT_PERMANENT
    text: dict[str, object] = {
        "command": TEXT, "reader": step.reader, "control_code": control, "temp_time": seconds,
        "offset_row": 1, "offset_col": 1, "data": step.text,
    }  # fmt: skip
    return Order(text, frames.TEXT, HAS_TEXT, 0, courtesy=True)


def _led(action: str, step: LedStep, numbers: Mapping[str, float]) -> dict[str, object]:
    seconds = _time(step.seconds, numbers)
    command: dict[str, object] = {
        "command": LED, "reader": step.reader, "led_number": step.number,
        "control_code": LED_TEMPORARY if seconds else LED_PERMANENT, "on_count": _ticks(action, step.on_s),
        "off_count": round(step.off_s / TICK_S), "on_color": COLORS[step.color], "off_color": COLORS[step.blink],
    }  # fmt: skip
    return command | {"temporary": True, "timer_count": _ticks(action, seconds)} if seconds else command


def _time(seconds: Seconds, numbers: Mapping[str, float]) -> float:
    return numbers[seconds.argument] if seconds.argument else seconds.given


def _ticks(action: str, seconds: float) -> int:
    """Return a time in tenths of a second; more than fit would come out as a short one, or as for ever."""
    ticks = round(seconds / TICK_S)
    if not 0 < ticks * TICK_S <= MOST_TIMED_S + TICK_S / 2:
        raise DriverError("act", f"{action}: {seconds:g} s", f"from {TICK_S:g} to {MOST_TIMED_S:g} s")
    return ticks
