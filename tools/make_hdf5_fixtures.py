#!/usr/bin/env python3
"""Writes HDF5 files with h5py, and what h5py reads from them, for test/bytes/hdf5.test.ts.

Run with h5py 3 and NumPy: python3 tools/make_hdf5_fixtures.py
With a folder as argument it also makes digests of every HDF5 file below it (those inside .keras
archives too), which the same test compares where that folder is at hand.
Everything is seeded: the same h5py gives the same bytes, but for times in the headers of groups.
"""

import hashlib
import io
import json
import sys
import zipfile
from pathlib import Path

import h5py
import numpy as np

FOLDER = Path(__file__).resolve().parent.parent / "test" / "fixtures" / "hdf5"
rng = np.random.default_rng(20240705)


def number(value):
    value = float(value)
    return value if np.isfinite(value) else repr(value)


def plain(array):
    return {
        "shape": list(array.shape),
        "dtype": array.dtype.newbyteorder("=").name,
        "data": [number(value) for value in array.ravel(order="C")],
    }


def attribute(value):
    if isinstance(value, bytes):
        return value.decode()
    if isinstance(value, str):
        return value
    if isinstance(value, np.ndarray) and value.dtype.kind in "SO":
        return [one.decode() if isinstance(one, bytes) else one for one in value.ravel()]
    if isinstance(value, (np.ndarray, np.generic)) and value.dtype.kind in "fiub":
        return plain(np.asarray(value))
    return None


def describe(file):
    """Datasets and attributes by path, only numbers and strings."""
    found = {"datasets": {}, "attributes": {}}

    def visit(path, item):
        for name, value in item.attrs.items():
            value = attribute(value)
            if value is not None:
                found["attributes"][f"{path} {name}"] = value
        if isinstance(item, h5py.Dataset) and item.shape is not None and item.dtype.kind in "fiub":
            found["datasets"][path] = plain(item[()] if item.shape else np.asarray(item[()]))

    visit("/", file)
    file.visititems(lambda name, item: visit(f"/{name}", item))
    return found


def make_types(file):
    numbers = rng.normal(size=(3, 4))
    for name in ["float16", "float32", "float64"]:
        file[f"floats/{name}"] = numbers.astype(name)
        file[f"floats/{name} big"] = numbers.astype(np.dtype(name).newbyteorder(">"))
    file["floats/special"] = np.array([np.nan, np.inf, -np.inf, -0.0, 1e-45], "float32")
    file["floats/special16"] = np.array([np.nan, np.inf, -np.inf, -0.0, 6e-8], "float16")
    for name in ["int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"]:
        info = np.iinfo(name)
        file[f"integers/{name}"] = np.array([info.min, info.max, 5], name)
        file[f"integers/{name} big"] = np.array([info.min, 5], np.dtype(name).newbyteorder(">"))
    file["bool"] = np.array([[True, False], [False, True]])
    colours = h5py.enum_dtype({"RED": 0, "GREEN": 7}, basetype="i2")
    file.create_dataset("enum", data=np.array([0, 7, 7], "i2"), dtype=colours)
    file["scalar"] = np.float32(2.5)
    file["one"] = np.array([1.25])
    file["none"] = np.zeros((0, 5), "float32")
    file["empty"] = h5py.Empty("float32")
    file["strings"] = ["a", "b"]
    file["compound"] = np.array([(1, 2.0)], dtype=[("a", "i4"), ("b", "f8")])
    file["complex"] = np.array([1 + 2j])


def make_storage(file):
    numbers = rng.normal(size=(20, 7)).astype("float32")
    make = file.create_dataset
    make("contiguous", data=numbers)
    make("chunked", data=numbers, chunks=(6, 4))
    make("gzip", data=numbers, chunks=(6, 4), compression="gzip")
    make("gzip big", data=numbers.astype(">f8"), chunks=(6, 4), compression="gzip", shuffle=True)
    make("shuffle", data=numbers, chunks=(20, 2), compression="gzip", shuffle=True)
    make("checksum", data=numbers, chunks=(5, 7), fletcher32=True)
    make("scaled", data=np.arange(100), chunks=(50,), scaleoffset=0)
    make("growing", data=numbers, maxshape=(None, 7))
    make("half written", shape=(8,), dtype="float32", chunks=(4,), fillvalue=3)[:3] = [1, 2, 4]
    make("lzf", data=np.repeat(np.arange(4.0), 100), compression="lzf")


def make_names(file):
    """Names and attributes as Keras writes them, on Windows too."""
    file["layers\\gru\\cell/vars/0"] = rng.normal(size=(2, 3)).astype("float32")
    file["gru/gru/kernel:0"] = rng.normal(size=(2, 3)).astype("float32")
    file["größe/__proto__"] = np.arange(3.0)
    file["soft"] = h5py.SoftLink("/gru/gru")
    file["nowhere"] = h5py.SoftLink("/not/there")
    attrs = file.attrs
    attrs["vlen"] = "keras ü"
    attrs["fixed"] = np.bytes_("2.3.1-tf ü".encode())
    attrs["layer_names"] = np.array([b"gru", b"dense_1", b""])
    attrs["layer_names vlen"] = ["gru", "größe", ""]
    attrs["no names"] = np.array([])
    attrs["json"] = json.dumps({"class_name": "Sequential", "text": "x" * 5000})
    attrs["number"] = 3
    attrs["numbers"] = np.arange(6, dtype=">i2").reshape(2, 3)
    attrs["half"] = np.float16(0.1)
    attrs["flag"] = True
    attrs["empty"] = h5py.Empty("float32")
    attrs["reference"] = file["gru"].ref
    file["gru"].attrs["weight_names"] = np.array([b"gru/kernel:0"])
    file["gru/gru/kernel:0"].attrs["trainable"] = True


def write(name, make, **options):
    content = io.BytesIO()
    with h5py.File(content, "w", track_times=False, **options) as file:
        make(file)
    FOLDER.mkdir(parents=True, exist_ok=True)
    (FOLDER / f"{name}.h5").write_bytes(content.getvalue())
    return content


def write_and_describe(name, make, **options):
    with h5py.File(write(name, make, **options)) as file:
        return describe(file)


def write_hostile():
    """Not damaged, but made to take time or memory."""

    def sparse(file):
        file.create_dataset("sparse", shape=(2**40,), dtype="u1", chunks=(2**16,))

    def chunks(file):
        file.create_dataset("chunks", shape=(2**25,), dtype="u1", chunks=(1,))

    def loop(file):
        file["a/b/c"] = np.arange(3.0)
        file["a/b/back"] = file["a"]
        file["a/again"] = file["a"]

    def dataset(file, name, shape=(8,), fill_time=h5py.h5d.FILL_TIME_NEVER, change=None):
        properties = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
        properties.set_fill_time(fill_time)
        if change is not None:
            change(properties)
        space = h5py.h5s.create_simple(shape)
        args = (file.id, name.encode(), h5py.h5t.IEEE_F32LE, space, properties)
        return h5py.Dataset(h5py.h5d.create(*args))

    def unwritten(file):
        """Without a fill value in whole or in part, and what looks like it."""
        dataset(file, "contiguous")
        chunked = dataset(file, "chunked", change=lambda plist: plist.set_chunk((4,)))
        chunked[:4] = [1, 2, 3, 4]
        dataset(file, "default", fill_time=h5py.h5d.FILL_TIME_IFSET)
        file.create_dataset("filled", shape=(8,), dtype="float32", fillvalue=3)
        file["patterns"] = np.frombuffer(bytes([0xA5] * 8 + [0x5A] * 8), "float32")

    def virtual(file):
        layout = h5py.VirtualLayout(shape=(8,), dtype="float32")
        layout[:] = h5py.VirtualSource("/elsewhere.h5", "numbers", shape=(8,))
        file.create_virtual_dataset("virtual", layout, fillvalue=0)

    def external(file):
        """Zeros of a device, where there is one."""
        args = {"shape": (8,), "dtype": "float32", "external": [("/dev/null", 0, 32)]}
        file.create_dataset("external", **args)

    def linked(file):
        file["gru/kernel"] = h5py.ExternalLink("other.h5", "/gru/kernel")

    for make in [sparse, chunks, loop, unwritten, virtual, external, linked]:
        write(make.__name__, make)


def digests(folder):
    """SHA-256 over paths, shapes, types and float64 values of the datasets, in sorted order."""
    found = {}

    def add(name, content):
        sha = hashlib.sha256()
        with h5py.File(io.BytesIO(content)) as file:
            datasets = {}
            file.visititems(
                lambda path, item: datasets.update({f"/{path}": item})
                if isinstance(item, h5py.Dataset) and item.dtype.kind in "fiub"
                else None
            )
            for path in sorted(datasets, key=lambda path: path.encode("utf-16-be")):
                array = np.asarray(datasets[path][()])
                sha.update(f"{path} {list(array.shape)} {array.dtype.name}\n".encode())
                sha.update(array.astype("<f8").tobytes())
        found[name] = sha.hexdigest()

    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.suffix in (".h5", ".hdf5"):
            add(name, path.read_bytes())
        if path.suffix == ".keras" and zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as archive:
                for inner in archive.namelist():
                    if inner.endswith(".h5"):
                        add(f"{name}/{inner}", archive.read(inner))
    return found


def main():
    expected = {
        "types": write_and_describe("types", make_types),
        "types-latest": write_and_describe("types-latest", make_types, libver="latest"),
        "storage": write_and_describe("storage", make_storage),
        "storage-latest": write_and_describe("storage-latest", make_storage, libver="latest"),
        "names": write_and_describe("names", make_names),
        "names-ordered": write_and_describe("names-ordered", make_names, track_order=True),
    }
    write_hostile()
    (FOLDER / "expected.json").write_text(json.dumps(expected) + "\n")
    if len(sys.argv) > 1:
        found = digests(Path(sys.argv[1]))
        (FOLDER / "digests.json").write_text(json.dumps(found, indent=1) + "\n")


main()
