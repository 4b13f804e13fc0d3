"""Makes the graph of the default model: `python -m warmer.embedding.minilm_graph` (needs onnx, of the extra `dev`).

The package of the weights has them in int8, and a graph that turns them into fp32 before it computes. This graph leaves
them as they are: a product quantises its input to int8, in blocks, as it goes. It holds no weights but says where in
the package's file each is.
"""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import ModelProto, NodeProto, TensorProto, helper, load, numpy_helper

from warmer.embedding.minilm import GRAPH, weights

_LAYERS, _HEADS, _DIM = 6, 12, 384
_BLOCK = 32  # numbers that are quantised together
_INT8_PRODUCT = 4  # the operator's accuracy level
_EPSILON = 1e-12
_MICROSOFT = "com.microsoft"


class _Graph:
    """Nodes and constants as they are added; a value is known by its name."""

    def __init__(self, file: Path) -> None:
        self.nodes: list[NodeProto] = []
        self.constants: dict[str, TensorProto] = {}
        self._file = file.name
        self._bytes = file.read_bytes()
        graph = load(file).graph
        self.weights = {tensor.name: tensor for tensor in graph.initializer}
        quantised = [node.input[0] for node in graph.node if node.op_type == "Cast"]
        self.products = [name.removesuffix("_q") for name in quantised if name.startswith("val_")]

    def add(self, operator: str, *inputs: str, domain: str = "", **attributes: Any) -> str:  # noqa: ANN401
        """Add a node of one result."""
        result = f"{operator}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(operator, inputs, [result], domain=domain, **attributes))
        return result

    def fused(self, operator: str, *inputs: str, **attributes: Any) -> str:  # noqa: ANN401
        """Add a node of ONNX Runtime's own."""
        return self.add(operator, *inputs, domain=_MICROSOFT, **attributes)

    def constant(self, array: NDArray[np.generic]) -> str:
        """Hold a constant."""
        name = f"{array.dtype}_{'_'.join(map(str, array.ravel()))}"
        self.constants[name] = numpy_helper.from_array(array, name)
        return name

    def weight(self, name: str) -> str:
        """Point to a weight in the package's file."""
        tensor = self.weights[name]
        offset = self._bytes.index(tensor.raw_data)
        there = TensorProto(name=name, data_type=tensor.data_type, dims=tensor.dims)
        there.data_location = TensorProto.EXTERNAL
        for key, value in (("location", self._file), ("offset", offset), ("length", len(tensor.raw_data))):
            there.external_data.add(key=key, value=str(value))
        self.constants[name] = there
        return name

    def embedding(self, of: str, index: str) -> str:
        """Look up rows, and turn only these into fp32."""
        name = f"inner.embeddings.{of}_embeddings.weight"
        rows = self.add("Cast", self.add("Gather", self.weight(f"{name}_q"), index), to=TensorProto.FLOAT)
        return self.add("Mul", rows, self.add("Gather", self.weight(f"{name}_scale"), index))

    def product(self, of: str, names: list[str], bias: str = "") -> str:
        """Multiply by matrices side by side; ONNX Runtime does all but the last step once, when it loads."""
        inner, columns = self.weights[f"{names[0]}_q"].dims
        blocks = inner // _BLOCK
        whole = self.add("Concat", *[self.weight(f"{name}_q") for name in names], axis=1)
        signed = self.add("Cast", self.add("Transpose", whole, perm=[1, 0]), to=TensorProto.UINT8)
        unsigned = self.add("BitwiseXor", signed, self.constant(np.array(128, np.uint8)))  # adds 128
        cut = self.add("Reshape", unsigned, self.constant(np.array([0, blocks, _BLOCK])))
        scales = self.add("Concat", *[self.weight(f"{name}_scale") for name in names], axis=1)
        column = self.add("Reshape", scales, self.constant(np.array([-1, 1])))
        inputs = [of, cut, self.add("Tile", column, self.constant(np.array([1, blocks])))]
        shape = {"K": inner, "N": columns * len(names), "bits": 8, "block_size": _BLOCK}
        return self.fused(
            "MatMulNBits", *inputs, *(["", "", bias] if bias else []), **shape, accuracy_level=_INT8_PRODUCT
        )

    def norm(self, of: str, beside: str, name: str, bias: str) -> str:
        """Add, and normalise by layer."""
        inputs = [self.weight(part) for part in (f"{name}.weight", f"{name}.bias", bias)]
        return self.fused("SkipLayerNormalization", of, beside, *inputs, epsilon=_EPSILON)


def build() -> ModelProto:
    """Build the graph, from input_ids (texts, tokens), positions (tokens) and lengths (texts) to states.

    These are of shape (texts, tokens, dim).
    """
    graph = _Graph(weights().model)
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
    made = helper.make_graph(graph.nodes, "all-MiniLM-L6-v2", inputs, outputs, list(graph.constants.values()))
    opsets = [helper.make_opsetid("", 18), helper.make_opsetid(_MICROSOFT, 1)]
    return helper.make_model(made, opset_imports=opsets, ir_version=9)


def _layer(graph: _Graph, states: str, layer: int) -> str:
    name = f"inner.encoder.layer.{layer}"
    query, key, value, output, widen, narrow = graph.products[6 * layer : 6 * layer + 6]
    biases = [graph.weight(f"{name}.attention.self.{part}.bias") for part in ("query", "key", "value")]
    together = graph.product(states, [query, key, value], graph.add("Concat", *biases, axis=0))
    parts = [
        graph.add("Slice", together, *[graph.constant(np.array([at])) for at in (part * _DIM, (part + 1) * _DIM, 2)])
        for part in range(3)
    ]
    attended = graph.fused("MultiHeadAttention", *parts, "", "lengths", num_heads=_HEADS)
    attended = graph.product(attended, [output])
    states = graph.norm(attended, states, f"{name}.attention.output.LayerNorm", f"{name}.attention.output.dense.bias")
    wide = graph.fused("BiasGelu", graph.product(states, [widen]), graph.weight(f"{name}.intermediate.dense.bias"))
    return graph.norm(graph.product(wide, [narrow]), states, f"{name}.output.LayerNorm", f"{name}.output.dense.bias")


if __name__ == "__main__":
    GRAPH.write_bytes(build().SerializeToString())
