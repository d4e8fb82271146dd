#!/usr/bin/env python3
"""Writes test/fixtures/layers/*.json: random layers with outputs of other implementations.

    python3 tools/make_layer_fixtures.py [test/fixtures/layers]

Needs PyTorch, NumPy and onnx before 1.13, whose reference GRU is importable (written with 1.13, 1.24,
1.12). Seeded; libm may move the last bits of an expected number from one machine to another.

Each file is an array of cases:

    name          unique over all files
    layers        in order; each reads what the one before it gives
      kind: 'gru'    kernel, recurrentKernel, bias, recurrentBias, gateOrder, transposed, reset, update,
                     biasPlacement, activation, recurrentActivation, returnSequences
      kind: 'dense'  kernel, bias, transposed, activation
    input         [batch][time][features]
    initialState  null (zeros), or one entry per layer: [batch][units], or null (zeros, or no state)
    expected      [batch][time][units], or [batch][units] after a layer with returnSequences: false
    finalState    one entry per layer: [batch][units], null for dense

Kernels are stored in their own gateOrder and layout: [inputs][3·units], or [3·units][inputs] when
transposed. `biasPlacement` is 'separate', 'merged' or 'none'; a merged layer has one bias vector or two.
'hard_sigmoid' is 0.2·a + 0.5, clipped. Weights, inputs and initial states are multiples of 2⁻⁶: exact
in float32, so that every precision computes the same network. Expected numbers are float64.

Whose numbers they are, and how they were verified:

- pytorch.json: torch.nn.GRU in double; `gru` below and onnx's reference must agree to 1e-13.
- variants.json, stacks.json, dense.json: `gru` and `dense` below, NumPy in float64. Every GRU layer is
  also computed by onnx's reference GRU (GRU_Helper of the operator's backend test; it has both reset
  positions, and its f and g are replaced for other activations) and must agree to 1e-13. ONNX keeps with
  z and holds its biases apart; a layer that updates with z reaches it with z's parameters negated, right
  because σ and the hard sigmoid have f(−a) = 1 − f(a); a merged bias reaches it as an input bias.
  Dense layers must agree with PyTorch's.
- Every case of one layer in pytorch.json and variants.json was also run by onnxruntime 1.30 (float32), with its own Relu,
  Affine and HardSigmoid: 81 cases, none off by more than 1.7e-7 · (1 + |expected|).

Every case must be able to fail: for each layer of variants.json the opposite reset, update and bias
placement must move the outputs by 1e-3 or more, but for those that are the same function (`moves`).
"""

import itertools
import json
import pathlib
import sys

import numpy as np
import torch
from onnx.backend.test.case.node.gru import GRU_Helper

SEED = 20160
AGREE = 1e-13
ORDERS = ('zrn', 'rzn', 'znr', 'rnz', 'nzr', 'nrz')

FUNCTIONS = {
    'linear': lambda a: a,
    'relu': lambda a: np.maximum(a, 0),
    'tanh': np.tanh,
    'sigmoid': lambda a: 1 / (1 + np.exp(-a)),
    'hard_sigmoid': lambda a: np.clip(0.2 * a + 0.5, 0, 1),
    'softmax': lambda a: np.exp(a) / np.exp(a).sum(axis=-1, keepdims=True),
}

random = np.random.default_rng(SEED)


def draw(*shape, scale=1.0):
    """Uniform in ±scale, in steps of 2⁻⁶ and never 0."""
    return random.integers(1, int(scale * 64) + 1, shape) * random.choice([-1, 1], shape) / 64


# --- layers ---------------------------------------------------------------------------------------
# A layer is held by gate, as the equations read; `stored` packs it for the file.


def make_gru(features, units, biases=2, reset='after', update='keeps', placement='separate',
             activation='tanh', recurrent='sigmoid', sequences=True):
    def gates(*shape, scale):
        return {gate: draw(*shape, scale=scale) for gate in 'zrn'}

    return {
        'kind': 'gru',
        'units': units,
        'W': gates(features, units, scale=0.75),
        'U': gates(units, units, scale=0.75),
        'bi': gates(units, scale=0.75) if biases > 0 else None,
        'br': gates(units, scale=0.75) if biases > 1 else None,
        'reset': reset,
        'update': update,
        'placement': placement,
        'activation': activation,
        'recurrent': recurrent,
        'sequences': sequences,
    }


def make_dense(features, units, activation, bias=True):
    return {
        'kind': 'dense',
        'units': units,
        'K': draw(features, units),
        'b': draw(units) if bias else None,
        'activation': activation,
    }


def stored(layer, order, transposed):
    def flip(matrix):
        return (matrix.T if transposed else matrix).tolist()

    if layer['kind'] == 'dense':
        return {
            'kind': 'dense',
            'kernel': flip(layer['K']),
            'bias': None if layer['b'] is None else layer['b'].tolist(),
            'transposed': transposed,
            'activation': layer['activation'],
        }

    def pack(gates):
        return np.concatenate([gates[gate] for gate in order], axis=-1)

    return {
        'kind': 'gru',
        'kernel': flip(pack(layer['W'])),
        'recurrentKernel': flip(pack(layer['U'])),
        'bias': None if layer['bi'] is None else pack(layer['bi']).tolist(),
        'recurrentBias': None if layer['br'] is None else pack(layer['br']).tolist(),
        'gateOrder': order,
        'transposed': transposed,
        'reset': layer['reset'],
        'update': layer['update'],
        'biasPlacement': layer['placement'],
        'activation': layer['activation'],
        'recurrentActivation': layer['recurrent'],
        'returnSequences': layer['sequences'],
    }


# --- our own computation --------------------------------------------------------------------------


def gru(layer, x, h):
    """x [batch, time, features], h [batch, units] → hidden sequence [batch, time, units]."""
    W, U = layer['W'], layer['U']
    zero = {gate: np.zeros(layer['units']) for gate in 'zrn'}
    bi, br = layer['bi'] or zero, layer['br'] or zero
    f, g = FUNCTIONS[layer['recurrent']], FUNCTIONS[layer['activation']]
    sequence = []
    for t in range(x.shape[1]):
        a = x[:, t]
        z = f(a @ W['z'] + h @ U['z'] + bi['z'] + br['z'])
        r = f(a @ W['r'] + h @ U['r'] + bi['r'] + br['r'])
        if layer['reset'] == 'before':
            n = g(a @ W['n'] + (r * h) @ U['n'] + bi['n'] + br['n'])
        elif layer['placement'] == 'separate':
            n = g(a @ W['n'] + bi['n'] + r * (h @ U['n'] + br['n']))
        else:
            n = g(a @ W['n'] + bi['n'] + br['n'] + r * (h @ U['n']))
        h = z * h + (1 - z) * n if layer['update'] == 'keeps' else (1 - z) * h + z * n
        sequence.append(h)
    return np.stack(sequence, axis=1)


def dense(layer, x):
    a = x @ layer['K']
    return FUNCTIONS[layer['activation']](a if layer['b'] is None else a + layer['b'])


# --- the others -----------------------------------------------------------------------------------


def gru_by_onnx(layer, x, h):
    class Reference(GRU_Helper):
        def f(self, a):
            return FUNCTIONS[layer['recurrent']](a)

        def g(self, a):
            return FUNCTIONS[layer['activation']](a)

    zero = {gate: np.zeros(layer['units']) for gate in 'zrn'}
    bi, br = dict(layer['bi'] or zero), dict(layer['br'] or zero)
    if layer['placement'] == 'merged':
        bi['n'], br['n'] = bi['n'] + br['n'], zero['n']
    sign = {'z': -1 if layer['update'] == 'updates' else 1, 'r': 1, 'n': 1}

    def pack(gates):
        return np.concatenate([sign[gate] * gates[gate].T for gate in 'zrn'])

    sequence, _ = Reference(
        X=x.transpose(1, 0, 2),
        W=pack(layer['W'])[None],
        R=pack(layer['U'])[None],
        B=np.concatenate([pack(bi), pack(br)])[None],
        initial_h=h[None],
        linear_before_reset=np.array([layer['reset'] == 'after']),
    ).step()
    return sequence[:, 0].transpose(1, 0, 2)


def gru_by_torch(layers, x, states):
    """One nn.GRU of all the layers: the last one's sequence and every final state."""
    first = layers[0]
    module = torch.nn.GRU(len(first['W']['z']), first['units'], num_layers=len(layers),
                          bias=first['bi'] is not None, batch_first=True).double()
    with torch.no_grad():
        for k, layer in enumerate(layers):
            for name, key in (('weight_ih', 'W'), ('weight_hh', 'U'), ('bias_ih', 'bi'), ('bias_hh', 'br')):
                if layer[key] is not None:
                    packed = np.concatenate([layer[key][gate].T for gate in 'rzn'])
                    getattr(module, f'{name}_l{k}').copy_(torch.from_numpy(packed))
        h0 = None if states is None else torch.from_numpy(np.stack(states))
        sequence, final = module(torch.from_numpy(x), h0)
    return sequence.numpy(), list(final.numpy())


def dense_by_torch(layer, x):
    bias = None if layer['b'] is None else torch.from_numpy(layer['b'])
    a = torch.nn.functional.linear(torch.from_numpy(x), torch.from_numpy(layer['K'].T.copy()), bias)
    functions = {
        'linear': lambda a: a,
        'relu': torch.relu,
        'sigmoid': torch.sigmoid,
        'tanh': torch.tanh,
        'softmax': lambda a: torch.softmax(a, dim=-1),
    }
    return functions[layer['activation']](a).numpy()


def agree(name, ours, theirs):
    assert ours.shape == theirs.shape, f'{name}: {ours.shape} and {theirs.shape}'
    difference = np.abs(ours - theirs).max()
    assert difference <= AGREE, f'{name}: differs by {difference}'


# --- cases ----------------------------------------------------------------------------------------


def compute(name, layers, x, states):
    """Output and final states, each layer checked against another implementation."""
    final = []
    for layer, h in zip(layers, states or [None] * len(layers)):
        if layer['kind'] == 'dense':
            y = dense(layer, x)
            agree(name, y, dense_by_torch(layer, x))
            final.append(None)
        else:
            h = np.zeros((len(x), layer['units'])) if h is None else h
            y = gru(layer, x, h)
            agree(name, y, gru_by_onnx(layer, x, h))
            final.append(y[:, -1])
            y = y if layer['sequences'] else y[:, -1]
        x = y
    assert np.isfinite(x).all() and np.abs(x).max() < 50, f'{name}: numbers grow too large'
    return x, final


def case(name, layers, x, states, expected, final, packings):
    def plain(arrays):
        return None if arrays is None else [None if a is None else a.tolist() for a in arrays]

    return {
        'name': name,
        'layers': [stored(layer, *packing) for layer, packing in zip(layers, packings)],
        'input': x.tolist(),
        'initialState': plain(states),
        'expected': expected.tolist(),
        'finalState': plain(final),
    }


def numpy_case(name, layers, batch, timesteps, features, state=True):
    x = draw(batch, timesteps, features, scale=2)
    states = None
    if state:
        states = [draw(batch, layer['units']) if layer['kind'] == 'gru' else None for layer in layers]
    expected, final = compute(name, layers, x, states)
    packings = [(ORDERS[random.integers(6)], bool(random.integers(2))) for _ in layers]
    return case(name, layers, x, states, expected, final, packings)


def pytorch():
    shapes = {  # name: features, units of each layer, batch, timesteps, biases, initial state
        'one layer': (4, [5], 3, 7, 2, True),
        'one layer from zeros': (3, [4], 2, 6, 2, False),
        'one layer without biases': (5, [3], 2, 4, 0, True),
        'two layers': (3, [5, 5], 2, 6, 2, True),
        'two layers from zeros': (6, [4, 4], 3, 5, 2, False),
        'three layers without biases': (2, [3, 3, 3], 4, 5, 0, True),
        'one row of seven units': (4, [7], 1, 6, 2, True),
        'one step': (3, [6], 4, 1, 2, True),
        'one step from zeros': (3, [6], 4, 1, 2, False),
        'one unit, one feature': (1, [1], 2, 5, 2, True),
        'nine units': (2, [9], 3, 4, 2, True),
        'a longer sequence': (2, [3], 1, 40, 2, True),
    }
    for name, (features, units, batch, timesteps, biases, state) in shapes.items():
        name = f'PyTorch: {name}'
        sizes = [features, *units]
        placement = 'separate' if biases else 'none'
        layers = [make_gru(i, o, biases, placement=placement) for i, o in zip(sizes, units)]
        x = draw(batch, timesteps, features, scale=2)
        states = [draw(batch, o) for o in units] if state else None
        expected, final = gru_by_torch(layers, x, states)
        ours, our_final = compute(name, layers, x, states)
        agree(name, ours, expected)
        agree(name, np.stack(our_final), np.stack(final))
        yield case(name, layers, x, states, expected, final, [('rzn', True)] * len(layers))


def moves(name, layer, x, h):
    """Asserts that each convention mistake shows, or is none."""
    right = gru(layer, x, h)
    mistakes = [('reset', {'after': 'before', 'before': 'after'}), ('update', {'keeps': 'updates', 'updates': 'keeps'})]
    if layer['br'] is not None and layer['reset'] == 'after':  # before the reset, both placements are one function
        mistakes.append(('placement', {'separate': 'merged', 'merged': 'separate'}))
    for key, other in mistakes:
        moved = np.abs(gru({**layer, key: other[layer[key]]}, x, h) - right).max()
        assert moved >= 1e-3, f'{name}: {key} moves the outputs by {moved} only'


def variants():
    choices = itertools.product(('after', 'before'), ('keeps', 'updates'), ('separate', 'merged', 'none'),
                                ('tanh', 'linear', 'relu'), ('sigmoid', 'hard_sigmoid'))
    for i, (reset, update, placement, activation, recurrent) in enumerate(choices):
        # A merged bias comes as one vector or as two.
        biases = {'separate': 2, 'merged': 1 + (i // 6 + i) % 2, 'none': 0}[placement]
        name = f'reset {reset}, z {update}, bias {placement}, {activation}, {recurrent}'
        units, features, batch, timesteps = ((3, 4, 2, 5), (4, 3, 2, 5), (3, 5, 2, 4))[random.integers(3)]
        layer = make_gru(features, units, biases, reset, update, placement, activation, recurrent)
        made = numpy_case(name, [layer], batch, timesteps, features)
        moves(name, layer, np.array(made['input']), np.array(made['initialState'][0]))
        yield made


def stacks():
    def sequence(*arguments, **options):
        return make_gru(*arguments, **options)

    def last(*arguments, **options):
        return make_gru(*arguments, sequences=False, **options)

    before = {'reset': 'before', 'placement': 'merged', 'biases': 1}
    updates = {'update': 'updates', 'placement': 'merged', 'biases': 2}
    hard = {'recurrent': 'hard_sigmoid', 'placement': 'none', 'biases': 0}
    yield numpy_case('last step', [last(3, 4)], 2, 6, 3)
    yield numpy_case('last step from zeros', [last(5, 3)], 2, 6, 5, state=False)
    yield numpy_case('last step of one', [last(3, 5)], 2, 1, 3)
    yield numpy_case('two layers of different size, last step', [sequence(3, 6), last(6, 4)], 2, 5, 3)
    yield numpy_case('three layers of different conventions',
                     [sequence(2, 5, **before), sequence(5, 3, **updates), sequence(3, 4, **hard)], 3, 6, 2)
    yield numpy_case('three layers of different conventions, last step, from zeros',
                     [sequence(4, 3, **hard), sequence(3, 5, **updates), last(5, 7, **before)], 2, 6, 4, state=False)
    yield numpy_case('a dense layer between two GRUs',
                     [sequence(3, 5), make_dense(5, 4, 'relu'), last(4, 6, **updates)], 2, 7, 3)
    yield numpy_case('last step, then two dense layers',
                     [last(4, 5, **before), make_dense(5, 6, 'tanh'), make_dense(6, 2, 'softmax')], 3, 7, 4)


def heads():
    for activation in ('linear', 'relu', 'sigmoid', 'tanh', 'softmax'):
        yield numpy_case(f'dense {activation} on every step', [make_gru(3, 5), make_dense(5, 4, activation)], 2, 6, 3)
        yield numpy_case(f'dense {activation} on the last step',
                         [make_gru(2, 4, sequences=False), make_dense(4, 3, activation)], 5, 6, 2)
    yield numpy_case('dense without a bias', [make_gru(3, 5), make_dense(5, 4, 'tanh', bias=False)], 2, 6, 3)
    yield numpy_case('dense alone on a sequence', [make_dense(3, 5, 'sigmoid')], 2, 4, 3, state=False)
    yield numpy_case('dense of one unit', [make_gru(3, 5), make_dense(5, 1, 'linear')], 2, 4, 3)


def write(path, cases):
    """One line per layer and per array: small, and a change shows where it is."""
    def line(value):
        return json.dumps(value, separators=(',', ':'), allow_nan=False)  # floats as repr: they round-trip

    blocks = []
    for made in cases:
        fields = {key: line(value) for key, value in made.items()}
        fields['layers'] = '[\n' + ',\n'.join(f'  {line(layer)}' for layer in made['layers']) + '\n]'
        blocks.append('{\n' + ',\n'.join(f'"{key}":{value}' for key, value in fields.items()) + '\n}')
    path.write_text('[' + ',\n'.join(blocks) + ']\n')


def main():
    torch.set_num_threads(1)
    folder = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else 'test/fixtures/layers')
    folder.mkdir(parents=True, exist_ok=True)
    names = set()
    for name, make in (('pytorch', pytorch), ('variants', variants), ('stacks', stacks), ('dense', heads)):
        cases = list(make())
        assert names.isdisjoint(made['name'] for made in cases)
        names.update(made['name'] for made in cases)
        write(folder / f'{name}.json', cases)
        print(f'{name}.json: {len(cases)} cases, {(folder / f"{name}.json").stat().st_size} bytes')


if __name__ == '__main__':
    main()
