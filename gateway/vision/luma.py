"""The brightness of a decoded picture, as the watcher wants it: the decoder's own Y plane, not copied, not converted.

Nearly every camera gives planar YUV, where the first plane is the brightness as it was coded. Only where there is no
such plane (RGB, more than 8 bits) FFmpeg converts, to grey and nothing else. The arrays are read-only: the decoder
predicts its next pictures from these very bytes.
"""

from typing import cast

import cv2
import numpy as np
from av.sidedata.sidedata import SideData, SideDataContainer
from av.video.frame import VideoFrame

from gateway.vision.sight import Luma

FIRST_PLANE = frozenset({
    "gray", "gray8", "yuv420p", "yuvj420p", "yuv422p", "yuvj422p", "yuv444p", "yuvj444p", "yuv440p", "yuvj440p",
    "yuv411p", "yuvj411p", "yuv410p", "yuva420p", "yuva422p", "yuva444p", "nv12", "nv21", "nv16", "nv24",
})  # fmt: skip
EVERY_SECOND_BYTE = {"yuyv422": 0, "yvyu422": 0, "uyvy422": 1}
TURNS = {90: cv2.ROTATE_90_COUNTERCLOCKWISE, -90: cv2.ROTATE_90_CLOCKWISE, 180: cv2.ROTATE_180}


def luma_of(frame: VideoFrame) -> Luma:
    """Return the picture's brightness, (height, width), read-only; it lives as long as the array is held."""
    name = frame.format.name
    if name not in FIRST_PLANE and name not in EVERY_SECOND_BYTE:
        frame = frame.reformat(format="gray")
    plane = frame.planes[0]
    rows = np.frombuffer(memoryview(plane), np.uint8).reshape(frame.height, abs(plane.line_size))
    if plane.line_size < 0:
        rows = rows[::-1]
    first = EVERY_SECOND_BYTE.get(name)
    luma: Luma = rows[:, : frame.width] if first is None else rows[:, first : 2 * frame.width : 2]
    luma.flags.writeable = False
    return luma


def turn_of(frame: VideoFrame) -> int:
    """Return how far the picture is to be turned counter-clockwise to stand upright: 0, 90, 180 or -90 degrees."""
    turn = round(frame.rotation / 90) * 90
    return 180 if turn == -180 else turn


def mirror_of(frame: VideoFrame) -> int | None:
    """Return along which axis the turned picture is to be mirrored as well (0 down, 1 across); None: it is not.

    FFmpeg gives what mirrors as a turn by which it would stand on its head.
    """
    # What `frame.side_data` gives is kept by the frame and keeps it: a circle that only the garbage collector ends.
    told = SideDataContainer(frame).get("DISPLAYMATRIX")  # type: ignore[call-arg]  # the stub forgets it
    if told is None:
        return None
    a, b, _, c, d = np.frombuffer(bytes(cast(SideData, told)), np.int32)[:5].astype(float)
    return None if a * d - b * c >= 0 else int(abs(turn_of(frame)) == 90)


def upright(luma: Luma, turn: int, mirror: int | None = None) -> Luma:
    """Return the picture turned as players turn it; a telephone held upright records lying pictures and says so."""
    if turn not in TURNS and mirror is None:
        return luma
    turned = cv2.rotate(luma, TURNS[turn]) if turn in TURNS else luma
    turned = turned if mirror is None else cv2.flip(turned, mirror)
    upright: Luma = turned.astype(np.uint8, copy=False)
    upright.flags.writeable = False
    return upright
