"""Both databases, for the tests that every store must pass."""

from pathlib import Path

import pytest

from tests.postgres import Cluster


@pytest.fixture(params=["sqlite", "postgres"])
def where(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Return where an empty database is."""
    if request.param == "sqlite":
        return str(tmp_path / "desk.db")
    running: Cluster = request.getfixturevalue("postgres")
    return running.database()
