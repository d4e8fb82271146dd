#!/usr/bin/env python3
"""Writes test/fixtures/vectors.json: layers of vectors with the outputs that PyTorch computes.

    python3 tools/make_vector_fixtures.py [test/fixtures/vectors.json]

Needs PyTorch (written with 1.13). Seeded. An array of cases:

    name      unique
    node      a node of the graph without its wiring: kind, attributes, weights as tensors
    inputs    by port: { shape, data }
    outputs   by port, of torch in float64

Weights and inputs are multiples of 2⁻⁶: exact in float32.
"""

import json
import pathlib
import sys

import torch
import torch.nn.functional as F

torch.manual_seed(20161)
torch.set_default_dtype(torch.float64)
cases = []


def draw(*shape, low=-64, high=64):
    return torch.randint(low, high + 1, shape).double() / 64


def plain(tensor):
    return {'shape': list(tensor.shape), 'data': tensor.flatten().tolist()}


def case(name, node, inputs, outputs):
    weights = {k: None if v is None else plain(v) for k, v in node.pop('weights', {}).items()}
    cases.append({
        'name': name,
        'node': {**node, 'weights': weights},
        'inputs': {k: plain(v) for k, v in inputs.items()},
        'outputs': {k: plain(v) for k, v in outputs.items()},
    })


for name, shape in (('steps', (2, 9, 6)), ('rows', (3, 6)), ('four axes', (2, 3, 2, 6))):
    x = draw(*shape)
    gamma, beta, mean = draw(6), draw(6), draw(6)
    variance = draw(6, low=1)
    y = F.batch_norm(x.reshape(-1, 6), mean, variance, gamma, beta, eps=1e-3).reshape(shape)
    weights = {'gamma': gamma, 'beta': beta, 'mean': mean, 'variance': variance}
    case(f'batch norm, {name}', {'kind': 'batchNorm', 'epsilon': 1e-3, 'weights': weights}, {'x': x}, {'y': y})
    y = F.layer_norm(x, (6,), gamma, beta, eps=1e-3)
    weights = {'gamma': gamma, 'beta': beta}
    case(f'layer norm, {name}', {'kind': 'layerNorm', 'epsilon': 1e-3, 'axes': 1, 'weights': weights}, {'x': x}, {'y': y})
    alpha = draw(6)
    y = F.prelu(x.reshape(-1, 6), alpha).reshape(shape)
    case(f'prelu, {name}', {'kind': 'prelu', 'weights': {'alpha': alpha}}, {'x': x}, {'y': y})
    scale, shift = draw(6), draw(1)
    case(f'affine, {name}', {'kind': 'affine', 'weights': {'scale': scale, 'shift': shift}}, {'x': x}, {'y': x * scale + shift})
    y = F.softmax(x, dim=-1)
    case(f'softmax, {name}', {'kind': 'activation', 'activation': {'kind': 'softmax', 'parameters': []}}, {'x': x}, {'y': y})
    kernel, bias = draw(6, 5), draw(5)
    node = {'kind': 'dense', 'features': 6, 'units': 5, 'activation': {'kind': 'tanh', 'parameters': []}}
    case(f'dense, {name}', {**node, 'weights': {'kernel': kernel, 'bias': bias}}, {'x': x}, {'y': torch.tanh(x @ kernel + bias)})

x = draw(2, 9, 6)
case('layer norm without weights', {'kind': 'layerNorm', 'epsilon': 1e-5, 'axes': 1, 'weights': {'gamma': None, 'beta': None}}, {'x': x}, {'y': F.layer_norm(x, (6,))})
gamma = draw(9, 6)
case('layer norm over two axes', {'kind': 'layerNorm', 'epsilon': 1e-5, 'axes': 2, 'weights': {'gamma': gamma, 'beta': None}}, {'x': x}, {'y': F.layer_norm(x, (9, 6), gamma)})
wide = draw(1, 3, 37, low=-640, high=640)
case('layer norm, 37 wide', {'kind': 'layerNorm', 'epsilon': 1e-5, 'axes': 1, 'weights': {'gamma': None, 'beta': None}}, {'x': wide}, {'y': F.layer_norm(wide, (37,))})

table = draw(7, 5)
for name, shape in (('tokens', (3, 8)), ('rows', (4,)), ('three axes', (2, 3, 2))):
    x = torch.randint(0, 7, shape)
    node = {'kind': 'embedding', 'units': 5, 'weights': {'table': table}}
    case(f'embedding, {name}', node, {'x': x.double()}, {'y': F.embedding(x, table), 'mask': (x != 0).double()})

x = draw(3, 7, 4)
x[0, 2:4] = -0.5
x[2] = -0.5
keep = (x != -0.5).any(dim=-1).double()
case('masking', {'kind': 'masking', 'value': -0.5}, {'x': x}, {'y': x * keep[..., None], 'mask': keep})

for size, stride, dilation, groups, padding in (
    (3, 1, 1, 1, 'causal'), (2, 1, 4, 1, 'causal'), (1, 1, 1, 1, 'causal'), (5, 1, 2, 1, 'causal'),
    (3, 1, 1, 1, (0, 0)), (3, 2, 1, 1, (1, 1)), (4, 1, 2, 1, 'same'), (3, 3, 1, 2, 'same'), (3, 2, 1, 1, 'causal'),
    (3, 1, 1, 2, 'causal'),
):
    features, units, steps = 6, 8, 41
    x = draw(2, steps, features)
    kernel, bias = draw(size, features // groups, units), draw(units)
    reach = (size - 1) * dilation
    if padding == 'causal':
        before, after = reach, 0
    elif padding == 'same':
        # TensorFlow: as many windows as ⌈steps / stride⌉, the odd zero after.
        total = max((-(-steps // stride) - 1) * stride + reach + 1 - steps, 0)
        before, after = total // 2, total - total // 2
    else:
        before, after = padding
    padded = F.pad(x.transpose(1, 2), (before, after))
    y = F.conv1d(padded, kernel.permute(2, 1, 0), bias, stride=stride, dilation=dilation, groups=groups)
    node = {
        'kind': 'conv1d', 'features': features, 'units': units, 'size': size, 'stride': stride,
        'dilation': dilation, 'groups': groups,
        'padding': 'same' if padding == 'same' else {'before': before, 'after': after},
        'activation': {'kind': 'relu', 'parameters': []},
        'weights': {'kernel': kernel, 'bias': bias},
    }
    name = f'conv1d of {size}, stride {stride}, dilation {dilation}, groups {groups}, {padding}'
    case(name, node, {'x': x}, {'y': torch.relu(y).transpose(1, 2)})

a, b, c = draw(2, 5, 6), draw(2, 5, 6), draw(2, 5, 6)
merges = {
    'add': a + b + c, 'multiply': a * b * c, 'average': (a + b + c) / 3,
    'maximum': torch.maximum(torch.maximum(a, b), c), 'minimum': torch.minimum(torch.minimum(a, b), c),
    'concatenate': torch.cat([a, b, c], dim=-1),
}
for mode, y in merges.items():
    case(f'merge: {mode}', {'kind': 'merge', 'mode': mode}, {'0': a, '1': b, '2': c}, {'y': y})
case('merge: subtract', {'kind': 'merge', 'mode': 'subtract'}, {'0': a, '1': b}, {'y': a - b})
case('merge: divide', {'kind': 'merge', 'mode': 'divide'}, {'0': a, '1': b.sign() + 2}, {'y': a / (b.sign() + 2)})

target = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else 'test/fixtures/vectors.json')
target.write_text('[\n' + ',\n'.join(json.dumps(each, separators=(',', ':')) for each in cases) + '\n]\n')
print(f'{len(cases)} cases, {target.stat().st_size} bytes')
