"""The command `sign`: keys nobody else can read, orders a gateway takes, mistakes in words."""

from collections.abc import Mapping
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from gateway.cli import cli
from gateway.core import loading, operator_checks
from gateway.core.events import Clock
from gateway.core.gate import Gate, Now, Seen
from gateway.core.incoming import Incoming
from gateway.core.nonces import Nonces
from tests.orders import NONCE
from tests.small_files import files_of_at_most

ENGLISH = {"LC_ALL": "C.UTF-8"}
ORDER = ("sign", "hxtp-01", "door-1", "unlock", "seconds=5", "--person", "warden-1")


@pytest.fixture(name="folder")
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*arguments: str, env: Mapping[str, str] = ENGLISH) -> Result:
    return CliRunner().invoke(cli, arguments, env=env)


def test_a_key_and_its_table_make_an_order_that_the_gateway_takes(folder: Path) -> None:
    made = run("sign", "keygen", "desk")
    assert made.exit_code == 0
    file = folder / "desk.key"
    assert file.stat().st_mode & 0o777 == 0o600
    assert "PRIVATE KEY" not in made.output
    parsed = loading.parse('[gateway]\nid = "hxtp-01"\n[mqtt]\nurl = "mqtt://x"\n' + made.stdout)
    assert parsed.faults == []
    assert list(operator_checks.check(parsed)) == []
    order = run(*ORDER, "--key", "desk.key", "--nonce", NONCE).stdout.strip()
    nonces = Nonces(iter([NONCE, *(f"other-{number}" for number in range(9))]).__next__)
    nonces.renew(0.0)
    gate = Gate("hxtp-01", list(parsed.operators.values()), nonces)
    admitted = gate.admit(Incoming("c", order.encode()), Now(0.0, 1.0, Clock.UNSYNCED), Seen())
    assert (admitted.origin, admitted.numbers) == ("remote:desk/warden-1", {"seconds": 5.0})
    assert admitted.deadline == 20.0


def test_a_key_is_never_written_over_an_old_one(folder: Path) -> None:
    run("sign", "keygen", "desk")
    before = (folder / "desk.key").read_bytes()
    again = run("sign", "keygen", "desk")
    assert again.exit_code == 1
    assert "was left alone" in again.output
    assert (folder / "desk.key").read_bytes() == before


def test_a_key_that_the_disk_did_not_take_whole_is_not_left_lying_for_the_next_try(folder: Path) -> None:
    with files_of_at_most(10):
        full = run("sign", "keygen", "desk")
    assert (full.exit_code, list(folder.iterdir())) == (1, [])
    assert run("sign", "keygen", "desk").exit_code == 0


def test_a_key_that_others_can_read_is_not_used(folder: Path) -> None:
    run("sign", "keygen", "desk")
    (folder / "desk.key").chmod(0o644)
    told = run(*ORDER, "--key", "desk.key", "--nonce", NONCE)
    assert told.exit_code == 1
    assert "chmod 600" in told.output


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("sign", "keygen", "a b"), "cannot be an operator's name"),
        (("sign", "keygen", "desk", "--file", "nowhere/desk.key"), "No such file"),
        ((*ORDER, "--key", "none.key", "--nonce", NONCE), "sign keygen"),
        ((*ORDER, "--key", "text.key", "--nonce", NONCE), "holds no Ed25519 private key"),
        ((*ORDER, "--key", "good.key"), "--broker"),
        ((*ORDER, "--key", "good.key", "--nonce", "short"), "no gateway would take"),
        ((*ORDER, "--key", "good.key", "--broker", "http://x"), "wanted mqtt://"),
        ((*ORDER, "--key", "good.key", "--broker", "mqtt://127.0.0.1:1"), "cannot reach"),
        ((*ORDER[:4], "seconds", *ORDER[5:], "--key", "good.key", "--nonce", NONCE), "like seconds=5"),
    ],
)
def test_each_mistake_is_told_in_words_with_what_to_do(
    folder: Path, arguments: tuple[str, ...], words: str
) -> None:
    run("sign", "keygen", "desk", "--file", "good.key")
    (folder / "text.key").write_text("no key\n", encoding="ascii")
    (folder / "text.key").chmod(0o600)
    told = run(*arguments)
    assert told.exit_code == 1, told.output
    assert words in told.output
    assert "Traceback" not in told.output
    assert told.output.count("\n") <= 2
