"""The film of the demo is the one this renderer makes: what stands beside it in the package says so."""

from importlib import resources

from models.train.render import film


def test_what_the_demo_is_told_of_its_film_is_what_the_renderer_says() -> None:
    shipped = resources.files("gateway.demo").joinpath("facade.toml").read_text(encoding="ascii")
    assert film.told(film.street(film.SEED)) == shipped


def test_one_bottle_falls_in_it_by_day() -> None:
    street = film.street(film.SEED)
    assert [role.truth.kind for role in street.cast] == ["bottle"]
    assert street.cast[0].thing.starts_s == film.FALLS_S
    assert street.scene.darkness == 0.0
