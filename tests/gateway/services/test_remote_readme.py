"""The document is right to the byte: its order is let in, and its own JavaScript and shell make that very order."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import jsonschema
import pytest
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from gateway.core import payload
from gateway.core.config import OperatorTable
from gateway.core.events import Clock
from gateway.core.gate import Gate, Now, Seen
from gateway.core.incoming import Incoming
from gateway.core.nonces import Nonces
from gateway.core.signed import Claims, Reason
from gateway.services import remote
from tests.orders import b64

README = (Path(remote.__file__).parent / "README.md").read_text(encoding="utf-8")
EXAMPLE = README.partition("## A worked example")[2]
BLOCKS = re.findall(r"^```(\w*)\n(.*?)^```$", EXAMPLE, re.DOTALL | re.MULTILINE)
HEADER, CLAIMS, JWS, KEY = (text.strip() for language, text in BLOCKS if not language)
SCHEMA = json.loads((Path(payload.__file__).parent / "schemas" / "command.json").read_text(encoding="utf-8"))


def code(wanted: str) -> str:
    return str(next(text for language, text in BLOCKS if language == wanted))


def written(folder: Path) -> None:
    (folder / "desk.key").write_text(KEY + "\n", encoding="ascii")
    (folder / "claims.json").write_text(CLAIMS, encoding="ascii")


def run(folder: Path, *command: str) -> str:
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True).stdout.strip()


def test_the_example_is_header_claims_and_signature_of_the_key_it_shows() -> None:
    text = f"{b64(HEADER.encode())}.{b64(CLAIMS.encode())}"
    key = load_pem_private_key(KEY.encode(), None)
    assert f"{text}.{b64(key.sign(text.encode()))}" == JWS  # type: ignore[union-attr, call-arg]


def test_the_example_is_let_in_by_a_gateway_that_knows_its_key() -> None:
    claims = json.loads(CLAIMS)
    nonces = Nonces(iter([claims["nonce"], *(f"other-{number}" for number in range(20))]).__next__)
    nonces.renew(0.0)
    key = re.search(r'^key = "(\S+)"', README, re.MULTILINE)
    assert key is not None
    gate = Gate("hxtp-01", [OperatorTable(name="desk", key=key[1], role="duty_room")], nonces)
    now = Now(claims["iat"] + 1.0, 1.0, Clock.SYNCED)
    order = gate.admit(Incoming("command", JWS.encode()), now, Seen())
    assert (order.target, order.action, order.numbers) == ("door-1", "unlock", {"seconds": 5.0})


@pytest.mark.skipif(shutil.which("node") is None, reason="node is not installed")
def test_the_javascript_makes_the_very_same_order(tmp_path: Path) -> None:
    written(tmp_path)
    (tmp_path / "order.js").write_text(code("js"), encoding="utf-8")
    assert run(tmp_path, "node", "order.js") == JWS


@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not installed")
def test_the_shell_makes_the_very_same_order(tmp_path: Path) -> None:
    written(tmp_path)
    assert run(tmp_path, "bash", "-euc", code("bash")) == JWS


def test_the_schema_says_what_the_gateway_checks() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    jsonschema.validate(json.loads(CLAIMS), SCHEMA)
    assert list(SCHEMA["properties"]) == list(Claims.__struct_fields__) == SCHEMA["required"]
    for broken in ({"iss": ""}, {"aud": "x"}, {"more": 1}, {"arguments": {"A": 1}}, {"iat": 1.5}):
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(json.loads(CLAIMS) | broken, SCHEMA)


def test_every_reason_is_explained() -> None:
    explained = set(re.findall(r"`(\w+)`", README.partition("| reason |")[2].partition("\n\n")[0]))
    assert set(Reason) <= explained
