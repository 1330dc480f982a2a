"""Sign packages, and check what somebody signed. One list of sums for a folder, one signature for the list.

    sign.py sign   --key release-key build/deb          # writes SHA256SUMS and SHA256SUMS.sig there
    sign.py verify --signers allowed-signers build/deb  # says yes, or which file is not what was signed

The signature is OpenSSH's (PROTOCOL.sshsig, `ssh-keygen -Y`): every Raspberry Pi OS and Debian has the program, the key
may be Ed25519 in a file or on a security key, and the namespace keeps a signature for one thing from passing for
another. `allowed-signers` is one line, `release ssh-ed25519 AAAA...`, and comes to the gateway by another way.
"""

import argparse
import hashlib
import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

NAMESPACE: Final = "compound-gateway-package"
WHO: Final = "release"
SUMS: Final = "SHA256SUMS"
SIGNED: Final = ("*.deb", "*.whl", "*.cdx.json")
LINE: Final = re.compile(r"([0-9a-f]{64})  ([A-Za-z0-9._+~-]+)")


def main(arguments: Sequence[str] | None = None) -> int:
    """Sign or verify; return 1 with a line on standard error for anything that is not in order."""
    parser = argparse.ArgumentParser(description="Sign packages of compound-gateway, or verify them.")
    commands = parser.add_subparsers(dest="command", required=True)
    signing = commands.add_parser("sign")
    signing.add_argument("--key", type=Path, required=True, help="private key, as ssh-keygen makes it")
    verifying = commands.add_parser("verify")
    verifying.add_argument(
        "--signers", type=Path, required=True, help="who may sign: release ssh-ed25519 AAAA..."
    )
    for each in (signing, verifying):
        each.add_argument("folder", type=Path)
    options = parser.parse_args(arguments)
    try:
        if options.command == "sign":
            told = sign(options.folder, options.key)
        else:
            told = verify(options.folder, options.signers)
    except (OSError, ValueError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    sys.stdout.write("".join(f"{line}\n" for line in told))
    return 0


def sign(folder: Path, key: Path) -> list[str]:
    """Write the list of sums of a folder and its signature; ValueError if there is nothing to sign or no key."""
    files = sorted({path for pattern in SIGNED for path in folder.glob(pattern)})
    if not files:
        raise ValueError(f"{folder}: nothing to sign there; make deb and make sbom first")
    (folder / SUMS).write_text("".join(f"{_sum(path)}  {path.name}\n" for path in files), encoding="ascii")
    (folder / f"{SUMS}.sig").unlink(missing_ok=True)
    _ssh("-Y", "sign", "-n", NAMESPACE, "-f", str(key), str(folder / SUMS))
    return [f"signed: {path.name}" for path in files]


def verify(folder: Path, signers: Path) -> list[str]:
    """Check the signature, every file on the list that is here, and that no other of its kind lies beside them.

    ValueError names what is not in order.
    """
    listed = (folder / SUMS).read_bytes()
    signature = folder / f"{SUMS}.sig"
    if not signature.is_file():
        raise ValueError(f"{signature}: there is no signature")
    _ssh("-Y", "verify", "-f", str(signers), "-I", WHO, "-n", NAMESPACE, "-s", str(signature), content=listed)
    told = list(_checked(folder, listed.decode("ascii")))
    if not told:
        raise ValueError(f"{folder}: none of the files that were signed is here")
    for path in sorted({path for pattern in SIGNED for path in folder.glob(pattern)}):
        if f"good: {path.name}" not in told:
            raise ValueError(f"{path.name}: NOT signed; do not install it")
    return told


def _checked(folder: Path, listed: str) -> Iterator[str]:
    for line in listed.splitlines():
        match = LINE.fullmatch(line)
        if match is None:
            raise ValueError(f"{SUMS}: no line of a list of sums: {line!r}")
        path = folder / match[2]
        if path.is_file():
            if _sum(path) != match[1]:
                raise ValueError(f"{path.name}: NOT what was signed; do not install it")
            yield f"good: {path.name}"


def _sum(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _ssh(*arguments: str, content: bytes = b"") -> None:
    done = subprocess.run(["ssh-keygen", *arguments], input=content, capture_output=True, check=False)
    if done.returncode:
        reason = (done.stderr or done.stdout).decode(errors="replace").strip().splitlines()
        raise ValueError(f"ssh-keygen: {reason[-1] if reason else done.returncode}")


if __name__ == "__main__":
    sys.exit(main())
