"""What all tests need of the machine: time under load, Ctrl-C also in the background, brokers and databases.

An example of a property test that takes long is no failure on a machine that has other work.
"""

import os
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

TESTS = Path(__file__).parent
LONG = frozenset({"faults", "interop", "whole"})
"""Folders whose files take longest: begun with, or one process ends minutes after the others."""


def pytest_xdist_auto_num_workers() -> int:
    """Return how many processes `-n auto` is: one more than processors, as tests wait a third of their time."""
    return len(os.sched_getaffinity(0)) + 1


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what takes longest."""
    items.sort(key=lambda item: item.path.relative_to(TESTS).parts[0] not in LONG)


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
