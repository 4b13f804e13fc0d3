"""Model files on this disk, in the form that FastEmbed can be given."""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from warmer.errors import EmbeddingError

_ONNX_FILES = ("model.onnx", "onnx/model.onnx", "model_optimized.onnx", "onnx/model_quantized.onnx")


@dataclass(frozen=True, slots=True)
class Weights:
    """A name of our own, the folder of the tokenizer, the ONNX file, and how token vectors become one."""

    name: str
    folder: Path
    model: Path
    pooling: str = "MEAN"


def from_folder(folder: Path) -> Weights:
    """Describe a local model: a folder with an ONNX file, tokenizer.json and tokenizer_config.json.

    The name carries a hash of the weights, so that two models in folders of one name are told apart.

    Raises:
        EmbeddingError: A file is missing.
    """
    model = next((folder / file for file in _ONNX_FILES if (folder / file).is_file()), None)
    missing = [file for file in ("tokenizer.json", "tokenizer_config.json") if not (folder / file).is_file()]
    if model is None:
        missing.insert(0, " or ".join(_ONNX_FILES))
    if model is None or missing:
        raise EmbeddingError(f"the model folder {folder} lacks {', '.join(missing)}")
    return Weights(f"{folder.resolve().name}@{sha256(model)[:12]}", folder, model, _pooling(folder))


def sha256(path: Path) -> str:
    """Hash a file; hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _pooling(folder: Path) -> str:
    """Read sentence-transformers' pooling settings; the mean where there are none."""
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
