#!/usr/bin/env python3
"""Writes test/fixtures/onnx: models from PyTorch's exporter and by hand, with the numbers they give.

    python3 tools/make_onnx_fixtures.py [test/fixtures/onnx]

Needs PyTorch, NumPy and onnx (written with 1.13, 1.24, 1.12). Seeded; libm may move the last bits of
an expected number from one machine to another.

- NAME.onnx, with its inputs, its outputs in float64 and the kinds of layers it must become in
  models.json. Weights and inputs are multiples of 2⁻⁶, exact in float16 too, so that every precision
  computes the same network. Outputs are PyTorch's in double; those of models by hand are NumPy's.
- operators.json: one operator each, as base64, with inputs and expected outputs: PyTorch's or
  NumPy's, nine digits of float64.
"""

import base64
import json
import pathlib
import sys
import warnings

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import nn

warnings.filterwarnings('ignore')
SEED = 21
rng = np.random.default_rng(SEED)


def exact(*shape, scale=1.0):
    """Multiples of 2⁻⁶ in ±scale."""
    return np.round(rng.uniform(-scale, scale, shape) * 64) / 64


def tensor(array, digits=17):
    array = np.asarray(array, dtype=np.float64)
    printed = [float(f'{value:.{digits}g}') for value in array.ravel()]
    data = [int(value) if value % 1 == 0 else value if np.isfinite(value) else str(value) for value in printed]
    return {'shape': list(array.shape), 'data': data}


# --- PyTorch's exporter --------------------------------------------------------------------------


class Last(nn.Module):
    def __init__(self, cell=nn.GRU):
        super().__init__()
        self.rnn = cell(3, 5, batch_first=True)
        self.head = nn.Linear(5, 2)

    def forward(self, x):
        y, _ = self.rnn(x)
        return self.head(y[:, -1])


class Final(nn.Module):
    """The state after the last step, as classifiers take it."""

    def __init__(self):
        super().__init__()
        self.rnn = nn.GRU(3, 4, num_layers=2, batch_first=True, bidirectional=True)
        self.head = nn.Linear(8, 3)

    def forward(self, x):
        _, h = self.rnn(x)
        return torch.softmax(self.head(torch.cat([h[-2], h[-1]], dim=1)), dim=-1)


class EveryStep(nn.Module):
    def __init__(self):
        super().__init__()
        self.rnn = nn.GRU(3, 4, num_layers=2, bidirectional=True)
        self.head = nn.Linear(8, 2)

    def forward(self, x):
        y, h = self.rnn(x)
        return torch.sigmoid(self.head(y)), h


class States(nn.Module):
    """A stream, whose state goes from call to call."""

    def __init__(self):
        super().__init__()
        self.rnn = nn.LSTM(3, 4, num_layers=2, batch_first=True)
        self.head = nn.Linear(4, 1)

    def forward(self, x, h0, c0):
        y, (h, c) = self.rnn(x, (h0, c0))
        return self.head(torch.tanh(y)), h, c


class Simple(nn.Module):
    def __init__(self):
        super().__init__()
        self.rnn = nn.RNN(3, 4, nonlinearity='relu', bidirectional=True, batch_first=True)

    def forward(self, x):
        return self.rnn(x)[0]


class Convolved(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv1d(3, 6, 3, padding=1)
        self.norm = nn.BatchNorm1d(6, eps=2**-10)
        self.rnn = nn.GRU(6, 4, batch_first=True, bias=False)
        self.scale = nn.LayerNorm(4, eps=2**-10)
        self.head = nn.Linear(4, 2)

    def forward(self, x):
        y = torch.relu(self.norm(self.conv(x.transpose(1, 2))))
        y, _ = self.rnn(nn.functional.max_pool1d(y, 2).transpose(1, 2))
        return self.head(self.scale(y).mean(dim=1))


class Packed(nn.Module):
    def __init__(self):
        super().__init__()
        self.rnn = nn.GRU(3, 4, batch_first=True, bidirectional=True)

    def forward(self, x, lengths):
        packed = nn.utils.rnn.pack_padded_sequence(x, lengths, batch_first=True)
        y, h = self.rnn(packed)
        return nn.utils.rnn.pad_packed_sequence(y, batch_first=True)[0], h


class Words(nn.Module):
    def __init__(self):
        super().__init__()
        self.table = nn.Embedding(11, 3)
        self.rnn = nn.LSTM(3, 4, batch_first=True)
        self.head = nn.Linear(4, 11)

    def forward(self, words):
        return torch.log_softmax(self.head(self.rnn(self.table(words))[0]), dim=-1)


class Attention(nn.Module):
    def __init__(self):
        super().__init__()
        self.rnn = nn.GRU(3, 4, batch_first=True)
        self.score = nn.Linear(4, 1)
        self.head = nn.Linear(4, 2)

    def forward(self, x):
        y, _ = self.rnn(x)
        weights = torch.softmax(self.score(torch.tanh(y)), dim=1)
        return self.head((weights * y).sum(dim=1)), weights.squeeze(-1)


class Residual(nn.Module):
    def __init__(self):
        super().__init__()
        self.rnn = nn.GRU(3, 3, batch_first=True)
        self.act = nn.PReLU()

    def forward(self, x):
        return x + self.act(self.rnn(x)[0] * 0.5)


class Frames(nn.Module):
    """Each step is a signal of its own: rows and steps together are the rows of a convolution."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv1d(2, 3, 3)
        self.rnn = nn.GRU(12, 4, batch_first=True)

    def forward(self, x):
        batch, steps, channels, samples = x.size()
        y = torch.relu(self.conv(x.reshape(batch * steps, channels, samples)))
        return self.rnn(y.reshape(batch, steps, -1))[0]


class LearnedState(nn.Module):
    """A trained initial state, the same for every row."""

    def __init__(self):
        super().__init__()
        self.h0 = nn.Parameter(torch.zeros(1, 1, 4))
        self.rnn = nn.GRU(3, 4, batch_first=True)

    def forward(self, x):
        return self.rnn(x, self.h0.expand(-1, x.size(0), -1).contiguous())[0]


class Decoder(nn.Module):
    """The state of one layer as every input, and as the state, of the next."""

    def __init__(self):
        super().__init__()
        self.encoder = nn.GRU(3, 4, batch_first=True)
        self.decoder = nn.GRU(4, 4, batch_first=True)

    def forward(self, x):
        _, h = self.encoder(x)
        return self.decoder(h[-1].unsqueeze(1).repeat(1, x.size(1), 1), h)[0]


class Normalised(nn.Module):
    """Divides by the number of steps less one, an extent as a number."""

    def __init__(self):
        super().__init__()
        self.rnn = nn.GRU(3, 4, batch_first=True)

    def forward(self, x):
        normal = (x - x.mean(1, keepdim=True)) / (x.std(1, keepdim=True) + 0.125)
        return self.rnn(normal.flip(1))[0][:, -2:]


class Unrolled(nn.Module):
    """Cells by hand over states of zeros, as long as the batch: attention over an encoder at every step."""

    def __init__(self):
        super().__init__()
        self.encoder = nn.GRU(3, 4, batch_first=True)
        self.score = nn.Linear(8, 1)
        self.cell = nn.LSTMCell(4, 4)
        self.gate = nn.Linear(8, 4)

    def forward(self, x):
        y, _ = self.encoder(x)
        h, c = x.new_zeros(x.size(0), 4), x.new_ones(x.size(0), 4)
        gates = torch.relu(self.gate(torch.cat([h, c], dim=1)))
        steps = []
        for _ in range(3):
            query = h.unsqueeze(1).expand(-1, x.size(1), -1)
            weights = torch.softmax(self.score(torch.cat([query, y], dim=-1)), dim=1)
            h, c = self.cell((weights * y).sum(dim=1), (h, c))
            steps.append(h * gates)
        return torch.stack(steps, dim=1)


def initialised(module):
    with torch.no_grad():
        for name, parameter in module.named_parameters():
            parameter.copy_(torch.from_numpy(exact(*parameter.shape, scale=0.75)))
        for name, buffer in module.named_buffers():
            if name.endswith('running_var'):
                buffer.copy_(torch.from_numpy(1 + np.abs(exact(*buffer.shape))))
            elif name.endswith('running_mean'):
                buffer.copy_(torch.from_numpy(exact(*buffer.shape)))
    return module.eval()


X = ['batch', 'steps', 3]
exports = {
    # name: module, inputs (name: shape, extents that vary by name), outputs, opset, kinds, options
    'last': (Last(), {'x': exact(2, 7, 3)}, ['y'], 17, 'gru dense', {}),
    'last-unfolded': (Last(), {'x': exact(2, 7, 3)}, ['y'], 13, 'gru dense', {'do_constant_folding': False}),
    'last-fixed': (Last(), {'x': exact(1, 7, 3)}, ['y'], 9, 'gru dense', {'fixed': True}),
    'last-lstm': (Last(nn.LSTM), {'x': exact(2, 7, 3)}, ['y'], 15, 'lstm dense', {}),
    'final': (Final(), {'x': exact(2, 6, 3)}, ['p'], 12, None, {}),
    'every-step': (EveryStep(), {'x': exact(6, 2, 3)}, ['y', 'h'], 13, None, {'time_major': True}),
    'states': (
        States(),
        {'x': exact(2, 5, 3), 'h0': exact(2, 2, 4), 'c0': exact(2, 2, 4)},
        ['y', 'h', 'c'],
        11,
        None,
        {},
    ),
    'simple': (Simple(), {'x': exact(2, 5, 3)}, ['y'], 9, 'rnn rnn merge', {}),
    # Kept apart, or the exporter merges the normalisation into rounded weights.
    'convolved': (Convolved(), {'x': exact(2, 8, 3)}, ['y'], 17, None, {'training': torch.onnx.TrainingMode.PRESERVE}),
    'packed': (Packed(), {'x': exact(3, 6, 3), 'lengths': np.array([6, 4, 1])}, ['y', 'h'], 11, None, {}),
    'words': (Words(), {'words': rng.integers(0, 11, (2, 5))}, ['p'], 14, 'embedding lstm dense softmax', {}),
    'attention': (Attention(), {'x': exact(2, 5, 3)}, ['y', 'weights'], 13, None, {}),
    'residual': (Residual(), {'x': exact(2, 5, 3)}, ['y'], 16, 'gru affine prelu merge', {}),
    'learned-state': (LearnedState(), {'x': exact(2, 5, 3)}, ['y'], 14, None, {}),
    'decoder': (Decoder(), {'x': exact(2, 5, 3)}, ['y'], 14, None, {}),
    'normalised': (Normalised(), {'x': exact(2, 5, 3)}, ['y'], 14, None, {}),
    'frames': (Frames(), {'x': exact(2, 5, 2, 6)}, ['y'], 14, None, {}),
}


def export(folder, name, module, inputs, outputs, opset, kinds, options):
    module = initialised(module)
    given = [torch.from_numpy(value) for value in inputs.values()]
    floats = [value.float() if value.is_floating_point() else value for value in given]
    order = ['steps', 'batch'] if options.pop('time_major', False) else ['batch', 'steps']
    axes = {key: dict(enumerate(order)) for key, value in inputs.items() if value.ndim > 1}
    if 'lengths' in inputs:
        axes['lengths'] = {0: 'batch'}
    for key in ('h0', 'c0'):
        if key in inputs:
            axes[key] = {1: 'batch'}
    fixed = options.pop('fixed', False)
    torch.onnx.export(
        module.float(),
        tuple(floats),
        folder / f'{name}.onnx',
        input_names=list(inputs),
        output_names=outputs,
        opset_version=opset,
        dynamic_axes=None if fixed else axes,
        **options,
    )
    with torch.no_grad():
        results = module.double()(*given)
    results = results if isinstance(results, tuple) else (results,)
    return {
        'inputs': {key: tensor(value) for key, value in inputs.items()},
        'outputs': {key: tensor(value) for key, value in zip(outputs, results)},
        'kinds': kinds.split() if kinds else None,
    }


# --- By hand -------------------------------------------------------------------------------------


def info(name, shape, dtype=TensorProto.FLOAT):
    return helper.make_tensor_value_info(name, dtype, shape)


def model(nodes, inputs, outputs, initializers=(), opset=17, **more):
    graph = helper.make_graph(nodes, 'g', inputs, outputs, list(initializers))
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid('', opset)], **more)
    # onnx writes the newest version of the format that it knows, whatever the operators'.
    made.ir_version = 8
    return made


def initial(name, array, dtype=np.float32):
    return numpy_helper.from_array(np.asarray(array, dtype=dtype), name)


def sigmoid(a):
    return 1 / (1 + np.exp(-a))


def gru(x, w, r, b, after=True):
    """One direction, [steps, rows, features], gates z r n."""
    h = np.zeros((x.shape[1], r.shape[1]))
    wb, rb = np.split(b, 2)
    out = []
    for step in x:
        a = np.split(step @ w.T + wb, 3, axis=1)
        u = np.split(h @ r.T, 3, axis=1)
        c = np.split(rb, 3)
        z, s = sigmoid(a[0] + u[0] + c[0]), sigmoid(a[1] + u[1] + c[1])
        if after:
            n = np.tanh(a[2] + s * (u[2] + c[2]))
        else:
            n = np.tanh(a[2] + (s * h) @ np.split(r, 3)[2].T + c[2])
        h = z * h + (1 - z) * n
        out.append(h)
    return np.stack(out)


W, R, B = exact(1, 12, 3, scale=0.75), exact(1, 12, 4, scale=0.75), exact(1, 24, scale=0.5)
SEQUENCE = exact(5, 2, 3)


def one_gru(dtype, after=1, **more):
    number = {
        np.float16: TensorProto.FLOAT16,
        np.float32: TensorProto.FLOAT,
        np.float64: TensorProto.DOUBLE,
    }[dtype]
    node = helper.make_node('GRU', ['x', 'w', 'r', 'b'], ['y', ''], hidden_size=4, linear_before_reset=after)
    return model(
        [node],
        [info('x', ['seq', 'n', 3], number)],
        [info('y', None, number)],
        [initial('w', W, dtype), initial('r', R, dtype), initial('b', B, dtype)],
        **more,
    )


def by_hand(folder):
    expected = gru(SEQUENCE, W[0], R[0], B[0])[:, None]
    before = gru(SEQUENCE, W[0], R[0], B[0], after=False)[:, None]
    case = lambda outputs, kinds=None, x=SEQUENCE: {'inputs': {'x': tensor(x)}, 'outputs': {'y': tensor(outputs)}, 'kinds': kinds}
    cases = {}

    for name, dtype in (('half', np.float16), ('double', np.float64)):
        onnx.save(one_gru(dtype), folder / f'{name}.onnx')
        cases[name] = case(expected)

    # What PyTorch's exporter of some versions writes: the attribute is left at 0.
    onnx.save(one_gru(np.float32, 0, producer_name='pytorch', producer_version='2.9.0'), folder / 'reset-before.onnx')
    cases['reset-before'] = case(before)

    # Numbers in fields of their types, sixteen-bit floats among them.
    typed = one_gru(np.float32)
    for at, (array, kind) in enumerate(((W, 'float'), (R, 'bfloat16'), (B, 'float16'))):
        proto = TensorProto(name=typed.graph.initializer[at].name, dims=array.shape)
        if kind == 'float':
            proto.data_type = TensorProto.FLOAT
            proto.float_data.extend(array.astype(np.float32).ravel().tolist())
        elif kind == 'float16':
            proto.data_type = TensorProto.FLOAT16
            proto.int32_data.extend(array.astype(np.float16).view(np.uint16).ravel().tolist())
        else:
            proto.data_type = TensorProto.BFLOAT16
            proto.int32_data.extend((array.astype(np.float32).view(np.uint32) >> 16).ravel().tolist())
        typed.graph.initializer[at].CopyFrom(proto)
    onnx.save(typed, folder / 'typed-fields.onnx')
    cases['typed-fields'] = case(expected)

    external = one_gru(np.float32)
    # onnx appends to what is there.
    (folder / 'external.bin').unlink(missing_ok=True)
    onnx.save(external, str(folder / 'external.onnx'), save_as_external_data=True, location='external.bin', size_threshold=0)
    cases['external'] = case(expected)

    # Rows first, and what tf2onnx writes around it: a zero state made of the input's extents.
    nodes = [
        helper.make_node('Shape', ['x'], ['shape']),
        helper.make_node('Slice', ['shape', 'zero', 'one', 'zero'], ['rows']),
        helper.make_node('Cast', ['rows'], ['rows32'], to=TensorProto.INT32),
        helper.make_node('Concat', ['rows32', 'units'], ['extents32'], axis=0),
        helper.make_node('Cast', ['extents32'], ['extents'], to=TensorProto.INT64),
        helper.make_node('Expand', ['nothing', 'extents'], ['h']),
        helper.make_node('Unsqueeze', ['h', 'zero'], ['h0']),
        helper.make_node('Transpose', ['x'], ['sequence'], perm=[1, 0, 2]),
        helper.make_node('GRU', ['sequence', 'w', 'r', 'b', '', 'h0'], ['gru', ''], hidden_size=4, linear_before_reset=1),
        helper.make_node('Squeeze', ['gru', 'one'], ['squeezed']),
        helper.make_node('Transpose', ['squeezed'], ['y'], perm=[1, 0, 2]),
    ]
    constants = [
        initial('w', W), initial('r', R), initial('b', B), initial('zero', [0], np.int64), initial('one', [1], np.int64),
        initial('units', [4], np.int32), initial('nothing', 0.0),
    ]
    onnx.save(
        model(nodes, [info('x', ['unk__1', 'unk__2', 3])], [info('y', ['unk__3', 'unk__2', 4])], constants, 13,
              producer_name='tf2onnx'),
        folder / 'tf2onnx.onnx',
    )
    cases['tf2onnx'] = case(expected[:, 0].transpose(1, 0, 2), ['gru'], SEQUENCE.transpose(1, 0, 2))

    # A function of the file, as PyTorch's newer exporter writes them.
    function = helper.make_function(
        'pkg.test', 'Scaled', ['a', 'b'], ['c'],
        [
            helper.make_node('MatMul', ['a', 'b'], ['ab']),
            helper.make_node('LeakyRelu', ['ab'], ['c']),
        ],
        [helper.make_opsetid('', 17)], ['alpha'],
    )
    reference = function.node[1].attribute.add()
    reference.name, reference.ref_attr_name, reference.type = 'alpha', 'alpha', onnx.AttributeProto.FLOAT
    call = helper.make_node('Scaled', ['x', 'k'], ['y'], domain='pkg.test', alpha=0.25)
    k = exact(3, 2)
    made = helper.make_model(
        helper.make_graph([call], 'g', [info('x', ['n', 3])], [info('y', ['n', 2])], [initial('k', k)]),
        functions=[function], opset_imports=[helper.make_opsetid('', 17), helper.make_opsetid('pkg.test', 1)],
    )
    made.ir_version = 8
    onnx.save(made, folder / 'function.onnx')
    x = exact(4, 3)
    product = x @ k
    cases['function'] = case(np.where(product < 0, 0.25 * product, product), ['dense'], x)
    return cases


# --- Recurrent layers with every attribute --------------------------------------------------------

FUNCTIONS = {
    'Sigmoid': lambda a, alpha, beta: sigmoid(a),
    'Tanh': lambda a, alpha, beta: np.tanh(a),
    'Relu': lambda a, alpha, beta: np.maximum(a, 0),
    'Softsign': lambda a, alpha, beta: a / (1 + np.abs(a)),
    'Softplus': lambda a, alpha, beta: np.log1p(np.exp(a)),
    'Affine': lambda a, alpha, beta: alpha * a + beta,
    'ScaledTanh': lambda a, alpha, beta: alpha * np.tanh(beta * a),
    'HardSigmoid': lambda a, alpha, beta: np.clip(alpha * a + beta, 0, 1),
    'LeakyRelu': lambda a, alpha, beta: np.where(a < 0, alpha * a, a),
    'ThresholdedRelu': lambda a, alpha, beta: np.where(a > alpha, a, 0),
    'Elu': lambda a, alpha, beta: np.where(a < 0, alpha * np.expm1(a), a),
}
ALPHA = {'Affine', 'ScaledTanh', 'HardSigmoid', 'LeakyRelu', 'ThresholdedRelu', 'Elu'}
BETA = {'Affine', 'ScaledTanh', 'HardSigmoid'}


def one_direction(op, x, w, r, b, h, c, p, lengths, f, clip, coupled, after):
    """[steps, rows, features] → outputs (0 past the end of a row), h and c."""
    limit = lambda a: a if clip is None else np.clip(a, -clip, clip)
    wb, rb = np.split(b, 2)
    out = np.zeros((len(x), *h.shape))
    for t, step in enumerate(x):
        a, u = step @ w.T + wb, h @ r.T
        if op == 'RNN':
            new, cell = f[0](limit(a + u + rb)), c
        elif op == 'GRU':
            a, v, k = (np.split(each, 3, axis=-1) for each in (a, u, rb))
            z, s = (f[0](limit(a[i] + v[i] + k[i])) for i in (0, 1))
            inner = s * (v[2] + k[2]) if after else (s * h) @ np.split(r, 3)[2].T + k[2]
            new, cell = z * h + (1 - z) * f[1](limit(a[2] + inner)), c
        else:
            i, o, g, n = np.split(a + u + rb, 4, axis=-1)
            pi, po, pf = np.split(p, 3)
            i = f[0](limit(i + pi * c))
            g = 1 - i if coupled else f[0](limit(g + pf * c))
            cell = g * c + i * f[1](limit(n))
            o = f[0](limit(o + po * cell))
            new = o * f[2](cell)
        counts = (t < lengths)[:, None]
        h, c = np.where(counts, new, h), np.where(counts, cell, c)
        out[t] = np.where(counts, new, 0)
    return out, h, c


def recurrent(add):
    steps, rows, features, units = 5, 3, 2, 4
    x = exact(steps, rows, features, scale=2)

    def case(op, direction='forward', initial=False, lens=None, peepholes=False, biases=True, layout=0, clip=None,
             activations=None, alpha=(), beta=(), coupled=False, after=0):
        gates, count = {'RNN': (1, 1), 'GRU': (3, 2), 'LSTM': (4, 3)}[op]
        d = 2 if direction == 'bidirectional' else 1
        w, r = exact(d, gates * units, features), exact(d, gates * units, units)
        b = exact(d, 2 * gates * units) if biases else None
        h0, c0 = (exact(d, rows, units) for _ in range(2))
        p = exact(d, 3 * units) if peepholes else None
        names = list(activations or {'RNN': ['Tanh'], 'GRU': ['Sigmoid', 'Tanh'], 'LSTM': ['Sigmoid', 'Tanh', 'Tanh']}[op] * d)
        alphas, betas = list(alpha), list(beta)
        f = []
        for name in names:
            first = alphas.pop(0) if name in ALPHA and alphas else {'HardSigmoid': 0.2, 'LeakyRelu': 0.01}.get(name, 1)
            second = betas.pop(0) if name in BETA and betas else {'HardSigmoid': 0.5, 'ScaledTanh': 1}.get(name, 0)
            f.append(lambda a, g=FUNCTIONS[name], one=first, two=second: g(a, one, two))
        lengths = np.full(rows, steps) if lens is None else np.array(lens)
        outs = []
        for at in range(d):
            back = direction == 'reverse' or at == 1
            turn = lambda s: np.stack([np.concatenate([s[:n, i][::-1], s[n:, i]]) for i, n in enumerate(lengths)], 1)
            y, h, c = one_direction(
                op, turn(x) if back else x, w[at], r[at], np.zeros(2 * gates * units) if b is None else b[at],
                h0[at] if initial else np.zeros((rows, units)), c0[at] if initial else np.zeros((rows, units)),
                p[at] if peepholes else np.zeros(3 * units), lengths, f[at * count:(at + 1) * count], clip, coupled, after)
            outs.append((turn(y) if back else y, h, c))
        y, h, c = (np.stack(each) for each in zip(*outs))
        y, flip = y.transpose(1, 0, 2, 3), (lambda s: s.transpose(1, 0, 2)) if layout else (lambda s: s)
        y = y.transpose(2, 0, 1, 3) if layout else y
        inputs = [flip(x), w, r, b, None if lens is None else np.array(lens, dtype=np.int32), flip(h0) if initial else None]
        if op == 'LSTM':
            inputs += [flip(c0) if initial else None, p]
        attributes = {'hidden_size': units, 'direction': direction}
        if layout: attributes['layout'] = 1
        if clip is not None: attributes['clip'] = clip
        if activations: attributes['activations'] = activations
        if alpha: attributes['activation_alpha'] = list(map(float, alpha))
        if beta: attributes['activation_beta'] = list(map(float, beta))
        if coupled: attributes['input_forget'] = 1
        if op == 'GRU': attributes['linear_before_reset'] = after
        while inputs[-1] is None:
            inputs.pop()
        add(op, inputs, [y, flip(h), flip(c)][: 3 if op == 'LSTM' else 2], known=[1, 2, 3, 7], **attributes)

    for op in ('GRU', 'LSTM', 'RNN'):
        for direction in ('forward', 'reverse', 'bidirectional'):
            case(op, direction, after=1)
            case(op, direction, initial=True, lens=[5, 3, 1])
            case(op, direction, initial=True, layout=1, after=1)
        case(op, biases=False)
        case(op, clip=0.5)
    case('LSTM', 'bidirectional', initial=True, peepholes=True)
    case('LSTM', coupled=True, peepholes=True, clip=0.75)
    case('LSTM', 'reverse', peepholes=True, lens=[2, 5, 4])
    case('LSTM', activations=['HardSigmoid', 'ScaledTanh', 'Elu'], alpha=[0.25, 1.5, 0.5], beta=[0.375, 0.5])
    case('GRU', 'bidirectional', activations=['HardSigmoid', 'Relu', 'Sigmoid', 'LeakyRelu'], alpha=[0.25, 0.125], beta=[0.375])
    for name in FUNCTIONS:
        case('RNN', activations=[name], alpha=[0.5] if name in ALPHA else [], beta=[0.25] if name in BETA else [])
        case('GRU', activations=['Sigmoid', name], after=1)


# --- One operator each ---------------------------------------------------------------------------


def operators():
    cases = []

    def add(op, inputs, expected, known=(), opset=17, free=(), **attributes):
        """`known` inputs are part of the file, those in `free` have symbols for extents."""
        arrays = {f'i{at}': np.asarray(value) for at, value in enumerate(inputs) if value is not None}
        names = ['' if value is None else f'i{at}' for at, value in enumerate(inputs)]
        expected = expected if isinstance(expected, (list, tuple)) else [expected]
        live = [name for at, name in enumerate(names) if at not in known and name]
        initializers = [
            numpy_helper.from_array(
                value.astype(np.float32) if value.dtype == np.float64 else value, name
            )
            for name, value in arrays.items()
            if name not in live
        ]
        types = {
            'float64': TensorProto.FLOAT,
            'int64': TensorProto.INT64,
            'int32': TensorProto.INT32,
            'bool': TensorProto.BOOL,
        }
        shapes = {
            name: [f'{name}_{axis}' if f'{name}_{axis}' in free else extent for axis, extent in enumerate(arrays[name].shape)]
            for name in live
        }
        outputs = [f'o{at}' for at in range(len(expected))]
        made = model(
            [helper.make_node(op, names, outputs, **attributes)],
            [info(name, shapes[name], types[arrays[name].dtype.name]) for name in live],
            [info(name, None) for name in outputs],
            initializers,
            opset,
        )
        cases.append({
            'name': f'{op}-{opset} {len(cases)}',
            'model': base64.b64encode(made.SerializeToString()).decode(),
            'inputs': {name: tensor(arrays[name]) for name in live},
            'outputs': {name: tensor(value, 9) for name, value in zip(outputs, expected)},
        })

    def t(array):
        return torch.from_numpy(np.asarray(array, dtype=np.float64))

    ints = lambda *values: np.array(values, dtype=np.int64)
    x, y, v = exact(2, 3, 4, scale=3), exact(2, 3, 4, scale=3), exact(4, scale=2)
    F = nn.functional

    for op, f in (('Add', np.add), ('Sub', np.subtract), ('Mul', np.multiply), ('Div', np.divide)):
        away = np.where(np.abs(y) < 0.25, 0.5, y)
        apart = np.where(np.abs(v) < 0.25, 0.5, v)
        far = np.where(np.abs(x) < 0.25, 0.5, x)
        add(op, [x, away], f(x, away))
        add(op, [x, apart], f(x, apart), known=[1])
        add(op, [apart, far], f(apart, far), known=[0])
        add(op, [far[:, :1], apart[:, None][:3]], f(far[:, :1], apart[:, None][:3]), known=[1])
        add(op, [x, np.float64(0.75)], f(x, 0.75), known=[1])
        add(op, [np.float64(0.75), far], f(0.75, far), known=[0])
        add(op, [x, away[0]], f(x, away[0]))
    whole = ints(7, -7, 5, -5)
    add('Div', [whole, ints(2, 2, -2, 3)], [[3, -3, -2, -1]])
    add('Mod', [whole, ints(3, 3, 3, 3)], [np.mod(whole, 3)], known=[1])
    add('Mod', [whole.astype(float), v * 0 + 3], [np.fmod(whole, 3)], known=[1], fmod=1)
    positive = np.abs(x) + 0.25
    for exponent in (2.0, 0.5, -1.0, 1.0, 3.0):
        add('Pow', [positive, np.float64(exponent)], positive**exponent, known=[1])
    add('Pow', [positive, v], positive**v, known=[1])
    for op, f in (
        ('Greater', np.greater), ('Less', np.less), ('GreaterOrEqual', np.greater_equal),
        ('LessOrEqual', np.less_equal), ('Equal', np.equal),
    ):
        add(op, [x, np.where(x > 1, x, y)], f(x, np.where(x > 1, x, y)))
    p, q = x > 0, y > 0
    for op, f in (('And', np.logical_and), ('Or', np.logical_or), ('Xor', np.logical_xor)):
        add(op, [p, q], f(p, q))
    add('Not', [p], ~p)
    add('Where', [p, x, y], np.where(p, x, y))
    add('Where', [p, x, np.float64(-1)], np.where(p, x, -1), known=[2])
    for op, f in (('Max', np.maximum), ('Min', np.minimum), ('Sum', np.add)):
        add(op, [x, y, v], f(f(x, y), v))
    add('Mean', [x, y, v], (x + y + v) / 3)

    for op, f in (
        ('Neg', np.negative), ('Abs', np.abs), ('Exp', np.exp), ('Sin', np.sin), ('Cos', np.cos), ('Floor', np.floor),
        ('Ceil', np.ceil), ('Round', np.round), ('Sign', np.sign), ('Tanh', np.tanh), ('Sigmoid', sigmoid),
    ):
        add(op, [x], f(x))
    for op, f in (('Sqrt', np.sqrt), ('Log', np.log), ('Reciprocal', np.reciprocal)):
        add(op, [positive], f(positive))
    for op, f, more in (
        ('Erf', torch.erf, {}), ('Relu', F.relu, {}), ('Elu', lambda a: F.elu(a, 0.5), {'alpha': 0.5}),
        ('Selu', F.selu, {}), ('Celu', lambda a: F.celu(a, 2.0), {'alpha': 2.0}),
        ('LeakyRelu', lambda a: F.leaky_relu(a, 0.25), {'alpha': 0.25}), ('LeakyRelu', lambda a: F.leaky_relu(a, 0.01), {}),
        ('ThresholdedRelu', lambda a: F.threshold(a, 0.5, 0), {'alpha': 0.5}), ('Softplus', F.softplus, {}),
        ('Softsign', F.softsign, {}), ('HardSwish', F.hardswish, {}),
        ('HardSigmoid', lambda a: torch.clamp(0.2 * a + 0.5, 0, 1), {}),
        ('HardSigmoid', lambda a: torch.clamp(0.25 * a + 0.5, 0, 1), {'alpha': 0.25, 'beta': 0.5}),
    ):
        add(op, [x], f(t(x)).numpy(), **more)
    add('Mish', [x], F.mish(t(x)).numpy(), opset=18)
    add('Gelu', [x], F.gelu(t(x)).numpy(), opset=20)
    add('Gelu', [x], F.gelu(t(x), approximate='tanh').numpy(), opset=20, approximate='tanh')
    add('PRelu', [x, np.abs(v)], np.where(x < 0, np.abs(v) * x, x), known=[1])
    slope = np.abs(v[:3, None])
    add('PRelu', [x, slope], np.where(x < 0, slope * x, x), known=[1])
    for low, high in ((0.0, None), (0.0, 2.0), (-1.0, 1.0), (-0.5, 2.0), (None, 1.0)):
        bound = lambda value: None if value is None else np.float64(value)
        result = np.clip(x, -np.inf if low is None else low, np.inf if high is None else high)
        add('Clip', [x, bound(low), bound(high)], result, known=[1, 2])
    add('Clip', [x], np.clip(x, -0.5, 1), opset=7, min=-0.5, max=1.0)

    k = exact(4, 5)
    add('MatMul', [x, k], x @ k, known=[1])
    add('MatMul', [k.T, x[0].T], k.T @ x[0].T, known=[0])
    add('MatMul', [x, y.transpose(0, 2, 1)], x @ y.transpose(0, 2, 1))
    add('MatMul', [x, v], x @ v, known=[1])
    a, c = exact(3, 4), exact(3, 5)
    add('Gemm', [a, k, c[0]], a @ k + c[0], known=[1, 2])
    add('Gemm', [a.T, k.T, c], 0.5 * a @ k + 2 * c, known=[1], alpha=0.5, beta=2.0, transA=1, transB=1)
    add('Gemm', [a, k, c[:, :1]], a @ k + c[:, :1], known=[1, 2])
    add('Gemm', [a, k, c], a @ k + c)
    add('Gemm', [a, k], a @ k, known=[1], opset=11)

    for axis in (0, 1, 2, -1):
        add('Softmax', [x], F.softmax(t(x), axis).numpy(), axis=axis)
        add('LogSoftmax', [x], F.log_softmax(t(x), axis).numpy(), axis=axis)
    together = F.softmax(t(x).reshape(2, 12), 1).numpy().reshape(x.shape)
    add('Softmax', [x], together, opset=11)
    add('Softmax', [x], F.softmax(t(x), 2).numpy(), opset=11, axis=2)
    for op, f in (
        ('ReduceSum', np.sum), ('ReduceMean', np.mean), ('ReduceMax', np.max), ('ReduceMin', np.min), ('ReduceProd', np.prod),
        ('ReduceL1', lambda a, **k: np.sum(np.abs(a), **k)), ('ReduceL2', lambda a, **k: np.sqrt(np.sum(a * a, **k))),
        ('ReduceSumSquare', lambda a, **k: np.sum(a * a, **k)),
        ('ReduceLogSumExp', lambda a, **k: np.log(np.sum(np.exp(a), **k))),
    ):
        add(op, [x], f(x, axis=(0, 2), keepdims=True), opset=11, axes=[0, -1])
        add(op, [x], f(x, axis=(1,), keepdims=False), opset=11, axes=[1], keepdims=0)
        add(op, [x], f(x, axis=None, keepdims=True), opset=11)
    add('ReduceSum', [x, ints(1)], x.sum(1), known=[1], opset=13, keepdims=0)
    add('ReduceSum', [x], x, opset=13, noop_with_empty_axes=1)
    add('ReduceMean', [x, ints(-1)], x.mean(-1, keepdims=True), known=[1], opset=18)

    add('Transpose', [x], x.transpose(2, 0, 1), perm=[2, 0, 1])
    add('Transpose', [x], x.T)
    one = x[:, :1]
    add('Squeeze', [one], one[:, 0], opset=11, axes=[1])
    add('Squeeze', [one, ints(1)], one[:, 0], known=[1], opset=13)
    add('Squeeze', [one], one[:, 0], opset=13)
    add('Unsqueeze', [x], x[None, :, :, :, None], opset=11, axes=[0, 4])
    add('Unsqueeze', [x, ints(-1)], x[..., None], known=[1], opset=13)
    add('Flatten', [x], x.reshape(2, 12))
    add('Flatten', [x], x.reshape(1, 24), axis=0)
    add('Flatten', [x], x.reshape(6, 4), axis=-1)
    add('Reshape', [x, ints(0, -1)], x.reshape(2, 12), known=[1])
    add('Reshape', [x, ints(-1, 4)], x.reshape(6, 4), known=[1], free=['i0_0', 'i0_1'])
    add('Reshape', [x, ints(0, 3, 2, 2)], x.reshape(2, 3, 2, 2), known=[1], free=['i0_0'])
    add('Reshape', [x, ints(3, 8)], x.reshape(3, 8), known=[1])
    add('Expand', [one, ints(2, 3, 1)], np.broadcast_to(one, (2, 3, 4)), known=[1])
    add('Expand', [v, ints(2, 4)], np.broadcast_to(v, (2, 4)), known=[1])
    add('Tile', [x, ints(1, 2, 1)], np.tile(x, (1, 2, 1)), known=[1])
    add('Tile', [one, ints(2, 3, 1)], np.tile(one, (2, 3, 1)), known=[1])
    add('Concat', [x, y], np.concatenate([x, y], 2), axis=-1)
    add('Concat', [x, y, x], np.concatenate([x, y, x], 1), axis=1)
    add('Concat', [one, y], np.concatenate([one, y], 1), known=[0], axis=1)
    add('Concat', [one, one], np.concatenate([one, one], 1), axis=1)
    add('Split', [x, ints(1, 3)], [x[..., :1], x[..., 1:]], known=[1], axis=2)
    add('Split', [x], [x[..., :2], x[..., 2:]], opset=11, axis=-1, split=[2, 2])
    add('Split', [x], [x[:1], x[1:]], opset=13)
    add('Split', [x], [x[:, :2], x[:, 2:]], opset=18, axis=1, num_outputs=2)
    add('Slice', [x], x[:, 1:3], opset=9, axes=[1], starts=[1], ends=[3])
    add('Slice', [x], x[1:, :, :-1], opset=9, axes=[0, 2], starts=[1, 0], ends=[2**31 - 1, -1])
    add('Slice', [x, ints(-1), ints(2**63 - 1), ints(1)], x[:, -1:], known=[1, 2, 3], free=['i0_1'])
    add('Slice', [x, ints(-1), ints(-(2**63)), ints(1), ints(-1)], x[:, ::-1], known=[1, 2, 3, 4], free=['i0_1'])
    add('Slice', [x, ints(0), ints(4), ints(2), ints(2)], x[..., ::2], known=[1, 2, 3, 4])
    add('Slice', [x, ints(0, 1), ints(1, 3)], x[:1, 1:3], known=[1, 2])
    add('Gather', [x, np.int64(-1)], x[:, -1], known=[1], axis=1, free=['i0_1'])
    add('Gather', [x, ints(2, 0)], x[..., [2, 0]], known=[1], axis=2)
    add('Gather', [x, ints(1, 2)], x[:, 1:3], known=[1], axis=1)
    add('Gather', [k, ints(3, 0, 2)], k[[3, 0, 2]], known=[0])
    add('Gather', [x, np.array([[1, 0], [1, 1]])], x[:, [[1, 0], [1, 1]]], axis=1)
    add('Pad', [x, ints(0, 1, 0, 0, 0, 2), np.float64(0.5)], np.pad(x, ((0, 0), (1, 0), (0, 2)), constant_values=0.5), known=[1, 2])
    add('Pad', [x], np.pad(x, ((0, 0), (0, 0), (1, 1)), mode='reflect'), opset=10, pads=[0, 0, 1, 0, 0, 1], mode='reflect')
    add('Pad', [x, ints(0, 0, 1, 0, 0, 1)], np.pad(x, ((0, 0), (0, 0), (1, 1)), mode='edge'), known=[1], mode='edge')
    add('Pad', [x, ints(1, 1), None, ints(1)], np.pad(x, ((0, 0), (1, 1), (0, 0))), known=[1, 3], opset=18)
    add('Cast', [x], np.trunc(x), to=TensorProto.INT64)
    add('Cast', [x], x != 0, to=TensorProto.BOOL)
    add('Dropout', [x], x, opset=11)
    add('Identity', [x], x)
    add('ReverseSequence', [x, ints(3, 3)], x[:, ::-1], known=[1], batch_axis=0, time_axis=1)

    image, line = exact(2, 4, 5, 6), exact(2, 4, 9)
    kernel, narrow, bias = exact(6, 4, 3, 2), exact(6, 2, 3), exact(6)
    conv = F.conv2d(t(image), t(kernel), t(bias), stride=(1, 2), padding=(1, 0)).numpy()
    add('Conv', [image, kernel, bias], conv, known=[1, 2], pads=[1, 0, 1, 0], strides=[1, 2], kernel_shape=[3, 2])
    conv = F.conv1d(t(line), t(narrow), t(bias), groups=2, dilation=2).numpy()
    add('Conv', [line, narrow, bias], conv, known=[1, 2], group=2, dilations=[2], free=['i0_0', 'i0_2'])
    add('Conv', [line[..., :8], narrow], F.conv1d(F.pad(t(line[..., :8]), (0, 1)), t(narrow), stride=2, groups=2).numpy(),
        known=[1], group=2, strides=[2], auto_pad='SAME_UPPER')
    add('Conv', [line[..., :8], narrow], F.conv1d(F.pad(t(line[..., :8]), (1, 0)), t(narrow), stride=2, groups=2).numpy(),
        known=[1], group=2, strides=[2], auto_pad='SAME_LOWER')
    back = exact(4, 3, 3, 2)
    up = F.conv_transpose2d(t(image), t(back), t(bias[:3]), stride=2, padding=1, output_padding=(1, 0)).numpy()
    add('ConvTranspose', [image, back, bias[:3]], up, known=[1, 2], strides=[2, 2], pads=[1, 1, 1, 1], output_padding=[1, 0])
    add('MaxPool', [image], F.max_pool2d(t(image), (3, 2), stride=2, padding=(1, 1)).numpy(), kernel_shape=[3, 2],
        strides=[2, 2], pads=[1, 1, 1, 1])
    add('MaxPool', [line], F.max_pool1d(t(line), 2, stride=2, ceil_mode=True).numpy(), kernel_shape=[2], strides=[2], ceil_mode=1)
    add('AveragePool', [line], F.avg_pool1d(t(line), 3, stride=1, padding=1, count_include_pad=False).numpy(),
        kernel_shape=[3], pads=[1, 1])
    add('AveragePool', [line], F.avg_pool1d(t(line), 3, stride=1, padding=1).numpy(), kernel_shape=[3], pads=[1, 1],
        count_include_pad=1)
    add('GlobalAveragePool', [image], image.mean((2, 3), keepdims=True))
    add('GlobalMaxPool', [image], image.max((2, 3), keepdims=True))
    scale, shift, mean, variance = exact(4), exact(4), exact(4), np.abs(exact(4)) + 0.5
    for data in (image, line, line[..., 0]):
        normal = F.batch_norm(t(data), t(mean), t(variance), t(scale), t(shift)).numpy()
        add('BatchNormalization', [data, scale, shift, mean, variance], normal, known=[1, 2, 3, 4])
    add('LayerNormalization', [x, v, v[::-1]], F.layer_norm(t(x), (4,), t(v), t(v[::-1].copy())).numpy(), known=[1, 2])
    both = exact(3, 4)
    add('LayerNormalization', [x, both], F.layer_norm(t(x), (3, 4), t(both), eps=1e-3).numpy(), known=[1], axis=1, epsilon=1e-3)
    add('InstanceNormalization', [image, scale, shift], F.instance_norm(t(image), weight=t(scale), bias=t(shift)).numpy(),
        known=[1, 2])
    recurrent(add)
    grouped, gates, other = exact(2, 5, 3, 4), exact(3, 4, 6), exact(2, 7, 3, 4)
    for equation, first, second, known in (
        ('btgi,gih->btgh', grouped, gates, [1]),
        ('bqhd,bkhd->bhqk', grouped, other, []),
        ('btgi,gi->btgi', grouped, gates[..., 0], [1]),
        ('ij,jk->ki', exact(3, 4), exact(4, 5), []),
        ('btgi,gi->bt', grouped, gates[..., 0], [1]),
    ):
        add('Einsum', [first, second], np.einsum(equation, first, second), known=known, equation=equation)
    return cases


def main():
    folder = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else 'test/fixtures/onnx')
    folder.mkdir(parents=True, exist_ok=True)
    cases = {name: export(folder, name, *rest) for name, rest in exports.items()}
    cases.update(by_hand(folder))
    write = lambda name, value: (folder / name).write_text(json.dumps(value, separators=(',', ':')) + '\n')
    write('operators.json', operators())
    # Last, so that the random numbers of all others stay the same.
    unrolled = (Unrolled(), {'x': exact(2, 5, 3)}, ['y'], 13, None, {'do_constant_folding': False})
    cases['unrolled'] = export(folder, 'unrolled', *unrolled)
    write('models.json', cases)


main()
