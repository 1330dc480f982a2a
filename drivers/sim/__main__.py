"""`python -m drivers.sim`: a pretend compound, or a single product, on ports any Modbus master can open.

See README.md beside this file for what it prints and which commands it takes.
"""

import argparse
import asyncio
import selectors
import sys
from collections.abc import Sequence
from pathlib import Path

from drivers import profile as profiles
from drivers.api import DriverError
from drivers.sim.compound import Wiring, compound, single_line
from drivers.sim.district import district
from drivers.sim.faults import PRESETS
from drivers.sim.serve import serve
from drivers.sim.world import World

TIMER_SLACK = Path("/proc/self/timerslack_ns")


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until `quit`, the end of the input or Ctrl-C."""
    parser = make_parser()
    options = parser.parse_args(arguments)
    try:
        world = world_of(options)
    except (DriverError, ValueError) as error:
        parser.error(str(error))
    _tighten_timers()
    with asyncio.Runner(loop_factory=lambda: _loop(spin=options.spin)) as runner:
        try:
            runner.run(serve(world, tcp=options.tcp or options.modbus_tcp, link=options.link))
        except KeyboardInterrupt:
            return 130
        except OSError as error:
            parser.error(str(error))
    return 0


def make_parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    parser = argparse.ArgumentParser(prog="python -m drivers.sim", description=__doc__)
    one = parser.add_argument_group("one product instead of a compound")
    one.add_argument("--profile", metavar="NAME", help="a profile's name or file")
    one.add_argument("--address", type=int, metavar="N", help="of the first device (default: the factory's)")
    one.add_argument("--devices", type=int, default=1, metavar="N", help="how many, at rising addresses")
    many = parser.add_argument_group("the compound")
    for name, default in (("buildings", 2), ("detectors", 40), ("covers", 12), ("doors", 6), ("lines", 3)):
        many.add_argument(f"--{name}", type=int, default=default, metavar="N", help=f"(default {default})")
    many.add_argument("--district", action="store_true", help="300 devices of every kind on 8 lines instead")
    wire = parser.add_argument_group("the wire")
    wire.add_argument("--baud", type=int, default=9600, help="(default 9600)")
    wire.add_argument("--parity", choices=("none", "even", "odd"), default="none")
    wire.add_argument("--unpaced", dest="paced", action="store_false", help="answer at once, as no wire does")
    wire.add_argument("--paced", action="store_true", help="keep the time of the wire (default)")
    wire.add_argument("--turnaround-ms", type=float, default=10.0, metavar="MS", help="(default 10)")
    wire.add_argument(
        "--faults", choices=sorted(PRESETS), default="none", metavar="PRESET", help="|".join(PRESETS)
    )
    wire.add_argument(
        "--dead", type=int, default=0, metavar="N", help="the last N devices of each line are dead"
    )
    wire.add_argument("--seed", type=int, default=0, help="of faults and values (default 0)")
    wire.add_argument(
        "--spin", action="store_true", help="never sleep: exact timing for benches, costs a core"
    )
    port = parser.add_argument_group("the ports")
    port.add_argument("--link", type=Path, metavar="DIR", help="names that stay for the ptys: DIR/<line>")
    port.add_argument("--tcp", action="store_true", help="RTU frames over TCP instead of ptys")
    port.add_argument("--modbus-tcp", action="store_true", help="Modbus TCP instead of ptys")
    parser.set_defaults(paced=True)
    return parser


def world_of(options: argparse.Namespace) -> World:
    """Return the world the options ask for; DriverError or ValueError if there is none."""
    wiring = Wiring(
        baud=options.baud,
        parity=options.parity,
        faults=PRESETS[options.faults],
        paced=options.paced,
        turnaround_s=options.turnaround_ms / 1000.0,
        scheme="tcp://" if options.modbus_tcp else "",
    )
    if options.profile:
        product = profiles.load(options.profile)
        world = single_line(
            product, address=options.address, devices=options.devices, seed=options.seed, wiring=wiring
        )
    elif options.district:
        world = district(seed=options.seed, wiring=wiring)
    else:
        world = compound(
            seed=options.seed,
            buildings=options.buildings,
            detectors=options.detectors,
            covers=options.covers,
            doors=options.doors,
            lines=options.lines,
            wiring=wiring,
        )
    for devices in world.on_line.values():
        for device in devices[len(devices) - options.dead :]:
            world.kill(device.name)
    return world


class _SpinningSelector(selectors.SelectSelector):
    """A selector that never sleeps: waking up costs a virtual machine a tenth of a millisecond and more."""

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        return super().select(0)


def _loop(*, spin: bool) -> asyncio.AbstractEventLoop:
    """Return a loop with microsecond timers: epoll's are whole milliseconds, t3.5 is 1.75 ms."""
    return asyncio.SelectorEventLoop(_SpinningSelector() if spin else selectors.SelectSelector())


def _tighten_timers() -> None:
    """Ask Linux not to let our timers slip by its usual 50 us; elsewhere, and where it refuses, they do."""
    try:
        TIMER_SLACK.write_text("1", encoding="ascii")
    except OSError:
        return


if __name__ == "__main__":
    sys.exit(main())
