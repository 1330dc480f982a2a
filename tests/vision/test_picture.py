"""Frozen, covered, moved and defocused are noticed in time; night, sun, clouds, rain and lorries are none of them."""

from collections.abc import Callable, Iterator
from typing import TypeAlias

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from gateway.vision.messages import Inbox, Look, View, encode
from gateway.vision.picture import PictureHealth, PictureState
from gateway.vision.scenery import Scenery
from gateway.vision.sight import Luma

WIDTH, HEIGHT = 640, 384
Picture: TypeAlias = NDArray[np.float32]


def facade(seed: int = 1) -> Picture:
    """Return a house front with rough plaster, windows of many shades, and sky; larger than a picture."""
    rng = np.random.default_rng(seed)
    wall = np.full((HEIGHT + 200, WIDTH + 200), 130, np.float32)
    wall += rng.normal(0, 6, wall.shape).astype(np.float32)
    wall[:90] = 200
    for y in range(110, HEIGHT + 150, 74):
        for x in range(int(rng.integers(0, 30)), WIDTH + 150, 92):
            shade, wide = rng.integers(30, 230), rng.integers(30, 60)
            wall[y : y + 44, x : x + wide] = shade
            wall[y + 20 : y + 23, x : x + wide] = shade / 2
            wall[y : y + 44, x + wide // 2 : x + wide // 2 + 3] = 240
    return wall


WALL = facade()


def blurred(picture: Picture, blur_px: float) -> Picture:
    """Return a picture out of focus."""
    return cv2.GaussianBlur(picture, (0, 0), blur_px).astype(np.float32)


def view(dx: int = 0, dy: int = 0) -> Picture:
    """Return what the camera sees when it is turned by so many pixels."""
    return WALL[100 + dy : 100 + dy + HEIGHT, 100 + dx : 100 + dx + WIDTH].copy()


class Camera:
    """Turns scenes into pictures with noise of its own, and asks for a verdict each second."""

    def __init__(self, noise: float = 2.5) -> None:
        self.health, self.now_s, self.noise = PictureHealth(), 0.0, noise
        self.said: list[PictureState] = []
        self.rng = np.random.default_rng(7)
        self._grain = self.rng.normal(0, 1, (HEIGHT + 64, WIDTH + 64)).astype(np.float32)

    def shoot(self, scene: Picture, noise: float | None = None) -> Luma:
        """Return the picture of a scene."""
        y, x = self.rng.integers(0, 64, 2)
        grain = self._grain[y : y + HEIGHT, x : x + WIDTH] * (self.noise if noise is None else noise)
        return np.clip(scene + grain, 0, 255).astype(np.uint8)

    def show(self, luma: Luma, step_s: float = 1.0) -> None:
        """Show the watched camera's next picture."""
        self.now_s += step_s
        state = self.health.look(luma, self.now_s)
        if state is not None:
            self.said.append(state)

    def see(self, scene: Picture, seconds: int, noise: float | None = None) -> "Camera":
        """See one scene for some time."""
        for _ in range(seconds):
            self.show(self.shoot(scene, noise))
        return self

    @property
    def troubles(self) -> list[str]:
        """Return what was said, in order."""
        return [state.what for state in self.said]


@pytest.fixture
def camera() -> Camera:
    """Return a camera that knows its view."""
    return Camera().see(view(), 60)


def test_a_standing_picture_is_frozen_after_thirty_seconds_and_fine_again_when_it_moves(
    camera: Camera,
) -> None:
    began_s, still = camera.now_s, camera.shoot(view())
    for _ in range(45):
        camera.show(still)
    assert camera.troubles == ["frozen"]
    assert began_s < camera.said[0].since_s <= began_s + 2
    camera.see(view(), 10)
    assert camera.troubles == ["frozen", "fine"]


def test_a_picture_of_which_only_the_clock_runs_is_frozen_after_a_minute(camera: Camera) -> None:
    still = camera.shoot(view())
    for second in range(75):
        clock = still.copy()
        clock[10:30, 20:220] = 40 + second
        camera.show(clock)
    assert camera.troubles == ["frozen"]


def test_a_static_scene_of_skipped_blocks_is_not_frozen_when_a_key_frame_comes_every_ten_seconds(
    camera: Camera,
) -> None:
    for _ in range(30):
        still = camera.shoot(view())
        for _ in range(10):
            camera.show(still)
    assert camera.troubles == []


def test_a_hand_over_the_lens_is_covered_within_ten_seconds(camera: Camera) -> None:
    began_s = camera.now_s
    hand = blurred(np.random.default_rng(3).uniform(20, 60, (HEIGHT, WIDTH)).astype(np.float32), 60)
    camera.see(hand, 10)
    assert camera.troubles == ["covered"]
    assert camera.said[0].since_s - began_s < 5
    camera.see(view(), 12)
    assert camera.troubles == ["covered", "fine"]


def test_black_is_covered_and_says_dark(camera: Camera) -> None:
    camera.see(np.full((HEIGHT, WIDTH), 8, np.float32), 40, noise=0.0)
    assert camera.troubles == ["covered"]
    assert "dark" in camera.said[0].detail


def test_paint_stays_covered_and_is_not_learnt(camera: Camera) -> None:
    camera.see(np.full((HEIGHT, WIDTH), 180, np.float32), 400)
    assert camera.troubles == ["covered"]


@pytest.mark.parametrize("grey", [8, 180])
def test_what_was_covered_before_a_new_start_stays_so_until_something_is_seen(grey: int) -> None:
    camera = Camera()
    camera.health = PictureHealth(look="covered")
    assert camera.health.state.what == "covered"
    camera.see(np.full((HEIGHT, WIDTH), grey, np.float32), 400)
    assert camera.troubles == []
    camera.see(view(), 40)
    assert camera.troubles == ["fine"]
    camera.see(np.full((HEIGHT, WIDTH), grey, np.float32), 10)
    assert camera.troubles == ["fine", "covered"]


@pytest.mark.parametrize(("dx", "dy"), [(60, 0), (-40, 24), (24, -32), (90, 90)])
def test_a_turned_camera_is_moved_and_says_by_how_much(camera: Camera, dx: int, dy: int) -> None:
    camera.see(view(dx, dy), 25)
    assert camera.troubles == ["moved"]
    said_x, said_y = (int(word) for word in camera.said[0].detail.split() if word.lstrip("-").isdigit())
    assert abs(said_x + dx) <= 8
    assert abs(said_y + dy) <= 8
    camera.see(view(), 15)
    assert camera.troubles == ["moved", "fine"]


def test_a_wholly_other_view_is_moved(camera: Camera) -> None:
    camera.see(facade(99)[:HEIGHT, 37 : 37 + WIDTH], 50)
    assert camera.troubles == ["moved"]


WRONG: dict[Look, Picture] = {"moved": view(60), "defocused": blurred(view(), 9.0)}


@pytest.mark.parametrize("look", sorted(WRONG))
def test_what_was_moved_or_out_of_focus_before_a_new_start_stays_so_until_it_is_mended(
    camera: Camera, look: Look
) -> None:
    assert camera.health.view() is None
    camera.see(WRONG[look], 80)
    missed = camera.health.view()
    camera.health = PictureHealth(look=look, view=missed)
    assert camera.health.state.what == look
    camera.see(WRONG[look], 400)
    assert (camera.troubles, camera.health.view()) == ([look], missed)
    camera.see(view(), 15)
    assert (camera.troubles, camera.health.view()) == ([look, "fine"], None)
    camera.see(WRONG[look], 80)
    assert camera.troubles == [look, "fine", look]


def test_what_was_moved_by_day_and_is_seen_anew_by_night_is_fine_when_it_is_turned_back(
    camera: Camera,
) -> None:
    camera.see(view(60), 25)
    camera.health = PictureHealth(look="moved", view=camera.health.view())
    camera.see(infrared(view(60)), 120, noise=5.0)
    assert camera.troubles == ["moved"]
    camera.see(infrared(view()), 20, noise=5.0)
    assert camera.troubles == ["moved", "fine"]


def test_what_was_moved_is_taken_as_it_is_where_the_view_is_not_known_any_more() -> None:
    nonsense = View(80, 48, bytes(7), 1.0, 1.0, 1.0, 1.0)
    endless = View(1, 1, bytes(1), float("nan"), 1.0, 1.0, 1.0)
    for known in (None, nonsense, endless):
        camera = Camera()
        camera.health = PictureHealth(look="moved", view=known)
        assert camera.see(view(), 60).health.state.what == "fine"
        assert camera.see(view(60), 25).troubles == ["moved"]


@pytest.mark.parametrize(
    ("width", "height", "told"), [(4096, 2160, True), (4000, 3000, True), (6000, 4000, False)]
)
def test_the_view_of_a_picture_of_any_size_is_told_as_far_as_a_message_holds_it(
    width: int, height: int, told: bool
) -> None:
    scenery, luma = Scenery(), np.random.default_rng(1).integers(0, 255, (height, width), np.uint8)
    scenery.learn(scenery.compare(luma)[1], 1.0)
    known = scenery.view()
    assert (known is not None) is told
    if known is not None:
        assert list(Inbox(0.0).take(encode(known), 0.0)) == [known]


def test_what_was_moved_is_learnt_anew_in_a_stream_of_another_size(camera: Camera) -> None:
    camera.see(view(60), 25)
    camera.health = PictureHealth(look="moved", view=camera.health.view())
    for _ in range(40):
        camera.show(camera.shoot(view(60))[:272, :480])
    assert camera.troubles == ["moved", "fine"]


@pytest.mark.parametrize("blur_px", [5.0, 9.0, 14.0])
def test_a_lens_out_of_focus_is_noticed(camera: Camera, blur_px: float) -> None:
    camera.see(blurred(view(), blur_px), 80)
    assert camera.troubles == ["defocused"]
    camera.see(view(), 12)
    assert camera.troubles == ["defocused", "fine"]


def night(at: float) -> Picture:
    """Return the view at night: `at` goes from 0 (day) to 1."""
    return view() * np.float32(1 - 0.94 * at)


def infrared(scene: Picture) -> Picture:
    """Return a view by infrared lamps: a bright middle, and other shades than by day, each window for itself."""
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH].astype(np.float32)
    spot = np.exp(-(((x - WIDTH / 2) / 500) ** 2) - ((y - HEIGHT / 2) / 320) ** 2)
    shades = cv2.resize(
        np.random.default_rng(5).uniform(0.35, 1.5, (8, 11)).astype(np.float32), (WIDTH, HEIGHT)
    )
    picture: Picture = ((110 + (scene - 120) * 0.7 * shades) * spot).astype(np.float32)
    return picture


def test_night_that_falls_and_day_that_breaks_are_no_trouble(camera: Camera) -> None:
    for at in np.concatenate([np.linspace(0, 1, 360), np.ones(60), np.linspace(1, 0, 360)]):
        camera.show(camera.shoot(night(at), 2.5 + 3 * at), step_s=5.0)
    assert camera.troubles == []


def test_the_switch_to_infrared_and_back_is_no_trouble(camera: Camera) -> None:
    camera.see(np.full((HEIGHT, WIDTH), 16, np.float32), 2)
    camera.see(infrared(view()), 120, noise=5.0)
    camera.see(np.full((HEIGHT, WIDTH), 235, np.float32), 2)
    camera.see(view(), 60)
    assert camera.troubles == []


def test_lamps_that_go_out_at_night_are_no_trouble(camera: Camera) -> None:
    camera.see(view() * np.float32(0.2), 60, noise=3.0)
    assert camera.troubles == []


def clouds() -> Iterator[Picture]:
    """Shadows of clouds pass: half the light and less than half the contrast within seconds."""
    for second in range(120):
        light = np.float32(0.7 + 0.3 * np.cos(second / 4))
        yield 60 + (view() - 60) * light * light


def shaking() -> Iterator[Picture]:
    """The mast sways by two pixels."""
    rng = np.random.default_rng(2)
    for _ in range(120):
        yield view(int(rng.integers(-2, 3)), int(rng.integers(-2, 3)))


def raining() -> Iterator[Picture]:
    """Streaks of rain near the lens, bright, everywhere."""
    rng = np.random.default_rng(2)
    for _ in range(120):
        picture = view()
        for x, y in rng.integers(0, (WIDTH, HEIGHT), (250, 2)):
            picture[y : y + 60, x : x + 2] += 50
        yield picture


def lorry() -> Iterator[Picture]:
    """A lorry with lettering stands in a third of the picture for eight seconds, again and again."""
    for second in range(160):
        picture = view()
        if second % 40 < 8:
            picture[:, : WIDTH // 3] = 90
            picture[100:400:40, 20 : WIDTH // 3 - 20] = 230
            picture[:, WIDTH // 3 - 30 :: WIDTH] = 20
        yield picture


def sun() -> Iterator[Picture]:
    """The hard shadow of a roof wanders over the front: most of it within five minutes."""
    for second in range(0, 600, 2):
        picture = view()
        picture[:, :second] *= np.float32(0.45)
        yield picture


@pytest.mark.parametrize("scenes", [clouds, shaking, raining, lorry, sun], ids=lambda scenes: scenes.__name__)
def test_what_happens_before_every_camera_is_no_trouble(
    camera: Camera, scenes: Callable[[], Iterator[Picture]]
) -> None:
    for scene in scenes():
        camera.show(camera.shoot(scene))
    assert camera.troubles == []


def test_a_camera_that_starts_in_the_dark_says_nothing() -> None:
    camera = Camera().see(np.full((HEIGHT, WIDTH), 16, np.float32), 120, noise=0.0)
    assert camera.troubles == []


def test_pictures_of_another_size_are_learnt_anew(camera: Camera) -> None:
    for _ in range(60):
        camera.show(camera.shoot(view())[:272, :480])
    assert camera.troubles == []


def test_a_look_costs_next_to_nothing_between_samples(camera: Camera) -> None:
    picture = camera.shoot(view())
    assert all(camera.health.look(picture, camera.now_s + i / 25) is None for i in range(25))
