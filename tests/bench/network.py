"""A full-frame detector to compare with: YOLOv8n's own layers at 640 x 640, with random weights, as ONNX bytes.

What a network costs does not depend on what it has learnt, so nothing is downloaded. The layers, 3.2 M weights
and 8.7 GFLOPs, are those of Ultralytics' published yolov8n.yaml; ReLU stands for SiLU, which makes it a little
faster than the real one. ONNX is protobuf (onnx/onnx.proto3): five message types are enough.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

FLOAT, INT, STRING, INTS = 1, 2, 3, 7  # AttributeProto.AttributeType
OPSET, IR = 17, 8
CLASSES, BOX = 80, 64


def yolo_n(side: int = 640, seed: int = 1) -> tuple[bytes, int, float]:
    """Return the model, how many weights it has, and the GFLOPs of one run (two per multiply-add)."""
    net = _Net(np.random.default_rng(seed))
    image = _Map("images", 3, side)
    x = net.conv(net.conv(image, 16, 3, 2), 32, 3, 2)
    x = net.conv(net.c2f(x, 32, 1), 64, 3, 2)
    eighth = net.c2f(x, 64, 2)
    sixteenth = net.c2f(net.conv(eighth, 128, 3, 2), 128, 2)
    deepest = net.c2f(net.conv(sixteenth, 256, 3, 2), 256, 1)
    deepest = net.pyramid(deepest)
    middle = net.c2f(net.joined([net.doubled(deepest), sixteenth]), 128, 1, add=False)
    fine = net.c2f(net.joined([net.doubled(middle), eighth]), 64, 1, add=False)
    middle = net.c2f(net.joined([net.conv(fine, 64, 3, 2), middle]), 128, 1, add=False)
    coarse = net.c2f(net.joined([net.conv(middle, 128, 3, 2), deepest]), 256, 1, add=False)
    heads = [net.head(each, width) for each in (fine, middle, coarse) for width in (BOX, CLASSES)]
    graph = [*(_bytes(1, node) for node in net.nodes), _bytes(2, b"yolo-n")]
    graph += [_bytes(5, each) for each in net.weights]
    graph += [_bytes(11, _value(image)), *(_bytes(12, _value(head)) for head in heads)]
    model = _number(1, IR) + _bytes(7, b"".join(graph)) + _bytes(8, _number(2, OPSET))
    return model, net.count, net.flops / 1e9


@dataclass(frozen=True, slots=True)
class _Map:
    """A square feature map on its way through the net."""

    name: str
    channels: int
    side: int


@dataclass(slots=True)
class _Net:
    """Nodes and weights so far."""

    random: np.random.Generator
    nodes: list[bytes] = field(default_factory=list)
    weights: list[bytes] = field(default_factory=list)
    count: int = 0
    flops: float = 0.0

    def conv(self, x: _Map, channels: int, kernel: int, stride: int = 1, *, relu: bool = True) -> _Map:
        """Add a convolution with bias, and what bends it."""
        shape = (channels, x.channels, kernel, kernel)
        spread = (2 / (x.channels * kernel**2)) ** 0.5
        weight = self._weight((self.random.standard_normal(shape) * spread).astype(np.float32))
        bias = self._weight(np.zeros(channels, np.float32))
        told = {"kernel_shape": [kernel] * 2, "strides": [stride] * 2, "pads": [kernel // 2] * 4}
        side = x.side // stride
        self.count += channels * (x.channels * kernel**2 + 1)
        self.flops += 2.0 * channels * x.channels * kernel**2 * side**2
        y = _Map(self._node("Conv", [x.name, weight, bias], told), channels, side)
        return _Map(self._node("Relu", [y.name]), channels, side) if relu else y

    def c2f(self, x: _Map, channels: int, depth: int, *, add: bool = True) -> _Map:
        """Add a block of `depth` bottlenecks of which every stage is kept."""
        half = channels // 2
        whole = self.conv(x, channels, 1)
        first = f"{whole.name}.a"
        self._node("Split", [whole.name], {"axis": 1}, [first, last := f"{whole.name}.b"])
        kept = [_Map(first, half, x.side), _Map(last, half, x.side)]
        for _ in range(depth):
            y = self.conv(self.conv(kept[-1], half, 3), half, 3)
            name = self._node("Add", [y.name, kept[-1].name]) if add else y.name
            kept.append(_Map(name, half, x.side))
        return self.conv(self.joined(kept), channels, 1)

    def pyramid(self, x: _Map) -> _Map:
        """Add three poolings of 5 x 5, one upon the other, of which all are kept."""
        kept = [self.conv(x, x.channels // 2, 1)]
        told = {"kernel_shape": [5, 5], "strides": [1, 1], "pads": [2, 2, 2, 2]}
        for _ in range(3):
            kept.append(_Map(self._node("MaxPool", [kept[-1].name], told), x.channels // 2, x.side))
        return self.conv(self.joined(kept), x.channels, 1)

    def doubled(self, x: _Map) -> _Map:
        """Add an enlargement to twice the side."""
        scales = self._weight(np.array([1, 1, 2, 2], np.float32))
        told = {"mode": "nearest", "coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"}
        return _Map(self._node("Resize", [x.name, "", scales], told), x.channels, x.side * 2)

    def joined(self, maps: Sequence[_Map]) -> _Map:
        """Add the maps side by side."""
        name = self._node("Concat", [each.name for each in maps], {"axis": 1})
        return _Map(name, sum(each.channels for each in maps), maps[0].side)

    def head(self, x: _Map, width: int) -> _Map:
        """Add what reads boxes, or classes, off a map."""
        return self.conv(self.conv(self.conv(x, width, 3), width, 3), width, 1, relu=False)

    def _weight(self, values: np.ndarray) -> str:
        name = f"w{len(self.weights)}"
        dims = b"".join(_number(1, size) for size in values.shape)
        self.weights.append(dims + _number(2, 1) + _bytes(8, name.encode()) + _bytes(9, values.tobytes()))
        return name

    def _node(
        self,
        kind: str,
        inputs: Sequence[str],
        told: Mapping[str, int | str | list[int]] | None = None,
        outputs: Sequence[str] = (),
    ) -> str:
        outputs = outputs or [f"{kind.lower()}{len(self.nodes)}"]
        fields = [_bytes(1, name.encode()) for name in inputs]
        fields += [_bytes(2, name.encode()) for name in outputs]
        fields += [_bytes(4, kind.encode())]
        fields += [_bytes(5, _attribute(name, value)) for name, value in (told or {}).items()]
        self.nodes.append(b"".join(fields))
        return outputs[0]


def _attribute(name: str, value: int | str | list[int]) -> bytes:
    head = _bytes(1, name.encode())
    match value:
        case int():
            return head + _number(3, value) + _number(20, INT)
        case str():
            return head + _bytes(4, value.encode()) + _number(20, STRING)
        case _:
            return head + b"".join(_number(8, each) for each in value) + _number(20, INTS)


def _value(x: _Map) -> bytes:
    dims: Iterable[int] = (1, x.channels, x.side, x.side)
    shape = b"".join(_bytes(1, _number(1, size)) for size in dims)
    tensor = _number(1, FLOAT) + _bytes(2, shape)
    return _bytes(1, x.name.encode()) + _bytes(2, _bytes(1, tensor))


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def _number(key: int, value: int) -> bytes:
    return _varint(key << 3) + _varint(value)


def _bytes(key: int, value: bytes) -> bytes:
    return _varint(key << 3 | 2) + _varint(len(value)) + value
