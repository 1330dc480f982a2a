"""A story: what happens in the simulated compound and when, as a TOML file. Pure: text in, scenes out.

title = { zh = "...", en = "..." }

[[chapter]]
system = "manhole"              # by which `--only` finds it
title = { zh = "井盖", en = "manhole covers" }

[[chapter.scene]]
at_s = 5.0                      # seconds since the chapter began
do = "lift"                     # one of DEEDS
target = "cover-05"             # a device, a line, a camera for throw, device.point for show; none for say
value = 1                       # for show
text = { zh = "有人掀开井盖", en = "Somebody lifts a manhole cover" }

Chapters follow one another. A short story may leave them out: [[scene]] tables alone are one chapter.
"""

import tomllib
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Final

import msgspec

from gateway.core.events import Words

LAST_S: Final = 86_400.0
PAUSE_S: Final = 4.0  # after the last scene of a chapter, before the next begins
THROW: Final = "throw"  # something falls before a camera
SHOW: Final = "show"  # a device measures this from now on
ALONE: Final = ("broker_lost", "broker_back", "centre_lost", "centre_back", "say")
NOBODY: Final = Words("", "")


class StoryError(Exception):
    """A story cannot be played: a person must mend the file."""


class Scene(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One thing that happens."""

    at_s: float
    do: str
    target: str = ""
    value: float | bool | None = None
    text: Words = NOBODY


class Chapter(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What happens to one system of the compound."""

    system: str
    title: Words = NOBODY
    scene: tuple[Scene, ...] = ()


@dataclass(frozen=True, slots=True)
class Story:
    """Scenes in the order of their time, since the story began, and the systems they are about."""

    title: Words
    scenes: tuple[Scene, ...]
    systems: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Cast:
    """Whom a story may speak of: deeds of the world, devices and lines, points as device.point, cameras."""

    deeds: tuple[str, ...]
    targets: frozenset[str]
    points: frozenset[str] = frozenset()
    cameras: frozenset[str] = frozenset()


def parse(text: str, *, file: str, cast: Cast, only: Collection[str] = ()) -> Story:
    """Return the story in `text`, or those of its chapters that are about the systems of `only`.

    StoryError names file, chapter, scene, found and wanted.
    """
    title, chapters = _read(text, file)
    wanted = dict.fromkeys(cast.deeds, cast.targets) | {THROW: cast.cameras, SHOW: cast.points}
    for chapter in chapters:
        for number, scene in enumerate(chapter.scene, 1):
            part = f"chapter {chapter.system!r}, " if chapter.system else ""
            _check(scene, f"{file}: {part}scene {number}", wanted)
    there = tuple(dict.fromkeys(chapter.system for chapter in chapters if chapter.system))
    for system in only:
        if system not in there:
            raise StoryError(f"{file}: no chapter is about {system!r}{_meant(system, there)}; {_list(there)}")
    kept = [chapter for chapter in chapters if not only or chapter.system in only]
    return Story(title, tuple(_one_after_another(kept)), tuple(chapter.system for chapter in kept))


def _read(text: str, file: str) -> tuple[Words, list[Chapter]]:
    try:
        tables = tomllib.loads(text)
        title = msgspec.convert(tables.pop("title", {"zh": file, "en": file}), Words)
        chapters = msgspec.convert(tables.pop("chapter", []), list[Chapter])
        scenes = msgspec.convert(tables.pop("scene", []), tuple[Scene, ...])
    except (tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise StoryError(f"{file}: {error}") from error
    if tables:
        keys = "`title` and `[[chapter]]` or `[[scene]]`"
        raise StoryError(f"{file}: unknown key {next(iter(tables))!r}; a story has {keys}")
    if chapters and scenes:
        raise StoryError(
            f"{file}: found both [[chapter]] and [[scene]]; wanted [[chapter.scene]] in a chapter"
        )
    return title, chapters or [Chapter(system="", scene=scenes)]


def _one_after_another(chapters: list[Chapter]) -> Iterator[Scene]:
    began = 0.0
    for chapter in chapters:
        scenes = sorted(chapter.scene, key=lambda scene: scene.at_s)
        if chapter.title != NOBODY:
            yield Scene(at_s=began, do="say", text=chapter.title)
        yield from (msgspec.structs.replace(scene, at_s=began + scene.at_s) for scene in scenes)
        began += (scenes[-1].at_s if scenes else 0.0) + PAUSE_S


def _check(scene: Scene, where: str, wanted: Mapping[str, frozenset[str]]) -> None:
    known = (*wanted, *ALONE)
    if scene.do not in known:
        raise StoryError(f"{where}: do = {scene.do!r}{_meant(scene.do, known)}; {_list(known)}")
    if scene.do in wanted and scene.target not in (there := wanted[scene.do]):
        raise StoryError(f"{where}: nothing is called {scene.target!r}{_meant(scene.target, there)}")
    if scene.do in ALONE and scene.target:
        raise StoryError(f"{where}: {scene.do} has no target; found {scene.target!r}")
    if scene.do == SHOW and scene.value is None:
        raise StoryError(f"{where}: show needs a value: what {scene.target} is to show")
    if not 0 <= scene.at_s <= LAST_S:
        raise StoryError(f"{where}: at_s = {scene.at_s:g}; wanted seconds, 0 to {LAST_S:g}")


def _list(known: Collection[str]) -> str:
    return f"there is: {', '.join(known)}" if known else "there is none"


def _meant(found: str, known: Collection[str]) -> str:
    close = get_close_matches(found, sorted(known), n=1)
    return f" (did you mean {close[0]!r}?)" if close else ""
