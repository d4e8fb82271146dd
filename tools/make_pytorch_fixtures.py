"""Writes test/fixtures/pytorch: small PyTorch files of every container and kind of content.

Also examples/seattle-weather/state_dict.pt, from the trained model beside it.

Needs Debian's python3-torch and python3-numpy. Seeded; the files are committed, and tests never
run this. (Keys of storages in the old format are addresses in memory: those files differ each time.) `expected.json` holds what PyTorch computes in float64, and what it read of the tensors.
"""

import collections
import json
import pathlib
import pickle
import zipfile

import numpy as np
import torch
from torch import nn
from torch.nn.utils import prune

OUT = pathlib.Path(__file__).parent.parent / "test/fixtures/pytorch"
STEPS = 7
expected = {}


class Net(nn.Module):
    """A usual model: a recurrent module, normalisation, a head."""

    def __init__(self, features=3, units=4):
        super().__init__()
        self.gru = nn.GRU(features, units, batch_first=True)
        self.bn = nn.BatchNorm1d(units)
        self.fc1 = nn.Linear(units, 5)
        self.fc2 = nn.Linear(5, 2)

    def forward(self, x):
        y, _ = self.gru(x)
        return self.fc2(torch.relu(self.fc1(self.bn(y[:, -1, :]))))


class Agent(nn.Module):
    """A cell between two linear layers, as reinforcement learning has it."""

    def __init__(self):
        super().__init__()
        self.fc1 = nn.Linear(6, 4)
        self.rnn = nn.GRUCell(4, 4)
        self.fc2 = nn.Linear(4, 3)

    def forward(self, x, h):
        h = self.rnn(torch.relu(self.fc1(x)), h)
        return self.fc2(h), h


class Words(nn.Module):
    """Embedding, bidirectional LSTM, layer normalisation."""

    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(11, 3)
        self.lstm = nn.LSTM(3, 4, bidirectional=True, batch_first=True)
        self.norm = nn.LayerNorm(8)
        self.out = nn.Linear(8, 11)

    def forward(self, x):
        y, _ = self.lstm(self.embedding(x))
        return torch.log_softmax(self.out(self.norm(y)), -1)


def seeded(seed, make):
    torch.manual_seed(seed)
    module = make()
    with torch.no_grad():
        for name, tensor in module.named_parameters():
            if "bias" in name:
                tensor.uniform_(-0.5, 0.5)
        for tensor in (t for name, t in module.named_buffers() if name.endswith(("_mean", "_var"))):
            tensor.uniform_(0.3, 1.2)
    return module.eval()


def rows(tensor):
    return tensor.detach().tolist()


def sequence(features, batch=2):
    return torch.rand(batch, STEPS, features, dtype=torch.float64) * 2 - 1


def run(module, x):
    """Output [batch, time, …] and final states [layers·directions, batch, units] in float64."""
    y, states = module.double()(x.transpose(0, 1) if not module.batch_first else x)
    states = states if isinstance(states, tuple) else (states,)
    return {
        "y": rows(y if module.batch_first else y.transpose(0, 1)),
        "states": [rows(state) for state in states],
    }


def note(name, **entry):
    expected[name] = entry


def save(name, value, **options):
    torch.save(value, OUT / name, **options)


# A whole module saved in the old format includes its source; here a line takes its place.
torch.serialization.get_source_lines_and_file = lambda cls: (["class: its source\n"], 1, "module.py")


def save_script(name, module):
    """Without the code of PyTorch's own modules, and without the paths in the debugging tables."""
    torch.jit.save(module, OUT / name)
    with zipfile.ZipFile(OUT / name) as archive:
        entries = {entry.filename: archive.read(entry) for entry in archive.infolist()}
    with zipfile.ZipFile(OUT / name, "w") as archive:
        for entry, content in entries.items():
            if "/code/" not in entry:
                archive.writestr(zipfile.ZipInfo(entry), content)


def state_dicts():
    net = seeded(1, Net)
    save("zip.pt", net.state_dict())
    save("legacy.pt", net.state_dict(), _use_new_zipfile_serialization=False)
    save("protocol-4.pt", net.state_dict(), pickle_protocol=4)
    save("whole.pt", net)
    save("whole-legacy.pt", net, _use_new_zipfile_serialization=False)
    with open(OUT / "plain.pkl", "wb") as file:
        pickle.dump(net.state_dict(), file)
    save_script("scripted.pt", torch.jit.script(net))
    save_script("traced.pt", torch.jit.trace(net, torch.zeros(1, 2, 3)))

    optimizer = torch.optim.Adam(net.parameters())
    net.train()
    net(torch.rand(4, 3, 3)).sum().backward()
    optimizer.step()
    net.eval()
    wrapped = collections.OrderedDict((f"module.{k}", v) for k, v in net.state_dict().items())
    save(
        "checkpoint.pt",
        {
            "epoch": 12,
            "loss": np.float64(0.25),
            "history": [0.5, float("nan"), 2**70],
            "shape": torch.Size([3, 4]),
            "scaler": np.arange(6, dtype=np.float32).reshape(2, 3),
            "model_state_dict": wrapped,
            "optimizer_state_dict": optimizer.state_dict(),
        },
    )
    x = sequence(3)
    gru = run(net.gru, x)
    with torch.no_grad():
        note("checkpoint.pt", x=rows(x), gru=gru, y=rows(net.double()(x)))
    net = seeded(1, Net)
    with torch.no_grad():
        note("zip.pt", x=rows(x), gru=run(net.gru, x), y=rows(net.double()(x)))


def modules():
    for name, seed, make in [
        ("gru-2-bidirectional.pt", 2, lambda: nn.GRU(3, 2, 2, bidirectional=True)),
        ("gru-no-bias.pt", 3, lambda: nn.GRU(3, 2, bias=False)),
        ("gru-one-feature.pt", 4, lambda: nn.GRU(1, 1)),
        ("lstm.pt", 5, lambda: nn.LSTM(3, 2, 2, bidirectional=True)),
        ("rnn-tanh.pt", 6, lambda: nn.RNN(3, 2, 2)),
        ("rnn-relu.pt", 7, lambda: nn.RNN(3, 2, nonlinearity="relu", bidirectional=True)),
    ]:
        module = seeded(seed, make)
        save(name, module.state_dict())
        if name == "rnn-relu.pt":
            save("rnn-relu-whole.pt", module)
        x = sequence(module.input_size)
        note(name, x=rows(x), **run(module, x))
    save("lstm-projected.pt", nn.LSTM(3, 4, proj_size=2).state_dict())

    for name, dtype in [("half.pt", torch.half), ("bfloat16.pt", torch.bfloat16), ("double.pt", torch.double)]:
        module = seeded(8, lambda: nn.GRU(3, 2)).to(dtype)
        save(name, module.state_dict())
        x = sequence(3)
        note(name, x=rows(x), **run(module, x))


def hidden():
    """Forms of recurrent modules in which PyTorch no longer keeps plain kernels."""
    normalised = seeded(13, lambda: nn.GRU(3, 2))
    torch.nn.utils.weight_norm(normalised, "weight_hh_l0")
    save("hidden-norm.pt", normalised.state_dict())
    orthogonal = seeded(14, lambda: nn.GRU(3, 2))
    torch.nn.utils.parametrizations.orthogonal(orthogonal, "weight_hh_l0")
    save("hidden-parametrised.pt", orthogonal.state_dict())
    pruned = seeded(15, lambda: nn.GRU(3, 2))
    prune.l1_unstructured(pruned, "weight_ih_l0", 0.5)
    save("hidden-pruned.pt", pruned.state_dict())
    both = seeded(16, lambda: nn.Sequential(nn.GRU(3, 2)))
    save("hidden-quantised.pt", torch.quantization.quantize_dynamic(both, {nn.GRU}).state_dict())
    script = torch.jit.freeze(torch.jit.script(seeded(17, lambda: nn.Sequential(nn.GRU(3, 2))).eval()))
    save_script("hidden-frozen.pt", script)


def wired():
    agent = seeded(9, Agent)
    save("agent.pt", agent.state_dict(), _use_new_zipfile_serialization=False)
    agent.double()
    x = sequence(6)
    h = torch.zeros(2, 4, dtype=torch.float64)
    outputs = []
    for t in range(STEPS):
        y, h = agent(x[:, t], h)
        outputs.append(y)
    note("agent.pt", x=rows(x), y=rows(torch.stack(outputs, 1)), h=rows(h))

    words = seeded(10, Words)
    save("words.pt", {"state_dict": words.state_dict(), "words": {"the": 0, "cat": 1}})
    tokens = torch.randint(0, 11, (2, STEPS))
    note("words.pt", x=rows(tokens), y=rows(words.double()(tokens)))

    save("two.pt", {"encoder": nn.GRU(3, 2).state_dict(), "decoder": nn.GRU(2, 3).state_dict()})


def tensors():
    """Storage types, strides, offsets and shared storages; values as PyTorch reads them."""
    torch.manual_seed(11)
    base = torch.arange(24, dtype=torch.float32).reshape(4, 6)
    all_of_them = {
        "base": base,
        "transposed": base.t(),
        "row": base[2],
        "column": base[:, 3],
        "corner": base[1:3, 2:4],
        "scalar": torch.tensor(1.5),
        "empty": torch.zeros(0, 3),
        "parameter": nn.Parameter(torch.tensor([1.0, -2.0])),
        "float64": torch.tensor([1 / 3, -0.0], dtype=torch.float64),
        "float16": torch.tensor([0.5, 65504], dtype=torch.float16),
        "bfloat16": torch.tensor([1.0078125, -3e38], dtype=torch.bfloat16),
        "int64": torch.tensor([1, -(2**40)]),
        "int32": torch.tensor([7, -8], dtype=torch.int32),
        "int16": torch.tensor([300, -300], dtype=torch.int16),
        "int8": torch.tensor([-128, 127], dtype=torch.int8),
        "uint8": torch.tensor([0, 255], dtype=torch.uint8),
        "bool": torch.tensor([True, False, True]),
    }
    save("tensors.pt", all_of_them)
    save("tensors-legacy.pt", all_of_them, _use_new_zipfile_serialization=False)
    expected["tensors.pt"] = {
        name: {"dtype": str(t.dtype).removeprefix("torch."), "shape": list(t.shape), "data": rows(t.reshape(-1))}
        for name, t in all_of_them.items()
    }


def pickles():
    """One value in every protocol: what Python's own pickler writes for plain data."""
    shared = [1, 2]
    value = {
        "none": None,
        "booleans": [True, False],
        "integers": [0, 255, 256, 65535, 65536, -1, -(2**31), 2**31, 2**53, -(2**70), 10**400],
        "floats": [0.5, -0.0, 1e300, float("inf"), float("-inf")],
        "texts": ["", "a\nb\\c'\"", "é", "日本語", "🦉", "x" * 300],
        "bytes": [b"", b"\x00\xff", b"y" * 300],
        "bytearray": bytearray(b"abc"),
        "tuples": [(), (1,), (1, 2), (1, 2, 3), (1, 2, 3, 4)],
        "sets": [{1, 2}, frozenset([3])],
        "shared": [shared, shared],
        7: "a number as key",
        (1, 2): "a tuple as key",
    }
    for protocol in range(6):
        (OUT / f"protocol-{protocol}.pkl").write_bytes(pickle.dumps(value, protocol))


def example():
    """The parameters of the trained example as `torch.save(model.state_dict(), …)` writes them."""
    folder = OUT.parent.parent.parent / "examples/seattle-weather"
    content = (folder / "model.safetensors").read_bytes()
    start = 8 + int.from_bytes(content[:8], "little")
    header = json.loads(content[8:start])
    state = collections.OrderedDict()
    for name in ("gru.weight_ih_l0", "gru.weight_hh_l0", "gru.bias_ih_l0", "gru.bias_hh_l0", "head.weight", "head.bias"):
        first, last = (start + offset for offset in header[name]["data_offsets"])
        numbers = np.frombuffer(content[first:last], "<f4").reshape(header[name]["shape"])
        state[name] = torch.from_numpy(numbers.copy())
    torch.save(state, folder / "state_dict.pt")


if __name__ == "__main__":
    OUT.mkdir(parents=True, exist_ok=True)
    for make in (state_dicts, modules, hidden, wired, tensors, pickles, example):
        make()
    text = json.dumps(expected, separators=(",", ":"))
    (OUT / "expected.json").write_text(text + "\n")
