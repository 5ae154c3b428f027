"""From torch to the file that serves: ONNX with int8 weights."""

from __future__ import annotations

import logging
import tempfile
import warnings
from pathlib import Path

import onnx
import torch
from onnxruntime.quantization import QuantType, quantize_dynamic
from onnxruntime.transformers.optimizer import optimize_model

from ml.understanding.minilm import HEADS, WIDTH, Branch, Fork, pretrained

_OPSET = 18


def export(adapted: Branch | None, path: Path) -> None:
    """Write the fork with `adapted` in it: `pieces` and `mask` (n, t) int64 in, `vectors` (n, 768) out.

    Weights are signed and of seven bits: a sum of two products then fits sixteen bits on processors
    without VNNI, where unsigned ones take a fifth more time.
    """
    trunk, original = pretrained()
    fork = Fork(trunk, original, adapted).eval()
    with tempfile.TemporaryDirectory() as folder:
        exact, fused = Path(folder) / "exact.onnx", Path(folder) / "fused.onnx"
        _to_onnx(fork, exact)
        _fuse(exact, fused)
        quantize_dynamic(
            fused, path, weight_type=QuantType.QInt8, reduce_range=True, per_channel=True,
            op_types_to_quantize=["MatMul", "Gemm"],
        )  # fmt: skip
    model = onnx.load(path)
    model.producer_version = ""
    _without_notes(model)
    onnx.save(model, path)


def _fuse(exact: Path, fused: Path) -> None:
    """Several nodes that are one kernel at run time become one."""
    optimize_model(
        str(exact), model_type="bert", num_heads=HEADS, hidden_size=WIDTH, opt_level=0
    ).save_model_to_file(str(fused))


def _without_notes(model: onnx.ModelProto) -> None:
    """The exporter notes beside every node and value where in whose files it came from; nobody reads it."""
    graph = model.graph
    for each in (
        model,
        graph,
        *graph.node,
        *graph.value_info,
        *graph.input,
        *graph.output,
        *graph.initializer,
    ):
        del each.metadata_props[:]


def _to_onnx(fork: Fork, path: Path) -> None:
    """The exporter talks at length; what matters comes as an exception."""
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)
    example = torch.randint(999, 2000, (2, 9)), torch.ones(2, 9, dtype=torch.int64)
    rows, pieces = torch.export.Dim("rows"), torch.export.Dim("pieces")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            fork, example, path, opset_version=_OPSET,
            input_names=["pieces", "mask"], output_names=["vectors"],
            dynamic_shapes={"pieces": {0: rows, 1: pieces}, "mask": {0: rows, 1: pieces}},
            external_data=False, dynamo=True, verbose=False,
        )  # fmt: skip
