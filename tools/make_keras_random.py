#!/usr/bin/env python3
"""Writes random Keras models of every kind, with the outputs of tools/keras_oracle.py.

    python3 tools/make_keras_random.py FOLDER [COUNT [SEED]] [--containers]
    GRUV_KERAS_CASES=FOLDER npx vitest run test/formats/keras.test.ts

Layers, settings, versions, containers and storage are drawn at random: graphs with shared and
nested layers, masks, states, wrappers; `.h5` of Keras 2 and 3, `.keras`, TF.js, SavedModels. FOLDER gets a
cases.json like that of the fixtures. With --containers, Keras 3 alone, operations between its
layers too, and each model as `.keras`, as `.h5` and for TF.js, where neither has modules and arrays
are named with or without their wrappers. Needs h5py and NumPy; no Keras. Nothing here is part of the
test suite: it looks for what the fixtures do not cover, and what it finds becomes one.
"""

import io
import json
import re
import sys
import zipfile
from pathlib import Path

import h5py
import keras_oracle as oracle
import make_tensorflow_fixtures as tf
import numpy as np

VERSIONS = ['2.1.6', '2.2.2', '2.3.1', '2.6.0', '2.15.0', '3.0.5', '3.3.3', '3.8.0', '3.16.0']
ACTS = ['linear', 'tanh', 'relu', 'sigmoid', 'elu', 'selu', 'softplus', 'softsign', 'swish', 'gelu', 'hard_sigmoid',
        'exponential']  # fmt: skip
CELL_ACTS = ['tanh', 'relu', 'sigmoid', 'softsign', 'elu', 'linear']
GATE_ACTS = ['sigmoid', 'sigmoid', 'hard_sigmoid', 'tanh']
GATES = {'GRU': 3, 'LSTM': 4, 'SimpleRNN': 1}


# What differs between containers: whether modules are written, and wrappers' names before arrays.
WRITE = {'modules': True, 'wrappers': True}


def operations(rng, x, y, fixed):
    """A class, its settings, its arguments (None for a tensor), how many tensors it takes, at random."""
    rank, last = x.ndim, x.shape[-1]
    number = float(rng.integers(1, 9)) / 4 * (1 if rng.integers(2) else -1)
    # Steps that are open may not become features.
    axis = int(rng.integers(1, rank if fixed or rank == 2 else 2))
    axis -= rank if rng.integers(2) else 0
    every, end = slice(None), [-1, 0, slice(1, None), slice(None, None, -1)]
    one = [
        *[(k, {}, [None, number]) for k in ('Add', 'Subtract', 'Multiply', 'Maximum', 'Minimum', 'Divide')],
        *[(k, {}, [number, None]) for k in ('Add', 'Subtract', 'Multiply')],
        ('Multiply', {}, [None, (rng.integers(-8, 9, last) / 4).tolist()]),
        *[(k, {'axis': axis, 'keepdims': bool(rng.integers(2))}, [None]) for k in ('Mean', 'Sum', 'Max', 'Min')],
        ('Average', {'axis': axis}, [None]),
        ('Softmax', {'axis': axis}, [None]),
        *[(k, {}, [None]) for k in ('Relu', 'Sigmoid', 'Tanh', 'Square', 'Negative', 'Absolute')],
        ('Clip', {'x_min': -0.5, 'x_max': 0.75}, [None]),
        ('ExpandDims', {'axis': 1}, [None]) if rank == 2 else ('GetItem', {}, [None, [every, end[rng.integers(4)]]]),
        ('GetItem', {}, [None, [Ellipsis, slice(0, max(1, last - 1))]]),
        ('Flip', {'axis': axis}, [None]),
        ('Greater', {}, [None, number]),
        ('NotEqual', {}, [None, 0.5]),
    ]  # fmt: skip
    two = [(k, {}, [None, None]) for k in ('Add', 'Subtract', 'Multiply', 'Maximum')]
    two += [('Concatenate', {'axis': -1}, [[None, None]]), ('Stack', {'axis': 1}, [[None, None]])]
    if rank == 3 and fixed:
        one += [('Transpose', {'axes': [0, 2, 1]}, [None])]
    return two[rng.integers(len(two))] if rng.random() < 0.3 else one[rng.integers(len(one))]


def filled(template, tensors):
    """The arguments, with a tensor at each None."""
    if template is None:
        return next(tensors)
    return [filled(each, tensors) for each in template] if isinstance(template, list) else template


def argument_json(value):
    if isinstance(value, list):
        return [argument_json(each) for each in value]
    if isinstance(value, slice):
        return {'class_name': '__slice__', 'config': {'start': value.start, 'stop': value.stop, 'step': value.step}}
    return {'class_name': '__ellipsis__', 'config': {}} if value is Ellipsis else value


class Builder:
    def __init__(self, rng, version, name, depth=0):
        self.rng, self.text, self.name, self.depth = rng, version, name, depth
        self.version = tuple(int(n) for n in version.split('.')[:2])
        self.layers, self.inputs, self.order, self.values, self.names = {}, [], [], {}, {}

    def one(self, *options):
        return options[self.rng.integers(len(options))]

    def chance(self, p):
        return self.rng.random() < p

    def some(self, *shape, scale=40):
        return self.rng.integers(-scale, scale + 1, shape) / 64.0

    def fresh(self, kind):
        kind = kind.replace('ops.', 'Op')
        snake = re.sub('([a-z])([A-Z])', r'\1_\2', re.sub('(.)([A-Z][a-z]+)', r'\1_\2', kind)).lower()
        n = self.names[snake] = self.names.get(snake, -1) + 1
        inner = '' if self.depth == 0 else f'_in{self.name[-4:]}'
        return (snake if n == 0 else f'{snake}_{n}') + inner

    def input(self, array, shape, mask=None):
        name = self.fresh('Input')
        self.layers[name] = {'name': name, 'kind': 'InputLayer', 'config': {'shape': shape}, 'weights': {}, 'calls': []}
        self.inputs.append(name)
        self.values[(name, 0, 0)] = (array, mask)
        return (name, 0, 0)

    def value(self, ref):
        return self.values[ref][0]

    def call(self, kind, config, weights, args, kwargs=None, layer=None, model=None):
        if layer is None:
            name = self.fresh(kind)
            layer = {'name': name, 'kind': kind, 'config': config, 'weights': weights, 'calls': [], 'model': model}
            self.layers[name] = layer
        pairs = [self.values[a] for a in args]
        nested = None
        inner = model or (config.get('layer', {}).get('model') if isinstance(config, dict) else None)
        if inner:
            nested = lambda given: oracle.run(inner, given, self.version)
        results = oracle.call(layer['kind'], layer['config'], layer['weights'], [p[0] for p in pairs],
                              [p[1] for p in pairs], kwargs or {}, self.version, nested)  # fmt: skip
        layer['calls'].append((args, kwargs or {}))
        index = len(layer['calls']) - 1
        self.order.append((layer, index))
        for i, pair in enumerate(results):
            self.values[(layer['name'], index, i)] = pair
        return [(layer['name'], index, i) for i in range(len(results))]

    def operate(self, x, y):
        kind, settings, template = operations(self.rng, self.value(x), self.value(y), self.fixed)
        args = [x, y][: json.dumps(argument_json(template)).count('null') if kind != 'GetItem' else 1]
        return self.call(f'ops.{kind}', {'settings': settings, 'template': template}, {}, args)

    # --- layers at random ------------------------------------------------------------------

    def rnn_config(self, sequences, state=False, kind=None):
        kind = kind or self.one('GRU', 'GRU', 'LSTM', 'SimpleRNN')
        c = {'units': int(self.rng.integers(1, 6)), 'activation': self.one('tanh', *CELL_ACTS[:3]),
             'use_bias': not self.chance(0.2), 'return_sequences': sequences, 'return_state': state,
             'go_backwards': self.chance(0.2)}  # fmt: skip
        if kind != 'SimpleRNN':
            c['recurrent_activation'] = self.one(*GATE_ACTS)
        if kind == 'GRU':
            c['reset_after'] = self.chance(0.6) and self.version >= (2, 1)
        if self.version >= (2, 6) and self.chance(0.3):
            c['zero_output_for_mask'] = True
        if self.version >= (3, 0) or self.chance(0.5):
            c['stateful'] = False
            c['unroll'] = self.fixed and self.chance(0.3)
        if self.version < (3, 0) and self.chance(0.5):
            c['implementation'] = self.one(0, 1, 2)
        c['dropout'] = self.one(0.0, 0.3)
        return kind, c

    def rnn_weights(self, kind, c, features, prefix='cell/'):
        u, g = c['units'], GATES[kind]
        w = {'kernel': self.some(features, g * u), 'recurrent_kernel': self.some(u, g * u)}
        if c.get('use_bias', True):
            w['bias'] = self.some(*([2] if kind == 'GRU' and c.get('reset_after') else []), g * u)
        return {prefix + k: v for k, v in w.items()}

    def rnn(self, x, sequences, state=False, initial=()):
        features = self.value(x).shape[-1]
        kind, c = self.rnn_config(sequences, state)
        if initial:
            c['units'] = self.value(initial[0]).shape[-1]
            kind = 'LSTM' if len(initial) == 2 else self.one('GRU', 'SimpleRNN')
            if kind == 'SimpleRNN':
                c.pop('recurrent_activation', None), c.pop('reset_after', None)
            elif 'recurrent_activation' not in c:
                c['recurrent_activation'] = 'sigmoid'
            if kind != 'GRU':
                c.pop('reset_after', None)
            else:
                c.setdefault('reset_after', True)
        return self.call(kind, c, self.rnn_weights(kind, c, features), [x, *initial])

    def stacked(self, x, sequences, state=False):
        features, cells, w = self.value(x).shape[-1], [], {}
        count = int(self.rng.integers(1, 4))
        single = count == 1 and self.chance(0.7)
        for i in range(count):
            kind, c = self.rnn_config(False)
            c = {k: v for k, v in c.items() if k in ('units', 'activation', 'use_bias', 'recurrent_activation', 'reset_after')}
            c['name'] = f'{kind.lower()}_cell_{i}'
            cells.append({'class_name': f'{kind}Cell', 'config': c})
            w.update(self.rnn_weights(kind, c, features, 'cell/' if single else f'cell/cells/{i}/'))
            features = c['units']
        cell = cells[0] if single else {'class_name': 'StackedRNNCells', 'config': {'name': 'stack', 'cells': cells}}
        c = {'cell': cell, 'return_sequences': sequences, 'return_state': state,
             'go_backwards': self.chance(0.2)}  # fmt: skip
        return self.call('RNN', c, w, [x])

    def bidirectional(self, x, sequences, state=False):
        features = self.value(x).shape[-1]
        kind, c = self.rnn_config(sequences, state)
        c['go_backwards'] = False if self.version < (2, 3) else c['go_backwards']
        own = f'{kind.lower()}_{self.name[-4:]}_{len(self.layers)}'
        inner = {'class_name': kind, 'config': {'name': own, **c}}
        config = {'layer': inner, 'merge_mode': self.one('concat', 'sum', 'mul', 'ave', None)}
        backward = c
        if self.version >= (2, 3) and self.chance(0.3):
            _, other = self.rnn_config(sequences, state, kind=kind)
            backward = {**other, 'units': c['units'], 'go_backwards': not c['go_backwards']}
            config['backward_layer'] = {'class_name': kind, 'config': {'name': 'other', **backward}}
        w = {**self.rnn_weights(kind, c, features, 'forward_layer/cell/'),
             **self.rnn_weights(kind, backward, features, 'backward_layer/cell/')}  # fmt: skip
        return self.call('Bidirectional', config, w, [x])

    def dense(self, x, units=None, act=None):
        n = units or int(self.rng.integers(1, 6))
        bias = not self.chance(0.2)
        w = {'kernel': self.some(self.value(x).shape[-1], n)}
        if bias:
            w['bias'] = self.some(n)
        return self.call('Dense', {'units': n, 'activation': act or self.one(*ACTS, 'softmax'), 'use_bias': bias}, w, [x])

    def batch_norm(self, x, axis=None):
        rank = self.value(x).ndim
        axis = self.one(-1, [rank - 1], rank - 1) if axis is None else axis
        n = self.value(x).shape[(axis[0] if isinstance(axis, list) else axis)]
        c = {'axis': axis, 'epsilon': self.one(1e-3, 1e-5), 'scale': not self.chance(0.3), 'center': not self.chance(0.3)}
        w = {}
        if c['scale']:
            w['gamma'] = self.some(n)
        if c['center']:
            w['beta'] = self.some(n)
        w.update(moving_mean=self.some(n), moving_variance=self.some(n) ** 2 + 0.25)
        return self.call('BatchNormalization', c, w, [x])

    def layer_norm(self, x):
        n = self.value(x).shape[-1]
        c = {'axis': self.one(-1, [self.value(x).ndim - 1]), 'epsilon': self.one(1e-3, 1e-2), 'scale': not self.chance(0.3),
             'center': not self.chance(0.3)}  # fmt: skip
        w = ({'gamma': self.some(n)} if c['scale'] else {}) | ({'beta': self.some(n)} if c['center'] else {})
        return self.call('LayerNormalization', c, w, [x])

    def conv(self, x):
        features, steps = self.value(x).shape[-1], self.value(x).shape[1]
        size = int(self.rng.integers(1, 4))
        padding = self.one('valid', 'same', 'causal')
        stride, dil = self.one((1, 1), (1, 1), (2, 1), (1, 2))
        if padding == 'valid' and (size - 1) * dil + 1 > steps:
            padding = 'same'
        groups = features if features > 1 and self.chance(0.2) and self.version >= (2, 6) else 1
        units = groups * int(self.rng.integers(1, 4))
        c = {'filters': units, 'kernel_size': [size], 'strides': [stride], 'padding': padding, 'dilation_rate': [dil],
             'activation': self.one(*ACTS), 'use_bias': not self.chance(0.2)}  # fmt: skip
        if self.version >= (2, 6):
            c['groups'] = groups
        w = {'kernel': self.some(size, features // groups, units)}
        if c['use_bias']:
            w['bias'] = self.some(units)
        return self.call('Conv1D', c, w, [x])

    def pool(self, x):
        size = int(self.rng.integers(1, 4))
        kind, padding = self.one('MaxPooling1D', 'AveragePooling1D'), self.one('valid', 'same')
        if size > self.value(x).shape[1]:
            padding = 'same'
        return self.call(kind, {'pool_size': self.one([size], size), 'strides': self.one([size], None, [1], [2]),
                                'padding': padding}, {}, [x])  # fmt: skip

    def simple(self, x):
        """Layers that keep the shape."""
        rank, c = self.value(x).ndim, {}
        kind = self.one('Activation', 'LeakyReLU', 'ELU', 'PReLU', 'ReLU', 'Softmax', 'Dropout', 'GaussianNoise',
                        'ActivityRegularization', 'AlphaDropout')  # fmt: skip
        w = {}
        if kind == 'Activation':
            c = {'activation': self.one(*ACTS, 'softmax')}
        elif kind == 'LeakyReLU':
            c = {'negative_slope': 0.125}
        elif kind == 'ELU':
            c = {'alpha': 0.75}
        elif kind == 'PReLU':
            shape = self.value(x).shape[1:]
            shared = [1] if rank == 3 and self.chance(0.6) else None
            if rank == 3 and shared is None and not self.fixed:
                shared = [1]
            w = {'alpha': self.some(*[1 if shared and i + 1 in shared else n for i, n in enumerate(shape)])}
            c = {'shared_axes': shared}
        elif kind == 'ReLU':
            c = self.one({'max_value': 0.5, 'negative_slope': 0.0, 'threshold': 0.0}, {'max_value': None,
                         'negative_slope': 0.25, 'threshold': 0.0}, {'max_value': None, 'negative_slope': 0.0, 'threshold':
                         0.25}, {'max_value': 1.5, 'negative_slope': 0.25, 'threshold': 0.125})  # fmt: skip
        elif kind == 'Softmax':
            c = {'axis': self.one(-1, rank - 1, 1)}
            if self.values[x][1] is not None:  # Keras itself fails there
                kind, c = 'Activation', {'activation': 'softmax'}
        elif kind != 'ActivityRegularization':
            c = {'rate': 0.25} if 'Dropout' in kind else {'stddev': 0.5}
        return self.call(kind, c, w, [x])

    def distributed(self, x):
        """TimeDistributed around a Dense, a LayerNormalization, an RNN, a model."""
        v = self.value(x)
        inside = Builder(self.rng, self.text, f'td{len(self.layers):04d}', self.depth + 1)
        inside.fixed = True
        given = inside.input(v[:, 0], [None, *v.shape[2:]])
        what = self.one('dense', 'norm', 'batch', 'act', 'model', 'model')
        if what == 'model':
            y = inside.dense(given)[0]
            y = inside.batch_norm(y)[0] if self.chance(0.5) else y
            y = inside.dense(y)[0]
            inside.outputs = [y]
            inside.kind = self.one('Functional', 'Sequential')
            layer = {'class_name': inside.kind, 'model': inside, 'config': {'layer_name': inside.name}}
            return self.call('TimeDistributed', {'layer': layer}, {}, [x])
        y = {'dense': inside.dense, 'norm': inside.layer_norm, 'batch': inside.batch_norm,
             'act': lambda g: inside.call('Activation', {'activation': 'tanh'}, {}, [g])}[what](given)  # fmt: skip
        each = inside.layers[y[0][0]]
        layer = {'class_name': each['kind'], 'config': {'name': each['name'], **each['config']}}
        return self.call('TimeDistributed', {'layer': layer}, {f'layer/{k}': w for k, w in each['weights'].items()}, [x])

    def attend(self, x, y):
        kind = self.one('Attention', 'AdditiveAttention', 'MultiHeadAttention')
        n, m = self.value(x).shape[-1], self.value(y).shape[-1]
        kwargs = {'use_causal_mask': True} if self.version >= (2, 10) and self.chance(0.3) else {}
        if kind == 'MultiHeadAttention':
            heads, size, inner = int(self.rng.integers(1, 4)), int(self.rng.integers(1, 4)), int(self.rng.integers(1, 4))
            bias = not self.chance(0.3)
            out = self.one(n, 3)
            w = {}
            for part, f, d in (('query', n, size), ('key', m, size), ('value', m, inner)):
                w[f'{part}_dense/kernel'] = self.some(f, heads, d)
                if bias:
                    w[f'{part}_dense/bias'] = self.some(heads, d)
            w['output_dense/kernel'] = self.some(heads, inner, out)
            if bias:
                w['output_dense/bias'] = self.some(out)
            c = {'num_heads': heads, 'key_dim': size, 'value_dim': inner, 'use_bias': bias, 'dropout': 0.1,
                 'output_shape': None if out == n else [out]}  # fmt: skip
            return self.call(kind, c, w, [x, y], kwargs)
        if n != m:
            y = self.dense(y, n)[0]
        scale = self.chance(0.5)
        w = {}
        c = {'use_scale': scale, 'dropout': 0.1}
        if kind == 'Attention' and self.version >= (2, 10) and self.chance(0.4):
            c['score_mode'] = 'concat'
            w['concat_score_weight'] = np.array(0.75)
        if scale:
            w = {'scale': np.array(0.5) if kind == 'Attention' else self.some(n), **w}
        if self.version < (2, 10) and self.version >= (2, 3):
            c['causal'] = self.chance(0.5)
        if self.version >= (2, 6) and self.chance(0.3):
            kwargs = {**kwargs, 'return_attention_scores': True}
        return self.call(kind, c, w, [x, y], kwargs)[:1]

    def nest(self, x):
        v, mask = self.values[x]
        inside = Builder(self.rng, self.text, f'model{len(self.layers):04d}', self.depth + 1)
        inside.fixed = self.fixed
        at = inside.input(v, [None, *([None] if v.ndim == 3 and not self.fixed else v.shape[1:2] if v.ndim == 3 else []), v.shape[-1]], mask)
        inside.kind = self.one('Functional', 'Sequential')
        y = at
        for _ in range(int(self.rng.integers(1, 4))):
            step = [inside.dense, inside.simple, inside.batch_norm]
            if inside.value(y).ndim == 3:
                step += [lambda a: inside.rnn(a, True), lambda a: inside.bidirectional(a, True), inside.conv]
            y = step[self.rng.integers(len(step))](y)[0]
            if inside.kind == 'Sequential' and len(inside.layers[y[0]]['calls'][0][0]) > 1:
                inside.kind = 'Functional'
            if inside.layers[y[0]]['config'].get('merge_mode', 0) is None:
                inside.kind = 'Functional'
        if self.depth < 1 and self.chance(0.3) and inside.kind == 'Functional':
            y = inside.nest(y)[0]
        inside.outputs = [y]
        return self.call(inside.kind, {}, {}, [x], model=inside)

    def again(self, x):
        """A layer called a second time, where what it is given has the same features."""
        features, rank = self.value(x).shape[-1], self.value(x).ndim
        for layer in self.layers.values():
            if layer['kind'] in ('Dense', 'GRU', 'LSTM', 'Functional', 'Bidirectional') and len(layer['calls'][0][0]) == 1:
                first = self.value(layer['calls'][0][0][0])
                if first.shape[-1] == features and first.ndim == rank and (first.shape[1] == self.value(x).shape[1] or layer['kind'] != 'Functional'):
                    return self.call(layer['kind'], layer['config'], layer['weights'], [x], layer=layer,
                                     model=layer.get('model'))  # fmt: skip
        return self.dense(x)


def build(rng, version, operating=False):
    b = Builder(rng, version, 'model')
    b.fixed = b.chance(0.4)
    steps = 6
    T = steps if b.fixed else None
    pool = [b.input(b.some(2, steps, 3, scale=128), [None, T, 3])]
    if b.chance(0.5):
        ids = rng.integers(0, 5, (2, steps))
        ids[:, rng.integers(0, 3)] = 2
        words = b.input(ids, [None, T])
        zero = b.chance(0.7)
        pool += b.call('Embedding', {'input_dim': 5, 'output_dim': 3, 'mask_zero': zero}, {'embeddings': b.some(5, 3)}, [words])
    if b.chance(0.4):
        b.value(pool[0])[:, [1, 4]] = b.one(0.0, 0.5)
        b.value(pool[0])[0, 1, 0] += 0.25
        pool += b.call('Masking', {'mask_value': b.one(0.0, 0.5)}, {}, [pool[0]])
    ends = []
    for _ in range(int(rng.integers(3, 11))):
        x = pool[rng.integers(len(pool))]
        rank, shape = b.value(x).ndim, b.value(x).shape
        pick = rng.integers(20)
        if abs(b.value(x)).max() > 50:
            y = b.dense(x, act='tanh')
        elif operating and b.chance(0.4):
            same = [p for p in pool if b.value(p).shape == shape]
            y = b.operate(x, same[rng.integers(len(same))])
        elif pick < 2:
            y = b.simple(x)
        elif pick == 2:
            y = b.dense(x)
        elif pick == 3:
            y = b.batch_norm(x)
        elif pick == 4:
            y = b.nest(x)
        elif pick == 5:
            y = b.again(x)
        elif pick == 6:
            same = [p for p in pool if b.value(p).shape == shape]
            others = [same[rng.integers(len(same))] for _ in range(int(rng.integers(1, 3)))]
            kind = b.one('Add', 'Multiply', 'Average', 'Maximum', 'Subtract', 'Concatenate')
            if kind == 'Subtract':
                others = others[:1]
            c = {'axis': b.one(-1, rank - 1, *([1] if rank == 3 else []))} if kind == 'Concatenate' else {}
            y = b.call(kind, c, {}, [x, *others])
        elif rank == 2:
            y = b.call('RepeatVector', {'n': 4}, {}, [x]) if pick < 10 else b.dense(x)
        elif pick == 7:
            y = b.layer_norm(x)
        elif pick < 10:
            y = b.rnn(x, not b.chance(0.3), b.chance(0.3))
        elif pick == 10:
            y = b.stacked(x, not b.chance(0.3), b.chance(0.3))
        elif pick < 13:
            y = b.bidirectional(x, not b.chance(0.3), b.chance(0.2))
        elif pick == 13:
            y = b.conv(x)
        elif pick == 14:
            y = b.pool(x)
        elif pick == 15:
            y = b.distributed(x)
        elif pick == 16:
            same = [p for p in pool if b.value(p).ndim == 3]
            y = b.attend(x, same[rng.integers(len(same))])
        elif pick == 17:
            y = b.call(b.one('GlobalAveragePooling1D', 'GlobalMaxPooling1D'), {'keepdims': True} if version >= '2.6' and
                       b.chance(0.3) else {}, {}, [x])  # fmt: skip
        elif pick == 18:
            y = b.one(lambda: b.call('ZeroPadding1D', {'padding': [1, 2]}, {}, [x]),
                      lambda: b.call('UpSampling1D', {'size': 2}, {}, [x]))()  # fmt: skip
        else:
            enc = b.rnn(x, False, True)
            states = enc[1:]
            y = b.rnn(x, True, initial=states)
        pool += [r for r in y if b.value(r).ndim in (2, 3)]
    read = {a for layer in b.layers.values() for args, _ in layer['calls'] for a in args}
    free = [p for p in pool if p not in read and p[0] not in b.inputs]
    b.outputs = free[:6] or [pool[-1]]
    # What no output needs is not in a Keras model.
    needed, todo = set(), [r[:2] for r in b.outputs]
    while todo:
        name, call = todo.pop()
        if (name, call) in needed or name in b.inputs:
            needed.add((name, call))
            continue
        needed.add((name, call))
        todo += [r[:2] for r in b.layers[name]['calls'][call][0]]
    b.inputs = [n for n in b.inputs if (n, 0) in needed]
    renumber, layers = {}, {}
    for name, layer in b.layers.items():
        kept = [i for i in range(max(len(layer['calls']), 1)) if (name, i) in needed]
        if not kept:
            continue
        for new, old in enumerate(kept):
            renumber[(name, old)] = new
        if layer['calls']:
            layer = {**layer, 'calls': [layer['calls'][i] for i in kept]}
        layers[name] = layer
    move = lambda r: (r[0], renumber[r[:2]], r[2])
    for layer in layers.values():
        layer['calls'] = [([move(a) for a in args], kwargs) for args, kwargs in layer['calls']]
    expected = [b.values[r][0] for r in b.outputs]
    b.outputs, b.layers, b.kind = [move(r) for r in b.outputs], layers, 'Functional'
    return b, expected


# --- files -----------------------------------------------------------------------------------


def layer_json(b, layer):
    major = b.version[0]
    kind, name, c = layer['kind'], layer['name'], dict(layer['config'])
    if kind == 'InputLayer':
        body = {'batch_shape' if major >= 3 else 'batch_input_shape': c['shape'], 'dtype': 'float32', 'sparse': False}
    elif layer.get('model'):
        body = model_json(layer['model'])['config']
    elif kind.startswith('ops.'):
        module = {'module': 'keras.src.ops.numpy', 'registered_name': kind[4:]} if WRITE['modules'] else {}
        return {'class_name': kind[4:], 'config': {**c['settings'], 'name': name}, **module}
    else:
        body = c
        if kind == 'LeakyReLU' and major < 3:
            body['alpha'] = body.pop('negative_slope')
        if 'layer' in body:
            inner = body['layer']
            if inner.get('model'):
                inner = model_json(inner['model'])
            body['layer'] = {**inner, **({'module': 'keras.layers', 'registered_name': None} if major >= 3 else {})}
    names = {'Functional': 'Functional' if b.version >= (2, 4) else 'Model'}
    if isinstance(body, list):  # an early Sequential
        return {'class_name': kind, 'config': body}
    entry = {'class_name': names.get(kind, kind), 'config': {**body, 'name': name}}
    if major >= 3 and not WRITE['modules']:
        entry['config'] |= {'trainable': True, 'dtype': 'float32'}
    elif major >= 3:
        entry |= {'module': 'keras.layers', 'registered_name': None}
        entry['config']['dtype'] = {'module': 'keras', 'class_name': 'DTypePolicy', 'config': {'name': 'float32'},
                                    'registered_name': None}  # fmt: skip
    return entry


def inbound(b, layer):
    out = []
    for args, kwargs in layer['calls']:
        attends = layer['kind'] == 'MultiHeadAttention'
        if b.version[0] >= 3:
            tensor = lambda r: {'class_name': '__keras_tensor__', 'config': {'shape': [None], 'dtype': 'float32',
                                'keras_history': list(r)}}  # fmt: skip
            ts = [tensor(r) for r in args]
            kw = dict(kwargs)
            if attends:
                given = ts
            elif layer['kind'].startswith('ops.'):
                given = argument_json(filled(layer['config']['template'], iter(ts)))
            elif layer['kind'] in ('GRU', 'LSTM', 'SimpleRNN') and len(ts) > 1:
                given, kw['initial_state'] = ts[:1], ts[1:]
            else:
                given = [ts] if len(ts) > 1 else ts
            out.append({'args': given, 'kwargs': kw})
        elif attends:
            out.append([[*args[0], {**kwargs, 'value': list(args[1])}]])
        else:
            out.append([[*r, kwargs if i == 0 else {}] for i, r in enumerate(args)])
    return out


def model_json(b):
    layers = []
    if b.kind == 'Sequential':
        for i, layer in enumerate(b.layers.values()):
            if layer['kind'] == 'InputLayer' and b.version < (2, 2):
                continue
            entry = layer_json(b, layer)
            if i == 1 and b.version < (2, 2):
                first = next(iter(b.layers.values()))
                entry['config']['batch_input_shape'] = first['config']['shape']
            layers.append(entry)
        config = layers if b.version < (2, 2) else {'name': b.name, 'layers': layers}
        return {'class_name': 'Sequential', 'config': config}
    for layer in b.layers.values():
        layers.append({**layer_json(b, layer), 'name': layer['name'], 'inbound_nodes': inbound(b, layer)})
    ends = lambda refs: [list(r) for r in refs]
    inputs, outputs = ends([(n, 0, 0) for n in b.inputs]), ends(b.outputs)
    if b.version[0] >= 3:  # one end is no list
        inputs, outputs = (e[0] if len(e) == 1 else e for e in (inputs, outputs))
    return {'class_name': 'Functional' if b.version >= (2, 4) else 'Model',
            'config': {'name': b.name, 'layers': layers, 'input_layers': inputs, 'output_layers': outputs}}  # fmt: skip


def inner_model(layer):
    return layer.get('model') or (layer['config'] or {}).get('layer', {}).get('model')


def owned(layer, prefix=''):
    """[(name, array, trained)] in the order of creation."""
    model = inner_model(layer)
    if model:
        return [each for inner in model.layers.values() for each in owned(inner, f"{prefix}{layer['name']}/")]
    own = []
    for key, array in layer['weights'].items():
        half = 'backward_' if key.startswith('backward') else 'forward_' if key.startswith('forward') else ''
        cell = f"{half}{layer['kind'].lower()}_cell/" if 'cell' in key else ''
        number = re.search(r'cells/(\d)', key)
        if not WRITE['wrappers'] and half:
            each = layer['config']['layer']
            cell = f"{snake(each['class_name'])}_cell/"
            own.append((f"{half}{each['config']['name']}/{cell}{key.split('/')[-1]}", array, True))
            continue
        own.append((f"{prefix}{layer['name']}/{cell}{number[1] + '/' if number else ''}{key.split('/')[-1]}" if '_dense' not in key
                    else f"{prefix}{layer['name']}/{key.replace('_dense', '')}", array, 'moving' not in key))  # fmt: skip
    return own


def store(group, name, array, rng):
    """The same numbers in one of the ways HDF5 can keep them: all of them are exact in half a float."""
    array = np.asarray(array)
    dtype = rng.choice(['<f4', '<f4', '>f4', '<f8', '<f2'])
    if dtype == '<f2' and not np.array_equal(np.float16(array), array):
        dtype = '<f4'
    extra = {}
    if array.ndim > 0 and array.size > 1 and rng.random() < 0.4:
        extra = {'chunks': tuple(max(1, n // 2) for n in array.shape), 'compression': 'gzip', 'shuffle': bool(rng.integers(2)),
                 'fletcher32': bool(rng.integers(2))}  # fmt: skip
    group.create_dataset(name, data=array.astype(dtype), **extra)


def h5(b, path, rng):
    with h5py.File(path, 'w', libver=str(rng.choice(['earliest', 'latest']))) as f:
        f.attrs['model_config'] = json.dumps(model_json(b)) if rng.integers(2) else json.dumps(model_json(b)).encode()
        f.attrs['keras_version'] = b.text if rng.integers(2) else b.text.encode()
        f.attrs['backend'] = 'tensorflow'
        g = f.create_group('model_weights')
        g.attrs['layer_names'] = [n.encode() for n in b.layers]
        g.attrs['backend'], g.attrs['keras_version'] = b'tensorflow', b.text.encode()
        for layer in b.layers.values():
            group, own = g.create_group(layer['name']), owned(layer)
            own = [a for a in own if a[2]] + [a for a in own if not a[2]]
            suffix = ':0' if b.version[0] < 3 else ''
            group.attrs['weight_names'] = np.array([f'{n}{suffix}'.encode() for n, *_ in own]) if own else np.array([], 'S1')
            for name, array, _ in own:
                store(group, name + suffix, array, rng)


def snake(kind):
    return re.sub('([a-z])([A-Z])', r'\1_\2', re.sub('(.)([A-Z][a-z]+)', r'\1_\2', re.sub(r'\W+', '', kind))).lower()


def objects(b, f, at, slash, rng):
    used = {}
    for layer in b.layers.values():
        kind = snake(b_kind(layer))
        used[kind] = used.get(kind, -1) + 1
        here = at + slash + kind + (f'_{used[kind]}' if used[kind] else '')
        model = inner_model(layer)
        if model:
            objects(model, f, here + slash + ('' if layer.get('model') else 'layer' + slash) + 'layers', slash, rng)
            continue
        f.require_group(f'{here}/vars')
        counts, cells = {}, {}
        for key, array in layer['weights'].items():
            steps = key.split('/')[:-1]
            if 'cells' in steps:
                classes = [c['class_name'] for c in layer['config']['cell']['config']['cells']]
                i = int(steps[-1])
                own = snake(classes[i])
                before = sum(snake(c) == own for c in classes[:i])
                steps[-1] = own + (f'_{before}' if before else '')
            owner = slash.join([here, *steps])
            counts[owner] = counts.get(owner, -1) + 1
            store(f, f'{owner}/vars/{counts[owner]}', array, rng)
        if layer['kind'] in ('Dropout', 'GaussianNoise', 'AlphaDropout') and b.version[0] >= 3:
            f[f'{here}{slash}seed_generator/vars/0'] = np.array([7, 9], np.uint32)
        if layer['kind'] in ('GRU', 'LSTM', 'SimpleRNN') and b.version[0] >= 3:
            f[f'{here}{slash}cell{slash}seed_generator/vars/0'] = np.array([7, 9], np.uint32)


def b_kind(layer):
    return layer['model'].kind if layer.get('model') else layer['kind']


def archive(b, path, rng):
    data = io.BytesIO()
    with h5py.File(data, 'w') as f:
        objects(b, f, 'layers' if rng.integers(2) or b.version[0] >= 3 else '_layer_checkpoint_dependencies',
                '\\' if rng.integers(4) == 0 else '/', rng)  # fmt: skip
    entries = [('metadata.json', json.dumps({'keras_version': b.text, 'date_saved': '2024-01-01@00:00:00'})),
               ('config.json', json.dumps({'module': 'keras.src.models.functional', **model_json(b), 'registered_name':
                                           'Functional', 'build_config': {'input_shape': None}, 'compile_config': {}})),
               ('model.weights.h5', data.getvalue())]  # fmt: skip
    with zipfile.ZipFile(path, 'w', zipfile.ZIP_DEFLATED if rng.integers(2) else zipfile.ZIP_STORED) as z:
        for i in rng.permutation(3):
            z.writestr(*entries[i])


def tfjs(b, folder, rng):
    folder.mkdir(exist_ok=True)
    groups = []
    for g, layer in enumerate(b.layers.values()):
        data, listed = b'', []
        for name, array, _ in owned(layer):
            listed.append({'name': name, 'shape': list(np.shape(array)), 'dtype': 'float32'})
            data += np.float32(array).tobytes()
        if not listed:
            continue
        cuts = sorted(rng.integers(0, len(data) + 1, 2).tolist())
        paths = []
        for i, part in enumerate((data[: cuts[0]], data[cuts[0] : cuts[1]], data[cuts[1] :])):
            paths.append(f'group{g + 1}-shard{i + 1}of3.bin')
            (folder / paths[-1]).write_bytes(part)
        groups.append({'paths': paths, 'weights': listed})
    topology = {'keras_version': b.text, 'backend': 'tensorflow', 'model_config': model_json(b)}
    (folder / 'model.json').write_text(json.dumps({'format': 'layers-model', 'generatedBy': f'keras v{b.text}',
                                                   'modelTopology': topology, 'weightsManifest': groups}))  # fmt: skip


def by_order(b, around=()):
    """[(attributes that lead to it, array)]: TensorFlow numbers the layers that have weights."""
    found, i = [], 0
    for layer in b.layers.values():
        here = (*around, f'layer_with_weights-{i}')
        model = inner_model(layer)
        if model:
            inner = by_order(model, here if layer.get('model') else (*here, 'layer'))
        else:
            # Private attributes of Keras have an underscore.
            inner = [((*here, *(f'_{s}' if s.endswith('_dense') else s for s in key.split('/'))), w)
                     for key, w in layer['weights'].items()]  # fmt: skip
        i += len(inner) > 0
        found += inner
    return found


def saved_model(b, folder, rng):
    (folder / 'variables').mkdir(parents=True, exist_ok=True)
    nodes, data, entries = [[{}, None]], b'', {}
    for path, array in by_order(b):
        at = 0
        for step in path:
            if step not in nodes[at][0]:
                nodes[at][0][step] = len(nodes)
                nodes.append([{}, None])
            at = nodes[at][0][step]
        name = f'variables/{at}'
        nodes[at][1] = ('/'.join(path), name + tf.VALUE)
        content = np.float32(array).tobytes()
        entries[(name + tf.VALUE).encode()] = tf.entry(1, np.shape(array), 0, len(data), content, tf.masked(content))
        data += content
    graph = b''.join(tf.node([(n, s) for s, n in children.items()], [owner] if owner else []) for children, owner in nodes)
    content, checksum = tf.strings([graph])
    entries[b'_CHECKPOINTABLE_OBJECT_GRAPH'] = tf.entry(7, (), 0, len(data), content, checksum)
    data += content
    entries[b''] = tf.field(1, 1) + tf.field(3, tf.field(1, 1))
    (folder / 'variables/variables.index').write_bytes(tf.table(entries, 5))
    (folder / 'variables/variables.data-00000-of-00001').write_bytes(data)
    root = {'name': b.name, **model_json(b), 'keras_version': b.text}
    text = tf.field(2, 0) + tf.field(3, 'root') + tf.field(4, '_tf_keras_network') + tf.field(5, json.dumps(root))
    (folder / 'keras_metadata.pb').write_bytes(tf.field(1, text))
    (folder / 'saved_model.pb').write_bytes(tf.field(1, 1) + tf.field(2, bytes(200)))


def main():
    folder = Path(sys.argv[1])
    containers = '--containers' in sys.argv
    numbers = [n for n in sys.argv[2:] if n != '--containers']
    count, seed = (int(n) for n in (numbers + ['200', '1'][len(numbers) :])[:2])
    folder.mkdir(parents=True, exist_ok=True)
    cases = []
    for i in range(count):
        rng = np.random.default_rng([seed, i])
        version = str(rng.choice([v for v in VERSIONS if v >= '3'] if containers else VERSIONS))
        b, expected = build(rng, version, containers)
        if not all(np.isfinite(e).all() and abs(e).max() < 1e4 for e in expected):
            continue
        kinds = ['h5'] + (['keras'] if b.version >= (2, 13) else []) + (['tfjs'] if b.version < (3, 0) else [])
        kinds += ['saved'] if (2, 4) <= b.version < (3, 0) else []
        kind = str(rng.choice(kinds))
        for kind in ['keras', 'h5', 'tfjs'] if containers else [kind]:
            WRITE.update(modules=not containers or kind == 'keras', wrappers=not containers or bool(rng.integers(2)))
            name = f'{i:04d}-{version}'
            try:
                case = written(b, expected, kind, folder, name, rng)
            except ValueError:
                # Without their wrappers two weights have one name, which Keras cannot save either.
                WRITE.update(wrappers=True)
                case = written(b, expected, kind, folder, name, rng)
            cases.append(case)
    (folder / 'cases.json').write_text(json.dumps(cases))
    print(f'{len(cases)} models in {folder}')


def written(b, expected, kind, folder, name, rng):
    ending, write = {'h5': ('.h5', h5), 'keras': ('.keras', archive), 'tfjs': ('-tfjs', tfjs),
                     'saved': ('-saved', saved_model)}[kind]  # fmt: skip
    write(b, folder / f'{name}{ending}', rng)
    single = len(b.inputs) == 1
    return {'file': f'{name}{ending}', 'options': {}, 'outputs': [e.tolist() for e in expected],
            'inputs': {'x' if single else n: b.values[(n, 0, 0)][0].tolist() for n in b.inputs}}  # fmt: skip


if __name__ == '__main__':
    main()
