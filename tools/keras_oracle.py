"""Keras's layers in plain NumPy, float64, straight from a configuration: the oracle for random models.

Reads the dictionaries that `get_config` gives (Keras 3's spelling) and follows
`keras/src/layers` (Keras 3) and `tf_keras/layers` (Keras 2); nothing here comes from gruv, and no
effort is made to be fast. Values are pairs (array, mask): the mask is [rows, steps] of booleans, or
None where every step counts.

A layer's `weights` are its arrays by attribute: {'kernel': …}, {'cell/kernel': …},
{'forward_layer/cell/kernel': …}.
"""

import math

import numpy as np

# --- activations ---------------------------------------------------------------------------


def sigmoid(a):
    return 1 / (1 + np.exp(-a))


def softmax(a, axis=-1):
    e = np.exp(a - a.max(axis, keepdims=True))
    return e / e.sum(axis, keepdims=True)


def softplus(a):
    return np.log1p(np.exp(-abs(a))) + np.maximum(a, 0)


def activation(name, version):
    slope = 1 / 6 if version >= (3, 0) else 0.2
    return {
        None: lambda a: a, 'linear': lambda a: a, 'tanh': np.tanh, 'sigmoid': sigmoid, 'softmax': softmax,
        'relu': lambda a: np.maximum(a, 0), 'relu6': lambda a: np.clip(a, 0, 6),
        'elu': lambda a: np.where(a > 0, a, np.expm1(np.minimum(a, 0))),
        'selu': lambda a: 1.0507009873554805 * np.where(a > 0, a, 1.6732632423543772 * np.expm1(np.minimum(a, 0))),
        'softplus': softplus, 'softsign': lambda a: a / (1 + abs(a)), 'exponential': np.exp,
        'swish': lambda a: a * sigmoid(a), 'silu': lambda a: a * sigmoid(a),
        'mish': lambda a: a * np.tanh(softplus(a)),
        'gelu': np.vectorize(lambda a: a / 2 * (1 + math.erf(a / math.sqrt(2)))),
        'leaky_relu': lambda a: np.where(a >= 0, a, 0.2 * a),
        'hard_sigmoid': lambda a: np.clip(slope * a + 0.5, 0, 1),
        'hard_silu': lambda a: a * np.clip(a / 6 + 0.5, 0, 1), 'log_sigmoid': lambda a: -softplus(-a),
        'log_softmax': lambda a: np.log(softmax(a)), 'celu': lambda a: np.where(a > 0, a, np.expm1(np.minimum(a, 0))),
    }[name]  # fmt: skip


# --- recurrence ----------------------------------------------------------------------------


def cell_step(kind, config, w, x, states, version):
    act = activation(config.get('activation', 'tanh'), version)
    ract = activation(config.get('recurrent_activation', 'sigmoid'), version)
    K, R, h = w['kernel'], w['recurrent_kernel'], states[0]
    u = R.shape[0]
    b = w.get('bias', np.zeros(K.shape[1]))
    if kind == 'SimpleRNN':
        y = act(x @ K + b + h @ R)
        return y, [y]
    if kind == 'LSTM':
        i, f, g, o = np.split(x @ K + h @ R + b, 4, -1)
        c = ract(f) * states[1] + ract(i) * act(g)
        y = ract(o) * act(c)
        return y, [y, c]
    if config.get('reset_after', True):
        bi, br = b if b.ndim == 2 else (b, np.zeros_like(b))
        xz, xr, xn = np.split(x @ K + bi, 3, -1)
        hz, hr, hn = np.split(h @ R + br, 3, -1)
        z, r = ract(xz + hz), ract(xr + hr)
        n = act(xn + r * hn)
    else:
        xz, xr, xn = np.split(x @ K + b, 3, -1)
        z, r = ract(xz + h @ R[:, :u]), ract(xr + h @ R[:, u : 2 * u])
        n = act(xn + (r * h) @ R[:, 2 * u :])
    y = z * h + (1 - z) * n
    return y, [y]


def under(weights, prefix):
    return {k[len(prefix) :]: v for k, v in weights.items() if k.startswith(prefix)}


def cells_of(kind, config):
    """[(kind, config, path of its arrays)]"""
    if kind != 'RNN':
        return [(kind, config, 'cell/')]
    cell = config['cell']
    if cell['class_name'] != 'StackedRNNCells':
        return [(cell['class_name'][:-4], cell['config'], 'cell/')]
    return [(c['class_name'][:-4], c['config'], f'cell/cells/{i}/') for i, c in enumerate(cell['config']['cells'])]


def recur(kind, config, weights, x, mask, initial, version, zero=None):
    """K.rnn: outputs in the order they are computed, last output, states."""
    cells = cells_of(kind, config)
    own = [under(weights, path) for _, _, path in cells]
    counts = [2 if k == 'LSTM' else 1 for k, _, _ in cells]
    states = list(initial) or [
        np.zeros((x.shape[0], w['recurrent_kernel'].shape[0])) for w, n in zip(own, counts) for _ in range(n)
    ]
    order = range(x.shape[1])[:: -1 if config.get('go_backwards') else 1]
    zero = config.get('zero_output_for_mask', False) if zero is None else zero
    outs, before = [], None
    for t in order:
        y, new, at = x[:, t], [], 0
        for (k, c, _), w, n in zip(cells, own, counts):
            y, s = cell_step(k, c, w, y, states[at : at + n], version)
            new += s
            at += n
        if mask is not None:
            m = mask[:, t, None]
            if version < (2, 3) and not config.get('unroll'):
                # Stacked cells list the states of the last one first.
                y = np.where(m, y, states[-counts[-1]])
            else:
                y = np.where(m, y, np.zeros_like(y) if before is None or zero else before)
            new = [np.where(m, a, b) for a, b in zip(new, states)]
        states, before = new, y
        outs.append(y)
    if version < (2, 3):  # up to 2.2.2
        states = [s for i in reversed(range(len(cells))) for s in states[sum(counts[:i]) : sum(counts[: i + 1])]]
    return np.stack(outs, 1), outs[-1], states


# --- layers --------------------------------------------------------------------------------

drops_mask = {
    'Conv1D', 'MaxPooling1D', 'AveragePooling1D', 'GlobalMaxPooling1D', 'GlobalAveragePooling1D', 'Flatten', 'Reshape',
    'Permute', 'RepeatVector', 'ZeroPadding1D', 'Cropping1D', 'UpSampling1D',
}  # fmt: skip


def windows(length, size, stride, dilation, padding):
    """Zeros before and after."""
    reach = (size - 1) * dilation + 1
    if padding == 'same':
        total = max((-(-length // stride) - 1) * stride + reach - length, 0)
        return total // 2, total - total // 2
    return (reach - 1, 0) if padding == 'causal' else (0, 0)


def first_or_int(value, default):
    value = default if value is None else value
    return value[0] if isinstance(value, (list, tuple)) else value


def conv1d(c, w, x):
    K, size = w['kernel'], w['kernel'].shape[0]
    stride, dil = first_or_int(c.get('strides'), 1), first_or_int(c.get('dilation_rate'), 1)
    before, after = windows(x.shape[1], size, stride, dil, c.get('padding', 'valid'))
    x = np.pad(x, ((0, 0), (before, after), (0, 0)))
    groups = c.get('groups', 1)
    n = (x.shape[1] - (size - 1) * dil - 1) // stride + 1
    per, out = K.shape[1], K.shape[2] // groups
    y = np.zeros((x.shape[0], n, K.shape[2]))
    for t in range(n):
        for k in range(size):
            at = x[:, t * stride + k * dil]
            for g in range(groups):
                y[:, t, g * out : (g + 1) * out] += (
                    at[:, g * per : (g + 1) * per] @ K[k][:, g * out : (g + 1) * out]
                )
    return y + w.get('bias', 0)


def pool1d(kind, c, x):
    size = first_or_int(c.get('pool_size'), 2)
    stride = first_or_int(c.get('strides'), size)
    before, after = windows(x.shape[1], size, stride, 1, c.get('padding', 'valid'))
    n = (x.shape[1] + before + after - size) // stride + 1
    out = []
    for t in range(n):
        lo, hi = t * stride - before, t * stride - before + size
        part = x[:, max(lo, 0) : min(hi, x.shape[1])]
        out.append(part.max(1) if kind == 'MaxPooling1D' else part.mean(1))
    return np.stack(out, 1)


def normal(c, x, mean, var, w, axes):
    shape = [n if i in axes else 1 for i, n in enumerate(x.shape)]
    y = (x - mean) / np.sqrt(var + c.get('epsilon', 1e-3))
    return y * w.get('gamma', np.ones(shape)).reshape(shape) + w.get('beta', np.zeros(shape)).reshape(shape)


def axes_of(c, rank):
    a = c.get('axis', -1)
    return [i % rank for i in (a if isinstance(a, list) else [a])]


def merged_mask(masks, arrays, version, axis=None):
    if all(m is None for m in masks):
        return None
    either = version >= (3, 4)
    if axis is None:
        if either and any(m is None for m in masks):
            return None
        masks = [m for m in masks if m is not None]
        return (np.logical_or if either else np.logical_and).reduce(masks)
    full = [
        np.broadcast_to((np.ones(a.shape[:2], bool) if m is None else m)[..., None], a.shape)
        for m, a in zip(masks, arrays)
    ]
    return (np.any if either else np.all)(np.concatenate(full, axis), -1)


def scores_masked(scores, keep):
    # In float32, of which nothing is left at 1e9: where a query sees no key, all weigh the same.
    return scores if keep is None else np.where(keep, scores, np.float32(scores - 1e9))


def attention(kind, c, w, xs, masks, kwargs):
    q, v = xs[:2]
    k = xs[2] if len(xs) > 2 else v
    if kind == 'Attention' and c.get('score_mode', 'dot') == 'dot':
        s = q @ k.swapaxes(1, 2) * w.get('scale', 1)
    elif kind == 'Attention':
        s = w['concat_score_weight'] * np.tanh(w.get('scale', 1) * (q[:, :, None] + k[:, None])).sum(-1)
    else:
        s = (w.get('scale', 1) * np.tanh(q[:, :, None] + k[:, None])).sum(-1)
    keep = None if masks[1] is None else masks[1][:, None, :]
    if c.get('causal') or kwargs.get('use_causal_mask'):
        tri = np.tril(np.ones(s.shape[1:], bool))[None]
        keep = tri if keep is None else keep & tri
    a = softmax(scores_masked(s, keep))
    y = a @ v
    return y if masks[0] is None else y * masks[0][..., None], a


def multi_head(c, w, xs, masks, kwargs, version):
    q, v = xs[:2]
    k = xs[2] if len(xs) > 2 else v
    project = lambda a, p: np.einsum('bsf,fhd->bhsd', a, w[f'{p}_dense/kernel']) + (
        w[f'{p}_dense/bias'][None, :, None] if f'{p}_dense/bias' in w else 0
    )
    Q, K, V = project(q, 'query'), project(k, 'key'), project(v, 'value')
    s = Q @ K.swapaxes(2, 3) / math.sqrt(c['key_dim'])
    keep = np.ones(s.shape[0:1] + (1,) + s.shape[2:], bool)
    if version >= (2, 10):
        if masks[0] is not None:
            keep = keep & masks[0][:, None, :, None]
        for m in masks[1:]:
            if m is not None:
                keep = keep & m[:, None, None, :]
    if kwargs.get('use_causal_mask'):
        keep = keep & np.tril(np.ones(s.shape[2:], bool))
    s = np.where(keep, s, -1e9)
    y = np.einsum('bhsd,hdu->bsu', softmax(s) @ V, w['output_dense/kernel'])
    return y + w.get('output_dense/bias', 0)


def call(kind, c, w, xs, masks, kwargs, version, nested):
    """[(array, mask)] of one call of a layer."""
    x, mask = xs[0], masks[0]
    act = lambda: activation(c.get('activation'), version)
    keep = mask if kind not in drops_mask else None
    if kind in ('GRU', 'LSTM', 'SimpleRNN', 'RNN'):
        turn = (lambda a: a.swapaxes(0, 1)) if c.get('time_major') else (lambda a: a)
        seq, last, states = recur(kind, c, w, turn(x), None if mask is None else turn(mask), xs[1:], version)
        rs = c.get('return_sequences')
        y = (turn(seq), mask if rs and version < (3, 16) else None) if rs else (last, None)
        return [y] + [(s, None) for s in states if c.get('return_state')]
    if kind == 'Bidirectional':
        inner = c['layer']
        ic, rs = inner['config'], inner['config'].get('return_sequences', False)
        back = c.get('backward_layer') or {'class_name': inner['class_name'], 'config': {
            **ic, 'go_backwards': not ic.get('go_backwards', False)}}  # fmt: skip
        states = xs[1:]
        half = len(states) // 2
        zero = rs if version >= (2, 3) else False
        f = recur(inner['class_name'], ic, under(w, 'forward_layer/'), x, mask, states[:half], version, zero)
        b = recur(back['class_name'], back['config'], under(w, 'backward_layer/'), x, mask, states[half:], version, zero)
        y, z = (f[0], b[0][:, ::-1]) if rs else (f[1], b[1])
        m = mask if rs and version < (3, 16) else None
        mode = c.get('merge_mode', 'concat')
        out = [(y, m), (z, m)] if mode is None else [({
            'concat': lambda: np.concatenate([y, z], -1), 'sum': lambda: y + z, 'mul': lambda: y * z,
            'ave': lambda: (y + z) / 2}[mode](), m)]  # fmt: skip
        return out + [(s, None) for s in [*f[2], *b[2]] if ic.get('return_state')]
    if kind == 'TimeDistributed':
        # A step at a time, as Keras 3 does.
        inner, parts = c['layer'], []
        for t in range(x.shape[1]):
            ys = call(inner['class_name'], inner['config'], under(w, 'layer/'), [x[:, t]], [None], {}, version,
                      lambda v: nested(v))  # fmt: skip
            parts.append(ys[0][0])
        return [(np.stack(parts, 1), mask if version < (3, 16) else None)]
    if kind in ('Functional', 'Sequential', 'Model'):
        return nested(list(zip(xs, masks)))
    if kind == 'Dense':
        return [(act()(x @ w['kernel'] + w.get('bias', 0)), keep)]
    if kind == 'Embedding':
        return [(w['embeddings'][x.astype(int)], x != 0 if c.get('mask_zero') else None)]
    if kind == 'Masking':
        m = (x != c.get('mask_value', 0)).any(-1)
        return [(x * m[..., None], m)]
    if kind in ('Dropout', 'SpatialDropout1D', 'GaussianNoise', 'GaussianDropout', 'AlphaDropout', 'ActivityRegularization'):
        return [(x, keep)]
    if kind == 'BatchNormalization':
        axes = axes_of(c, x.ndim)
        shape = [n if i in axes else 1 for i, n in enumerate(x.shape)]
        return [(normal(c, x, w['moving_mean'].reshape(shape), w['moving_variance'].reshape(shape), w, axes), keep)]
    if kind == 'LayerNormalization':
        axes = axes_of(c, x.ndim)
        mean, var = x.mean(tuple(axes), keepdims=True), x.var(tuple(axes), keepdims=True)
        return [(normal(c, x, mean, var, w, axes), keep)]
    if kind == 'Conv1D':
        return [(act()(conv1d(c, w, x)), keep)]
    if kind in ('MaxPooling1D', 'AveragePooling1D'):
        return [(pool1d(kind, c, x), keep)]
    if kind == 'GlobalMaxPooling1D':
        return [(x.max(1, keepdims=c.get('keepdims', False)), None)]
    if kind == 'GlobalAveragePooling1D':
        if mask is None:
            return [(x.mean(1, keepdims=c.get('keepdims', False)), None)]
        m = mask[..., None].astype(float)
        k = c.get('keepdims', False)
        return [((x * m).sum(1, keepdims=k) / m.sum(1, keepdims=k), None)]
    if kind == 'Flatten':
        return [(x.reshape(x.shape[0], -1), None)]
    if kind == 'Reshape':
        return [(x.reshape(x.shape[0], *c['target_shape']), None)]
    if kind == 'Permute':
        return [(x.transpose(0, *c['dims']), None)]
    if kind == 'RepeatVector':
        return [(np.repeat(x[:, None], c['n'], 1), None)]
    if kind == 'ZeroPadding1D':
        return [(np.pad(x, ((0, 0), tuple(c['padding']), (0, 0))), None)]
    if kind == 'Cropping1D':
        a, b = c['cropping']
        return [(x[:, a : x.shape[1] - b], None)]
    if kind == 'UpSampling1D':
        return [(np.repeat(x, c['size'], 1), None)]
    if kind == 'Activation':
        return [(act()(x), keep)]
    if kind == 'LeakyReLU':
        return [(np.where(x >= 0, x, c.get('negative_slope', 0.3) * x), keep)]
    if kind == 'ELU':
        return [(np.where(x > 0, x, c.get('alpha', 1) * np.expm1(np.minimum(x, 0))), keep)]
    if kind == 'PReLU':
        return [(np.where(x >= 0, x, w['alpha'] * x), keep)]
    if kind == 'ThresholdedReLU':
        return [(x * (x > c.get('theta', 1)), keep)]
    if kind == 'ReLU':
        top, slope, low = c.get('max_value'), c.get('negative_slope', 0), c.get('threshold', 0)
        y = np.where(x > low, x if top is None else np.minimum(x, top), slope * (x - low))
        return [(y, keep)]
    if kind == 'Softmax':
        if mask is not None and version >= (2, 4) and mask.ndim == x.ndim:
            x = np.where(mask, x, -1e9)
        return [(softmax(x, c.get('axis', -1)), keep)]
    if kind in ('Add', 'Subtract', 'Multiply', 'Average', 'Maximum', 'Minimum'):
        rank = max(a.ndim for a in xs)
        ys = [a.reshape(a.shape[0], *[1] * (rank - a.ndim), *a.shape[1:]) for a in xs]
        y = {'Add': sum, 'Subtract': lambda v: v[0] - v[1], 'Multiply': lambda v: np.prod(np.broadcast_arrays(*v), 0),
             'Average': lambda v: sum(v) / len(v), 'Maximum': lambda v: np.max(np.broadcast_arrays(*v), 0),
             'Minimum': lambda v: np.min(np.broadcast_arrays(*v), 0)}[kind](ys)  # fmt: skip
        return [(y, merged_mask(masks, xs, version))]
    if kind == 'Concatenate':
        axis = c.get('axis', -1)
        return [(np.concatenate(xs, axis), merged_mask(masks, xs, version, axis) if x.ndim == 3 else None)]
    if kind in ('Attention', 'AdditiveAttention'):
        y, a = attention(kind, c, w, xs, masks, kwargs)
        return [(y, mask)] + ([(a, None)] if kwargs.get('return_attention_scores') else [])
    if kind == 'MultiHeadAttention':
        return [(multi_head(c, w, xs, masks, kwargs, version), mask)]
    if kind.startswith('ops.'):
        return [(operation(kind[4:], c['settings'], c['template'], iter(xs)), None)]
    raise ValueError(f'no such layer: {kind}')


def operation(kind, settings, template, tensors):
    """An operation of keras.ops; a tensor stands at each None of the template. None knows masks."""
    fill = lambda t: next(tensors) if t is None else [fill(e) for e in t] if isinstance(t, list) else t
    # A key of x[...] holds no tensors.
    args = [next(tensors), template[1]] if kind == 'GetItem' else fill(template)
    named = {
        'Average': np.mean, 'Absolute': abs, 'Relu': lambda a: np.maximum(a, 0), 'Sigmoid': sigmoid,
        'Softmax': softmax, 'GetItem': lambda a, key: a[tuple(key)], 'Mean': np.mean, 'Sum': np.sum, 'Max': np.max,
        'Min': np.min, 'Clip': lambda a, x_min, x_max: np.clip(a, x_min, x_max), 'ExpandDims': np.expand_dims,
        'NotEqual': np.not_equal, 'Concatenate': np.concatenate, 'Stack': np.stack, 'Flip': np.flip,
    }  # fmt: skip
    return 1.0 * (named.get(kind) or getattr(np, kind.lower()))(*args, **settings)


def run(model, inputs, version):
    """The outputs of a model: names of its inputs, calls in order, references to its outputs."""
    values = {(name, 0, 0): pair for name, pair in zip(model.inputs, inputs)}
    for layer, index in model.order:
        args, kwargs = layer['calls'][index]
        pairs = [values[a] for a in args]
        inner = layer.get('model') or layer['config'].get('layer', {}).get('model')
        nested = lambda given, inner=inner: run(inner, given, version)
        results = call(layer['kind'], layer['config'], layer['weights'], [p[0] for p in pairs], [p[1] for p in pairs],
                       kwargs, version, nested)  # fmt: skip
        for i, pair in enumerate(results):
            values[(layer['name'], index, i)] = pair
    return [values[r] for r in model.outputs]
