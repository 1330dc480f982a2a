"""Kinds of asset as data: what parts one has, what can be set, which points are derived and what is an alert.

One file a kind in this folder, `manhole.toml`; a new kind is a new file and no code. The file says:

    [asset]      title = { zh, en }, instead = ["fire.gas"]: rules of these kinds make no sense on a part of this;
                 needs = ["level"]: points without which it is nothing; consent = "home": it watches over a
                 resident, who must have agreed to that, and what it says is as private as what its parts do
    [part.NAME]  what a part measures: zh, en; unit, where it must have one; many = true for a list;
                 discreet = true: it says that somebody is away, and is sent to nobody, whatever they agreed to
    [output.NAME] what can be moved: zh, en, needed; written "relays:1", as the strike of a door is
    [set.NAME]   a number an installer may set: zh, en, value (left out: must be set), unit
    [[point]]    a derived point: name, unit, deadband, and its formula (see formulas.py); inner = true: a step on
                 the way, told to nobody; discreet = true: as of a part, and so is whatever stands on it
    [[rule]]     as in a profile (see gateway/core/rule_tables.py); a name of [set] may stand for a number

Points whose parts an asset does not have are left out, and the rules on them too.
"""

import math
import tomllib
from collections.abc import Mapping, Sized
from functools import cache
from importlib import resources
from importlib.resources.abc import Traversable
from typing import Final

import msgspec

from gateway.core.events import Words

FOLDER: Final = "gateway.core.assets"


class PartTable(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`[part.NAME]`."""

    zh: str
    en: str
    unit: str = ""
    many: bool = False
    discreet: bool = False


class OutputTable(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`[output.NAME]`."""

    zh: str
    en: str
    needed: bool = False


class SettingTable(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`[set.NAME]`. A value is from `least` to `most`, and more than that of the setting `over`."""

    zh: str
    en: str
    value: float | None = None
    unit: str = ""
    least: float = -math.inf
    most: float = math.inf
    over: str = ""


class HeadTable(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`[asset]`."""

    title: Words
    instead: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    consent: str = ""


class AssetKind(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One kind of asset, as its file says."""

    asset: HeadTable
    name: str = ""
    part: dict[str, PartTable] = {}
    output: dict[str, OutputTable] = {}
    set: dict[str, SettingTable] = {}
    point: tuple[dict[str, object], ...] = ()
    rule: tuple[dict[str, object], ...] = ()


@cache
def built_in() -> Mapping[str, AssetKind]:
    """Return the kinds of this release by name. The files are part of the code: they are read as an import is."""
    files = (each for each in resources.files(FOLDER).iterdir() if each.name.endswith(".toml"))
    kinds = (_read(file) for file in files)
    return {kind.name: kind for kind in sorted(kinds, key=lambda kind: kind.name)}


def wanted(assets: Sized) -> Mapping[str, AssetKind]:
    """Return the kinds for these assets: none where there are no assets, and then no file is read."""
    return built_in() if assets else {}


def parse(text: str, name: str) -> AssetKind:
    """Return the kind a TOML text describes; msgspec.ValidationError names what is wrong in it."""
    kind = msgspec.convert(tomllib.loads(text), AssetKind)
    return msgspec.structs.replace(kind, name=name)


def _read(file: Traversable) -> AssetKind:
    return parse(file.read_text(encoding="utf-8"), file.name.removesuffix(".toml"))
