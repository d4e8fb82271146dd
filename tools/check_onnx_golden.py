"""Runs onnx.checker on the ONNX files that gruv wrote: test/fixtures/convert.

    python3 tools/check_onnx_golden.py
"""

import pathlib

import onnx

FOLDER = pathlib.Path(__file__).parent.parent / "test" / "fixtures" / "convert"

for path in sorted(FOLDER.glob("*.onnx")):
    model = onnx.load(path)
    onnx.checker.check_model(model, full_check=True)
    print(path.name, "opset", model.opset_import[0].version, [node.op_type for node in model.graph.node])
