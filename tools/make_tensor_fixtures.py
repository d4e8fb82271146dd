#!/usr/bin/env python3
"""Writes test/fixtures/tensor/*.json: layers on whole tensors, with outputs of other implementations.

    python3 tools/make_tensor_fixtures.py [test/fixtures/tensor]

Needs PyTorch and NumPy (written with 1.13 and 1.24). Seeded; everything is float64.

Each file is an array of cases:

    name      unique over all files
    node      the attributes of the node; arrays in `weights` are tensors, or null
    inputs    tensors by port
    expected  tensors by port

A tensor is {shape, data}; data is row-major, and what JSON cannot hold is 'nan', 'inf' or '-inf'.

Whose numbers they are:

- conv.json: PyTorch's convolutions and pools, channels first, with zeros put around x beforehand.
  `same` follows the two cases of TensorFlow's documentation (remainder 0 or not); its transpose is the
  gradient of the padded convolution, by PyTorch's autograd. Other transposes are cut out of
  PyTorch's transposed convolution without padding.
- attention.json: NumPy's einsum, after the equations of Keras 3; multi-head attention without masks
  must agree with torch.nn.MultiheadAttention.
- numbers.json: NumPy's functions, by their own names; softmax is PyTorch's.
"""

import itertools
import json
import math
import pathlib
import sys

import numpy as np
import torch
import torch.nn.functional as F

SEED = 1911
rng = np.random.default_rng(SEED)


def numbers(*shape):
    """Multiples of 2⁻⁶, exact everywhere."""
    return rng.integers(-128, 129, shape) / 64


def tensor(array):
    array = np.asarray(array, dtype=np.float64)
    plain = [float(v) if math.isfinite(v) else str(float(v)) for v in array.ravel()]
    return {'shape': list(array.shape), 'data': plain}


def case(name, node, inputs, expected, weights=None):
    if weights is not None:
        node = {**node, 'weights': {k: None if v is None else tensor(v) for k, v in weights.items()}}
    return {
        'name': name,
        'node': node,
        'inputs': {port: tensor(array) for port, array in inputs.items()},
        'expected': {port: tensor(array) for port, array in expected.items()},
    }


def first(x):
    """Channels first, for PyTorch."""
    return torch.from_numpy(np.ascontiguousarray(np.moveaxis(x, -1, 1)))


def last(x):
    return np.moveaxis(x.detach().numpy(), 1, -1)


def same(extent, size, stride, dilation):
    reach = (size - 1) * dilation + 1
    rest = extent % stride
    total = max(reach - (stride if rest == 0 else rest), 0)
    return total // 2, total - total // 2


def surround(x, pads, value=0.0):
    return F.pad(x, [n for pad in reversed(pads) for n in pad], value=value)


def padding_json(pads):
    return pads if pads == 'same' else [{'before': b, 'after': a} for b, a in pads]


ACTIVATIONS = {
    'linear': lambda a: a,
    'relu': torch.relu,
    'tanh': torch.tanh,
    'softmax': lambda a: torch.softmax(a, 1),
}
CONVS = {1: F.conv1d, 2: F.conv2d, 3: F.conv3d}
TRANSPOSES = {1: F.conv_transpose1d, 2: F.conv_transpose2d, 3: F.conv_transpose3d}


def conv(name, extents, sizes, features, units, strides, dilations, pads, groups=1, bias=True, activation='linear'):
    x = numbers(2, *extents, features)
    kernel = numbers(*sizes, features // groups, units)
    b = numbers(units) if bias else None
    around = [same(*each) for each in zip(extents, sizes, strides, dilations)] if pads == 'same' else pads
    weight = torch.from_numpy(np.moveaxis(kernel, (-1, -2), (0, 1)).copy())
    y = CONVS[len(sizes)](
        surround(first(x), around), weight, None if b is None else torch.from_numpy(b), strides, 0, dilations, groups
    )
    node = {'kind': 'conv', 'strides': strides, 'dilations': dilations, 'padding': padding_json(pads),
            'groups': groups, 'activation': activation}
    return case(name, node, {'x': x}, {'y': last(ACTIVATIONS[activation](y))}, {'kernel': kernel, 'bias': b})


def conv_transpose(name, extents, sizes, features, units, strides, dilations, pads, extra, groups=1, bias=True,
                   activation='linear'):
    rank = len(sizes)
    x = numbers(2, *extents, features)
    kernel = numbers(*sizes, units // groups, features)
    b = numbers(units) if bias else None
    # PyTorch: [features, units / groups, ...sizes]
    weight = torch.from_numpy(np.moveaxis(kernel, (-1, -2), (0, 1)).copy())
    if pads == 'same':
        long = [n * s for n, s in zip(extents, strides)]
        around = [same(*each) for each in zip(long, sizes, strides, dilations)]
        z = torch.zeros((2, units, *long), dtype=torch.float64, requires_grad=True)
        CONVS[rank](surround(z, around), weight, None, strides, 0, dilations, groups).backward(first(x))
        y = surround(z.grad, [(0, e) for e in extra])
    else:
        y = TRANSPOSES[rank](first(x), weight, None, strides, 0, 0, groups, dilations)
        y = surround(y, [(-before, e - after) for (before, after), e in zip(pads, extra)])
    if b is not None:
        y = y + torch.from_numpy(b).reshape(1, -1, *[1] * rank)
    node = {'kind': 'convTranspose', 'strides': strides, 'dilations': dilations, 'padding': padding_json(pads),
            'outputPadding': extra, 'groups': groups, 'activation': activation}
    return case(name, node, {'x': x}, {'y': last(ACTIVATIONS[activation](y))}, {'kernel': kernel, 'bias': b})


def pool(name, op, extents, sizes, strides, pads, counts=False):
    x = numbers(2, *extents, 3)
    ones = [1] * len(sizes)
    around = [same(*each) for each in zip(extents, sizes, strides, ones)] if pads == 'same' else pads
    rank = len(sizes)
    if op == 'max':
        pools = {1: F.max_pool1d, 2: F.max_pool2d}
        y = pools[rank](surround(first(x), around, -math.inf), sizes, strides)
    else:
        pools = {1: F.avg_pool1d, 2: F.avg_pool2d}
        y = pools[rank](surround(first(x), around), sizes, strides)
        if not counts:
            inside = surround(torch.ones_like(first(x)), around)
            y = y / pools[rank](inside, sizes, strides)
    node = {'kind': 'pool', 'op': op, 'sizes': sizes, 'strides': strides, 'padding': padding_json(pads),
            'countsPadding': counts}
    return case(name, node, {'x': x}, {'y': last(y)})


def conv_cases():
    yield conv('conv1d', [7], [3], 2, 3, [1], [1], [(0, 0)])
    yield conv('conv1d, size 1', [4], [1], 3, 2, [1], [1], [(0, 0)], activation='tanh')
    yield conv('conv1d, one step', [1], [3], 2, 2, [1], [1], [(1, 1)])
    yield conv('conv1d, causal, dilated', [9], [3], 2, 3, [1], [2], [(4, 0)], activation='relu')
    yield conv('conv1d, uneven padding, stride 2', [8], [4], 2, 3, [2], [1], [(1, 2)], bias=False)
    yield conv('conv1d, groups', [6], [2], 6, 4, [1], [1], [(0, 1)], groups=2)
    yield conv('conv1d, depthwise', [6], [3], 3, 6, [2], [1], 'same', groups=3)
    yield conv('conv1d, groups of many features', [4], [2], 10, 4, [1], [1], [(0, 0)], groups=2)
    yield conv('conv1d, softmax', [5], [2], 2, 3, [1], [1], [(0, 0)], activation='softmax')
    for n, size, stride in itertools.product([6, 7], [2, 3, 5], [1, 2, 3]):
        yield conv(f'conv1d, same, {n} by {size}, stride {stride}', [n], [size], 1, 2, [stride], [1], 'same')
    yield conv('conv1d, same, dilated', [8], [3], 2, 2, [1], [3], 'same')
    yield conv('conv2d', [5, 6], [3, 2], 2, 3, [1, 1], [1, 1], [(0, 0), (0, 0)])
    yield conv('conv2d, everything', [7, 6], [2, 3], 4, 6, [2, 1], [3, 2], [(1, 2), (0, 3)], groups=2, activation='tanh')
    yield conv('conv2d, same', [7, 6], [4, 3], 3, 3, [2, 3], [1, 1], 'same', groups=3)
    yield conv('conv3d', [3, 4, 3], [2, 2, 1], 2, 2, [1, 2, 1], [1, 1, 1], [(0, 0), (1, 0), (0, 0)])

    yield conv_transpose('convTranspose1d', [4], [3], 2, 3, [1], [1], [(0, 0)], [0])
    yield conv_transpose('convTranspose1d, stride 2', [5], [4], 3, 2, [2], [1], [(1, 1)], [1], activation='relu')
    yield conv_transpose('convTranspose1d, gaps', [3], [2], 2, 2, [4], [1], [(0, 0)], [2])
    yield conv_transpose('convTranspose1d, uneven padding', [5], [5], 2, 2, [2], [1], [(1, 3)], [0], bias=False)
    yield conv_transpose('convTranspose1d, groups, dilated', [4], [3], 4, 6, [2], [2], [(1, 2)], [1], groups=2)
    for n, size, stride in itertools.product([1, 4], [1, 2, 3, 4], [1, 2, 3]):
        yield conv_transpose(f'convTranspose1d, same, {n} by {size}, stride {stride}',
                             [n], [size], 1, 2, [stride], [1], 'same', [0])
    yield conv_transpose('convTranspose2d', [3, 4], [3, 2], 2, 4, [2, 1], [1, 2], [(1, 0), (0, 1)], [1, 0], groups=2)
    yield conv_transpose('convTranspose2d, same', [3, 2], [3, 4], 2, 3, [2, 2], [1, 1], 'same', [0, 0], activation='softmax')

    for op, counts in (('max', False), ('average', False), ('average', True)):
        what = f'{op} pool{", counting" if counts else ""}'
        yield pool(f'{what}, 1d', op, [8], [2], [2], [(0, 0)], counts)
        yield pool(f'{what}, 1d, padded', op, [7], [3], [2], [(1, 1)], counts)
        yield pool(f'{what}, 1d, uneven', op, [7], [3], [1], [(0, 2)], counts)
        yield pool(f'{what}, 2d', op, [5, 6], [2, 3], [1, 2], [(1, 0), (1, 2)], counts)
        if not counts:
            yield pool(f'{what}, 1d, same', op, [7], [4], [2], 'same')
            yield pool(f'{what}, 2d, same', op, [5, 4], [2, 3], [2, 3], 'same')


def softmax(a):
    e = np.exp(a - a.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


def causal_mask(queries, keys):
    return np.tril(np.ones((queries, keys)))[None]


def attention(name, kind, with_key, scaled, masks=(), causal=False):
    rows, queries, keys, features, width = 2, 4, 5, 3, 3 if not with_key else 2
    query, value = numbers(rows, queries, features), numbers(rows, keys, width)
    key = numbers(rows, keys, features) if with_key else value
    inputs = {'query': query, 'value': value, **({'key': key} if with_key else {})}
    scale = (numbers(features) if kind == 'additive' else numbers()) if scaled else None
    concat = numbers() if kind == 'concat' else None
    s = 1.0 if scale is None else scale
    if kind == 'dot':
        scores = np.einsum('bqf,bkf->bqk', query, key) * s
    else:
        sums = query[:, :, None, :] + key[:, None, :, :]
        scores = (np.tanh(s * sums).sum(-1) * concat if kind == 'concat' else (s * np.tanh(sums)).sum(-1))
    seen = np.ones((rows, queries, keys))
    if 'value' in masks:
        inputs['valueMask'] = np.array([[1, 1, 0, 1, 0], [1, 0, 1, 1, 1.0]])
        seen = seen * inputs['valueMask'][:, None, :]
    if causal:
        seen = seen * causal_mask(queries, keys)
    weights = softmax(np.where(seen > 0, scores, -np.inf))
    y = np.einsum('bqk,bkw->bqw', weights, value)
    if 'query' in masks:
        inputs['queryMask'] = np.array([[1, 1, 0, 1], [0, 1, 1, 0.0]])
        y = y * inputs['queryMask'][:, :, None]
    node = {'kind': 'attention', 'score': 'dot' if kind == 'dot' else 'additive', 'causal': causal}
    return case(name, node, inputs, {'y': y, 'scores': weights}, {'scale': scale, 'concatWeight': concat})


def multi_head(name, with_key=False, biased=True, masks=(), causal=False, value_size=2):
    rows, queries, keys, heads, size, units = 2, 3, 4, 2, 3, 5
    features, width, key_width = 4, 3, 3 if not with_key else 2
    query, value = numbers(rows, queries, features), numbers(rows, keys, width)
    key = numbers(rows, keys, key_width) if with_key else value
    inputs = {'query': query, 'value': value, **({'key': key} if with_key else {})}
    weights = {
        'queryKernel': numbers(features, heads, size), 'keyKernel': numbers(key_width, heads, size),
        'valueKernel': numbers(width, heads, value_size), 'outputKernel': numbers(heads, value_size, units),
        'queryBias': numbers(heads, size), 'keyBias': numbers(heads, size),
        'valueBias': numbers(heads, value_size), 'outputBias': numbers(units),
    }
    if not biased:
        weights = {k: None if k.endswith('Bias') else v for k, v in weights.items()}
    bias = lambda which: 0 if weights[which] is None else weights[which]
    q = np.einsum('btf,fhs->bths', query, weights['queryKernel']) + bias('queryBias')
    k = np.einsum('btf,fhs->bths', key, weights['keyKernel']) + bias('keyBias')
    v = np.einsum('btf,fhs->bths', value, weights['valueKernel']) + bias('valueBias')
    scores = np.einsum('bqhs,bkhs->bhqk', q, k) / math.sqrt(size)
    given = {
        'queryMask': np.ones((rows, queries)),
        'valueMask': np.array([[1, 1, 0, 1], [1, 1, 1, 0.0]]),
        'keyMask': np.array([[1, 0, 1, 1], [1, 1, 1, 1.0]]),
        'attentionMask': np.array([[[1, 1, 1, 0], [1, 1, 1, 1], [1, 1, 1, 1.0]]] * 2),
        'sharedMask': np.array([[[1, 1, 0, 1], [1, 0, 1, 1], [1, 1, 1, 0.0]]]),
    }
    shapes = {'queryMask': (rows, queries, 1), 'valueMask': (rows, 1, keys), 'keyMask': (rows, 1, keys),
              'attentionMask': (rows, queries, keys), 'sharedMask': (1, queries, keys)}
    seen = np.ones((rows, queries, keys))
    for mask in masks:
        inputs['attentionMask' if mask == 'sharedMask' else mask] = given[mask]
        seen = seen * given[mask].reshape(shapes[mask])
    if causal:
        seen = seen * causal_mask(queries, keys)
    attended = softmax(np.where(seen[:, None] > 0, scores, -np.inf))
    context = np.einsum('bhqk,bkhs->bqhs', attended, v)
    y = np.einsum('bqhs,hsu->bqu', context, weights['outputKernel']) + bias('outputBias')
    node = {'kind': 'multiHeadAttention', 'heads': heads, 'keySize': size, 'valueSize': value_size, 'causal': causal}
    return case(name, node, inputs, {'y': y, 'scores': attended}, weights)


def check_against_torch():
    """The einsums above against torch.nn.MultiheadAttention, where both can do it."""
    heads, size, features = 2, 3, 6
    x = numbers(2, 4, features)
    layer = torch.nn.MultiheadAttention(features, heads, batch_first=True, dtype=torch.float64)
    with torch.no_grad():
        y, weights = layer(*[torch.from_numpy(x)] * 3, average_attn_weights=False)
        projections = np.einsum('btf,of->bto', x, layer.in_proj_weight.numpy()) + layer.in_proj_bias.numpy()
        q, k, v = (p.reshape(2, 4, heads, size) for p in np.split(projections, 3, -1))
        scores = softmax(np.einsum('bqhs,bkhs->bhqk', q, k) / math.sqrt(size))
        context = np.einsum('bhqk,bkhs->bqhs', scores, v).reshape(2, 4, features)
        mine = context @ layer.out_proj.weight.numpy().T + layer.out_proj.bias.numpy()
    assert abs(mine - y.numpy()).max() < 1e-13 and abs(scores - weights.numpy()).max() < 1e-13


def attention_cases():
    check_against_torch()
    for kind, scaled in itertools.product(['dot', 'additive', 'concat'], [False, True]):
        name = f'attention, {kind}{", scaled" if scaled else ""}'
        yield attention(name, kind, with_key=scaled, scaled=scaled)
    yield attention('attention, value mask', 'dot', True, False, ['value'])
    yield attention('attention, query mask', 'additive', False, True, ['query'])
    yield attention('attention, causal', 'dot', False, True, causal=True)
    yield attention('attention, everything', 'dot', True, True, ['query', 'value'], causal=True)
    yield multi_head('multiHeadAttention')
    yield multi_head('multiHeadAttention, key, no biases', with_key=True, biased=False, value_size=4)
    yield multi_head('multiHeadAttention, value mask', masks=['valueMask'])
    yield multi_head('multiHeadAttention, all masks, causal', with_key=True, causal=True,
                     masks=['queryMask', 'valueMask', 'keyMask', 'attentionMask'])
    yield multi_head('multiHeadAttention, one mask for all rows', masks=['sharedMask'])


BINARY = {
    'add': np.add, 'subtract': np.subtract, 'multiply': np.multiply, 'divide': np.divide, 'power': np.power,
    'maximum': np.maximum, 'minimum': np.minimum, 'modulo': np.mod, 'greater': np.greater,
    'greaterOrEqual': np.greater_equal, 'less': np.less, 'lessOrEqual': np.less_equal, 'equal': np.equal,
    'and': np.logical_and, 'or': np.logical_or, 'xor': np.logical_xor,
}
UNARY = {
    'abs': np.abs, 'negative': np.negative, 'reciprocal': np.reciprocal, 'sqrt': np.sqrt, 'exp': np.exp,
    'log': np.log, 'sin': np.sin, 'cos': np.cos, 'erf': np.vectorize(math.erf), 'floor': np.floor,
    'ceil': np.ceil, 'round': np.rint, 'sign': np.sign, 'not': np.logical_not,
}
REDUCTIONS = {
    'sum': np.sum, 'mean': np.mean, 'max': np.max, 'min': np.min, 'product': np.prod,
    'l1': lambda x, **k: np.abs(x).sum(**k), 'l2': lambda x, **k: np.sqrt(np.square(x).sum(**k)),
    'sumSquare': lambda x, **k: np.square(x).sum(**k), 'logSumExp': lambda x, **k: np.log(np.exp(x).sum(**k)),
}


def number_cases():
    inf, nan = math.inf, math.nan
    special = np.array([0, 1, -1, 2, -2.5, 3.5, 0.5, inf, -inf, nan])
    for op, function in BINARY.items():
        node = {'kind': 'binary', 'op': op}
        yield case(f'{op}, special numbers', node, {'a': special[:, None], 'b': special},
                   {'y': function(special[:, None], special)})
        a, b = numbers(2, 1, 3), numbers(4, 1)
        yield case(f'{op}, broadcast', node, {'a': a, 'b': b}, {'y': function(a, b)})
    x = np.array([0, 0.3, -0.3, 0.5, -0.5, 1.5, -1.5, 2.5, -2.5, 0.49999999999999994, 7.25, -3, 1e16, inf, -inf, nan])
    for op, function in UNARY.items():
        # sin and cos of large numbers depend on libm: reductions of the argument differ.
        points = np.where(np.abs(x) == 1e16, 40, x) if op in ('sin', 'cos') else x
        yield case(op, {'kind': 'unary', 'op': op}, {'x': points}, {'y': function(points)})
    c, a, b = np.array([[0, 1, -2], [nan, 0, 0.5]]), numbers(3), numbers(4, 1, 1)
    yield case('where', {'kind': 'where'}, {'condition': c, 'a': a, 'b': b}, {'y': np.where(c, a, b)})
    x = numbers(2, 3, 4)
    for op, function in REDUCTIONS.items():
        for axes, keep in (([0, 1, 2], False), ([1], False), ([2], True), ([0, 2], True), ([0, 1], False), ([], False)):
            node = {'kind': 'reduce', 'op': op, 'axes': axes, 'keepAxes': keep}
            yield case(f'{op} over {axes}{", kept" if keep else ""}', node, {'x': x},
                       {'y': function(x, axis=tuple(axes), keepdims=keep)})
    large = np.array([[1000, 1001.5], [-inf, -inf], [inf, 3]])
    yield case('logSumExp of large numbers', {'kind': 'reduce', 'op': 'logSumExp', 'axes': [1], 'keepAxes': False},
               {'x': large}, {'y': torch.logsumexp(torch.from_numpy(large), 1).numpy()})
    for a, b in (([3], [3]), ([2, 3], [3]), ([3], [3, 2]), ([3], [2, 3, 4]), ([2, 2, 3], [3]), ([2, 3], [3, 4]),
                 ([5, 2, 3], [3, 4]), ([2, 1, 2, 3], [5, 3, 4]), ([2, 0], [0, 3]), ([0, 2, 3], [3, 1])):
        p, q = numbers(*a), numbers(*b)
        yield case(f'matmul {a} {b}', {'kind': 'matmul'}, {'a': p, 'b': q}, {'y': np.matmul(p, q)})
    for axis, log in itertools.product(range(3), [False, True]):
        function = torch.log_softmax if log else torch.softmax
        yield case(f'softmax over {axis}{", log" if log else ""}', {'kind': 'softmax', 'axis': axis, 'log': log},
                   {'x': 50 * x}, {'y': function(torch.from_numpy(50 * x), axis).numpy()})
    for count in (0, 1, 5):
        yield case(f'range {count}', {'kind': 'range', 'count': count}, {}, {'y': np.arange(count, dtype=float)})
    for mode, shape, pads in (
        ('constant', [3, 2], [(1, 2), (0, 3)]), ('edge', [3, 2], [(2, 1), (1, 0)]), ('reflect', [3, 4], [(2, 1), (3, 0)]),
        ('reflect', [3], [(7, 5)]), ('reflect', [1], [(2, 1)]), ('constant', [0, 2], [(1, 1), (0, 0)]),
    ):
        z = numbers(*shape)
        node = {'kind': 'pad', 'mode': mode, 'value': 1.5, 'pads': padding_json(pads)}
        options = {'constant_values': 1.5} if mode == 'constant' else {}
        yield case(f'pad {shape}, {mode}, {pads}', node, {'x': z}, {'y': np.pad(z, pads, mode, **options)})


if __name__ == '__main__':
    folder = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else 'test/fixtures/tensor')
    folder.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(SEED)
    with np.errstate(all='ignore'):
        for name, cases in (('conv', conv_cases()), ('attention', attention_cases()), ('numbers', number_cases())):
            lines = ',\n'.join(json.dumps(each, separators=(',', ':')) for each in cases)
            (folder / f'{name}.json').write_text(f'[\n{lines}\n]\n')
