"""all-MiniLM-L6-v2 written out in numpy, straight from the weights: what the embedder's vectors are compared with."""

import math
from functools import cache

import numpy as np
import numpy.typing as npt
from safetensors.numpy import load_file
from tokenizers import Tokenizer

from knowledge.embedder.weights import MAX_TOKENS, checked_weights, tokenizer_file

Array = npt.NDArray[np.float64]
_erf = np.vectorize(math.erf)


@cache
def _weights() -> dict[str, Array]:
    return {name: tensor.astype(np.float64) for name, tensor in load_file(checked_weights()).items()}


def _linear(x: Array, name: str) -> Array:
    return x @ _weights()[f"{name}.weight"].T + _weights()[f"{name}.bias"]


def _norm(x: Array, name: str) -> Array:
    centred = x - x.mean(-1, keepdims=True)
    scaled = centred / np.sqrt((centred**2).mean(-1, keepdims=True) + 1e-12)
    normed: Array = scaled * _weights()[f"{name}.weight"] + _weights()[f"{name}.bias"]
    return normed


def _attention(x: Array, name: str) -> Array:
    query, key, value = (
        _linear(x, f"{name}.{part}").reshape(len(x), 12, 32).swapaxes(0, 1) for part in ("query", "key", "value")
    )
    scores = query @ key.swapaxes(1, 2) / math.sqrt(32)
    scores = np.exp(scores - scores.max(-1, keepdims=True))
    mixed: Array = ((scores / scores.sum(-1, keepdims=True)) @ value).swapaxes(0, 1).reshape(len(x), 384)
    return mixed


def embed(text: str) -> Array:
    """The vector of one text, of length 1."""
    tokenizer = Tokenizer.from_file(str(tokenizer_file()))
    tokenizer.enable_truncation(MAX_TOKENS)
    tokenizer.no_padding()
    ids = tokenizer.encode(text).ids
    weights = _weights()
    x = weights["embeddings.word_embeddings.weight"][ids] + weights["embeddings.position_embeddings.weight"][: len(ids)]
    x = _norm(x + weights["embeddings.token_type_embeddings.weight"][0], "embeddings.LayerNorm")
    for layer in range(6):
        name = f"encoder.layer.{layer}"
        attended = _linear(_attention(x, f"{name}.attention.self"), f"{name}.attention.output.dense")
        x = _norm(x + attended, f"{name}.attention.output.LayerNorm")
        inner = _linear(x, f"{name}.intermediate.dense")
        inner = 0.5 * inner * (1 + _erf(inner / math.sqrt(2)))
        x = _norm(x + _linear(inner, f"{name}.output.dense"), f"{name}.output.LayerNorm")
    mean = x.mean(0)
    vector: Array = mean / np.linalg.norm(mean)
    return vector
