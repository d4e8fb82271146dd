#!/usr/bin/env python3
"""Writes data files with NumPy, and what NumPy reads from them, for test/data.

Run with NumPy 1.24 or later: python3 tools/make_data_fixtures.py
Everything is seeded: the same NumPy gives the same bytes, except for the times in .npz files,
which are overwritten.
"""

import io
import json
import struct
import warnings
from pathlib import Path

import numpy as np

FOLDER = Path(__file__).resolve().parent.parent / "test" / "fixtures" / "data"
rng = np.random.default_rng(20240611)
expected = {}


def plain(array):
    """Shape, dtype and values, as JSON can hold them: float64 loses nothing here."""

    def number(value):
        value = float(value)
        return value if np.isfinite(value) else repr(value)

    array = np.asarray(array)
    return {
        "shape": list(array.shape),
        "dtype": array.dtype.name,
        "data": [number(value) for value in array.ravel(order="C")],
    }


def put(name, content, tensors):
    (FOLDER / name).write_bytes(content)
    expected[name] = {key: plain(array) for key, array in tensors.items()}


def npy(array, version=None):
    file = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # NumPy warns of versions that old readers lack
        np.lib.format.write_array(file, array, version=version, allow_pickle=True)
    return file.getvalue()


def put_npy(name, array, version=None):
    put(f"{name}.npy", npy(array, version), {"data": array})


def put_npz(name, tensors, save):
    file = io.BytesIO()
    save(file, **tensors)
    put(f"{name}.npz", without_times(file.getvalue()), tensors)


def without_times(archive):
    """Sets the time of every entry, in both headers, to the first day of 1980."""
    archive = bytearray(archive)
    for magic, at in ((b"PK\x03\x04", 10), (b"PK\x01\x02", 12)):
        start = archive.find(magic)
        while start != -1:
            archive[start + at : start + at + 4] = struct.pack("<HH", 0, 0x21)
            start = archive.find(magic, start + 4)
    return bytes(archive)


def put_text(name, text, **genfromtxt):
    data = text if isinstance(text, bytes) else text.encode()
    read = np.genfromtxt(io.BytesIO(data), ndmin=2, encoding="utf-8-sig", **genfromtxt)
    put(name, data, {"data": read})


def arrays():
    for dtype in ("f2", "f4", "f8"):
        values = (rng.standard_normal((2, 3)) * 3).astype(dtype)
        for order, name in (("<", "little"), (">", "big")):
            put_npy(f"{dtype}-{name}", values.astype(order + dtype))
    for dtype in ("i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8"):
        info = np.iinfo(dtype)
        # As far as float64 is exact.
        extremes = [max(info.min, -(2**53)), 0, 1, min(info.max, 2**53)]
        put_npy(f"{dtype}-little", np.array(extremes, "<" + dtype))
        if dtype[1] != "1":
            put_npy(f"{dtype}-big", np.array(extremes, ">" + dtype))
    put_npy("bool", np.array([[True, False], [False, True]]))
    put_npy("special-f2", np.array([np.nan, np.inf, -np.inf, -0.0, 6e-8, 65504], "f2"))
    put_npy("special-f4", np.array([np.nan, np.inf, -np.inf, -0.0, 1e-45, 3.4e38], "f4"))
    put_npy("special-f8", np.array([np.nan, np.inf, -np.inf, -0.0, 5e-324, 1.7e308], "f8"))

    cube = rng.standard_normal((2, 3, 4)).astype("f4")
    put_npy("cube", cube)
    put_npy("cube-fortran", np.asfortranarray(cube))
    put_npy("matrix-fortran-big", np.asfortranarray(rng.standard_normal((4, 3)).astype(">f8")))
    put_npy("scalar", np.array(2.5))
    put_npy("empty", np.empty((0,), "f4"))
    put_npy("empty-inside", np.empty((2, 0, 3), "f8"))
    put_npy("version-2", cube[0], version=(2, 0))
    put_npy("version-3", cube[0], version=(3, 0))

    bag = {"wMatrix": cube[0], "gru/kernel:0": cube[1].astype("f8"), "scalar": np.array(1.5)}
    put_npz("stored", bag, np.savez)
    put_npz("deflated", bag, np.savez_compressed)
    put_npz("deflated-larger", {"ramp": np.arange(2000, dtype="f8")}, np.savez_compressed)
    file = io.BytesIO()
    np.savez(file, cube[0], cube[1])
    put("unnamed.npz", without_times(file.getvalue()), {"arr_0": cube[0], "arr_1": cube[1]})


def refused():
    """Arrays that hold no real numbers; only the message is tested."""
    for name, array in {
        "objects": np.array([{}, None], object),
        "text": np.array(["a", "bc"]),
        "bytes": np.array([b"a", b"bc"]),
        "complex": np.array([1 + 2j]),
        "dates": np.array(["2024-06-11"], "M8[D]"),
        "spans": np.array([1], "m8[s]"),
        "records": np.array([(1, 2.0)], [("a", "i4"), ("b", "f8", (1,))]),
        "raw": np.zeros(2, "V4"),
    }.items():
        (FOLDER / f"refused-{name}.npy").write_bytes(npy(array))


def tables():
    values = rng.standard_normal((4, 3))
    for name, delimiter in (("savetxt.csv", ","), ("savetxt.tsv", "\t"), ("savetxt.txt", " ")):
        file = io.BytesIO()
        np.savetxt(file, values, delimiter=delimiter, header="a b c", comments="# ")
        delimiter = None if delimiter == " " else delimiter
        put_text(name, file.getvalue().decode(), delimiter=delimiter)
    file = io.BytesIO()
    np.savetxt(file, values.astype("f4"), fmt="%.4g", delimiter=", ", newline="\r\n")
    put_text("short.csv", file.getvalue().decode(), delimiter=",")
    put_text("header.csv", "alpha,beta (s),\"gamma, delta\"\n1,2,3\n4,5,6\n", delimiter=",", skip_header=1)
    put_text("one-column.txt", "1\n2.5\n-3e-2\n")
    put_text("one-row.csv", "1,2,3", delimiter=",")
    put_text("missing.csv", "1,,3\nnan,NaN,NA\n,N/A,null\nNone,-1,\n", delimiter=",")
    put_text("infinite.csv", "inf,-inf,Infinity\n+inf,-Infinity,1e999\n", delimiter=",")
    put_text("semicolons.csv", "1;2.5\n3;4\n", delimiter=";")
    put_text("tabs-missing.tsv", "1\t\t3\n\t5\t\n", delimiter="\t")
    put_text("comments.txt", "# a head\n\n1 2 # then\n   \n 3\t4\n#5 6\n")
    put_text("aligned.txt", "   1.00   20.5\n -30.25    4\n")
    put_text("bom.csv", b"\xef\xbb\xbf1,2\n3,4\n", delimiter=",")
    put_text("carriage-returns.csv", "1,2\r\n3,4\r\n", delimiter=",")
    put_text("numbers.txt", "+1 .5 2. 1e3 1E-3 -0 007 1.5e+2 4.9e-324 123456789012345678\n")


def texts_of_numbers():
    """The fewest digits by NumPy, whose repr of a float32 is the shortest that reads back."""
    bits = rng.integers(0, 2**32, 600, dtype=np.uint32)
    values = bits.view("f4")
    values = values[np.isfinite(values)]
    digits = [np.format_float_scientific(value, unique=True) for value in values]
    (FOLDER / "float32-digits.json").write_text(
        json.dumps({"values": [float(value) for value in values], "printed": digits})
    )


FOLDER.mkdir(parents=True, exist_ok=True)
arrays()
refused()
tables()
texts_of_numbers()
lines = [f"{json.dumps(name)}: {json.dumps(tensors)}" for name, tensors in expected.items()]
(FOLDER / "expected.json").write_text("{\n" + ",\n".join(lines) + "\n}\n")
print(f"{len(expected)} files and what NumPy {np.__version__} reads from them: {FOLDER}")
