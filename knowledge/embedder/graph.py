"""The model as an ONNX graph, made once from the weights and kept in a cache folder.

The graph is BERT (Devlin et al., 2018) as MiniLM-L6-H384 configures it, followed by what sentence-transformers does
for all-MiniLM-L6-v2: the mean of the token vectors under the attention mask, scaled to length 1. In float32 its vectors
equal those of the original to within rounding.
"""

import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from knowledge.embedder.weights import DIMENSIONS, WEIGHTS_SHA256, checked_weights

GRAPH_VERSION = 1
LAYERS = 6
HEADS = 12
EPSILON = 1e-12
_OPSET = 20
_IR_VERSION = 9

Array = npt.NDArray[np.float32]


def cached_graph(cache: Path) -> Path:
    """The graph's file in ``cache``, made now if it is not there (about a second, 90 MB).

    The name carries the graph's version and the weights' hash, and the file appears complete or not at all, so
    processes may share a cache and start at once.

    Raises:
        WeightsError: the weights are missing or are not the pinned ones.
        OSError: the cache cannot be written.
    """
    path = cache / f"all-minilm-l6-v2-g{GRAPH_VERSION}-{WEIGHTS_SHA256[:16]}.onnx"
    if not path.is_file():
        cache.mkdir(parents=True, exist_ok=True)
        _write_atomically(path, _serialized())
    return path


def _serialized() -> bytes:
    from safetensors.numpy import load_file  # loaded only when there is something to build

    return build_graph(load_file(checked_weights()))


def _write_atomically(path: Path, data: bytes) -> None:
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def build_graph(weights: Mapping[str, Array]) -> bytes:
    """The serialized graph: ``input_ids`` and ``attention_mask`` (int64, batch x tokens) to ``embeddings`` (float32,
    batch x 384, length 1).

    Args:
        weights: the tensors of ``model.safetensors`` by name.
    """
    builder = _Builder(weights)
    builder.embed()
    for layer in range(LAYERS):
        builder.layer(layer)
    builder.pool()
    return builder.serialized()


class _Builder:
    """Collects nodes; ``_state`` names the tensor the next node takes."""

    def __init__(self, weights: Mapping[str, Array]) -> None:
        from onnx import helper, numpy_helper  # a second of imports that a cached start does not pay

        self._helper = helper
        self._to_tensor = numpy_helper.from_array
        self._weights = weights
        self._nodes: list[object] = []
        self._constants: list[object] = []
        self._state = ""

    def embed(self) -> None:
        embeddings = "embeddings"
        words = self._constant("words", self._weights[f"{embeddings}.word_embeddings.weight"])
        # One sequence per input, so the segment is always 0 and its vector can be added to the positions beforehand.
        positions = self._weights[f"{embeddings}.position_embeddings.weight"]
        positions = positions + self._weights[f"{embeddings}.token_type_embeddings.weight"][0]
        self._node("Gather", [words, "input_ids"], "word_vectors")
        self._node("Shape", ["input_ids"], "length", start=1, end=2)
        zero = self._constant("zero", np.array([0], dtype=np.int64))
        self._node("Slice", [self._constant("positions", positions), zero, "length", zero], "position_vectors")
        self._node("Add", ["word_vectors", "position_vectors"], "embedded")
        self._state = "embedded"
        self._normalize("embedded_norm", f"{embeddings}.LayerNorm")
        # Attention takes the mask as int32.
        self._node("Cast", ["attention_mask"], "mask", to=self._helper.np_dtype_to_tensor_dtype(np.dtype(np.int32)))

    def layer(self, index: int) -> None:
        """Self-attention and feed-forward, each added to its input and normalised."""
        source, name = f"encoder.layer.{index}", f"layer{index}"
        entry = self._state
        parts = ("query", "key", "value")
        projection = np.concatenate(
            [self._weights[f"{source}.attention.self.{part}.weight"].T for part in parts], axis=1
        )
        bias = np.concatenate([self._weights[f"{source}.attention.self.{part}.bias"] for part in parts])
        # onnxruntime's own operator: one fused kernel in place of a dozen.
        inputs = [entry, self._constant(f"{name}_qkv", projection), self._constant(f"{name}_qkv_bias", bias), "mask"]
        self._node("Attention", inputs, f"{name}_context", domain="com.microsoft", num_heads=HEADS)
        self._state = f"{name}_context"
        self._linear(f"{name}_attended", f"{source}.attention.output.dense")
        self._add(entry, f"{name}_attended_sum")
        self._normalize(f"{name}_attended_norm", f"{source}.attention.output.LayerNorm")
        middle = self._state
        self._linear(f"{name}_inner", f"{source}.intermediate.dense")
        self._node("Gelu", [self._state], f"{name}_gelu", approximate="none")
        self._state = f"{name}_gelu"
        self._linear(f"{name}_outer", f"{source}.output.dense")
        self._add(middle, f"{name}_sum")
        self._normalize(f"{name}_norm", f"{source}.output.LayerNorm")

    def pool(self) -> None:
        """The mean over the tokens that are there, scaled to length 1."""
        self._node(
            "Cast", ["attention_mask"], "weights", to=self._helper.np_dtype_to_tensor_dtype(np.dtype(np.float32))
        )
        last = self._constant("last_axis", np.array([2], dtype=np.int64))
        tokens = self._constant("token_axis", np.array([1], dtype=np.int64))
        self._node("Unsqueeze", ["weights", last], "token_weights")
        self._node("Mul", [self._state, "token_weights"], "weighted")
        self._node("ReduceSum", ["weighted", tokens], "sums", keepdims=0)
        # The mean's divisor is left out: scaling to length 1 takes it away again.
        self._node("LpNormalization", ["sums"], "embeddings", axis=-1, p=2)

    def serialized(self) -> bytes:
        helper = self._helper
        integer = helper.np_dtype_to_tensor_dtype(np.dtype(np.int64))
        real = helper.np_dtype_to_tensor_dtype(np.dtype(np.float32))
        graph = helper.make_graph(
            self._nodes,
            "all-MiniLM-L6-v2",
            [
                helper.make_tensor_value_info("input_ids", integer, ["batch", "tokens"]),
                helper.make_tensor_value_info("attention_mask", integer, ["batch", "tokens"]),
            ],
            [helper.make_tensor_value_info("embeddings", real, ["batch", DIMENSIONS])],
            self._constants,
        )
        opsets = [helper.make_opsetid("", _OPSET), helper.make_opsetid("com.microsoft", 1)]
        model = helper.make_model(graph, opset_imports=opsets, ir_version=_IR_VERSION, producer_name="switchboard")
        return bytes(model.SerializeToString())

    def _linear(self, name: str, source: str) -> None:
        weight = self._constant(f"{name}_weight", np.ascontiguousarray(self._weights[f"{source}.weight"].T))
        self._node("MatMul", [self._state, weight], f"{name}_product")
        bias = self._constant(f"{name}_bias", self._weights[f"{source}.bias"])
        self._node("Add", [f"{name}_product", bias], name)
        self._state = name

    def _add(self, other: str, name: str) -> None:
        self._node("Add", [self._state, other], name)
        self._state = name

    def _normalize(self, name: str, source: str) -> None:
        scale = self._constant(f"{name}_scale", self._weights[f"{source}.weight"])
        shift = self._constant(f"{name}_shift", self._weights[f"{source}.bias"])
        self._node("LayerNormalization", [self._state, scale, shift], name, axis=-1, epsilon=EPSILON)
        self._state = name

    def _constant(self, name: str, value: npt.NDArray[np.generic]) -> str:
        if value.dtype != np.int64:
            value = value.astype(np.float32)
        self._constants.append(self._to_tensor(value, name))
        return name

    def _node(self, operator: str, inputs: list[str], output: str, **attributes: Any) -> None:
        self._nodes.append(self._helper.make_node(operator, inputs, [output], name=output, **attributes))
