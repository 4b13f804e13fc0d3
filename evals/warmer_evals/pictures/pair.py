"""Make a small pair of ONNX models in the layout of CLIP's, which FastEmbed's own classes load (needs the extra `dev`).

The model of pictures compares each pixel with five colours, the coloured pixels with four shapes, and counts them in
four corners. The model of words adds a vector a word, in the same dimensions, but only roughly: like those of real
pairs, vectors of words and of pictures are of one space and do not coincide.
"""

import json
from collections.abc import Mapping
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import ModelProto, NodeProto, TensorProto, helper, numpy_helper
from PIL import Image
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers

from warmer_evals.pictures.drawn import COLOURS, PLACES, SHAPES, SIDE, draw_shape

_GRID = 32  # pixels to which a picture is made smaller
_SHAPE = 16  # pixels of a template
_SIZES = (15, 17, 19)  # radii of templates, in pixels of a drawing
_PAPER = 0.5
_NEAR = 8.0  # how fast a pixel's likeness to a colour falls with the square of the distance
_DIM = len(COLOURS) + len(SHAPES) + len(PLACES)
_WORDS = [*COLOURS, *SHAPES, "top", "bottom", "left", "right", "a", "the", "in", "at"]
_VOCABULARY = {"[PAD]": 0, "[UNK]": 1, **{word: number for number, word in enumerate(_WORDS, start=2)}}
VAGUENESS = 0.55  # of words, in standard deviations beside a length of 1
_IR, _OPSET = 9, 18


def make_pair(folder: Path, vagueness: float = VAGUENESS) -> Path:
    """Write both models, the tokenizer and the preprocessing into a folder; gives the folder."""
    for name in ("vision", "text"):
        (folder / name).mkdir(parents=True)
    (folder / "vision" / "model.onnx").write_bytes(_vision().SerializeToString())
    (folder / "text" / "model.onnx").write_bytes(_text(vagueness).SerializeToString())
    _write(folder / "vision" / "preprocessor_config.json", _PREPROCESSING)
    _write(folder / "text" / "tokenizer_config.json", {"model_max_length": 77, "pad_token": "[PAD]"})
    tokenizer = Tokenizer(models.WordLevel(_VOCABULARY, unk_token="[UNK]"))  # noqa: S106  no password
    tokenizer.normalizer = normalizers.Lowercase()
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.save(str(folder / "text" / "tokenizer.json"))
    return folder


_PREPROCESSING = {
    "image_processor_type": "CLIPImageProcessor",
    "do_resize": True,
    "size": {"height": _GRID, "width": _GRID},
    "do_center_crop": False,
    "do_rescale": True,
    "rescale_factor": 1 / 255,
    "do_normalize": True,
    "image_mean": [0.0, 0.0, 0.0],
    "image_std": [1.0, 1.0, 1.0],
}


def _vision() -> ModelProto:
    colours = np.array([*COLOURS.values()], np.float32) / 255
    likeness = np.concatenate([2 * _NEAR * colours, np.full_like(colours, -_NEAR)], axis=1)
    bias = 1 - _NEAR * (colours**2).sum(axis=1)
    templates = _templates()  # compared by how many pixels differ
    constants: dict[str, NDArray[Any]] = {
        "likeness": likeness.reshape(len(COLOURS), 6, 1, 1),
        "bias": bias.astype(np.float32),
        "templates": 2 * templates - 1,
        "sizes": -templates.sum(axis=(1, 2, 3)),
        "thick": np.array([2.0], np.float32),
        "none": np.array(0.0, np.float32),
        "full": np.array(1.0, np.float32),
        "by_size": np.array([0, len(SHAPES), len(_SIZES)], np.int64),
        "second": np.array([2], np.int64),
        "channel": np.array([1], np.int64),
        "plane": np.array([2, 3], np.int64),
        "few": np.array([1e-3], np.float32),
        "rows": np.array([0, -1], np.int64),
        "sharp": np.array([0.1], np.float32),
    }
    node = helper.make_node
    nodes = [
        node("Mul", ["pixels", "pixels"], ["squares"]),
        node("Concat", ["pixels", "squares"], ["both"], axis=1),
        node("Conv", ["both", "likeness", "bias"], ["compared"]),
        node("Relu", ["compared"], ["alike"]),
        node("ReduceSum", ["alike", "channel"], ["ink"], keepdims=1),
        node("ReduceSum", ["alike", "plane"], ["of_colours"], keepdims=0),
        *_shared("of_colours", "colours"),
        node("AveragePool", ["ink"], ["pooled"], kernel_shape=[_GRID // 2] * 2, strides=[_GRID // 2] * 2),
        node("Reshape", ["pooled", "rows"], ["of_places"]),
        *_shared("of_places", "places"),
        node("Mul", ["ink", "thick"], ["thickened"]),
        node("Clip", ["thickened", "none", "full"], ["inked"]),
        node("Conv", ["inked", "templates", "sizes"], ["matched"], pads=[_SHAPE // 2] * 4),
        node("GlobalMaxPool", ["matched"], ["best"]),
        node("Reshape", ["best", "by_size"], ["of_sizes"]),
        node("ReduceMax", ["of_sizes", "second"], ["of_shapes"], keepdims=0),
        node("ReduceMax", ["of_shapes", "channel"], ["most"], keepdims=1),
        node("Sub", ["of_shapes", "most"], ["behind"]),
        node("Mul", ["behind", "sharp"], ["apart"]),
        node("Softmax", ["apart"], ["shapes"], axis=1),
        node("Concat", ["colours", "shapes", "places"], ["image_embeds"], axis=1),
    ]
    return _model(nodes, constants, {"pixels": ["n", 3, _GRID, _GRID]}, TensorProto.FLOAT, "image_embeds")


def _shared(name: str, result: str) -> list[NodeProto]:
    """Divide by the sum."""
    node = helper.make_node
    return [
        node("ReduceSum", [name, "channel"], [f"{name}_sum"], keepdims=1),
        node("Add", [f"{name}_sum", "few"], [f"{name}_more"]),
        node("Div", [name, f"{name}_more"], [result]),
    ]


def _templates() -> NDArray[np.float32]:
    """Draw each shape in several sizes, 1 where it is and 0 elsewhere; shape (shapes * sizes, 1, h, w)."""
    drawn = []
    for shape, radius in product(SHAPES, _SIZES):
        size = SIDE // _GRID * _SHAPE
        picture = Image.new("RGB", (size, size), "white")
        draw_shape(picture, shape, (size // 2, size // 2), radius, (0, 0, 0))
        drawn.append(np.asarray(picture.resize((_SHAPE, _SHAPE)).convert("L")) / 255 < _PAPER)
    return np.stack(drawn)[:, None].astype(np.float32)


def _text(vagueness: float) -> ModelProto:
    words = np.zeros((len(_VOCABULARY), _DIM), np.float32)
    names = [*COLOURS, *SHAPES]
    for number, name in enumerate(names):
        words[_VOCABULARY[name], number] = 1
    for number, place in enumerate(PLACES, start=len(names)):
        for word in place.split():
            words[_VOCABULARY[word], number] = 0.5
    noise = np.random.default_rng(5).normal(0, vagueness / np.sqrt(_DIM), words.shape)
    words[2:] += noise[2:].astype(np.float32) * (words[2:].any(axis=1, keepdims=True))
    words[0] = 0
    constants: dict[str, NDArray[Any]] = {
        "words": words,
        "one": np.array([1], np.int64),
        "last": np.array([2], np.int64),
    }
    node = helper.make_node
    nodes = [
        node("Gather", ["words", "input_ids"], ["found"], axis=0),
        node("Cast", ["attention_mask"], ["there"], to=TensorProto.FLOAT),
        node("Unsqueeze", ["there", "last"], ["mask"]),
        node("Mul", ["found", "mask"], ["kept"]),
        node("ReduceSum", ["kept", "one"], ["text_embeds"], keepdims=0),
    ]
    inputs: dict[str, list[str | int]] = {"input_ids": ["n", "t"], "attention_mask": ["n", "t"]}
    return _model(nodes, constants, inputs, TensorProto.INT64, "text_embeds")


def _model(
    nodes: list[NodeProto],
    constants: Mapping[str, NDArray[Any]],
    inputs: dict[str, list[str | int]],
    kind: int,
    output: str,
) -> ModelProto:
    value = helper.make_tensor_value_info
    graph = helper.make_graph(
        nodes,
        output,
        [value(name, kind, shape) for name, shape in inputs.items()],
        [value(output, TensorProto.FLOAT, ["n", _DIM])],
        [numpy_helper.from_array(array, name) for name, array in constants.items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", _OPSET)], ir_version=_IR)


def _write(file: Path, settings: dict[str, object]) -> None:
    file.write_text(json.dumps(settings), encoding="utf-8")
