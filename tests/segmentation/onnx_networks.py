"""Functions that write small ONNX networks with known results."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from onnx import TensorProto, helper, numpy_helper, save_model


def write_network(
    path: Path,
    nodes: Sequence,
    outputs: Sequence[str],
    *,
    constants: dict[str, np.ndarray] | None = None,
    input_shape: Sequence[int | str] = (1, 3, "height", "width"),
    integer_outputs: Sequence[str] = (),
) -> Path:
    """Write an ONNX network with one float input, `picture`, and these outputs; return its path.

    constants: arrays by name, which the nodes use as inputs. integer_outputs: names of the outputs of type int64.
    """
    graph = helper.make_graph(
        list(nodes),
        "tiny",
        [helper.make_tensor_value_info("picture", TensorProto.FLOAT, list(input_shape))],
        [
            helper.make_tensor_value_info(
                name, TensorProto.INT64 if name in integer_outputs else TensorProto.FLOAT, None
            )
            for name in outputs
        ],
        [numpy_helper.from_array(value, name) for name, value in (constants or {}).items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    save_model(model, path)
    return path


def red_network(path: Path, *, gain: float = 1.0) -> Path:
    """Write a network whose second output, (1, 1, H, W), is `gain` times the red plane; return its path."""
    nodes = [
        helper.make_node("Slice", ["picture", "first", "second", "axis"], ["red"]),
        helper.make_node("Mul", ["red", "gain"], ["alpha"]),
        helper.make_node("ReduceMean", ["picture"], ["brightness"], keepdims=1),
    ]
    constants = {
        "first": np.array([0]),
        "second": np.array([1]),
        "axis": np.array([1]),
        "gain": np.array(gain, np.float32),
    }
    return write_network(path, nodes, ["brightness", "alpha"], constants=constants)


def constant_network(path: Path, answers: dict[str, np.ndarray], **options) -> Path:
    """Write a network that always returns `answers`, and return its path. options: arguments of `write_network`."""
    nodes, constants = [], {"nothing": np.array(0, np.float32)}
    nodes.append(helper.make_node("ReduceMean", ["picture"], ["mean"], keepdims=0))
    nodes.append(helper.make_node("Mul", ["mean", "nothing"], ["zero"]))
    integers = []
    for name, answer in answers.items():
        constants[f"{name}_value"] = answer
        if answer.dtype == np.int64:
            integers.append(name)
            nodes.append(helper.make_node("Identity", [f"{name}_value"], [name]))
        else:
            nodes.append(helper.make_node("Add", [f"{name}_value", "zero"], [name]))
    return write_network(path, nodes, list(answers), constants=constants, integer_outputs=integers, **options)
