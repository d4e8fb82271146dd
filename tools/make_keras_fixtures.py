#!/usr/bin/env python3
"""Writes small Keras files and the outputs that PyTorch computes for them (test/formats/keras.test.ts).

    python3 tools/make_keras_fixtures.py

Needs h5py, NumPy and PyTorch; no Keras. The layouts are those of Keras's own savers
(legacy_h5_format.py, saving_lib.py, the TF.js converter), the numbers float64 from PyTorch's layers
and functions. Seeded; HDF5 keeps the time of writing in its groups, so the bytes differ by that.

Weights are multiples of 2^-6, exact in float32.

cases.json: for each case the file to load, the inputs by port, and the expected outputs in order.
"""

import io
import json
import re
import zipfile
from pathlib import Path

import h5py
import make_tensorflow_fixtures as tf
import numpy as np
import torch
import torch.nn.functional as F

FOLDER = Path(__file__).resolve().parent.parent / 'test' / 'fixtures' / 'keras'
rng = np.random.default_rng(20240905)
torch.set_default_dtype(torch.float64)


def some(*shape, scale=48):
    return rng.integers(-scale, scale + 1, shape) / 64.0


def t(array):
    return torch.as_tensor(np.asarray(array), dtype=torch.float64)


ACT = {
    'linear': lambda a: a, 'tanh': torch.tanh, 'relu': torch.relu, 'sigmoid': torch.sigmoid,
    'softmax': lambda a: torch.softmax(a, -1), 'elu': F.elu,
}  # fmt: skip


def hard_sigmoid(major):
    slope = 1 / 6 if major >= 3 else 0.2
    return lambda a: torch.clamp(slope * a + 0.5, 0, 1)


def steps(cell, x, states, mask, backwards, masked):
    """Keras's rnn(): outputs in the order they are computed, and the last states."""
    order = list(range(x.shape[1]))[::-1 if backwards else 1]
    out, before = [], None
    for i in order:
        y, new = cell(x[:, i], states)
        if mask is not None:
            keep = mask[:, i : i + 1].bool()
            rest = {'state': states[0], 'zero': torch.zeros_like(y)}.get(
                masked, torch.zeros_like(y) if before is None else before
            )
            y = torch.where(keep, y, rest)
            new = [torch.where(keep, n, s) for n, s in zip(new, states)]
        before, states = y, new
        out.append(y)
    return torch.stack(out, 1), states


def cell_of(kind, w, act, ract, reset_after):
    K, R = t(w['kernel']), t(w['recurrent_kernel'])
    b = t(w['bias']) if 'bias' in w else torch.zeros(K.shape[1])
    u = R.shape[0]

    def gru(x, states):
        h = states[0]
        if reset_after:
            bi, br = (b[0], b[1]) if b.dim() == 2 else (b, torch.zeros_like(b))
            module = torch.nn.GRUCell(K.shape[0], u)
            turn = lambda m: torch.cat([m[..., u : 2 * u], m[..., :u], m[..., 2 * u :]], -1)
            if act is torch.tanh and ract is torch.sigmoid:
                with torch.no_grad():
                    module.weight_ih.copy_(turn(K).T), module.weight_hh.copy_(turn(R).T)
                    module.bias_ih.copy_(turn(bi)), module.bias_hh.copy_(turn(br))
                    y = module(x, h)
                return y, [y]
            xs, hs = x @ K + bi, h @ R + br
            z, r = ract(xs[:, :u] + hs[:, :u]), ract(xs[:, u : 2 * u] + hs[:, u : 2 * u])
            n = act(xs[:, 2 * u :] + r * hs[:, 2 * u :])
        else:
            xs = x @ K + b
            z = ract(xs[:, :u] + h @ R[:, :u])
            r = ract(xs[:, u : 2 * u] + h @ R[:, u : 2 * u])
            n = act(xs[:, 2 * u :] + (r * h) @ R[:, 2 * u :])
        y = z * h + (1 - z) * n
        return y, [y]

    def lstm(x, states):
        h, c = states
        a = x @ K + h @ R + b
        i, f, g, o = (a[:, k * u : (k + 1) * u] for k in range(4))
        c = ract(f) * c + ract(i) * act(g)
        y = ract(o) * act(c)
        return y, [y, c]

    def simple(x, states):
        y = act(x @ K + states[0] @ R + b)
        return y, [y]

    return {'GRU': gru, 'LSTM': lstm, 'SimpleRNN': simple}[kind], 2 if kind == 'LSTM' else 1


class V:
    """A tensor: numbers, mask, and which call of which layer gave it."""

    def __init__(self, value, origin=None, mask=None):
        self.value, self.origin, self.mask = value, origin, mask


class Model:
    def __init__(self, version, name='model', kind='Functional'):
        self.version, self.major, self.name, self.kind = version, int(version[0]), name, kind
        self.layers, self.inputs, self.outputs = {}, [], []

    def input(self, name, value, shape):
        key = 'batch_shape' if self.major >= 3 else 'batch_input_shape'
        self.layers[name] = ('InputLayer', {key: shape, 'name': name}, {}, [])
        self.inputs.append(V(t(value), [name, 0, 0]))
        return self.inputs[-1]

    def call(self, kind, name, config, weights, fn, inputs, kwargs=None, keep_mask=True):
        """fn takes values (and the layer's weights) and gives values; masks go on unless told."""
        if name not in self.layers:
            self.layers[name] = (kind, {'name': name, **config}, weights, [])
        calls = self.layers[name][3]
        xs = inputs if isinstance(inputs, list) else [inputs]
        results = fn(*[x.value for x in xs])
        calls.append((inputs, kwargs or {}))
        many = results if isinstance(results, (list, tuple)) else [results]
        out = [
            V(r, [name, len(calls) - 1, i], xs[0].mask if keep_mask and i == 0 else None)
            for i, r in enumerate(many)
        ]
        return out if isinstance(results, (list, tuple)) else out[0]

    def rnn(self, kind, name, x, units, states=(), **config):
        features = x.value.shape[-1]
        gates = {'GRU': 3, 'LSTM': 4, 'SimpleRNN': 1}[kind]
        after = config.get('reset_after', False)
        config = self.stated(kind, config)
        if name in self.layers:
            weights = self.layers[name][2]
        else:
            weights = {
                'cell/kernel': some(features, gates * units),
                'cell/recurrent_kernel': some(units, gates * units),
                'cell/bias': some(*([2] if after else []), gates * units),
            }
        run = lambda v, *s: self.run(kind, weights, 'cell/', v, s, x.mask, config)

        def fn(v, *s):
            seq, last = run(v, *s)
            y = seq if config.get('return_sequences') else seq[:, -1]
            return [y, *last] if config.get('return_state') else y

        return self.call(kind, name, {'units': units, **config}, weights, fn,
                         [x, *states] if states else x,
                         keep_mask=bool(config.get('return_sequences')))  # fmt: skip

    def stated(self, kind, config):
        """Gates were hard_sigmoid by default before Keras 2.3."""
        old = self.version.startswith('2.2') and kind != 'SimpleRNN'
        return {'recurrent_activation': 'sigmoid', **config} if old else config

    def run(self, kind, weights, prefix, x, states, mask, config, flip=False, masked=None):
        act = ACT[config.get('activation', 'tanh')]
        ract = config.get('recurrent_activation', 'sigmoid')
        ract = hard_sigmoid(self.major) if ract == 'hard_sigmoid' else ACT[ract]
        own = {k[len(prefix) :]: w for k, w in weights.items() if k.startswith(prefix)}
        cell, count = cell_of(kind, own, act, ract, config.get('reset_after', False))
        units = own['recurrent_kernel'].shape[0]
        states = list(states) or [torch.zeros(x.shape[0], units) for _ in range(count)]
        rule = masked or ('zero' if config.get('zero_output_for_mask') else 'repeat')
        if self.version.startswith('2.2') or self.major == 1:
            rule = 'state'
        return steps(cell, x, states, mask, config.get('go_backwards', False) != flip, rule)

    def bidirectional(self, kind, name, x, units, merge='concat', **config):
        gates = {'GRU': 3, 'LSTM': 4, 'SimpleRNN': 1}[kind]
        after = config.get('reset_after', False)
        config = self.stated(kind, config)
        weights = {}
        for half in ('forward_layer', 'backward_layer'):
            weights[f'{half}/cell/kernel'] = some(x.value.shape[-1], gates * units)
            weights[f'{half}/cell/recurrent_kernel'] = some(units, gates * units)
            weights[f'{half}/cell/bias'] = some(*([2] if after else []), gates * units)
        seqs = config.get('return_sequences')
        rule = 'zero' if seqs else 'repeat'

        def fn(v):
            a, _ = self.run(kind, weights, 'forward_layer/cell/', v, (), x.mask, config, False, rule)
            b, _ = self.run(kind, weights, 'backward_layer/cell/', v, (), x.mask, config, True, rule)
            a, b = (a, b.flip(1)) if seqs else (a[:, -1], b[:, -1])
            return {'concat': lambda: torch.cat([a, b], -1), 'sum': lambda: a + b,
                    'mul': lambda: a * b, 'ave': lambda: (a + b) / 2, None: lambda: [a, b]}[merge]()  # fmt: skip

        inner = {'class_name': kind, 'config': {'name': kind.lower(), 'units': units, **config}}
        return self.call('Bidirectional', name, {'layer': inner, 'merge_mode': merge}, weights, fn, x,
                         keep_mask=bool(seqs))  # fmt: skip

    def dense(self, name, x, units, activation='linear'):
        if name in self.layers:
            w = self.layers[name][2]
        else:
            w = {'kernel': some(x.value.shape[-1], units), 'bias': some(units)}
        return self.call('Dense', name, {'units': units, 'activation': activation}, w,
                         lambda v: ACT[activation](v @ t(w['kernel']) + t(w['bias'])), x)  # fmt: skip

    # --- configuration -----------------------------------------------------------------

    def node(self, call):
        inputs, kwargs = call
        if self.major >= 3:
            tensor = lambda v: {'class_name': '__keras_tensor__', 'config': {
                'shape': [None], 'dtype': 'float32', 'keras_history': v.origin}}  # fmt: skip
            args = [[tensor(v) for v in inputs]] if isinstance(inputs, list) else [tensor(inputs)]
            return {'args': args, 'kwargs': {**kwargs, 'mask': None}}
        xs = inputs if isinstance(inputs, list) else [inputs]
        return [[*v.origin, kwargs if i == 0 else {}] for i, v in enumerate(xs)]

    def config(self):
        layers = []
        for name, (kind, config, _, calls) in self.layers.items():
            inner = config.get('__model__')
            body = inner.config()['config'] if inner else config
            layers.append({'class_name': inner.kind if inner else kind, 'name': name,
                           'config': {**body, 'name': name} if isinstance(body, dict) else body,
                           'inbound_nodes': [self.node(c) for c in calls]})  # fmt: skip
        if self.kind == 'Sequential':
            listed = [{k: v for k, v in each.items() if k in ('class_name', 'config')} for each in layers]
            shape = listed[0]['config']
            if self.major < 3:  # the input's shape stands in the first layer
                listed = listed[1:]
                listed[0]['config'] = {**listed[0]['config'], 'batch_input_shape': shape['batch_input_shape']}
            config = listed if self.major == 1 else {'name': self.name, 'layers': listed}
            return {'class_name': 'Sequential', 'config': config}
        ends = lambda vs: [v.origin for v in vs]
        return {'class_name': 'Model' if self.version.startswith('2.2') else 'Functional',
                'config': {'name': self.name, 'layers': layers, 'input_layers': ends(self.inputs),
                           'output_layers': ends(self.outputs)}}  # fmt: skip

    # --- containers --------------------------------------------------------------------

    def owned(self, layer):
        """[(name in the file, array)] of a layer, those of a model inside it: trained ones first."""
        kind, config, weights, _ = layer
        model = config.get('__model__')
        if model is None:
            inside = kind in ('RNN', 'MultiHeadAttention')
            title = lambda key: key.replace('_dense', '') if inside else key.split('/')[-1]
            return [(f"{config['name']}/{title(k)}", w) for k, w in weights.items()]
        arrays = [each for inner in model.layers.values() for each in self.owned(inner)]
        frozen = lambda each: 'moving' in each[0]
        return [a for a in arrays if not frozen(a)] + [a for a in arrays if frozen(a)]

    def h5(self, path, config=True, split=False):
        with h5py.File(path, 'w', libver='latest') as f:
            version = self.version
            if config:
                f.attrs['model_config'] = json.dumps(self.config())
                f.attrs['keras_version'] = version
            g = f.create_group('model_weights') if config else f
            g.attrs['keras_version'] = version
            g.attrs['backend'] = 'tensorflow'
            names = [n.encode() for n in self.layers]
            if split:
                g.attrs['layer_names0'], g.attrs['layer_names1'] = names[:2], names[2:]
            else:
                g.attrs['layer_names'] = names
            for name, layer in self.layers.items():
                if not self.owned(layer):
                    g.create_group(name).attrs['weight_names'] = np.array([], 'S1')
                    continue
                group, listed = g.create_group(name), []
                for at, (full, array) in enumerate(self.owned(layer)):
                    # Both halves of a wrapper have the same last names.
                    half = '' if at < len(self.owned(layer)) / 2 else 'backward_'
                    inner = '/'.join(full.split('/')[:-1]) + ('/' + half + 'half' if 'backward_layer' in ' '.join(layer[2]) else '')
                    title = f"{inner}/{full.split('/')[-1]}" + (':0' if self.major < 3 else '')
                    listed.append(title.encode())
                    group.create_dataset(title, data=np.float32(array))
                group.attrs['weight_names'] = listed

    def objects(self, f, at, slash):
        used = {}
        for name, (kind, config, weights, _) in self.layers.items():
            model = config.get('__model__')
            snake = re.sub('(.)([A-Z][a-z]+)', r'\1_\2', model.kind if model else kind)
            snake = re.sub('([a-z])([A-Z])', r'\1_\2', snake).lower()
            used[snake] = used.get(snake, -1) + 1
            here = at + slash + snake + (f'_{used[snake]}' if used[snake] else '')
            if model:
                model.objects(f, here + slash + 'layers', slash)
            counts = {}
            for key, array in weights.items():
                path = key.split('/')[:-1]
                if 'cells' in path:  # cells in a list are named by their classes
                    path[-1] = ('gru_cell', 'lstm_cell')[int(path[-1])]
                owner = slash.join([here, *path])
                counts[owner] = counts.get(owner, -1) + 1
                f[f'{owner}/vars/{counts[owner]}'] = np.float32(array)

    def archive(self, path, slash='/'):
        data = io.BytesIO()
        with h5py.File(data, 'w', libver='latest') as f:
            self.objects(f, 'layers', slash)
        with zipfile.ZipFile(path, 'w') as z:
            for name, content in [('metadata.json', json.dumps({'keras_version': self.version})),
                                  ('config.json', json.dumps(self.config())),
                                  ('model.weights.h5', data.getvalue())]:  # fmt: skip
                z.writestr(zipfile.ZipInfo(name), content)

    def tfjs(self, folder, quantize=None):
        folder.mkdir(exist_ok=True)
        data, listed = b'', []
        for layer in self.layers.values():
            for name, array in self.owned(layer):
                each = {'name': name, 'shape': list(array.shape), 'dtype': 'float32'}
                if quantize == 'uint8':
                    low, high = float(array.min()), float(array.max())
                    each['quantization'] = {'dtype': 'uint8', 'min': low, 'scale': (high - low) / 255}
                    data += np.uint8(np.round((array - low) / ((high - low) / 255))).tobytes()
                elif quantize == 'float16':
                    each['quantization'] = {'dtype': 'float16'}
                    data += np.float16(array).tobytes()
                else:
                    data += np.float32(array).tobytes()
                listed.append(each)
        half = len(data) // 2 + 1
        (folder / 'group1-shard1of2.bin').write_bytes(data[:half])
        (folder / 'group1-shard2of2.bin').write_bytes(data[half:])
        manifest = [{'paths': ['group1-shard1of2.bin', 'group1-shard2of2.bin'], 'weights': listed}]
        topology = {'keras_version': self.version, 'backend': 'tensorflow', 'model_config': self.config()}
        text = {'format': 'layers-model', 'modelTopology': topology, 'weightsManifest': manifest}
        (folder / 'model.json').write_text(json.dumps(text))


    def by_order(self, around=()):
        """[(attributes that lead to it, its layer, its name, array)]: layers with weights by number."""
        found, i = [], 0
        for _, config, weights, _ in self.layers.values():
            here = (*around, f'layer_with_weights-{i}')
            inner = config['__model__'].by_order(here) if '__model__' in config else [
                ((*here, *key.split('/')), config['name'], key, w) for key, w in weights.items()]  # fmt: skip
            i += len(inner) > 0
            found += inner
        return found

    def checkpoint(self, folder, prefix):
        """A bundle of variables, and the graph of the objects that own them."""
        (folder / prefix).parent.mkdir(parents=True, exist_ok=True)
        nodes, data, entries = [[{}, None]], b'', {}
        for path, owner, key, array in self.by_order():
            at = 0
            for step in path:
                if step not in nodes[at][0]:
                    nodes[at][0][step] = len(nodes)
                    nodes.append([{}, None])
                at = nodes[at][0][step]
            # Recurrent variables go by another way to them, as in TensorFlow's own files.
            name = f'variables/{at}' if 'cell' in key else '/'.join(path)
            nodes[at][1] = (f'{owner}/{key}', name + tf.VALUE)
            content = np.float32(array).tobytes()
            entry = tf.entry(1, array.shape, 0, len(data), content, tf.masked(content))
            entries[(name + tf.VALUE).encode()] = entry
            data += content
        graph = b''.join(
            tf.node([(n, s) for s, n in children.items()], [owner] if owner else [])
            for children, owner in nodes
        )
        content, checksum = tf.strings([graph])
        entries[b'_CHECKPOINTABLE_OBJECT_GRAPH'] = tf.entry(7, (), 0, len(data), content, checksum)
        data += content
        entries[b''] = tf.field(1, 1) + tf.field(3, tf.field(1, 1))
        (folder / f'{prefix}.index').write_bytes(tf.table(entries, 5))
        (folder / f'{prefix}.data-00000-of-00001').write_bytes(data)

    def saved_model(self, folder):
        self.checkpoint(folder, 'variables/variables')
        root = {'name': self.name, **self.config(), 'keras_version': self.version}
        text = tf.field(2, 0) + tf.field(3, 'root') + tf.field(4, '_tf_keras_sequential')
        (folder / 'keras_metadata.pb').write_bytes(tf.field(1, text + tf.field(5, json.dumps(root))))
        # Schema version 1 and a graph of which only the beginning matters here.
        (folder / 'saved_model.pb').write_bytes(tf.field(1, 1) + tf.field(2, bytes(200)))


cases = []


def case(file, model, **options):
    single = len(model.inputs) == 1
    cases.append({
        'file': file, 'options': options,
        'inputs': {'x' if single else v.origin[0]: v.value.tolist() for v in model.inputs},
        'outputs': [v.value.detach().numpy().tolist() for v in model.outputs],
    })  # fmt: skip


def recurrent(version):
    """Recurrent layers, masks, states, wrappers."""
    m = Model(version, 'recurrent')
    ids = np.array([[3, 1, 4, 0, 0], [2, 0, 1, 5, 0]])
    x = m.input('x', some(2, 5, 3, scale=128), [None, None, 3])
    words = m.input('words', ids, [None, None])
    table = some(6, 3)
    e = m.call('Embedding', 'embedding', {'input_dim': 6, 'output_dim': 3, 'mask_zero': True},
               {'embeddings': table}, lambda v: t(table)[v.long()], words)  # fmt: skip
    e.mask = t(ids != 0)
    y, state = m.rnn('GRU', 'gru', e, 4, return_sequences=True, return_state=True, reset_after=True)
    mean = m.call('GlobalAveragePooling1D', 'mean', {}, {},
                  lambda v: (v * y.mask[..., None]).sum(1) / y.mask.sum(1, keepdim=True), y,
                  keep_mask=False)  # fmt: skip
    zeros = m.rnn('GRU', 'zeros', e, 2, return_sequences=True, reset_after=False,
                  recurrent_activation='hard_sigmoid',
                  **({'zero_output_for_mask': True} if m.major >= 3 else {}))  # fmt: skip
    both = m.bidirectional('LSTM', 'both', e, 3, return_sequences=True)
    last = m.bidirectional('GRU', 'last', e, 2, merge='ave', reset_after=True)
    halves = m.bidirectional('SimpleRNN', 'halves', x, 2, merge=None, return_sequences=True)
    back = m.rnn('LSTM', 'back', x, 3, return_sequences=True, go_backwards=True)
    enc = m.rnn('LSTM', 'encoder', x, 3, return_state=True)
    dec = m.rnn('LSTM', 'decoder', e, 3, states=enc[1:], return_sequences=True)
    m.outputs = [y, state, mean, zeros, both, last, *halves, back, dec]
    if not version.startswith('2.2'):
        m.outputs += stacked(m, x)
    return m


def stacked(m, x):
    """RNN of two cells: each step goes through both."""
    units, kinds = (4, 3), ('GRU', 'LSTM')
    w = {}
    for i, (kind, n, features) in enumerate(zip(kinds, units, (3, 4))):
        gates = 3 if kind == 'GRU' else 4
        for part, shape in (('kernel', (features, gates * n)), ('recurrent_kernel', (n, gates * n)),
                            ('bias', (gates * n,))):  # fmt: skip
            w[f'cell/cells/{i}/{part}'] = some(*shape)
    cells = [{'class_name': f'{k}Cell', 'config': {'name': f'cell_{i}', 'units': n}}
             for i, (k, n) in enumerate(zip(kinds, units))]  # fmt: skip
    cells[0]['config']['reset_after'] = False

    def fn(v):
        h, a = m.run('GRU', w, 'cell/cells/0/', v, (), None, {})
        y, b = m.run('LSTM', w, 'cell/cells/1/', h, (), None, {})
        return [y, *a, *b]

    config = {'cell': {'class_name': 'StackedRNNCells', 'config': {'cells': cells}},
              'return_sequences': True, 'return_state': True}  # fmt: skip
    return m.call('RNN', 'stacked', config, w, fn, x)


def around(version):
    """Layers around recurrent ones; a shared layer, nested models."""
    m = Model(version, 'around')
    x = m.input('x', some(2, 6, 4, scale=128), [None, 6, 4])
    k = some(3, 4, 3)
    b = some(3)

    def conv(name, padding, stride=1, dilation=1, activation='relu'):
        def fn(v):
            v = v.transpose(1, 2)
            reach = (k.shape[0] - 1) * dilation
            total = {'valid': 0, 'causal': reach,
                     'same': max((-(-6 // stride) - 1) * stride + reach + 1 - 6, 0)}[padding]  # fmt: skip
            left = total if padding == 'causal' else total // 2
            w = t(k).permute(2, 1, 0)
            out = F.conv1d(F.pad(v, (left, total - left)), w, t(b), stride, 0, dilation)
            return ACT[activation](out.transpose(1, 2))

        config = {'filters': 3, 'kernel_size': [3], 'padding': padding, 'strides': [stride],
                  'dilation_rate': [dilation], 'activation': activation}  # fmt: skip
        return m.call('Conv1D', name, config, {'kernel': k, 'bias': b}, fn, x)

    causal = conv('causal', 'causal', dilation=2)
    same = conv('same', 'same', stride=2)
    valid = conv('valid', 'valid', activation='elu')
    bn = {'gamma': some(4), 'beta': some(4), 'moving_mean': some(4), 'moving_variance': some(4) ** 2 + 0.5}
    norm = lambda v: F.batch_norm(v.transpose(1, 2), t(bn['moving_mean']), t(bn['moving_variance']),
                                  t(bn['gamma']), t(bn['beta']), eps=0.001).transpose(1, 2)  # fmt: skip
    batch = m.call('BatchNormalization', 'bn', {'axis': [2], 'epsilon': 0.001}, bn, norm, x)
    ln = {'gamma': some(6, 4), 'beta': some(6, 4)}
    layer = m.call('LayerNormalization', 'ln', {'axis': [1, 2], 'epsilon': 0.01}, ln,
                   lambda v: F.layer_norm(v, (6, 4), t(ln['gamma']), t(ln['beta']), 0.01), x)  # fmt: skip
    pool = m.call('MaxPooling1D', 'pool', {'pool_size': [2], 'strides': [2], 'padding': 'valid'}, {},
                  lambda v: F.max_pool1d(v.transpose(1, 2), 2).transpose(1, 2), x)  # fmt: skip
    mean = m.call('AveragePooling1D', 'average', {'pool_size': [3], 'strides': [3]}, {},
                  lambda v: F.avg_pool1d(v.transpose(1, 2), 3).transpose(1, 2), x)  # fmt: skip
    top = m.call('GlobalMaxPooling1D', 'top', {}, {}, lambda v: v.max(1)[0], x)
    flat = m.call('Flatten', 'flat', {}, {}, lambda v: v.reshape(2, -1), x)
    head = m.dense('head', flat, 5, 'softmax')
    again = m.call('RepeatVector', 'again', {'n': 6}, {}, lambda v: v[:, None].expand(-1, 6, -1), head)
    pads = m.call('ZeroPadding1D', 'pads', {'padding': [1, 2]}, {}, lambda v: F.pad(v, (0, 0, 1, 2)), x)
    crop = m.call('Cropping1D', 'crop', {'cropping': [1, 2]}, {}, lambda v: v[:, 1:-2], x)
    turn = m.call('Permute', 'turn', {'dims': [2, 1]}, {}, lambda v: v.transpose(1, 2), x)
    shape = m.call('Reshape', 'shape', {'target_shape': [3, -1]}, {}, lambda v: v.reshape(2, 3, 8), x)
    leaky = m.call('LeakyReLU', 'leaky', {'negative_slope' if m.major >= 3 else 'alpha': 0.25}, {},
                   lambda v: F.leaky_relu(v, 0.25), x)  # fmt: skip
    slopes = {'alpha': some(1, 4)}
    prelu = m.call('PReLU', 'prelu', {'shared_axes': [1]}, slopes,
                   lambda v: torch.where(v >= 0, v, t(slopes['alpha']) * v), x)  # fmt: skip
    soft = m.call('Softmax', 'soft', {'axis': 1}, {}, lambda v: torch.softmax(v, 1), x)
    cap = m.call('ReLU', 'cap', {'max_value': 0.5}, {}, lambda v: v.clamp(0, 0.5), x)
    one = m.dense('shared', x, 4, 'tanh')
    two = m.dense('shared', one, 4, 'tanh')
    total = m.call('Add', 'total', {}, {}, lambda *v: sum(v), [one, two, x])
    less = m.call('Subtract', 'less', {}, {}, lambda a, b: a - b, [one, two])
    product = m.call('Multiply', 'product', {}, {}, lambda a, b: a * b[:, None], [x, m.dense('four', head, 4)])
    middle = m.call('Average', 'middle', {}, {}, lambda a, b: (a + b) / 2, [one, x])
    most = m.call('Maximum', 'most', {}, {}, torch.maximum, [one, x])
    joined = m.call('Concatenate', 'joined', {'axis': 1}, {}, lambda a, b: torch.cat([a, b], 1), [one, pool])
    wide = m.call('Concatenate', 'wide', {'axis': -1}, {}, lambda a, b: torch.cat([a, b], -1), [one, again])
    inner = {'class_name': 'Dense', 'config': {'name': 'within', 'units': 2, 'activation': 'relu'}}
    td = {'layer/kernel': some(4, 2), 'layer/bias': some(2)}
    every = m.call('TimeDistributed', 'every', {'layer': inner}, td,
                   lambda v: torch.relu(v @ t(td['layer/kernel']) + t(td['layer/bias'])), x)  # fmt: skip
    att = m.call('Attention', 'att', {'use_scale': True}, {'scale': np.array(0.5)},
                 lambda q, v: torch.softmax(0.5 * q @ v.transpose(1, 2), -1) @ v, [x, one])  # fmt: skip
    s = some(4)
    add = m.call('AdditiveAttention', 'add', {'use_scale': True}, {'scale': s},
                 lambda q, v: torch.softmax((t(s) * torch.tanh(q[:, :, None] + v[:, None])).sum(-1), -1) @ v,
                 [x, one])  # fmt: skip
    heads = {}
    for part, inside in (('query', 4), ('key', 4), ('value', 4)):
        heads[f'{part}_dense/kernel'], heads[f'{part}_dense/bias'] = some(inside, 2, 3), some(2, 3)
    heads['output_dense/kernel'], heads['output_dense/bias'] = some(2, 3, 4), some(4)

    def multi(q, v):
        project = lambda a, p: torch.einsum('bsf,fhd->bhsd', a, t(heads[f'{p}_dense/kernel'])) \
            + t(heads[f'{p}_dense/bias'])[None, :, None]  # fmt: skip
        q, k, v = project(q, 'query'), project(v, 'key'), project(v, 'value')
        scores = torch.softmax(q @ k.transpose(-1, -2) / 3**0.5, -1) @ v
        return torch.einsum('bhsd,hdu->bsu', scores, t(heads['output_dense/kernel'])) \
            + t(heads['output_dense/bias'])  # fmt: skip

    mha = m.call('MultiHeadAttention', 'mha', {'num_heads': 2, 'key_dim': 3}, heads, multi, [x, one])
    nested = Model(version, 'inside')
    at = nested.input('inside_in', x.value, [None, 6, 4])
    h = nested.dense('inside_a', at, 4)
    h = nested.call('BatchNormalization', 'inside_bn', {'axis': [2], 'epsilon': 0.001}, bn, norm, h)
    nested.outputs = [nested.dense('inside_b', h, 2)]

    def whole(v):
        a, c = (nested.layers[n][2] for n in ('inside_a', 'inside_b'))
        h = norm(v @ t(a['kernel']) + t(a['bias']))
        return h @ t(c['kernel']) + t(c['bias'])

    m_in = m.call('Functional', 'inside', {'__model__': nested}, {}, whole, one)
    m.outputs = [causal, same, valid, batch, layer, pool, mean, top, head, again, pads, crop, turn, shape,
                 leaky, prelu, soft, cap, total, less, product, middle, most, joined, wide, every, att, add, mha,
                 m_in]  # fmt: skip
    return m


def planes(version):
    """Layers over windows, channels or whole steps; axes other than the last."""
    m = Model(version, 'planes')
    conv1 = m.major == 1
    x = m.input('x', some(2, 6, 4, scale=128), [None, 6, 4])
    image = m.input('image', some(2, 5, 6, 3, scale=128), [None, 5, 6, 3])
    first = lambda v, f: f(v.movedim(-1, 1)).movedim(1, -1)
    out = []

    def add(kind, name, config, weights, fn, inputs):
        out.append(m.call(kind, name, config, weights, fn, inputs))
        return out[-1]

    def same(extent, size, stride):
        total = max((-(-extent // stride) - 1) * stride + size - extent, 0)
        return total // 2, total - total // 2

    k2, b2 = some(3, 2, 3, 4), some(4)

    def conv2d(v, strides, padding):
        w = t(k2).permute(3, 2, 0, 1)
        pads = [p for i in (1, 0) for p in same(v.shape[2 + i], k2.shape[i], strides[i])]
        return torch.tanh(F.conv2d(F.pad(v, pads) if padding == 'same' else v, w, t(b2), strides))

    base = {'filters': 4, 'kernel_size': [3, 2], 'activation': 'tanh'}
    for name, strides, padding in (('wide', [1, 1], 'same'), ('strided', [2, 3], 'valid'), ('both', [2, 2], 'same')):
        add('Conv2D', name, {**base, 'strides': strides, 'padding': padding}, {'kernel': k2, 'bias': b2},
            lambda v: first(v, lambda u: conv2d(u, strides, padding)), image)  # fmt: skip
    turned = add('Permute', 'turned', {'dims': [3, 1, 2]}, {}, lambda v: v.permute(0, 3, 1, 2), image)
    add('Conv2D', 'channels', {**base, 'strides': [1, 1], 'padding': 'valid', 'data_format': 'channels_first'},
        {'kernel': k2, 'bias': b2}, lambda v: conv2d(v, [1, 1], 'valid'), turned)  # fmt: skip
    add('MaxPooling2D', 'most', {'pool_size': [2, 3], 'strides': None, 'padding': 'valid'}, {},
        lambda v: first(v, lambda u: F.max_pool2d(u, (2, 3))), image)  # fmt: skip
    add('AveragePooling2D', 'mean', {'pool_size': [2, 2], 'strides': [1, 2], 'padding': 'valid',
                                     'data_format': 'channels_first'}, {},
        lambda v: F.avg_pool2d(v, 2, (1, 2)), turned)  # fmt: skip
    add('AveragePooling2D', 'mean_same', {'pool_size': [2, 2], 'strides': [2, 2], 'padding': 'same'}, {},
        lambda v: first(v, lambda u: F.avg_pool2d(u, 2, 2, ceil_mode=True, count_include_pad=False)), image)  # fmt: skip
    add('GlobalMaxPooling2D', 'top', {}, {}, lambda v: v.amax((1, 2)), image)
    add('GlobalAveragePooling2D', 'level', {'keepdims': True}, {}, lambda v: v.mean((1, 2), True), image)
    add('ZeroPadding2D', 'pads', {'padding': [[1, 2], [0, 3]]}, {}, lambda v: F.pad(v, (0, 0, 0, 3, 1, 2)), image)
    add('Cropping2D', 'crop', {'cropping': [1, 2]}, {}, lambda v: v[:, 1:-1, 2:-2], image)
    add('Flatten', 'flat', {'data_format': 'channels_first'}, {}, lambda v: v.movedim(1, -1).reshape(2, -1), turned)

    own = 'depthwise_kernel' if m.major < 3 else 'kernel'
    d1, p1, bias = some(3, 4, 2), some(1, 8, 3), some(3)
    deep = lambda v, d, dilation=1: F.conv1d(v, t(d).permute(1, 2, 0).reshape(-1, 1, d.shape[0]), None, 1, 0,
                                             dilation, v.shape[1])  # fmt: skip
    bd = some(8)
    add('DepthwiseConv1D', 'deep', {'kernel_size': [3], 'depth_multiplier': 2, 'padding': 'valid', 'activation': 'relu'},
        {own: d1, 'bias': bd}, lambda v: torch.relu(first(v, lambda u: deep(u, d1)) + t(bd)), x)  # fmt: skip
    separable = {'depthwise_kernel': d1, 'pointwise_kernel': p1, 'bias': bias}
    mix = lambda v: v @ t(p1)[0] + t(bias)
    add('SeparableConv1D', 'separable', {'filters': 3, 'kernel_size': [3], 'depth_multiplier': 2, 'padding': 'causal',
                                         'dilation_rate': [2], 'activation': 'elu'}, separable,
        lambda v: F.elu(mix(first(v, lambda u: deep(F.pad(u, (4, 0)), d1, 2)))), x)  # fmt: skip
    add('SeparableConv1D', 'separable_same', {'filters': 3, 'kernel_size': [3], 'depth_multiplier': 2,
                                              'padding': 'same'}, separable,
        lambda v: mix(first(v, lambda u: deep(F.pad(u, (1, 1)), d1))), x)  # fmt: skip
    d2, p2 = some(2, 3, 3, 2), some(1, 1, 6, 2)

    def separable2(v):
        w = t(d2).permute(2, 3, 0, 1).reshape(-1, 1, 2, 3)
        return F.conv2d(v, w, None, 2, 0, 1, 3).movedim(1, -1) @ t(p2)[0, 0]

    add('SeparableConv2D', 'separable_plane', {'filters': 2, 'kernel_size': [2, 3], 'strides': [2, 2],
                                               'padding': 'valid', 'depth_multiplier': 2, 'use_bias': False},
        {'depthwise_kernel': d2, 'pointwise_kernel': p2}, lambda v: separable2(v.movedim(-1, 1)), image)  # fmt: skip
    for name, size, stride, padding in (('up', 3, 2, 'valid'), ('up_same', 3, 2, 'same'), ('gaps', 2, 3, 'valid')):
        kt, bt = some(size, 5, 4), some(5)

        def fn(v):
            y = F.conv_transpose1d(v, t(kt).permute(2, 1, 0), t(bt), stride)
            length = {'valid': 6 * stride + max(size - stride, 0), 'same': 6 * stride}[padding]
            if y.shape[2] < length:
                y = torch.cat([y, t(bt)[:, None].expand(2, 5, length - y.shape[2])], 2)
            cut = (y.shape[2] - length) // 2
            return y[:, :, cut : cut + length]

        add('Conv1DTranspose', name, {'filters': 5, 'kernel_size': [size], 'strides': [stride], 'padding': padding},
            {'kernel': kt, 'bias': bt}, lambda v: first(v, fn), x)  # fmt: skip
    k1, b1 = some(2, 6, 3), some(3)
    add('Conv1D', 'along', {'filters': 3, 'kernel_size': [2], 'padding': 'valid', 'data_format': 'channels_first'},
        {'kernel': k1, 'bias': b1}, lambda v: F.conv1d(v, t(k1).permute(2, 1, 0), t(b1)), x)  # fmt: skip
    add('MaxPooling1D', 'pairs', {'pool_size': [2], 'strides': [2], 'data_format': 'channels_first'}, {},
        lambda v: F.max_pool1d(v, 2), x)  # fmt: skip
    add('UpSampling1D', 'twice', {'size': 2}, {}, lambda v: v.repeat_interleave(2, 1), x)
    add('Dot', 'gram', {'axes': [2, 2], 'normalize': False}, {}, lambda a, b: a @ b.transpose(1, 2), [x, out[-1]])
    add('Dot', 'cosine', {'axes': 1, 'normalize': True}, {},
        lambda a, b: F.normalize(a, dim=1).transpose(1, 2) @ F.normalize(b, dim=1), [x, x])  # fmt: skip
    vector = m.call('Flatten', 'vector', {}, {}, lambda v: v.reshape(2, -1), x)
    add('Dot', 'scalar', {'axes': -1, 'normalize': True}, {},
        lambda a, b: (F.normalize(a, dim=1) * F.normalize(b, dim=1)).sum(1, True), [vector, vector])  # fmt: skip
    mv, vv = some(4), some(4) ** 2 + 0.5
    add('Normalization', 'normal', {'axis': [-1]}, {'mean': mv, 'variance': vv, 'count': np.array(7)},
        lambda v: (v - t(mv)) / t(vv) ** 0.5, x)  # fmt: skip
    ms, vs = some(6), some(6) ** 2 + 0.5
    array = lambda a: {'class_name': '__numpy__', 'config': {'value': a.tolist(), 'dtype': 'float32'}} \
        if m.major >= 3 else a.tolist()  # fmt: skip
    add('Normalization', 'normal_steps', {'axis': [1], 'mean': array(ms), 'variance': array(vs), 'invert': True}, {},
        lambda v: v * t(vs)[:, None] ** 0.5 + t(ms)[:, None], x)  # fmt: skip
    add('Rescaling', 'rescaled', {'scale': 0.25, 'offset': array(some(4))}, {},
        lambda v: v * 0.25 + t(np.array(m.layers['rescaled'][1]['offset']['config']['value'] if m.major >= 3
                                        else m.layers['rescaled'][1]['offset'])), x)  # fmt: skip
    ln = {'gamma': some(6), 'beta': some(6)}
    turn = lambda v: v.transpose(1, 2)
    add('LayerNormalization', 'norm_steps', {'axis': [1], 'epsilon': 0.01}, ln,
        lambda v: turn(F.layer_norm(turn(v), (6,), t(ln['gamma']), t(ln['beta']), 0.01)), x)  # fmt: skip
    ln2 = {'gamma': some(5, 3), 'beta': some(5, 3)}
    add('LayerNormalization', 'norm_some', {'axis': [1, 3], 'epsilon': 0.01}, ln2,
        lambda v: F.layer_norm(v.permute(0, 2, 1, 3), (5, 3), t(ln2['gamma']), t(ln2['beta']), 0.01).permute(
            0, 2, 1, 3), image)  # fmt: skip
    bn = {'gamma': some(5), 'beta': some(5), 'moving_mean': some(5), 'moving_variance': some(5) ** 2 + 0.5}
    add('BatchNormalization', 'batch_rows', {'axis': [1], 'epsilon': 0.001}, bn,
        lambda v: F.batch_norm(v, t(bn['moving_mean']), t(bn['moving_variance']), t(bn['gamma']), t(bn['beta']),
                               eps=0.001), image)  # fmt: skip
    for name, axes, shape in (('slopes', None, (6, 4)), ('slopes_steps', [2], (6, 1)), ('slope', [1, 2], (1, 1))):
        slopes = some(*shape)
        add('PReLU', name, {'shared_axes': axes}, {'alpha': slopes},
            lambda v: torch.where(v >= 0, v, t(slopes) * v), x)  # fmt: skip
    add('ThresholdedReLU' if m.major < 3 else 'ReLU', 'over', {'theta': 0.75} if m.major < 3 else
        {'threshold': 0.75, 'negative_slope': 0.0, 'max_value': None}, {},
        lambda v: torch.where(v > 0.75, v, torch.zeros(())), x)  # fmt: skip
    if m.major >= 3:
        for kind, fn in (('log_softmax', lambda v: F.log_softmax(v, -1)), ('hard_silu', F.hardswish), ('celu', F.celu),
                         ('tanh_shrink', F.tanhshrink), ('hard_shrink', F.hardshrink), ('soft_shrink', F.softshrink),
                         ('hard_tanh', F.hardtanh), ('relu6', F.relu6), ('mish', F.mish)):  # fmt: skip
            add('Activation', kind, {'activation': kind}, {}, fn, x)
        ACT['log_softmax'] = lambda a: torch.log_softmax(a, -1)
        out.append(m.dense('logs', x, 3, 'log_softmax'))
    m.outputs = out
    return m


def wrapped(version):
    """Layers on every step, words in sentences with their masks, models three deep, time first."""
    m = Model(version, 'wrapped')
    x = m.input('x', some(2, 3, 5, 4, scale=128), [None, 3, 5, 4])
    sequence = some(2, 3, 4, scale=128)
    sequence[0, 1] = sequence[1, 2] = 0
    seq = m.input('seq', sequence, [None, None, 4])
    ids = np.array([[[3, 1, 0], [0, 0, 0]], [[2, 0, 1], [5, 4, 0]]])
    words = m.input('words', ids, [None, None, 3])
    out = []
    # A layer by itself, run on [rows·steps, …].
    def every(kind, name, config, weights, fn, given=x, keep_mask=True):
        rows = lambda v: fn(v.reshape(-1, *v.shape[2:]))
        steps = lambda v: rows(v).reshape(*v.shape[:2], *rows(v).shape[1:])
        inner = {'class_name': kind, 'config': {'name': f'{name}_in', **config}}
        y = m.call('TimeDistributed', name, {'layer': inner}, {f'layer/{k}': w for k, w in weights.items()},
                   steps, given, keep_mask=keep_mask)  # fmt: skip
        out.append(y)
        return y

    every('Flatten', 'flat', {}, {}, lambda v: v.reshape(v.shape[0], -1))
    k, b = some(2, 4, 3), some(3)
    every('Conv1D', 'conv', {'filters': 3, 'kernel_size': [2], 'padding': 'valid', 'activation': 'relu'},
          {'kernel': k, 'bias': b},
          lambda v: torch.relu(F.conv1d(v.transpose(1, 2), t(k).permute(2, 1, 0), t(b))).transpose(1, 2))  # fmt: skip
    ln = {'gamma': some(4), 'beta': some(4)}
    every('LayerNormalization', 'norm', {'axis': [-1], 'epsilon': 0.01}, ln,
          lambda v: F.layer_norm(v, (4,), t(ln['gamma']), t(ln['beta']), 0.01))  # fmt: skip
    bn = {'gamma': some(4), 'beta': some(4), 'moving_mean': some(4), 'moving_variance': some(4) ** 2 + 0.5}
    normal = lambda v: (v - t(bn['moving_mean'])) / (t(bn['moving_variance']) + 0.001) ** 0.5 * t(bn['gamma']) \
        + t(bn['beta'])  # fmt: skip
    every('BatchNormalization', 'batch', {'axis': [2], 'epsilon': 0.001}, bn, normal)
    every('GlobalMaxPooling1D', 'top', {}, {}, lambda v: v.amax(1))
    every('Dropout', 'drop', {'rate': 0.5}, {}, lambda v: v)
    lstm = {'cell/kernel': some(4, 8), 'cell/recurrent_kernel': some(2, 8), 'cell/bias': some(8)}
    every('LSTM', 'lstm', {'units': 2}, lstm, lambda v: m.run('LSTM', lstm, 'cell/', v, (), None, {})[0][:, -1])
    gru = {f'{h}_layer/cell/{part}': some(*shape) for h in ('forward', 'backward')
           for part, shape in (('kernel', (4, 6)), ('recurrent_kernel', (2, 6)), ('bias', (2, 6)))}  # fmt: skip
    after = {'reset_after': True}
    halves = lambda v: torch.cat([m.run('GRU', gru, f'{h}_layer/cell/', v, (), None, after, back)[0][:, -1]
                                  for h, back in (('forward', False), ('backward', True))], -1)  # fmt: skip
    every('Bidirectional', 'both', {'layer': {'class_name': 'GRU', 'config': {'name': 'gru', 'units': 2, **after}},
                                    'merge_mode': 'concat'}, gru, halves)  # fmt: skip
    # Words in sentences: up to Keras 2 the words' mask goes on, and a sentence counts if a word does.
    table, g = some(6, 3), {'cell/kernel': some(3, 6), 'cell/recurrent_kernel': some(2, 6), 'cell/bias': some(2, 6)}
    e = every('Embedding', 'embedding', {'input_dim': 6, 'output_dim': 3, 'mask_zero': True}, {'embeddings': table},
              lambda v: t(table)[v.long()], words)  # fmt: skip
    mask = t(ids != 0) if m.major < 3 else None
    sentence = every('GRU', 'sentence', {'units': 2, **after}, g, lambda v: m.run(
        'GRU', g, 'cell/', v, (), None if mask is None else mask.reshape(-1, 3), after)[0][:, -1], e, False)  # fmt: skip
    sentence.mask = None if mask is None else mask.amax(-1)
    text = m.rnn('GRU', 'text', sentence, 2, return_sequences=True, reset_after=True)
    out.append(text)
    # Models in models.
    def inside(name, at, make):
        model = Model(version, name)
        given = model.input(f'{name}_in', at, [None] * (at.dim() - 1) + [at.shape[-1]])
        model.outputs = [make(model, given)]
        return model

    def seen(name, model, given):
        return m.call(model.kind, name, {'__model__': model}, {}, lambda _: model.outputs[0].value, given)

    deepest = inside('deepest', seq.value, lambda n, v: n.rnn('GRU', 'shared_name', n.dense('shared_dense', v, 3), 2,
                                                              return_sequences=True, reset_after=True))  # fmt: skip

    def middle(n, v):
        y = n.call('Functional', 'deepest', {'__model__': deepest}, {}, lambda _: deepest.outputs[0].value, v)
        z = n.call('BatchNormalization', 'bn', {'axis': [2], 'epsilon': 0.001},
                   {k: w[:2] for k, w in bn.items()},
                   lambda u: F.batch_norm(u.transpose(1, 2), *(t(bn[k][:2]) for k in (
                       'moving_mean', 'moving_variance', 'gamma', 'beta')), eps=0.001).transpose(1, 2), y)  # fmt: skip
        return n.dense('last_dense', z, 3, 'tanh')

    out.append(seen('outer', inside('outer', seq.value, middle), seq))
    out.append(m.rnn('LSTM', 'shared_name', seq, 2, return_sequences=True))
    # Masks through Concatenate, and attention that ignores masked steps.
    low = m.call('Masking', 'low', {'mask_value': 0.0}, {}, lambda v: v, seq)
    low.mask = (seq.value != 0).any(-1).double()
    wide = m.call('Concatenate', 'wide', {'axis': -1}, {}, lambda a, b: torch.cat([a, b], -1), [low, seq])
    if (m.major, version) >= (3, '3.4'):
        wide.mask = None
    out.append(m.rnn('GRU', 'after_wide', wide, 2, return_sequences=True, reset_after=True))
    long = m.call('Concatenate', 'long', {'axis': 1}, {}, lambda a, b: torch.cat([a, b], 1), [low, low])
    long.mask = torch.cat([low.mask, low.mask], 1)
    out.append(m.rnn('GRU', 'after_long', long, 2, return_sequences=True, reset_after=True))

    def attend(q, v):
        scores = q @ v.transpose(1, 2) - 1e9 * (1 - low.mask[:, None])
        return torch.softmax(scores, -1) @ v * low.mask[..., None]

    out.append(m.call('Attention', 'attend', {'use_scale': False}, {}, attend, [low, low]))
    if m.major < 3:
        out.append(time_first(m, seq, out))
    m.outputs = out
    return m


def time_first(m, seq, out):
    turn = lambda v: v.transpose(0, 1)
    turned = m.call('Permute', 'same_steps', {'dims': [1, 2]}, {}, lambda v: v, seq)
    w = {'cell/kernel': some(4, 6), 'cell/recurrent_kernel': some(2, 6), 'cell/bias': some(2, 6)}
    config = {'units': 2, 'reset_after': True, 'return_sequences': True, 'time_major': True}
    y = m.call('GRU', 'time_first', config, w,
               lambda v: turn(m.run('GRU', w, 'cell/', turn(v), (), None, config)[0]), turned)  # fmt: skip
    both = {f'{h}_layer/{k}': some(*a.shape) for h in ('forward', 'backward') for k, a in w.items()}
    inner = {'class_name': 'GRU', 'config': {'name': 'gru', **config}}

    def fn(v):
        a = m.run('GRU', both, 'forward_layer/cell/', turn(v), (), None, config)[0]
        b = m.run('GRU', both, 'backward_layer/cell/', turn(v), (), None, config, True)[0].flip(1)
        return turn(a + b)

    out.append(m.call('Bidirectional', 'time_first_both', {'layer': inner, 'merge_mode': 'sum'}, both, fn, turned))
    return y


def first_keras():
    """Keras 1: a list of layers, arrays by gate, W and b."""
    m = Model('1.2.2', 'first', 'Sequential')
    x = m.input('input', some(2, 5, 3, scale=128), [None, None, 3])
    y = m.rnn('GRU', 'gru_1', x, 4, return_sequences=True, recurrent_activation='hard_sigmoid')
    y = m.rnn('LSTM', 'lstm_1', y, 3, recurrent_activation='hard_sigmoid')
    m.outputs = [m.dense('dense_1', y, 2, 'sigmoid')]
    config = m.config()
    for each in config['config']:
        c = each['config']
        c['output_dim'] = c.pop('units')
        if 'recurrent_activation' in c:
            c['inner_activation'] = c.pop('recurrent_activation')
    listed = {'GRU': ('zrh', 'zrh'), 'LSTM': ('icfo', 'ifco')}
    with h5py.File(FOLDER / 'first-1.2.h5', 'w', libver='latest') as f:
        f.attrs['model_config'], f.attrs['keras_version'] = json.dumps(config), '1.2.2'
        g = f.create_group('model_weights')
        g.attrs['layer_names'] = [b'gru_1', b'lstm_1', b'dense_1']
        for name in ('gru_1', 'lstm_1', 'dense_1'):
            kind, _, weights, _ = m.layers[name]
            group, arrays = g.create_group(name), []
            if kind == 'Dense':
                arrays = [(f'{name}_W', weights['kernel']), (f'{name}_b', weights['bias'])]
            else:
                order, packed = listed[kind]
                cut = lambda w: dict(zip(packed, np.split(w, len(packed), -1)))
                parts = [cut(weights[f'cell/{w}']) for w in ('kernel', 'recurrent_kernel', 'bias')]
                arrays = [(f'{name}_{s}_{gate}', p[gate]) for gate in order for s, p in zip('WUb', parts)]
            for title, array in arrays:
                group.create_dataset(title, data=np.float32(array))
            group.attrs['weight_names'] = [title.encode() for title, _ in arrays]
    case('first-1.2.h5', m)


def second_keras():
    """A graph of Keras 1.2: convolutions of three axes kept as four, running_std, Merge."""
    m = Model('1.2.2', 'second')
    m.kind = 'Model'
    ids = np.array([[3, 1, 4, 0, 2, 5], [2, 0, 1, 5, 1, 3]])
    words = m.input('words', ids, [None, 6])
    table, k, b = some(6, 4), some(3, 4, 3), some(3)
    e = m.call('Embedding', 'embedding_1', {'input_dim': 6, 'output_dim': 4, 'mask_zero': False, 'input_length': 6},
               {'W': table}, lambda v: t(table)[v.long()], words)  # fmt: skip
    conv = lambda v: F.conv1d(F.pad(v.transpose(1, 2), (1, 1)), t(k).permute(2, 1, 0), t(b)).transpose(1, 2)
    c = m.call('Convolution1D', 'convolution1d_1', {'nb_filter': 3, 'filter_length': 3, 'border_mode': 'same',
                                                    'subsample_length': 1, 'activation': 'relu', 'bias': True},
               {'W': k[:, None], 'b': b}, lambda v: torch.relu(conv(v)), e)  # fmt: skip
    p = m.call('MaxPooling1D', 'maxpooling1d_1', {'pool_length': 2, 'stride': 2, 'border_mode': 'valid'}, {},
               lambda v: F.max_pool1d(v.transpose(1, 2), 2).transpose(1, 2), c)  # fmt: skip
    bn = {'gamma': some(3), 'beta': some(3), 'running_mean': some(3), 'running_std': some(3) ** 2 + 0.5}
    n = m.call('BatchNormalization', 'batchnormalization_1', {'epsilon': 0.001, 'mode': 0, 'axis': -1}, bn,
               lambda v: (v - t(bn['running_mean'])) / (t(bn['running_std']) + 0.001) ** 0.5 * t(bn['gamma'])
               + t(bn['beta']), p)  # fmt: skip
    w, wb, d, db = some(3, 3), some(3), some(3, 3), some(3)
    td = m.call('TimeDistributed', 'timedistributed_1', {'layer': {'class_name': 'Dense', 'config': {
        'name': 'dense_1', 'output_dim': 3, 'activation': 'tanh', 'bias': True}}}, {'W': w, 'b': wb},
        lambda v: torch.tanh(v @ t(w) + t(wb)), n)  # fmt: skip
    old = m.call('TimeDistributedDense', 'timedistributeddense_1', {'output_dim': 3, 'activation': 'linear'},
                 {'W': d, 'b': db}, lambda v: v @ t(d) + t(db), n)  # fmt: skip
    merge = lambda name, mode, fn, vs: m.call('Merge', name, {'mode': mode, 'mode_type': 'raw', 'concat_axis': -1,
                                                              'dot_axes': -1}, {}, fn, vs)  # fmt: skip
    total = merge('merge_1', 'sum', lambda a, b: a + b, [td, old])
    product = merge('merge_2', 'mul', lambda a, b: a * b, [td, old])
    both = merge('merge_3', 'concat', lambda a, b: torch.cat([a, b], -1), [total, product])
    m.outputs = [both]
    with h5py.File(FOLDER / 'second-1.2.h5', 'w', libver='latest') as f:
        f.attrs['model_config'], f.attrs['keras_version'] = json.dumps(m.config()), '1.2.2'
        g = f.create_group('model_weights')
        g.attrs['layer_names'] = [name.encode() for name in m.layers]
        for name, (_, _, weights, _) in m.layers.items():
            group = g.create_group(name)
            for key, array in weights.items():
                group.create_dataset(f'{name}_{key}', data=np.float32(array))
            group.attrs['weight_names'] = np.array([f'{name}_{key}' for key in weights], 'S')
    case('second-1.2.h5', m)


def cudnn():
    """Keras 2.2 with cuDNN layers: kernels turned, biases in one row."""
    m = Model('2.2.4', 'cudnn')
    x = m.input('x', some(2, 4, 3, scale=128), [None, None, 3])
    y = m.rnn('GRU', 'gru', x, 4, return_sequences=True, reset_after=True)
    z = m.rnn('LSTM', 'lstm', y, 3)
    m.outputs = [y, z]
    to = lambda w, n: np.concatenate([p.T.reshape(-1).reshape(p.shape) for p in np.split(w, n, 1)], 1)
    for name, n in (('gru', 3), ('lstm', 4)):
        kind, config, weights, calls = m.layers[name]
        bias = weights['cell/bias']
        if n == 4:
            split = some(*bias.shape)
            bias = np.stack([bias - split, split])
        turned = {'kernel': to(weights['cell/kernel'], n),
                  'recurrent_kernel': to(weights['cell/recurrent_kernel'], n), 'bias': bias.reshape(-1)}  # fmt: skip
        own = {k: v for k, v in config.items() if k in ('name', 'units', 'return_sequences')}
        m.layers[name] = ('CuDNN' + kind, own, turned, calls)
    m.h5(FOLDER / 'cudnn-2.2.h5', split=True)
    case('cudnn-2.2.h5', m)


def bare():
    """Weights alone, in both layouts."""
    m = Model('2.10.0', 'bare')
    x = m.input('x', some(2, 4, 3, scale=128), [None, None, 3])
    y = m.rnn('GRU', 'gru', x, 4, return_sequences=True, reset_after=True)
    both = m.bidirectional('LSTM', 'both', y, 2, return_sequences=True)
    m.dense('head', both, 2)
    m.outputs = [y]
    m.h5(FOLDER / 'bare.h5', config=False)
    case('bare.h5', m, layer='gru')
    with h5py.File(FOLDER / 'bare.weights.h5', 'w', libver='latest') as f:
        m.objects(f, 'layers', '/')
    case('bare.weights.h5', m, layer='gru')


def halves():
    """Weights in bfloat16, which Keras 3 keeps as bytes of no type, with the layers' names beside them."""
    m = Model('3.8.0', 'halves')
    x = m.input('x', some(2, 4, 3, scale=128), [None, None, 3])
    y = m.rnn('GRU', 'encoder', x, 4, return_sequences=True, reset_after=True)
    m.rnn('GRU', 'decoder', y, 4, return_sequences=True, reset_after=True)
    m.outputs = [y]
    with h5py.File(FOLDER / 'halves.weights.h5', 'w', libver='latest') as f:
        for at, name in (('gru', 'encoder'), ('gru_1', 'decoder')):
            f.create_group(f'layers/{at}/vars').attrs['name'] = name
            for i, array in enumerate(m.layers[name][2].values()):
                upper = (np.float32(array).view(np.uint32) >> 16).astype(np.uint16)
                data = f.create_dataset(f'layers/{at}/cell/vars/{i}', data=upper.view('V2'))
                data.attrs['dtype'] = 'bfloat16'
    case('halves.weights.h5', m, layer='encoder')


def branches():
    """Keras 1: a Sequential that begins with a Merge of others; the file lists all layers side by side."""
    ids, v = np.array([[3, 1, 4], [2, 0, 1]]), some(2, 4, 3, scale=128)
    table, w, wb, d, db = some(5, 4), some(3, 4), some(4), some(8, 2), some(2)
    layer = lambda kind, **config: {'class_name': kind, 'config': config}
    left = [layer('Embedding', name='embedding_1', input_dim=5, output_dim=4, batch_input_shape=[None, 3]),
            layer('Flatten', name='flatten_1'), layer('Dense', name='dense_1', output_dim=4, activation='tanh')]  # fmt: skip
    k, kb = some(12, 4), some(4)
    right = [layer('Dense', name='dense_2', output_dim=4, activation='relu', batch_input_shape=[None, 3])]
    sequential = lambda layers: {'class_name': 'Sequential', 'config': layers}
    config = sequential([layer('Merge', name='merge_1', mode='concat', concat_axis=-1,
                               layers=[sequential(left), sequential(right)]),
                         layer('Dense', name='dense_3', output_dim=2, activation='softmax')])  # fmt: skip
    arrays = {'embedding_1': {'W': table}, 'flatten_1': {}, 'dense_1': {'W': k, 'b': kb}, 'dense_2': {'W': w, 'b': wb},
              'merge_1': {}, 'dense_3': {'W': d, 'b': db}}  # fmt: skip
    with h5py.File(FOLDER / 'branches-1.2.h5', 'w', libver='latest') as f:
        f.attrs['model_config'], f.attrs['keras_version'] = json.dumps(config), '1.2.2'
        g = f.create_group('model_weights')
        g.attrs['layer_names'] = [name.encode() for name in arrays]
        for name, own in arrays.items():
            group = g.create_group(name)
            for key, array in own.items():
                group.create_dataset(f'{name}_{key}', data=np.float32(array))
            group.attrs['weight_names'] = np.array([f'{name}_{key}' for key in own], 'S')
    v = v[:, 0]
    one = torch.tanh(t(table)[t(ids).long()].reshape(2, -1) @ t(k) + t(kb))
    two = torch.relu(t(v) @ t(w) + t(wb))
    y = torch.softmax(torch.cat([one, two], -1) @ t(d) + t(db), -1)
    cases.append({'file': 'branches-1.2.h5', 'options': {}, 'outputs': [y.numpy().tolist()],
                  'inputs': {'sequential_1_input': ids.tolist(), 'sequential_2_input': v.tolist()}})  # fmt: skip


def in_tensorflow():
    m = Model('2.15.0', 'in_tensorflow', 'Sequential')
    x = m.input('x', some(2, 4, 3, scale=128), [None, 4, 3])
    y = m.bidirectional('GRU', 'both', x, 2, return_sequences=True, reset_after=True)
    y = m.rnn('LSTM', 'lstm', y, 3, return_sequences=True)
    m.outputs = [m.dense('head', y, 2)]
    m.saved_model(FOLDER / 'saved-model')
    case('saved-model', m)
    m.checkpoint(FOLDER / 'checkpoint', 'ckpt-7')
    (FOLDER / 'checkpoint' / 'checkpoint').write_text('model_checkpoint_path: "/elsewhere/ckpt-7"\n')
    case('checkpoint', m)
    case('checkpoint/ckpt-7.index', m)


def in_tfjs():
    for quantize in (None, 'float16', 'uint8'):
        m = Model('2.15.0', 'small')
        x = m.input('x', some(2, 4, 3, scale=128), [None, 4, 3])
        y = m.rnn('GRU', 'gru', x, 4, return_sequences=True, reset_after=True)
        m.outputs = [m.dense('head', y, 2, 'relu')]
        if quantize == 'uint8':  # steps of 1/64: what is read back is what was trained
            for *_, weights, _ in m.layers.values():
                for w in weights.values():
                    w[...] = np.clip(w, -1, 1)
                    w.flat[0], w.flat[-1] = 127 / 64, -128 / 64
            values = m.inputs[0]
            y = m.rnn('GRU', 'gru', values, 4, return_sequences=True, reset_after=True)
            y = m.dense('head', y, 2, 'relu')
            for name in ('gru', 'head'):
                m.layers[name][3].pop()
            m.outputs[0].value = y.value
        m.tfjs(FOLDER / f'tfjs-{quantize or "float32"}', quantize)
        case(f'tfjs-{quantize or "float32"}/model.json', m)


def trained_in_tfjs():
    """The format of `model.save` of TF.js: no wrapper around the model, its own version, several groups."""
    m = Model('2.2.0', 'trained')
    x = m.input('x', some(2, 4, 3, scale=128), [None, 4, 3])
    x.value[:, 1] = 0
    y = m.call('Masking', 'masking_Masking1', {'mask_value': 0}, {}, lambda v: v, x)
    y.mask = (x.value != 0).any(-1).double()
    y = m.rnn('GRU', 'gru_GRU1', y, 4, return_sequences=True, recurrent_activation='hard_sigmoid', reset_after=False)
    y = m.bidirectional('LSTM', 'both', y, 2, recurrent_activation='hard_sigmoid')
    m.outputs = [m.dense('dense_Dense1', y, 2, 'softmax')]
    folder = FOLDER / 'tfjs-trained'
    folder.mkdir(exist_ok=True)
    groups = []
    for i, name in enumerate(('gru_GRU1', 'both', 'dense_Dense1')):
        data, listed = b'', []
        for key, array in m.layers[name][2].items():
            half = key.split('/')[0].replace('layer', 'both') + '/' if name == 'both' else ''
            listed.append({'name': f"{name}/{half}{key.split('/')[-1]}", 'shape': list(array.shape), 'dtype': 'float32'})
            data += np.float32(array).tobytes()
        if i == 0:  # what is no layer's: a counter and a flag
            listed += [{'name': 'steps', 'shape': [], 'dtype': 'int32'}, {'name': 'on', 'shape': [3], 'dtype': 'bool'}]
            data += np.int32(7).tobytes() + b'\1\0\1'
        paths = [f'group{i + 1}-shard{j}of3.bin' for j in (1, 2, 3)]
        third = len(data) // 3
        for path, part in zip(paths, (data[:third], data[third : 2 * third], data[2 * third :])):
            (folder / path).write_bytes(part)
        groups.append({'paths': paths, 'weights': listed})
    topology = {**m.config(), 'keras_version': 'tfjs-layers 4.22.0', 'backend': 'tensor_flow.js'}
    text = {'format': 'layers-model', 'generatedBy': 'TensorFlow.js tfjs-layers v4.22.0', 'convertedBy': None,
            'modelTopology': topology, 'weightsManifest': groups,
            'trainingConfig': {'loss': 'custom', 'metrics': [], 'optimizer_config': {'class_name': 'Adam'}}}  # fmt: skip
    (folder / 'model.json').write_text(json.dumps(text))
    case('tfjs-trained/model.json', m)


def main():
    FOLDER.mkdir(parents=True, exist_ok=True)
    for version in ('2.15.0', '3.8.0'):
        for build in (recurrent, around):
            m = build(version)
            name = f'{build.__name__}-{version[:-2]}'
            m.h5(FOLDER / f'{name}.h5')
            case(f'{name}.h5', m)
            m.archive(FOLDER / f'{name}.keras', '\\' if version[0] == '2' else '/')
            case(f'{name}.keras', m)
    m = recurrent('2.2.4')
    m.h5(FOLDER / 'recurrent-2.2.h5')
    case('recurrent-2.2.h5', m)
    first_keras()
    cudnn()
    bare()
    in_tfjs()
    in_tensorflow()
    for version in ('2.15.0', '3.8.0'):
        for build in (planes, wrapped):
            m = build(version)
            name = f'{build.__name__}-{version[:-2]}'
            if build is wrapped or m.major < 3:
                m.h5(FOLDER / f'{name}.h5')
                case(f'{name}.h5', m)
            if build is wrapped and m.major < 3:
                m.saved_model(FOLDER / 'saved-model-wrapped')
                case('saved-model-wrapped', m)
            if build is wrapped or m.major >= 3:
                m.archive(FOLDER / f'{name}.keras')
                case(f'{name}.keras', m)
    trained_in_tfjs()
    second_keras()
    halves()
    branches()
    (FOLDER / 'cases.json').write_text(json.dumps(cases))


if __name__ == '__main__':
    main()
