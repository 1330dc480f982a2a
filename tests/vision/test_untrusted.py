"""Evidence from a camera's process that lost its mind: it leads nowhere, holds nobody up and fills no disk."""

import json
import os
from pathlib import Path

import pytest

from gateway.vision.store import EvidenceStore
from tests.vision.pieces import put

MB = 1024 * 1024
SECRET = b"the key to the house"


def hostile(folder: Path) -> tuple[EvidenceStore, Path, str]:
    """Return a store, a secret beside its folder, and the sum of a piece that links to it."""
    evidence, secret = folder / "evidence", folder / "gateway.key"
    secret.write_bytes(SECRET)
    sha256 = put(evidence, "north", "fall-1", "still", SECRET)
    piece = evidence / f"{sha256}.jpg"
    piece.unlink()
    piece.symlink_to(secret)
    return EvidenceStore(evidence, quota_bytes=16 * MB), secret, sha256


def test_a_link_to_a_secret_is_no_evidence_and_is_never_read(tmp_path: Path) -> None:
    store, _, sha256 = hostile(tmp_path)
    assert not store.take(sha256)
    store.load()  # takes the folder as its index
    assert store.read(sha256, 0, 100) is None


def test_a_pipe_in_place_of_a_piece_or_of_its_facts_holds_nobody_up(tmp_path: Path) -> None:
    store = EvidenceStore(tmp_path, quota_bytes=16 * MB)
    one, other = put(tmp_path, "n", "f", "still", b"1"), put(tmp_path, "n", "f", "still", b"2")
    for name in (f"{one}.jpg", f"{other}.json"):
        (tmp_path / name).unlink()
        os.mkfifo(tmp_path / name)
    assert not store.take(one)
    assert not store.take(other)
    store.load()
    assert store.read(one, 0, 10) is None


def test_a_mark_that_is_a_link_makes_no_file_elsewhere(tmp_path: Path) -> None:
    sha256 = put(tmp_path, "n", "f", "still", b"1")
    store = EvidenceStore(tmp_path, quota_bytes=16 * MB)
    assert store.take(sha256)
    (tmp_path / f"{sha256}.sent").symlink_to(tmp_path / "made-elsewhere")
    store.sent(sha256)
    assert not (tmp_path / "made-elsewhere").exists()


@pytest.mark.parametrize(
    "changed", [{"sha256": "../../etc/passwd"}, {"size": -1}, {"camera": "x" * 5000}, {"sha256": "0" * 63}]
)
def test_facts_that_lead_elsewhere_or_have_no_end_are_no_facts(
    tmp_path: Path, changed: dict[str, object]
) -> None:
    sha256 = put(tmp_path, "n", "f", "still", b"1")
    sidecar = tmp_path / f"{sha256}.json"
    sidecar.write_text(json.dumps(json.loads(sidecar.read_text()) | changed))
    store = EvidenceStore(tmp_path, quota_bytes=16 * MB)
    assert not store.take(sha256)
    store.load()
    assert store.statistics().pieces == 0


def test_a_process_that_fills_the_folder_and_tells_nobody_is_held_to_a_share_of_the_quota(
    tmp_path: Path,
) -> None:
    store = EvidenceStore(tmp_path, quota_bytes=512 * MB)
    store.load()
    kept = put(tmp_path, "n", "f", "still", b"1")
    assert store.take(kept)
    with (tmp_path / "half.part").open("wb") as half:
        half.truncate(60 * MB)
    assert store.make_room(()) < 512 * MB - 60 * MB
    assert (tmp_path / "half.part").exists(), "it may well be written still"
    with (tmp_path / "more.part").open("wb") as more:
        more.truncate(60 * MB)
    store.make_room(())
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([f"{kept}.jpg", f"{kept}.json"])
    assert "nobody told of" in store.statistics().trouble
