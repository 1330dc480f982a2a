"""A story is data: what can be played is played in order, what cannot is told with file, scene, found, wanted."""

import tomllib
from importlib import resources
from pathlib import Path

import pytest

from drivers.sim.community import community
from drivers.sim.compound import Wiring
from drivers.sim.world import DEEDS
from gateway import configuration
from gateway.core.events import Words
from gateway.demo import story as stories
from gateway.demo.play import load_story
from gateway.demo.site import gateway_toml

CAST = stories.Cast(
    DEEDS,
    frozenset({"cover-05", "smoke-2-1-3", "riser-1"}),
    frozenset({"cover-05.roll"}),
    frozenset({"facade"}),
)
ASSETS = resources.files("gateway.demo").joinpath("assets.toml")
CHAPTERS = """
[[chapter]]
system = "fire"
title = { zh = "消防", en = "fire" }
scene = [{ at_s = 3, do = "smoke", target = "smoke-2-1-3" }, { at_s = 1, do = "say" }]
[[chapter]]
system = "manhole"
scene = [{ at_s = 2, do = "show", target = "cover-05.roll", value = 30 }]
"""


def parse(text: str, *only: str) -> stories.Story:
    return stories.parse(text, file="s.toml", cast=CAST, only=only)


def test_chapters_follow_one_another() -> None:
    story = parse(CHAPTERS)
    assert story.systems == ("fire", "manhole")
    assert [(scene.at_s, scene.do) for scene in story.scenes] == [
        (0, "say"), (1, "say"), (3, "smoke"), (3 + stories.PAUSE_S + 2, "show"),
    ]  # fmt: skip


def test_only_the_chapters_asked_for_are_played_and_nobody_waits_for_the_others() -> None:
    story = parse(CHAPTERS, "manhole")
    assert [(scene.at_s, scene.do, scene.value) for scene in story.scenes] == [(2, "show", 30)]


def test_a_system_no_chapter_is_about_is_told_with_those_there_are() -> None:
    told = r"no chapter is about 'fir' \(did you mean 'fire'\?\); there is: fire, manhole"
    with pytest.raises(stories.StoryError, match=told):
        parse(CHAPTERS, "fir")
    with pytest.raises(stories.StoryError, match="no chapter is about 'fire'; there is none"):
        parse('[[scene]]\nat_s = 1\ndo = "say"\n', "fire")


def test_a_mistake_in_a_chapter_is_told_with_the_chapter() -> None:
    with pytest.raises(stories.StoryError, match=r"s\.toml: chapter 'door', scene 1: do = 'shut'"):
        parse('[[chapter]]\nsystem = "door"\nscene = [{ at_s = 1, do = "shut" }]\n')
    with pytest.raises(stories.StoryError, match=r"found both \[\[chapter\]\] and \[\[scene\]\]"):
        parse(CHAPTERS + '[[scene]]\nat_s = 1\ndo = "say"\n')


def test_scenes_come_in_the_order_of_their_time() -> None:
    story = parse(
        'title = { zh = "夜", en = "Night" }\n'
        '[[scene]]\nat_s = 9\ndo = "broker_lost"\n'
        '[[scene]]\nat_s = 2\ndo = "lift"\ntarget = "cover-05"\ntext = { zh = "掀开", en = "lifted" }\n'
    )
    assert story.title == Words("夜", "Night")
    assert [scene.do for scene in story.scenes] == ["lift", "broker_lost"]


@pytest.mark.parametrize(
    ("scene", "told"),
    [
        ('at_s = 1\ndo = "lft"\ntarget = "cover-05"', r"do = 'lft' \(did you mean 'lift'\?\)"),
        ('at_s = 1\ndo = "lift"\ntarget = "cover-5"', r"nothing is called 'cover-5' \(did you mean 'cover-05'\?\)"),
        ('at_s = 1\ndo = "lift"', r"nothing is called ''"),
        ('at_s = 1\ndo = "throw"\ntarget = "cover-05"', r"nothing is called 'cover-05'"),
        ('at_s = 1\ndo = "lift"\ntarget = "facade"', r"nothing is called 'facade'"),
        ('at_s = 1\ndo = "say"\ntarget = "cover-05"', "say has no target; found 'cover-05'"),
        ('at_s = 1\ndo = "show"\ntarget = "cover-05.roll"', "show needs a value: what cover-05.roll is to show"),
        ('at_s = 1\ndo = "show"\ntarget = "cover-05.rol"\nvalue = 1', r"did you mean 'cover-05.roll'\?"),
        ('at_s = -1\ndo = "say"', "at_s = -1; wanted seconds"),
        ('at_s = nan\ndo = "say"', "at_s = nan; wanted seconds"),
        ('at_s = "1"\ndo = "say"', "Expected `float`, got `str`"),
        ('do = "say"', "missing required field `at_s`"),
        ('at_s = 1\ndo = "say"\nwhom = "x"', "unknown field `whom`"),
        ('at_s = ', "s.toml: "),
    ],
)  # fmt: skip
def test_a_scene_that_cannot_be_played_is_told(scene: str, told: str) -> None:
    with pytest.raises(stories.StoryError, match=told):
        parse(f"[[scene]]\n{scene}\n")


def test_a_key_a_story_does_not_have_is_told() -> None:
    with pytest.raises(stories.StoryError, match="unknown key 'scenes'"):
        parse('[[scenes]]\nat_s = 1\ndo = "say"\n')


def test_our_own_story_can_be_played_in_our_own_compound() -> None:
    world = community(seed=1, wiring=Wiring())
    story = load_story(None, world)
    assert story.systems == (
        "manhole",
        "fire",
        "falling",
        "door",
        "care",
        "parking",
        "bin",
        "centre",
        "network",
    )
    world.step(0.0)
    for number, scene in enumerate(story.scenes):
        assert scene.at_s >= 0
        if scene.do in DEEDS:
            world.do(scene.do, scene.target)
            world.step(float(number))
    deeds = {"lift", "smoke", "throw", "hold", "broker_lost", "broker_back", "centre_lost", "centre_back"}
    assert deeds <= {scene.do for scene in story.scenes}


def test_the_compound_of_the_demo_is_as_large_as_promised() -> None:
    world = community(seed=1, wiring=Wiring())
    categories = [device.profile.category for device in world.devices.values()]
    buildings = {place["building"] for place in world.places.values() if "building" in place}
    assert len(world.lines) == 7
    assert len(buildings) >= 2
    assert (categories.count("smoke"), categories.count("tilt"), categories.count("door")) == (40, 12, 6)


def test_its_configuration_names_every_device() -> None:
    world = community(seed=1, wiring=Wiring())
    text = gateway_toml(
        world, ports=dict.fromkeys(world.lines, "/dev/x"), broker_url="mqtt://x", state_dir="/tmp/x"
    )
    assert all(f'name = "{name}"' in text for name in world.devices)


def test_what_is_made_of_several_devices_is_made_of_devices_there_are() -> None:
    world = community(seed=1, wiring=Wiring())
    points = {f"{device.name}.{point}" for device in world.devices.values() for point in device.points}
    for asset in tomllib.loads(ASSETS.read_text(encoding="utf-8"))["asset"]:
        for part in asset["parts"].values():
            assert set(part if isinstance(part, list) else [part]) <= points, asset["name"]


def test_the_fire_centre_of_the_demo_can_be_reported_to(tmp_path: Path) -> None:
    world = community(seed=1, wiring=Wiring())
    centre = ("tcp://127.0.0.1:5000", 889, 88888)
    file = tmp_path / "gateway.toml"
    ports = {name: f"/dev/{name}" for name in world.lines}
    text = gateway_toml(world, ports=ports, broker_url="mqtt://x", state_dir=str(tmp_path), centre=centre)
    file.write_text(text + ASSETS.read_text(encoding="utf-8"), encoding="utf-8")
    checked = configuration.load(file)
    assert checked.config is not None
    (table,) = checked.config.fire_centre
    assert (table.url, table.address, table.centre_address) == centre
