"""Build the graphs of the built-in model: `python -m warmer.embedding.minilm_graph` (needs onnx, in the extra `dev`).

The weights' package has its own graph, which converts the int8 weights to fp32 before computing. These multiply bytes
by bytes, within the ranges that `minilm_ranges` measured: one takes the weights as the signed bytes that they are, the
other makes them unsigned. Both give the same vectors; `byte_sums` says which processor needs which. They contain no
weights but refer to their offsets in the package's file.
"""

from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import ModelProto, NodeProto, TensorProto, helper, load, numpy_helper

from warmer.embedding.byte_sums import PROBE, ROW, WEIGHT
from warmer.embedding.minilm import SIGNED_GRAPH, UNSIGNED_GRAPH, weights
from warmer.embedding.minilm_ranges import Range, read_ranges

ADDED = 32, 16, 32, 64  # inputs that the four products of a layer may have more, so that large ones are split
_LAYERS, _HEADS, _DIM = 6, 12, 384
_ZERO = 128  # in unsigned bytes
_STEPS = 255
_EPSILON = 1e-12
_MICROSOFT = "com.microsoft"
_OPSETS = [helper.make_opsetid("", 18), helper.make_opsetid(_MICROSOFT, 1)]


class _GraphBuilder:
    """Collects nodes and constants; values are referred to by name.

    Without ranges, products are in full precision.
    """

    def __init__(self, file: Path, ranges: Sequence[Range] | None, *, signed: bool) -> None:
        self._ranges = iter(ranges) if ranges else None
        self._signed = signed
        self.nodes: list[NodeProto] = []
        self.constants: dict[str, TensorProto] = {}
        self._file = file.name
        self._bytes = file.read_bytes()
        graph = load(file).graph
        self.weights = {tensor.name: tensor for tensor in graph.initializer}
        quantised = [node.input[0] for node in graph.node if node.op_type == "Cast"]
        self.products = [name.removesuffix("_q") for name in quantised if name.startswith("val_")]

    def add(self, operator: str, *inputs: str, domain: str = "", **attributes: Any) -> str:  # noqa: ANN401
        """Add a node with one output, and return the output's name."""
        result = f"{operator}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(operator, inputs, [result], domain=domain, **attributes))
        return result

    def add_fused(self, operator: str, *inputs: str, **attributes: Any) -> str:  # noqa: ANN401
        """Add a node of an ONNX Runtime operator."""
        return self.add(operator, *inputs, domain=_MICROSOFT, **attributes)

    def constant(self, array: NDArray[np.generic]) -> str:
        """Add a constant."""
        name = f"{array.dtype}_{sha256(array.tobytes()).hexdigest()[:16]}_{array.ndim}"
        self.constants[name] = numpy_helper.from_array(array, name)
        return name

    def weight(self, name: str) -> str:
        """Add a reference to a weight in the package's file."""
        tensor = self.weights[name]
        offset = self._bytes.index(tensor.raw_data)
        reference = TensorProto(name=name, data_type=tensor.data_type, dims=tensor.dims)
        reference.data_location = TensorProto.EXTERNAL
        for key, value in (("location", self._file), ("offset", offset), ("length", len(tensor.raw_data))):
            reference.external_data.add(key=key, value=str(value))
        self.constants[name] = reference
        return name

    def embedding(self, kind: str, index: str) -> str:
        """Look up rows of an embedding table, and convert only these to fp32."""
        name = f"inner.embeddings.{kind}_embeddings.weight"
        rows = self.add("Cast", self.add("Gather", self.weight(f"{name}_q"), index), to=TensorProto.FLOAT)
        return self.add("Mul", rows, self.add("Gather", self.weight(f"{name}_scale"), index))

    def product(self, value: str, names: list[str], bias: str = "") -> str:
        """Multiply by the concatenated matrices; ONNX Runtime folds what depends on these alone when it loads."""
        matrix = self.add("Concat", *[self.weight(f"{name}_q") for name in names], axis=1)
        scales = self.add("Concat", *[self.weight(f"{name}_scale") for name in names], axis=1)
        if self._ranges is None:
            exact = self.add("Mul", self.add("Cast", matrix, to=TensorProto.FLOAT), scales)
            return self.add("Add", self.add("MatMul", value, exact), bias or self.constant(np.array(0, np.float32)))
        held = next(self._ranges)
        step = np.float32((held.high - held.low) / _STEPS)
        grid = self.constant(np.array(step)), self.constant(np.array(round(-held.low / step), np.uint8))
        rounded = self.add("QuantizeLinear", self._fractions(value, held, self.weights[f"{names[0]}_q"].dims[0]), *grid)
        if copied := held.copied():
            again = self.constant(np.array(copied))
            rounded = self.add("Concat", rounded, self.add("Gather", rounded, again, axis=2), axis=2)
            matrix = self.add("Concat", matrix, self.add("Gather", matrix, again, axis=0), axis=0)
        zero = self.constant(np.array(0, np.int8) if self._signed else np.array(_ZERO, np.uint8))
        if not self._signed:
            matrix = self.add("BitwiseXor", self.add("Cast", matrix, to=TensorProto.UINT8), zero)  # adds 128
        columns = len(names) * self.weights[f"{names[0]}_q"].dims[1]
        column_scales = self.add("Reshape", scales, self.constant(np.array([-1])))
        zeros = self.add("Expand", zero, self.constant(np.array([columns])))
        inputs = rounded, matrix, grid[0], column_scales, grid[1], zeros
        return self.add_fused("MatMulIntegerToFloat", *inputs, *([bias] if bias else []))

    def _fractions(self, value: str, held: Range, inputs: int) -> str:
        """Divide each input by how often it comes."""
        if not held.copies:
            return value
        shares = np.ones(inputs, np.float32)
        shares[list(held.copies)] /= list(held.copies.values())
        return self.add("Mul", value, self.constant(shares))

    def norm(self, value: str, residual: str, name: str, bias: str) -> str:
        """Add the residual, and normalise the layer."""
        inputs = [self.weight(part) for part in (f"{name}.weight", f"{name}.bias", bias)]
        return self.add_fused("SkipLayerNormalization", value, residual, *inputs, epsilon=_EPSILON)


def build(ranges: Sequence[Range] | None, *, signed: bool = False) -> ModelProto:
    """Build the graph, in full precision without ranges, else with signed or unsigned weights.

    Inputs are input_ids of shape (texts, tokens), positions (tokens,) and lengths (texts,); the output is states of
    shape (texts, tokens, dim).
    """
    graph = _GraphBuilder(weights().model, ranges, signed=signed)
    types = graph.add(
        "Gather",
        graph.weight("inner.embeddings.token_type_embeddings.weight"),
        graph.constant(np.array([0])),
    )
    embedded = graph.add(
        "Add", graph.add("Add", graph.embedding("word", "input_ids"), types), graph.embedding("position", "positions")
    )
    norm = [graph.weight(f"inner.embeddings.LayerNorm.{part}") for part in ("weight", "bias")]
    states = graph.add("LayerNormalization", embedded, *norm, epsilon=_EPSILON)
    for layer in range(_LAYERS):
        states = _layer(graph, states, layer)
    graph.nodes[-1].output[0] = "states"
    value = helper.make_tensor_value_info
    inputs = [
        value("input_ids", TensorProto.INT64, ["texts", "tokens"]),
        value("positions", TensorProto.INT64, ["tokens"]),
        value("lengths", TensorProto.INT32, ["texts"]),
    ]
    outputs = [value("states", TensorProto.FLOAT, ["texts", "tokens", _DIM])]
    proto = helper.make_graph(graph.nodes, "all-MiniLM-L6-v2", inputs, outputs, list(graph.constants.values()))
    return helper.make_model(proto, opset_imports=_OPSETS, ir_version=9)


def _layer(graph: _GraphBuilder, states: str, layer: int) -> str:
    name = f"inner.encoder.layer.{layer}"
    query, key, value, output, widen, narrow = graph.products[6 * layer : 6 * layer + 6]
    biases = [graph.weight(f"{name}.attention.self.{part}.bias") for part in ("query", "key", "value")]
    together = graph.product(states, [query, key, value], graph.add("Concat", *biases, axis=0))
    parts = [
        graph.add("Slice", together, *[graph.constant(np.array([at])) for at in (part * _DIM, (part + 1) * _DIM, 2)])
        for part in range(3)
    ]
    attended = graph.add_fused("MultiHeadAttention", *parts, "", "lengths", num_heads=_HEADS)
    attended = graph.product(attended, [output])
    states = graph.norm(attended, states, f"{name}.attention.output.LayerNorm", f"{name}.attention.output.dense.bias")
    wide = graph.add_fused("BiasGelu", graph.product(states, [widen]), graph.weight(f"{name}.intermediate.dense.bias"))
    return graph.norm(graph.product(wide, [narrow]), states, f"{name}.output.LayerNorm", f"{name}.output.dense.bias")


def build_probe() -> ModelProto:
    """Build one product of unsigned bytes by the greatest signed ones."""
    arrays: dict[str, NDArray[Any]] = {
        "matrix": np.full((ROW, ROW), WEIGHT, np.int8),
        "scale": np.array(1, np.float32),
        "zero": np.array(0, np.uint8),
        "signed_zero": np.array(0, np.int8),
    }
    constants = [numpy_helper.from_array(array, name) for name, array in arrays.items()]
    inputs = ["bytes", "matrix", "scale", "scale", "zero", "signed_zero"]
    node = helper.make_node("MatMulIntegerToFloat", inputs, ["sums"], domain=_MICROSOFT)
    value = helper.make_tensor_value_info
    given, told = value("bytes", TensorProto.UINT8, ["rows", ROW]), value("sums", TensorProto.FLOAT, ["rows", ROW])
    proto = helper.make_graph([node], "probe", [given], [told], constants)
    return helper.make_model(proto, opset_imports=_OPSETS, ir_version=9)


if __name__ == "__main__":
    UNSIGNED_GRAPH.write_bytes(build(read_ranges()).SerializeToString())
    SIGNED_GRAPH.write_bytes(build(read_ranges(), signed=True).SerializeToString())
    PROBE.write_bytes(build_probe().SerializeToString())
