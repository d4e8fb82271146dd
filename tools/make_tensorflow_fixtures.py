#!/usr/bin/env python3
"""Writes a small TensorFlow checkpoint by hand, from the formats' descriptions, for
test/bytes/tensorflow.test.ts. Needs NumPy: python3 tools/make_tensorflow_fixtures.py
Everything is seeded: the same bytes every time.
"""

import json
import struct
from pathlib import Path

import numpy as np

FOLDER = Path(__file__).resolve().parent.parent / "test" / "fixtures" / "tensorflow"
rng = np.random.default_rng(20240812)


def crc32c(content):
    crc = 0xFFFFFFFF
    for byte in content:
        crc ^= byte
        for _ in range(8):
            crc = (crc >> 1) ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


def masked(content):
    crc = crc32c(content)
    return (((crc >> 15) | (crc << 17)) + 0xA282EAD8) & 0xFFFFFFFF


def varint(value):
    out = b""
    while value > 127:
        out += bytes([value & 127 | 128])
        value >>= 7
    return out + bytes([value])


def field(number, value):
    """A field of a protocol buffer: varint, bytes, or text."""
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    value = value.encode() if isinstance(value, str) else value
    return varint(number << 3 | 2) + varint(len(value)) + value


def block(entries, restart_every=3):
    out, restarts, before = b"", [], b""
    for i, (key, value) in enumerate(entries):
        shared = 0
        if i % restart_every == 0:
            restarts.append(len(out))
        else:
            while shared < min(len(key), len(before)) and key[shared] == before[shared]:
                shared += 1
        out += varint(shared) + varint(len(key) - shared) + varint(len(value)) + key[shared:] + value
        before = key
    restarts = restarts or [0]
    return out + struct.pack(f"<{len(restarts) + 1}I", *restarts, len(restarts))


def table(entries, per_block):
    out, index = b"", []

    def put(content):
        nonlocal out
        handle = varint(len(out)) + varint(len(content))
        content += b"\0"
        out += content + struct.pack("<I", masked(content))
        return handle

    entries = sorted(entries.items())
    for i in range(0, len(entries), per_block):
        some = entries[i : i + per_block]
        index.append((some[-1][0] + b"~", put(block(some))))
    handles = put(block([])) + put(block(index, 1))
    return out + handles.ljust(40, b"\0") + struct.pack("<Q", 0xDB4775248B80FB57)


TYPES = {
    "float32": 1, "float64": 2, "int32": 3, "uint8": 4, "int16": 5, "int8": 6, "int64": 9,
    "bool": 10, "uint16": 17, "float16": 19, "uint32": 22, "uint64": 23,
}  # fmt: skip


def entry(dtype, shape, shard, offset, content, checksum):
    extents = b"".join(field(2, field(1, extent)) for extent in shape)
    out = field(1, dtype) + field(2, extents)
    out += (field(3, shard) if shard else b"") + (field(4, offset) if offset else b"")
    return out + field(5, len(content)) + varint(6 << 3 | 5) + struct.pack("<I", checksum)


def strings(texts):
    lengths = b"".join(struct.pack("<I", len(text)) for text in texts)
    checksum = struct.pack("<I", masked(lengths))
    joined = b"".join(texts)
    content = b"".join(varint(len(text)) for text in texts) + checksum + joined
    return content, masked(lengths + checksum + joined)


VALUE = "/.ATTRIBUTES/VARIABLE_VALUE"


def node(children=(), attributes=()):
    out = b"".join(field(1, (field(1, i) if i else b"") + field(2, name)) for i, name in children)
    for full_name, key in attributes:
        out += field(2, field(1, "VARIABLE_VALUE") + field(2, full_name) + field(3, key))
    return field(1, out)


GRAPH = b"".join(
    [
        node([(1, "layer-0"), (1, "layer_with_weights-0"), (0, "self")]),
        node([(2, "cell"), (0, "model")]),
        node([(3, "kernel"), (4, "bias")]),
        node(attributes=[("gru/gru_cell/kernel", "layer_with_weights-0/cell/kernel" + VALUE)]),
        node(attributes=[("gru/gru_cell/bias", "layer_with_weights-0/cell/bias" + VALUE)]),
        node(attributes=[("apart", "apart" + VALUE)]),
    ]
)

METADATA = b"".join(
    field(1, field(2, i) + field(3, path) + field(4, kind) + field(5, text))
    for i, path, kind, text in [
        (1, "root", "_tf_keras_sequential", '{"class_name": "Sequential"}'),
        (7, "root.layer_with_weights-0", "_tf_keras_rnn_layer", '{"name": "größe"}'),
    ]
)


def main():
    tensors = {name: (rng.normal(size=(2, 3)) * 9).astype(name) for name in TYPES}
    tensors["bool"] = np.array([True, False])
    tensors["scalar"] = np.float32(2.5)
    tensors["none"] = np.zeros((0, 4), "float32")
    tensors["layer_with_weights-0/cell/kernel" + VALUE] = rng.normal(size=(3, 6)).astype("float32")
    tensors["layer_with_weights-0/cell/bias" + VALUE] = rng.normal(size=(2, 6)).astype("float32")
    shards, entries, expected = [b"", b"pad"], {}, {}

    def put(key, dtype, shape, content, checksum):
        shard = len(entries) % 2
        entries[key.encode()] = entry(dtype, shape, shard, len(shards[shard]), content, checksum)
        shards[shard] += content

    for key, array in tensors.items():
        array = np.asarray(array)
        content = array.tobytes()
        put(key, TYPES[array.dtype.name], array.shape, content, masked(content))
        expected[key] = {
            "shape": list(array.shape),
            "dtype": array.dtype.name,
            "data": array.astype("float64").ravel().tolist(),
        }
    put("_CHECKPOINTABLE_OBJECT_GRAPH", 7, (), *strings([GRAPH]))
    put("strings", 7, (2, 2), *strings([b"", b"one", bytes(300), b"four"]))
    put("resource", 20, (), b"", masked(b""))
    sliced = entries[b"float32"] + field(7, field(1, field(2, 1)))
    entries[b"sliced"] = sliced
    entries[b""] = field(1, 2) + field(3, field(1, 1))

    FOLDER.mkdir(parents=True, exist_ok=True)
    (FOLDER / "variables.index").write_bytes(table(entries, 5))
    for i, shard in enumerate(shards):
        (FOLDER / f"variables.data-0000{i}-of-00002").write_bytes(shard)
    (FOLDER / "keras_metadata.pb").write_bytes(METADATA)
    (FOLDER / "expected.json").write_text(json.dumps(expected) + "\n")


if __name__ == "__main__":
    main()
