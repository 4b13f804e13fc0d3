"""Locate local model files for FastEmbed."""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from warmer.errors import EmbeddingError

_ONNX_FILES = ("model.onnx", "onnx/model.onnx", "model_optimized.onnx", "onnx/model_quantized.onnx")


@dataclass(frozen=True, slots=True)
class Weights:
    """Local files of a model.

    Attributes:
        name: Name to register the model under.
        folder: Folder of the tokenizer.
        model: The ONNX file.
        pooling: FastEmbed's name of the pooling: MEAN, CLS or LAST_TOKEN.
    """

    name: str
    folder: Path
    model: Path
    pooling: str = "MEAN"


def find_weights(folder: Path) -> Weights:
    """Find a model's files in a folder: an ONNX file, tokenizer.json and tokenizer_config.json.

    The name includes a hash of the weights, to distinguish models in folders of the same name.

    Raises:
        EmbeddingError: A file is missing, or the pooling settings are not JSON.
    """
    model = next((folder / file for file in _ONNX_FILES if (folder / file).is_file()), None)
    missing = [file for file in ("tokenizer.json", "tokenizer_config.json") if not (folder / file).is_file()]
    if model is None:
        missing.insert(0, " or ".join(_ONNX_FILES))
    if model is None or missing:
        raise EmbeddingError(f"the model folder {folder} lacks {', '.join(missing)}")
    return Weights(f"{folder.resolve().name}@{sha256(model)[:12]}", folder, model, _pooling(folder))


def sha256(path: Path) -> str:
    """Return the SHA-256 of a file in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _pooling(folder: Path) -> str:
    """Read sentence-transformers' pooling settings; without any, the mean."""
    settings = folder / "1_Pooling" / "config.json"
    try:
        modes: dict[str, Any] = json.loads(settings.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return "MEAN"
    except ValueError as error:
        raise EmbeddingError(f"{settings} is not JSON: {error}") from error
    if modes.get("pooling_mode_cls_token"):
        return "CLS"
    return "LAST_TOKEN" if modes.get("pooling_mode_lasttoken") else "MEAN"
