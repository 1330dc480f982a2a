"""A gateway with a camera, as its people meet it: a film of a facade, `status`, a broker, pictures upstream."""

import hashlib
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from gateway import demo
from tests.bench.rig import ENVIRONMENT, GatewayProcess
from tests.broker import needs_mosquitto, until
from tests.vision import clips
from tests.vision.nursing import listening, service
from tests.vision.pieces import put
from tests.whole.street import Street, street

pytestmark = needs_mosquitto

CAMERA = """
[[camera]]
name = "north"
url = "{url}"
place = {{ building = "2" }}
floors = [{{ y = 440, floor = 1 }}, {{ y = 40, floor = 8 }}]
"""


def with_camera(compound: Street, url: object) -> None:
    compound.text += CAMERA.format(url=url)


def test_a_camera_is_watched_beside_the_field_and_stands_in_status_and_health(tmp_path: Path) -> None:
    with street(tmp_path) as compound:
        with_camera(compound, clips.film(tmp_path / "film.mp4", seconds=12.0, drops=False))
        with compound.gateway() as gateway:
            until(lambda: gateway.ask("status")["cameras"][0]["up"], what="frames")
            (camera,) = gateway.ask("status")["cameras"]
            assert camera["picture"] == "fine"
            assert camera["rss_bytes"] < 300e6
            pid = child_of(gateway.process.pid)
            assert Path(f"/proc/{pid}/comm").read_text() == "cam:north\n"
            compound.sim.tell("set smoke-2-1-1 smoke 900")
            compound.wait_for_alert("raised", kind="fire.smoke")
            assert gateway.stop() < 5
        until(lambda: not Path(f"/proc/{pid}").exists(), what="the camera's process gone with the gateway")


def child_of(pid: int) -> int:
    """Return the process whose parent this is."""
    return int(Path(f"/proc/{pid}/task/{pid}/children").read_text().split()[0])


def test_a_camera_dies_with_a_gateway_that_is_killed(tmp_path: Path) -> None:
    with street(tmp_path) as compound:
        with_camera(compound, clips.film(tmp_path / "film.mp4", seconds=12.0, drops=False))
        with compound.gateway() as gateway:
            until(lambda: gateway.ask("status")["cameras"][0]["frames"], what="frames")
            pid = child_of(gateway.process.pid)
            gateway.process.kill()
            gateway.process.wait()
            until(lambda: not Path(f"/proc/{pid}").exists(), what="the camera's process gone")


def test_cameras_in_a_service_of_their_own_come_back_when_it_was_killed_and_a_fire_comes_through_meanwhile(
    tmp_path: Path,
) -> None:
    path = tmp_path / "vision.sock"
    with street(tmp_path) as compound, listening(path) as handed:
        with_camera(compound, Path(demo.__file__).with_name("facade.mp4"))
        with compound.gateway(environment={"VISION_SOCKET": str(path)}) as gateway:
            with service(handed) as nursery:
                until(lambda: camera_of(gateway)["frames"], what="frames", within_s=60)
                of_gateway = Path(f"/proc/{gateway.process.pid}/task/{gateway.process.pid}/children")
                assert not of_gateway.read_text()
                nursery.kill()
                nursery.wait()
                compound.sim.tell("set smoke-2-1-1 smoke 900")
                compound.wait_for_alert("raised", kind="fire.smoke")
            assert not camera_of(gateway)["frames"]
            with service(handed):
                until(lambda: camera_of(gateway)["frames"], what="frames again", within_s=60)


def camera_of(gateway: GatewayProcess) -> dict[str, Any]:
    (camera,) = gateway.ask("status")["cameras"]
    return dict(camera)


def test_evidence_on_the_disk_goes_upstream_whole(tmp_path: Path) -> None:
    with street(tmp_path) as compound:
        with_camera(compound, clips.film(tmp_path / "film.mp4", seconds=12.0, drops=False))
        folder = tmp_path / "state" / "evidence"
        data = bytes(range(256)) * 300
        sha256 = put(folder, "north", "fall-1", "clip", data)
        with compound.gateway():
            until((folder / f"{sha256}.sent").exists, what="the clip upstream")
        heard = [part.content.partition(b"\n") for part in compound.far_end.on(f"/evidence/{sha256}")]
        whole = {json.loads(head)["offset"]: part for head, _, part in heard}
        assert hashlib.sha256(b"".join(part for _, part in sorted(whole.items()))).hexdigest() == sha256


@pytest.mark.slow
def test_a_camera_that_is_not_there_is_one_alert_with_its_reason(tmp_path: Path) -> None:
    with street(tmp_path) as compound:
        with_camera(compound, "rtsp://127.0.0.1:1/stream1")
        with compound.gateway():
            alert = compound.wait_for_alert("raised", kind="camera.frozen")
        assert alert["data"]["text"]["zh"] == "2 栋 摄像机 north 没有画面"
        assert "refused" in alert["data"]["note"]


@pytest.mark.parametrize("module", ["numpy", "cv2", "av", "onnxruntime"])
def test_the_gateway_itself_loads_nothing_that_cameras_need(module: str) -> None:
    code = f"import sys, gateway.app, gateway.daemon; sys.exit({module!r} in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], env=ENVIRONMENT, check=False).returncode == 0
