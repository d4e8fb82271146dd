#!/usr/bin/env python3
"""Small Keras files with the outputs that PyTorch computes for them, for test/formats/keras.test.ts.

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
                    inner = '/'.join(full.split('/')[:-1]) + ('/' + half + 'half' if layer[0] == 'Bidirectional' else '')
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


    def checkpoint(self, folder, prefix):
        """A bundle of variables, and the graph of the objects that own them."""
        (folder / prefix).parent.mkdir(parents=True, exist_ok=True)
        nodes, data, entries = [[{}, None]], b'', {}
        weighted = [layer for layer in self.layers.values() if layer[2]]
        for i, (_, config, weights, _) in enumerate(weighted):
            for key, array in weights.items():
                at = 0
                for step in [f'layer_with_weights-{i}', *key.split('/')]:
                    if step not in nodes[at][0]:
                        nodes[at][0][step] = len(nodes)
                        nodes.append([{}, None])
                    at = nodes[at][0][step]
                # Recurrent variables go by another way to them, as in TensorFlow's own files.
                name = f'variables/{at}' if 'cell' in key else f'layer_with_weights-{i}/{key}'
                nodes[at][1] = (f"{config['name']}/{key}", name + tf.VALUE)
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
    """What stands around recurrent layers; a shared layer, models inside."""
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
    (FOLDER / 'cases.json').write_text(json.dumps(cases))


if __name__ == '__main__':
    main()
