#!/usr/bin/env python3
"""Writes test/fixtures/onnx/parts.json: small graphs with an If, states that come and go, heads that
pick by length, integers as weights.

    python3 tools/make_onnx_part_fixtures.py [test/fixtures/onnx/parts.json]

Needs NumPy and onnx (written with 1.24, 1.12). Seeded. Outputs are NumPy's in float64.
"""

import base64
import json
import sys

import numpy as np
from onnx import TensorProto, helper, numpy_helper

rng = np.random.default_rng(16)
FLOAT, INT = TensorProto.FLOAT, TensorProto.INT64


def exact(*shape):
    """Multiples of 2⁻⁶."""
    return np.round(rng.uniform(-1, 1, shape) * 64) / 64


def tensor(array):
    return {'shape': list(array.shape), 'data': [float(f'{value:.17g}') for value in np.asarray(array, float).ravel()]}


def info(name, shape, dtype=FLOAT):
    return helper.make_tensor_value_info(name, dtype, shape)


def init(name, array, dtype=np.float32):
    return numpy_helper.from_array(np.asarray(array, dtype), name)


def sigmoid(a):
    return 1 / (1 + np.exp(-a))


def gru(x, h, w, r, b):
    """[steps, rows, features], gates z r n, the reset gate after the product."""
    out = []
    for step in x:
        a, u = np.split(step @ w.T + b[:12], 3, axis=1), np.split(h @ r.T + b[12:], 3, axis=1)
        z, s = sigmoid(a[0] + u[0]), sigmoid(a[1] + u[1])
        h = z * h + (1 - z) * np.tanh(a[2] + s * u[2])
        out.append(h)
    return np.stack(out)


cases = []


def add(name, nodes, inputs, outputs, constants, given, expected, **options):
    graph = helper.make_graph(nodes, 'g', inputs, [info(o, None) for o in outputs], constants)
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid('', 17)])
    made.ir_version = 8
    cases.append({
        'name': name,
        'model': base64.b64encode(made.SerializeToString()).decode(),
        'inputs': {key: tensor(value) for key, value in given.items()},
        'outputs': {key: tensor(value) for key, value in zip(outputs, expected)},
        **options,
    })


op = helper.make_node
W, R, B = exact(12, 3), exact(12, 4), exact(24)
weights = [init('w', W[None]), init('r', R[None]), init('b', B[None])]
x, h0 = exact(5, 2, 3), exact(2, 4)
y = gru(x, h0, W, R, B)
zero = gru(x, 0 * h0, W, R, B)
rnn = op('GRU', ['x', 'w', 'r', 'b', '', 'h0'], ['y', 'h'], hidden_size=4, linear_before_reset=1)
plain = op('GRU', ['x', 'w', 'r', 'b'], ['y', 'h'], hidden_size=4, linear_before_reset=1)
port, state = info('x', ['t', 'b', 3]), info('h0', [1, 'b', 4])

add('states', [rnn], [port, state], ['y', 'h'], weights, {'x': x, 'h0': h0[None]}, [y[:, None], y[-1:]], streams=True)

k, c = exact(4, 1), exact(1)
head = [op('Squeeze', ['y', 'one'], ['s']), op('MatMul', ['s', 'k'], ['p']), op('Squeeze', ['p', 'two'], ['o'])]
add('squeezed', [plain, *head], [port], ['o'], [*weights, init('k', k), init('one', [1], np.int64), init('two', [2], np.int64)],
    {'x': x}, [(zero @ k)[..., 0]], streams=True)

numbers = exact(5, 2)
add('unsqueezed',
    [op('Unsqueeze', ['v', 'two'], ['x']), plain, op('Squeeze', ['y', 'one'], ['s']), op('MatMul', ['s', 'k'], ['p']),
     op('Squeeze', ['p', 'two'], ['q']), op('Add', ['q', 'v'], ['o'])],
    [info('v', ['t', 'b'])], ['o'],
    [init('w', W[None, :, :1]), *weights[1:], init('k', k), init('one', [1], np.int64), init('two', [2], np.int64)],
    {'v': numbers}, [(gru(numbers[..., None], 0 * h0, W[:, :1], R, B) @ k)[..., 0] + numbers], streams=True)


def branch(name, nodes, output, constants=()):
    return helper.make_graph(nodes, name, [], [info(output, None)], list(constants))


# The other branch holds what gruv does not read.
branches = dict(
    then_branch=branch('then', [op('Mul', ['y', 'half'], ['a'])], 'a', [init('half', 0.5)]),
    else_branch=branch('else', [op('Unique', ['y'], ['c'])], 'c'),
)
rate = [op('Equal', ['rate', 'known'], ['is'])]
add('if-set', [plain, *rate, op('If', ['is'], ['o'], **branches)], [port, info('rate', [], INT)], ['o'],
    [*weights, init('known', 16000, np.int64)], {'x': x}, [zero[:, None] / 2], set={'rate': 16000})
shape = [op('Shape', ['x'], ['shape']), op('Gather', ['shape', 'last'], ['width']), op('Equal', ['width', 'three'], ['is'])]
add('if-shape', [plain, *shape, op('If', ['is'], ['o'], **branches)], [port], ['o'],
    [*weights, init('last', 2, np.int64), init('three', 3, np.int64)], {'x': x}, [zero[:, None] / 2])

add('until', [plain, op('Unique', ['y'], ['u'])], [port, info('unused', ['n'])], ['u'], weights, {'x': x}, [zero[:, None]], until='y')
cases[-1]['outputs'] = {'y': tensor(zero[:, None])}

add('argmax', [op('ArgMax', ['x'], ['first'], axis=-1, keepdims=0), op('ArgMin', ['x'], ['last'], axis=0, select_last_index=1)],
    [port], ['first', 'last'], [], {'x': x}, [x.argmax(-1), 4 - x[::-1].argmin(0)[None]])

data, places = exact(2, 4, 3), np.array([3, -3])
indices = np.broadcast_to(places[:, None, None], (2, 1, 3))
add('gather-elements', [op('GatherElements', ['x', 'i'], ['o'], axis=1)], [info('x', ['b', 't', 3]), info('i', ['b', 1, 3], INT)], ['o'], [],
    {'x': data, 'i': indices}, [np.take_along_axis(data, indices % 4, 1)])
add('gather-nd', [op('GatherND', ['x', 'i'], ['o'], batch_dims=1)], [info('x', ['b', 't', 3]), info('i', ['b', 1], INT)], ['o'], [],
    {'x': data, 'i': places[:, None]}, [data[[0, 1], places]])
add('gather-nd-pairs',
    [op('Shape', ['x'], ['s']), op('Gather', ['s', 'zero'], ['n']), op('Range', ['zero', 'n', 'one'], ['rows']),
     op('Unsqueeze', ['rows', 'ones'], ['r']), op('Concat', ['r', 'i'], ['j'], axis=1), op('GatherND', ['x', 'j'], ['o'])],
    [info('x', ['b', 't', 3]), info('i', ['b', 1], INT)], ['o'],
    [init('zero', 0, np.int64), init('one', 1, np.int64), init('ones', [1], np.int64)],
    {'x': data, 'i': places[:, None]}, [data[[0, 1], places]])

q, scale, offset = rng.integers(-128, 128, (1, 12, 3)), np.round(rng.uniform(1, 4, 12)) / 256, rng.integers(-9, 9, 12)
add('integers', [op('DequantizeLinear', ['q', 'scale', 'offset'], ['w'], axis=1), plain], [port], ['y'],
    [init('q', q, np.int8), init('scale', scale), init('offset', offset, np.int8), *weights[1:]], {'x': x},
    [gru(x, 0 * h0, (q[0] - offset[:, None]) * scale[:, None], R, B)[:, None]])

path = sys.argv[1] if len(sys.argv) > 1 else 'test/fixtures/onnx/parts.json'
open(path, 'w').write(json.dumps(cases, separators=(',', ':')) + '\n')
