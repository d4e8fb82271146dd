"""Writes models for audio plug-ins and their outputs: test/fixtures/audio.

RTNeural and AIDA-X JSON, GuitarML and CoreAudioML JSON, an RNNoise text model. Written by hand from
the loaders of those projects; outputs by PyTorch in float64 where it has the layer, else by NumPy.

    python3 tools/make_audio_fixtures.py
"""

import json
import math
import pathlib

import numpy as np
import torch

OUT = pathlib.Path(__file__).parent.parent / "test" / "fixtures" / "audio"
STEPS = 12
torch.set_default_dtype(torch.float64)
rng = np.random.default_rng(20260)


def uniform(*shape, scale=1.0):
    """float32 numbers as float64, as a trained model has them."""
    return (rng.uniform(-scale, scale, shape)).astype(np.float32).astype(np.float64)


def sigmoid(a):
    return 1 / (1 + np.exp(-a))


def save(name, x, **outputs):
    np.savez(OUT / f"{name}.npz", x=x, **outputs)


def keras_gru(w, u, b, x):
    """Reset after, z keeps, gates z, r, h; by nn.GRU, whose gates are r, z, n."""
    units = u.shape[0]
    order = np.r_[units : 2 * units, :units, 2 * units : 3 * units]
    gru = torch.nn.GRU(w.shape[0], units, batch_first=True)
    load(gru, w[:, order].T, u[:, order].T, b[0][order], b[1][order])
    return gru(torch.tensor(x)[None])[0][0].detach().numpy()


def keras_lstm(w, u, b, x):
    lstm = torch.nn.LSTM(w.shape[0], u.shape[0], batch_first=True)
    load(lstm, w.T, u.T, b, np.zeros_like(b))
    return lstm(torch.tensor(x)[None])[0][0].detach().numpy()


def load(module, w, u, bi, bh):
    arrays = [w, u, bi, bh]
    module.load_state_dict(
        {
            name: torch.tensor(np.ascontiguousarray(array))
            for name, array in zip(["weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0"], arrays)
        }
    )


def layer(kind, units, weights, activation="", **more):
    arrays = [w.tolist() for w in weights]
    return {"type": kind, "activation": activation, "shape": [None, None, units], **more, "weights": arrays}


def rtneural():
    x = uniform(STEPS, 2)
    layers = []
    w, b = uniform(2, 4), uniform(4)
    layers.append(layer("time-distributed-dense", 4, [w, b], "tanh"))
    h = np.tanh(x @ w + b)

    k, b = uniform(3, 2, 6), uniform(6)
    layers.append(layer("conv1d", 6, [k, b], "relu", kernel_size=[3], dilation=[2], groups=2))
    conv = torch.nn.functional.conv1d(
        torch.nn.functional.pad(torch.tensor(h.T)[None], (4, 0)),
        torch.tensor(k.transpose(2, 1, 0).copy()),
        torch.tensor(b),
        dilation=2,
        groups=2,
    )
    h = np.maximum(conv[0].numpy().T, 0)

    alpha = uniform(1, 6)
    gamma, beta, mean, var = uniform(6), uniform(6), uniform(6), np.abs(uniform(6)) + 0.5
    var = var.astype(np.float32).astype(np.float64)
    layers.append(layer("batchnorm", 6, [gamma, beta, mean, var], epsilon=0.001))
    h = gamma * (h - mean) / np.sqrt(var + 0.001) + beta
    layers.append(layer("prelu", 6, [alpha]))
    h = np.where(h >= 0, h, alpha[0] * h)

    w, u, b = uniform(6, 15), uniform(5, 15), uniform(2, 15)
    layers.append(layer("gru", 5, [w, u, b], "tanh"))
    h = keras_gru(w, u, b, h)
    w, u, b = uniform(5, 16), uniform(4, 16), uniform(16)
    layers.append(layer("lstm", 4, [w, u, b], "tanh"))
    h = keras_lstm(w, u, b, h)
    layers.append(layer("activation", 4, [], "elu"))
    h = np.where(h >= 0, h, np.expm1(h))
    mean, var = uniform(4), (np.abs(uniform(4)) + 0.5).astype(np.float32).astype(np.float64)
    layers.append(layer("batchnorm", 4, [mean, var], epsilon=0.01))
    h = (h - mean) / np.sqrt(var + 0.01)
    w, b = uniform(4, 3), uniform(3)
    layers.append(layer("dense", 3, [w, b], "softmax"))
    e = np.exp(h @ w + b)
    y = e / e.sum(-1, keepdims=True)

    write("rtneural.json", {"in_shape": [None, None, 2], "layers": layers}, indent=1)
    save("rtneural", x, y=y)


def aidax():
    """A residual connection and gains around an RTNeural model; layers come before in_shape."""
    x = uniform(STEPS, 1)
    scaled = x * 10 ** (-6 / 20)
    w, u, b = uniform(1, 12), uniform(3, 12), uniform(12)
    head, bias = uniform(3, 1), uniform(1)
    layers = [layer("lstm", 3, [w, u, b]), layer("dense", 1, [head, bias])]
    y = (keras_lstm(w, u, b, scaled) @ head + bias + scaled) * 10 ** (3 / 20)
    gains = {"in_skip": 1, "in_gain": -6, "out_gain": 3}
    write("aidax.json", {"layers": layers, "in_shape": [None, None, 1], **gains})
    save("aidax", x, y=y)


class SimpleRNN(torch.nn.Module):
    """One recurrent module, one linear one, and the first `skip` inputs added."""

    def __init__(self, unit_type, features, units, outputs, layers, skip):
        super().__init__()
        self.rec = getattr(torch.nn, unit_type)(features, units, layers)
        self.lin = torch.nn.Linear(units, outputs)
        self.skip = skip

    def forward(self, x):
        y = self.lin(self.rec(x)[0])
        return y + x[:, :, 0 : self.skip] if self.skip else y


def randomise(module):
    state = {name: torch.tensor(uniform(*each.shape, scale=0.6)) for name, each in module.state_dict().items()}
    module.load_state_dict(state)
    return {name: each.tolist() for name, each in state.items()}


def guitarml():
    for name, unit_type, features, outputs, layers, skip in [
        ("guitarml-gru", "GRU", 1, 1, 1, 1),
        ("guitarml-lstm", "LSTM", 3, 1, 2, 1),
        ("guitarml-no-skip", "GRU", 1, 2, 1, 0),
    ]:
        model = SimpleRNN(unit_type, features, 5, outputs, layers, skip)
        state = randomise(model)
        data = {
            "model": "SimpleRNN",
            "input_size": features,
            "skip": skip,
            "output_size": outputs,
            "unit_type": unit_type,
            "num_layers": layers,
            "hidden_size": 5,
            "bias_fl": True,
        }
        write(f"{name}.json", {"model_data": data, "state_dict": state})
        x = uniform(STEPS, 2, features)
        save(name, x, y=model(torch.tensor(x)).detach().numpy())


def recnet():
    """Two blocks, each with its own residual connection, and one around both."""
    blocks = [SimpleRNN("GRU", 1, 4, 1, 1, 1), SimpleRNN("LSTM", 1, 3, 1, 1, 0)]
    net = torch.nn.Module()
    net.layers = torch.nn.Sequential()
    for i, block in enumerate(blocks):
        net.layers.add_module(f"block_{i + 1}", block)
    state = randomise(net)
    layers = {
        "0": {"block_type": "GRU", "input_size": 1, "output_size": 1, "hidden_size": 4},
        "1": {"block_type": "LSTM", "input_size": 1, "output_size": 1, "hidden_size": 3, "skip": 0},
    }
    write("recnet.json", {"model_data": {"model": "RecNet", "skip": 1}, "layers": layers, "state_dict": state})
    x = uniform(STEPS, 2, 1)
    given = torch.tensor(x)
    save("recnet", x, y=(net.layers(given) + given).detach().numpy())


def recnet_blocks():
    """The format since 2021: blocks, which add the first `skip` features (default: one)."""
    blocks = [SimpleRNN("GRU", 3, 4, 2, 1, 1), SimpleRNN("RNN", 2, 3, 2, 2, 2), SimpleRNN("LSTM", 2, 3, 1, 1, 0)]
    del blocks[1].lin.bias
    blocks[1].lin.bias = None
    net = torch.nn.Module()
    net.layers = torch.nn.Sequential()
    for i, block in enumerate(blocks):
        net.layers.add_module(f"block_{i + 1}", block)
    state = randomise(net)
    described = {
        "0": {"block_type": "GRU", "input_size": 3, "output_size": 2, "hidden_size": 4, "lin_bias": True},
        "1": {"block_type": "RNN", "input_size": 2, "output_size": 2, "hidden_size": 3, "num_layers": 2, "skip": 2},
        "2": {
            "block_type": "LSTM",
            "input_size": 2,
            "output_size": 1,
            "hidden_size": 3,
            "lin_bias": True,
            "skip": 0,
        },
    }
    training = {"current_epoch": 3, "training_losses": [0.5, 0.25]}
    data = {"model": "RecNet", "skip": 0}
    write("recnet-blocks.json", {"model_data": data, "blocks": described, "training_info": training, "state_dict": state})
    x = uniform(STEPS, 2, 3)
    save("recnet-blocks", x, y=net.layers(torch.tensor(x)).detach().numpy())


def rnnoise():
    """The graph of RNNoise with fewer units: reset before, z keeps, z, r, h, one bias."""
    features, d, v, n, g, bands = 6, 4, 3, 5, 7, 2
    sizes = [
        ("dense", features, d, 0),
        ("gru", d, v, 0),
        ("gru", d + v + features, n, 2),
        ("gru", v + n + features, g, 0),
        ("dense", g, bands, 1),
        ("dense", v, 1, 1),
    ]
    lines = ["rnnoise-nu model file version 1"]
    arrays = []
    for kind, inputs, units, activation in sizes:
        width = units * (3 if kind == "gru" else 1)
        shapes = [(inputs, width), *([(units, width)] if kind == "gru" else []), (width,)]
        each = [rng.integers(-128, 128, shape) for shape in shapes]
        lines.append(f"{inputs} {units} {activation}")
        lines.extend(" ".join(map(str, a.ravel())) for a in each)
        arrays.append([a / 256 for a in each])
    (OUT / "small.rnnn").write_text("\n".join(lines) + "\n")

    relu = lambda a: np.maximum(a, 0)

    def dense(i, x, act):
        w, b = arrays[i]
        return act(x @ w + b)

    def gru(i, x, act):
        w, u, b = arrays[i]
        units = u.shape[0]
        h = np.zeros(units)
        out = []
        for xt in x:
            a = xt @ w + b
            z = sigmoid(a[:units] + h @ u[:, :units])
            r = sigmoid(a[units : 2 * units] + h @ u[:, units : 2 * units])
            c = act(a[2 * units :] + (r * h) @ u[:, 2 * units :])
            h = z * h + (1 - z) * c
            out.append(h)
        return np.array(out)

    x = uniform(STEPS, features)
    start = dense(0, x, np.tanh)
    voice = gru(1, start, np.tanh)
    noise = gru(2, np.concatenate([start, voice, x], 1), relu)
    denoised = gru(3, np.concatenate([voice, noise, x], 1), np.tanh)
    save("small", x, gains=dense(4, denoised, sigmoid), vad=dense(5, voice, sigmoid))


def write(name, value, **options):
    assert all(map(math.isfinite, numbers(value)))
    (OUT / name).write_text(json.dumps(value, **options) + "\n")


def numbers(value):
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        return [n for each in value for n in numbers(each)]
    return [value] if isinstance(value, (int, float)) else []


if __name__ == "__main__":
    OUT.mkdir(parents=True, exist_ok=True)
    rtneural()
    aidax()
    guitarml()
    recnet()
    rnnoise()
    recnet_blocks()
