"""Mail is delivered when the server says so after the dot, and refused as it says at each step before."""

import asyncio
import ssl
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Literal

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from gateway.desk.senders.mail import Mail, Server, letter
from gateway.desk.sending import Delivered, Message, Rejected, Result, Unknown
from tests.broker import Pki, free_port, make_pki
from tests.desk_mail import MailServer

TEXT = "【紧急】2 栋 1 单元 3 楼 烟感报警"
MESSAGE = Message("i|1.0|duty-room", "duty@example.cn", TEXT, 3)


@pytest.fixture(scope="module")
def pki(tmp_path_factory: pytest.TempPathFactory) -> Pki:
    """Make certificates."""
    return make_pki(tmp_path_factory.mktemp("pki"))


@pytest.fixture
def server() -> Iterator[MailServer]:
    """Run a server that encrypts nothing."""
    made = MailServer()
    yield made
    made.close()


@pytest.fixture
def secured(pki: Pki) -> Iterator[MailServer]:
    """Run a server with STARTTLS."""
    made = MailServer(context=context(pki))
    yield made
    made.close()


def context(pki: Pki) -> ssl.SSLContext:
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.load_cert_chain(pki.file("broker.crt"), pki.file("broker.key"))
    return made


def timed(directory: Path, begins: int, ends: int) -> ssl.SSLContext:
    """Return a server with a certificate of its own that is good between two days from now."""
    key, name = ec.generate_private_key(ec.SECP256R1()), x509.Name.from_rfc4514_string("CN=localhost")
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(datetime.now(UTC) + timedelta(days=begins))
        .not_valid_after(datetime.now(UTC) + timedelta(days=ends))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    (directory / "mail.crt").write_bytes(made.public_bytes(pem))
    (directory / "mail.key").write_bytes(
        key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(directory / "mail.crt", directory / "mail.key")
    return context


def send(
    port: int,
    message: Message = MESSAGE,
    *,
    security: Literal["starttls", "tls", "none"] = "none",
    username: str = "",
    password: str = "",
    ca: str = "",
) -> Result:
    """Send a message."""
    server = Server("localhost", "desk@example.cn", security, port, username, password, ca)
    return asyncio.run(Mail(server).send(message))


def test_a_mail_is_delivered_with_the_servers_own_name_for_it(server: MailServer) -> None:
    assert send(server.port) == Delivered("250 2.0.0 Ok: queued as 4Bx7Q9")
    [got] = server.letters
    assert got.get_content().strip() == TEXT
    assert (got["Subject"], got["Importance"], got["To"]) == (TEXT, "high", "duty@example.cn")


@pytest.mark.parametrize(
    ("at", "says", "again"),
    [
        ("CONNECT", "554 no mail here", False),
        ("CONNECT", "421 too busy", True),
        ("MAIL", "553 sender must be the user", False),
        ("RCPT", "550 5.1.1 no such user", False),
        ("RCPT", "450 4.2.1 greylisted", True),
        ("DATA", "452 no room", True),
        (".", "554 5.7.1 spam", False),
        (".", "451 try later", True),
    ],
)
def test_a_refusal_at_any_step_is_told_and_5xx_is_final(
    server: MailServer, at: str, says: str, again: bool
) -> None:
    server.refuse = {at: says}
    result = send(server.port)
    assert isinstance(result, Rejected), result
    assert (result.answer, result.retryable) == (says, again)
    assert result.means is not None
    assert server.letters == []


@pytest.mark.parametrize("at", ["EHLO", "MAIL", "RCPT", "DATA"])
def test_a_server_that_hangs_up_before_the_message_has_not_got_it(server: MailServer, at: str) -> None:
    server.hang_up_at = at
    result = send(server.port)
    assert isinstance(result, Rejected | Unknown)
    assert at == "DATA" or isinstance(result, Rejected)


def test_a_server_that_hangs_up_after_the_message_may_have_it(server: MailServer) -> None:
    server.hang_up_at = "."
    assert isinstance(send(server.port), Unknown)


def test_a_server_that_is_not_there_may_be_there_later() -> None:
    result = send(free_port())
    assert isinstance(result, Rejected)
    assert result.retryable


def test_a_password_goes_out_encrypted_and_only_so(server: MailServer, secured: MailServer, pki: Pki) -> None:
    sent = send(secured.port, security="starttls", username="desk", password="right", ca=pki.file("ca.crt"))
    assert isinstance(sent, Delivered)
    assert secured.logins == [("desk", "right", True)]
    send(server.port, security="none", username="desk", password="right")
    result = send(server.port, security="starttls", username="desk", password="right")
    assert isinstance(result, Rejected)
    assert not result.retryable
    assert result.means is not None
    assert "STARTTLS" in result.means.en
    assert server.logins == []


def test_a_wrong_password_is_final_and_not_told(secured: MailServer, pki: Pki) -> None:
    result = send(
        secured.port, security="starttls", username="desk", password="wrong-one", ca=pki.file("ca.crt")
    )
    assert isinstance(result, Rejected)
    assert not result.retryable
    assert result.means is not None
    assert "授权码" in result.means.zh
    assert "wrong-one" not in repr(result)
    assert "wrong-one" not in repr(Server("h", "s", password="wrong-one"))


def test_tls_from_the_first_byte_works_and_an_unknown_certificate_is_not_believed(pki: Pki) -> None:
    server = MailServer(context=context(pki), at_once=True)
    assert isinstance(send(server.port, security="tls", ca=pki.file("ca.crt")), Delivered)
    result = send(server.port, security="tls")
    server.close()
    assert isinstance(result, Rejected)
    assert not result.retryable
    assert result.means is not None
    assert "certificate" in result.means.en


@pytest.mark.parametrize("days", [(300, 330), (-30, -1)], ids=["not_yet_valid", "expired"])
def test_a_certificate_that_only_the_clock_speaks_against_may_be_good_in_a_moment(
    tmp_path: Path, days: tuple[int, int]
) -> None:
    """A box without a clock of its own comes up in the past, or, set wrong, in the future, and is put right soon."""
    server = MailServer(context=timed(tmp_path, *days), at_once=True)
    result = send(server.port, security="tls", ca=str(tmp_path / "mail.crt"))
    server.close()
    assert isinstance(result, Rejected)
    assert result.retryable
    assert result.means is not None
    assert "clock" in result.means.en


@pytest.mark.parametrize(
    "address", ["duty", "a b@example.cn", "a@b\r\nBcc: all@example.cn", "", "值班@example.cn"]
)
def test_what_is_no_address_is_refused_before_anybody_is_asked(server: MailServer, address: str) -> None:
    result = send(server.port, Message("1", address, TEXT, 1))
    assert isinstance(result, Rejected)
    assert not result.retryable
    assert server.recipients == []


def test_a_text_of_many_lines_has_a_subject_of_one_and_a_repeat_has_the_same_id() -> None:
    message = Message("1", "a@b.cn", "第一行\n第二行" + "长" * 100, 1)
    first, again = letter(message, "desk@b.cn"), letter(message, "desk@b.cn")
    assert "\n" not in first["Subject"]
    assert first["Message-ID"] == again["Message-ID"]
    assert first["Message-ID"].endswith("@b.cn>")
    assert first["Importance"] is None
