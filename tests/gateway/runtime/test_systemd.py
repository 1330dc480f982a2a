"""sd_notify, against a real datagram socket."""

import socket
from pathlib import Path

from gateway.runtime.systemd import Notifier


def test_a_line_for_each_fact_reaches_the_service_manager(tmp_path: Path) -> None:
    address = str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(address)
        Notifier({"NOTIFY_SOCKET": address}).send("READY=1", "STATUS=polling 3 lines")
        assert manager.recv(1024) == b"READY=1\nSTATUS=polling 3 lines"


def test_an_abstract_socket_is_spoken_to_as_well() -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind("\0compound-gateway-test")
        Notifier({"NOTIFY_SOCKET": "@compound-gateway-test"}).send("WATCHDOG=1")
        assert manager.recv(1024) == b"WATCHDOG=1"


def test_without_a_manager_nothing_happens_and_one_that_went_away_does_no_harm(tmp_path: Path) -> None:
    Notifier({}).send("READY=1")
    Notifier({"NOTIFY_SOCKET": str(tmp_path / "gone")}).send("READY=1")
    assert Notifier({}).watchdog_s is None


def test_the_watchdog_interval_is_read_in_microseconds() -> None:
    assert Notifier({"WATCHDOG_USEC": "10000000"}).watchdog_s == 10.0
