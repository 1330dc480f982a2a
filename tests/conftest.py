"""What all tests need of the machine: time under load, Ctrl-C also in the background, brokers and databases.

An example of a property test that takes long is no failure on a machine that has other work.
"""

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from tests.broker import Mosquitto, mosquitto
from tests.desk_service import Service, paging
from tests.postgres import Cluster, cluster

settings.register_profile("unhurried", deadline=None)
settings.load_profile("unhurried")

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # started with `&` by a shell: so would all they start
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def postgres() -> Iterator[Cluster]:
    """Run a PostgreSQL for all tests that want one; they are skipped where it is not installed."""
    with cluster() as running:
        yield running


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Mosquitto]:
    """Run a broker."""
    with mosquitto(tmp_path) as running:
        yield running


@pytest.fixture
def pager() -> Iterator[Service]:
    """Run a service that pages people."""
    with paging() as running:
        yield running
