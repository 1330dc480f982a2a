"""A story: what happens in the simulated compound and when, as a TOML file. Pure: text in, scenes out.

title = { zh = "...", en = "..." }

[[scene]]
at_s = 5.0                    # seconds since the demo was ready
do = "lift"                   # one of DEEDS
target = "cover-05"           # a device or a line; a camera for throw; not for broker_lost, broker_back, say
text = { zh = "有人掀开井盖", en = "Somebody lifts a manhole cover" }
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches

import msgspec

from gateway.core.events import Words

LAST_S = 86_400.0
THROW = "throw"  # something falls before a camera
ALONE = ("broker_lost", "broker_back", "say")


class StoryError(Exception):
    """A story cannot be played: a person must mend the file."""


class Scene(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One thing that happens."""

    at_s: float
    do: str
    target: str = ""
    text: Words = Words("", "")


@dataclass(frozen=True, slots=True)
class Story:
    """Scenes in the order of their time."""

    title: Words
    scenes: tuple[Scene, ...]


def parse(
    text: str,
    *,
    file: str,
    deeds: tuple[str, ...],
    targets: frozenset[str],
    cameras: frozenset[str] = frozenset(),
) -> Story:
    """Return the story in `text`; StoryError names file, scene, found and wanted.

    `deeds` is what the world can do, `targets` the devices and lines there are.
    """
    wanted = dict.fromkeys(deeds, targets) | {THROW: cameras}
    try:
        tables = tomllib.loads(text)
        title = msgspec.convert(tables.pop("title", {"zh": file, "en": file}), Words)
        scenes = msgspec.convert(tables.pop("scene", []), list[Scene])
    except (tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise StoryError(f"{file}: {error}") from error
    if tables:
        raise StoryError(f"{file}: unknown key {next(iter(tables))!r}; a story has `title` and `[[scene]]`")
    for number, scene in enumerate(scenes, 1):
        _check(scene, f"{file}: scene {number}", wanted)
    return Story(title, tuple(sorted(scenes, key=lambda scene: scene.at_s)))


def _check(scene: Scene, where: str, wanted: Mapping[str, frozenset[str]]) -> None:
    known = (*wanted, *ALONE)
    if scene.do not in known:
        raise StoryError(f"{where}: do = {scene.do!r}{_meant(scene.do, known)}; there is: {', '.join(known)}")
    if scene.do in wanted and scene.target not in (there := wanted[scene.do]):
        raise StoryError(f"{where}: nothing is called {scene.target!r}{_meant(scene.target, there)}")
    if scene.do in ALONE and scene.target:
        raise StoryError(f"{where}: {scene.do} has no target; found {scene.target!r}")
    if not 0 <= scene.at_s <= LAST_S:
        raise StoryError(f"{where}: at_s = {scene.at_s:g}; wanted seconds, 0 to {LAST_S:g}")


def _meant(found: str, known: tuple[str, ...] | frozenset[str]) -> str:
    close = get_close_matches(found, sorted(known), n=1)
    return f" (did you mean {close[0]!r}?)" if close else ""
