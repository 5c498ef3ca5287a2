"""Texts to vectors: the tokenizer and the onnxruntime session."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import onnxruntime
from tokenizers import Tokenizer

from knowledge.embedder.graph import cached_graph
from knowledge.embedder.weights import MAX_TOKENS, tokenizer_file

Vectors = npt.NDArray[np.float32]


class EmbeddingModel:
    """all-MiniLM-L6-v2 in memory. Its methods may be called from several threads at once.

    Args:
        cache: folder in which the graph is kept.
        threads: processor threads for one batch.

    Raises:
        WeightsError: the weights are missing or are not the pinned ones.
        OSError: the cache cannot be written.
    """

    def __init__(self, cache: Path, *, threads: int = 1) -> None:
        self._tokenizer = Tokenizer.from_file(str(tokenizer_file()))
        self._tokenizer.enable_truncation(MAX_TOKENS)
        self._tokenizer.no_padding()
        path = cached_graph(cache)
        try:
            self._session = _session(path, threads)
        except Exception:
            # A graph that no longer loads (a damaged disk, another onnxruntime) is made anew, once.
            path.unlink(missing_ok=True)
            self._session = _session(cached_graph(cache), threads)

    def tokenize(self, texts: Sequence[str]) -> list[list[int]]:
        """Token numbers of each text, ``[CLS]`` and ``[SEP]`` included, at most 256."""
        return [encoding.ids for encoding in self._tokenizer.encode_batch_fast(list(texts))]

    def embed(self, batch: Sequence[Sequence[int]]) -> Vectors:
        """One vector of length 1 for each list of tokens, in order. Lists of like length cost least."""
        longest = max(map(len, batch))
        ids = np.zeros((len(batch), longest), dtype=np.int64)
        mask = np.zeros((len(batch), longest), dtype=np.int64)
        for row, tokens in enumerate(batch):
            ids[row, : len(tokens)] = tokens
            mask[row, : len(tokens)] = 1
        (vectors,) = self._session.run(["embeddings"], {"input_ids": ids, "attention_mask": mask})
        result: Vectors = vectors
        return result


def _session(path: Path, threads: int) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    # Threads that spin while they wait would take the processor from the web processes beside us.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
