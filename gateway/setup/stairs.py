"""Line by line and floor by floor: what was found, what each device is called and where it hangs."""

from collections.abc import Mapping, Sequence

from rich.console import Console

from drivers.api import Profile
from drivers.scan import Options
from gateway.core.consistency import ID
from gateway.setup import looking, questions
from gateway.setup.asking import Asker
from gateway.setup.found import Device, Installed, Line, Wired
from gateway.setup.record import Record
from gateway.terminal.figures import FAINT, WARN
from gateway.terminal.words import Words

LEVELS = ("building", "unit", "floor")


class Stairs:
    """Asks for the lines and everything on them. Remembers where the last device was."""

    def __init__(
        self, asker: Asker, record: Record, profiles: Mapping[str, Profile], words: Words, console: Console
    ) -> None:
        self._asker, self._record, self._profiles = asker, record, profiles
        self._words, self._console = words, console
        self._places: list[str] = []
        self._taken: set[str] = set()
        self._line_names: set[str] = set()
        self._chosen: dict[tuple[str, ...], str] = {}

    def lines(self, options: Options) -> list[Wired]:
        """Return every line with what a person said of it; those on which nothing is are left out."""
        there = looking.ports()
        for number, port in enumerate(there, 1):
            self._console.print(f"  {number}  {port}", markup=False, soft_wrap=True)
        if not there:
            self._say("setup.no_ports", WARN)
        default = "all" if there else ""
        ports = self._asker.ask("lines", lambda told: questions.lines(told, there), default=default).split()
        wired = []
        for number, port in enumerate(ports, 1):
            line = self._looked_at(port, options)
            if line is not None and (line.devices or line.garbled):
                wired.append(self._wired(number, line))
        return wired

    def _looked_at(self, port: str, options: Options) -> Line | None:
        """Return what hangs on a port, looked at again as often as a person likes; None where nothing could be."""
        if (known := self._record.line(port)) is not None:
            return known
        while True:
            self._say("setup.looking", FAINT, port=port)
            line = looking.look(port, list(self._profiles.values()), options, self._words, self._console)
            if line is not None and line.garbled:
                self._say("setup.garbled", WARN, addresses=", ".join(map(str, line.garbled)))
            if line is not None and line.elsewhere:
                self._say("setup.elsewhere", WARN, addresses=", ".join(map(str, line.elsewhere)))
            fine = line is not None and line.whole and line.devices and not (line.garbled or line.elsewhere)
            if fine or self._asker.once(f"again:{port}", questions.again, default="", port=port) == "":
                if line is not None:
                    self._record.found(line)
                return line

    def _wired(self, number: int, line: Line) -> Wired:
        numbered = (f"line-{each}" for each in (number, *range(1, 1000)))
        name = self._asker.ask(
            f"line:{line.port}", lambda told: questions.line_name(told, self._line_names),
            default=questions.free(numbered, self._line_names), port=line.port,
        )  # fmt: skip
        self._line_names.add(name)
        if any(each.products for each in line.devices):
            self._say("setup.stairs")
        devices = [each for device in line.devices if (each := self._installed(number, line, device))]
        unknown = tuple(each.address for each in line.devices if not each.products)
        for address in unknown:
            self._say("setup.unknown", WARN, address=address)
        return Wired(name, line, tuple(devices), unknown)

    def _installed(self, number: int, line: Line, device: Device) -> Installed | None:
        """Return a device with its place and name; None where it shall be left out, or nobody knows what it is."""
        if not device.products:
            return None
        at = f"{line.port}:{device.address}"
        product = self._product(at, device)
        default = questions.next_place(self._places)
        known = [each for each in self._places if each != questions.NOWHERE]
        last = known[-1] if known else questions.FIRST_PLACE
        title = self._words.of(self._profiles[product].title)
        where = self._asker.ask(
            f"place:{at}", lambda told: questions.place(told, last), default=default,
            address=device.address, product=product, title=title,
        )  # fmt: skip
        if where == questions.SKIP:
            return None
        self._places.append(where)
        category = self._profiles[product].category
        automatic = questions.device_name(Device(device.address, (), category), where, number, self._taken)
        called = self._asker.ask(
            f"called:{at}", lambda told: questions.called(told, self._taken), default="", name=automatic
        )
        name, label = (called, "") if ID.fullmatch(called) else (automatic, called)
        self._taken.add(name)
        others = tuple(each for each in device.products if each != product)
        return Installed(name, device.address, product, category, place_of(where), label, others[:3])

    def _product(self, at: str, device: Device) -> str:
        """Return which product it is, asked where it may be several; the default is what was chosen among the same.

        A smoke detector that is taken for its maker's gas sensor by a hasty Enter would never tell of a fire.
        """
        if len(device.products) == 1:
            return device.products[0]
        for number, name in enumerate(device.products, 1):
            title = self._words.of(self._profiles[name].title)
            self._console.print(f"  {number}  {name}  {title}", markup=False, soft_wrap=True)
        default = self._chosen.get(device.products)
        chosen = self._asker.ask(
            f"product:{at}", lambda told: questions.product(told, device.products), default=default,
            address=device.address,
        )  # fmt: skip
        self._chosen[device.products] = chosen
        return chosen

    def _say(self, key: str, style: str = "", **values: object) -> None:
        self._console.print(self._words(key, **values), style=style or None, markup=False, soft_wrap=True)


def place_of(where: str) -> dict[str, str]:
    """Return a place as the configuration has it."""
    parts: Sequence[str] = where.split("/")
    return {level: part for level, part in zip(LEVELS, parts, strict=True) if part}
