"""Write the bill of materials of the Debian package: every library with its hashes, and the network that comes with it.

    sbom.py [--uv uv] [--output build/sbom.cdx.json]

CycloneDX 1.5 as uv makes it from uv.lock (ECMA-424), for the same extras as the package. What would make two of one
commit differ, a random number and the time of day, is taken out; the model is added with its sum.
"""

import argparse
import hashlib
import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
EXTRAS = ("vision", "desk", "apprise")
MODELS = ROOT / "models"


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the bill and say how much is on it."""
    parser = argparse.ArgumentParser(description="Write the bill of materials of compound-gateway.")
    parser.add_argument("--uv", default="uv", help="the uv to ask")
    parser.add_argument("--output", type=Path, default=ROOT / "build" / "sbom.cdx.json")
    options = parser.parse_args(arguments)
    bill = made(exported(options.uv))
    options.output.parent.mkdir(parents=True, exist_ok=True)
    options.output.write_text(json.dumps(bill, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    sys.stdout.write(f"{options.output}  {len(bill['components'])} components\n")
    return 0


def exported(uv: str) -> dict[str, Any]:
    """Return what uv says of the lock file."""
    extras = [word for extra in EXTRAS for word in ("--extra", extra)]
    command = [uv, "export", "--quiet", "--locked", "--no-dev", *extras, "--format", "cyclonedx1.5"]
    done = subprocess.run(command, cwd=ROOT, check=True, text=True, stdout=subprocess.PIPE)
    told: dict[str, Any] = json.loads(done.stdout)
    return told


def made(bill: dict[str, Any]) -> dict[str, Any]:
    """Return the bill as it is published."""
    metadata = {key: value for key, value in bill["metadata"].items() if key != "timestamp"}
    kept = {key: value for key, value in bill.items() if key != "serialNumber"}
    models = [_model(path) for path in sorted(MODELS.glob("*/model.onnx"))]
    return {**kept, "metadata": metadata, "components": [*bill["components"], *models]}


def _model(path: Path) -> dict[str, Any]:
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    name = path.parent.name
    return {
        "type": "machine-learning-model",
        "bom-ref": f"model-{name}",
        "name": name,
        "hashes": [{"alg": "SHA-256", "content": digest}],
    }


if __name__ == "__main__":
    sys.exit(main())
