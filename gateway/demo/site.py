"""The gateway.toml of a simulated compound: what an installer would have written for it. Pure."""

import json
from collections.abc import Iterator, Mapping, Sequence

from drivers.sim.thing import Thing
from drivers.sim.world import World
from gateway.core.toml_text import toml

HEAD = """\
[gateway]
id = "demo"
name = "红星亭坡 1 号院"
place = {{ community = "中山二路", grid = "3", microgrid = "17", compound = "红星亭坡 1 号院" }}
state_dir = {state_dir}

[mqtt]
url = {broker_url}
confirm = {confirm}

[[interlock]]
name = "fire"
"""

OPERATOR = """\
[[operator]]
name = {name}
key = {key}
role = "duty_room"
"""

CENTRE = """\
[[fire_centre]]
name = "district"
url = {url}
address = {address}
centre_address = {centre_address}
analog = false
"""

HELD_S = 6.0
"""A story cannot wait the half minute a real door is given."""

AGREED: Mapping[str, tuple[list[str], list[str]]] = {
    "2-1-5": (["fall", "still"], []),
    "2-2-3": (["bed", "vitals"], ["bed-2-2-3"]),
}
"""By flat: what somebody agreed to, and what watches over them. In a third flat hangs a radar, and nobody agreed."""


def gateway_toml(
    world: World,
    *,
    ports: Mapping[str, str],
    broker_url: str,
    state_dir: str,
    cameras: Sequence[Mapping[str, object]] = (),
    desk: tuple[str, str] | None = None,
    centre: tuple[str, int, int] | None = None,
) -> str:
    """Return the text of the file; `ports` maps each line's name to the path of its serial port.

    `desk` are the name and public key of a desk that confirms alerts and may give orders; `centre` the address of a
    fire centre, the number it has given us, and its own.
    """
    confirm = "desk" if desk else "broker"
    head = HEAD.format(
        state_dir=json.dumps(state_dir), broker_url=json.dumps(broker_url), confirm=json.dumps(confirm)
    )
    operator = [OPERATOR.format(name=json.dumps(desk[0]), key=json.dumps(desk[1]))] if desk else []
    tables = (_table("[[camera]]", camera) for camera in cameras)
    if centre is not None:
        url, address, own = centre
        operator.append(CENTRE.format(url=json.dumps(url), address=address, centre_address=own))
    return "\n".join((head, *operator, *tables, *_buses(world, ports), *_doors(world), *_homes(world)))


def camera(name: str, url: str, *, building: str, view: Mapping[str, object]) -> dict[str, object]:
    """Return the table of a camera that looks up a building; `view` has `watch` and `floors`."""
    return {
        "name": name,
        "url": url,
        "place": {"building": building},
        "watch": view["watch"],
        "floors": view["floors"],
    }


def _buses(world: World, ports: Mapping[str, str]) -> Iterator[str]:
    for name, line in world.lines.items():
        yield _table("[[bus]]", {"name": name, "port": ports[name], "baud": line.settings.baud})
        yield from (_table("[[bus.device]]", _device(world, device)) for device in world.on_line[name])


def _doors(world: World) -> Iterator[str]:
    """Yield a door for every door board, as people call it: gate-2-1 for door-2-1."""
    for devices in world.on_line.values():
        for board in devices:
            kind, _, entrance = board.name.partition("-")
            if kind == "door":
                facts = {
                    "name": f"gate-{entrance}",
                    "place": world.places[board.name],
                    "strike": board.name,
                    "contact": f"{board.name}.contact",
                    "exit": f"{board.name}.exit_button",
                    "held_s": HELD_S,
                }
                yield _table("[[door]]", facts)


def _homes(world: World) -> Iterator[str]:
    """Yield a resident for every radar of somebody who agreed to anything; the others' watch nobody."""
    for name in world.devices:
        kind, _, flat = name.partition("-")
        if kind == "radar" and flat in AGREED:
            consent, assets = AGREED[flat]
            facts = {"code": flat, "place": world.places[name], "sensors": [name, *assets]}
            yield _table("[[resident]]", {**facts, "consent": consent})


def _device(world: World, device: Thing) -> dict[str, object]:
    table = {
        "name": device.name,
        "profile": device.profile.name,
        "address": device.address,
        "label": label(device.name),
        "place": world.places.get(device.name),
        "baseline": world.baselines.get(device.name),
    }
    return {key: value for key, value in table.items() if value}


def label(name: str) -> str:
    """Return what people call a device of the compound: 5 号 for cover-05; empty where the place says it."""
    kind, _, number = name.partition("-")
    return f"{int(number)} 号" if kind == "cover" and number.isdecimal() else ""


def _table(title: str, pairs: Mapping[str, object]) -> str:
    return "\n".join((title, *(f"{key} = {toml(value)}" for key, value in pairs.items()), ""))
