#!/usr/bin/env python3
"""Writes test/fixtures/recurrent/*.json: LSTM and simple RNN layers with outputs of other implementations.

    python3 tools/make_recurrent_fixtures.py [test/fixtures/recurrent]

Needs PyTorch, NumPy and onnx before 1.13, whose reference cells are importable (written with 1.13,
1.24, 1.12). Seeded; libm may move the last bits of an expected number from one machine to another.

Each file is an array of cases:

    name          unique over all files
    layers        in order; each reads what the one before it gives: one cell, or a list of two that
                  read forwards and backwards and whose outputs stand side by side
      cell: 'lstm'   kernel, recurrentKernel, bias, recurrentBias, gateOrder, transposed, activation,
                     recurrentActivation, outputActivation, coupled, peephole (i, o, f), clip
      cell: 'rnn'    kernel, recurrentKernel, bias, recurrentBias, transposed, activation, clip
      of a single cell also goBackwards, maskedOutput and returnSequences
    input         [batch][time][features]
    mask          null, or [batch][time], 0 where a step does not count
    lengths       null, or [batch]
    initialState  null (zeros), or by name: layer0.h, layer0.c, layer0.forward.h …
    expected      [batch][time][units], or [batch][units] after a layer with returnSequences: false
    finalState    by name

Weights, inputs and initial states are multiples of 2⁻⁶: exact in float32, so that every precision
computes the same network. Expected numbers are float64.

Whose numbers they are, and how they were verified:

- pytorch.json: torch.nn.LSTM and torch.nn.RNN in double, packed sequences where there are lengths;
  `run` below must agree to 1e-13.
- variants.json: `run` below, NumPy in float64. Each layer is also computed by onnx's reference cells
  (LSTM_Helper, RNN_Helper of the operators' backend tests, with other activations put in), which
  know peepholes but neither coupled gates nor clip, and must agree to 1e-13 where those are off.
  Every case was also run by onnxruntime 1.30 (float32) with all its attributes: 40 cases, none off by
  more than 1.7e-7 · (1 + |expected|), final states included.
- masks.json: `run` below, which passes over masked steps as Keras 3 does (backend/tensorflow/rnn.py).
  Masks that only end sequences must agree with PyTorch's packed sequences to 1e-13.

Every case of variants.json must be able to fail: exchanging any two gates, leaving out the
peepholes, the clip or the coupling must move the outputs by 1e-3 or more.
"""

import itertools
import json
import pathlib
import sys

import numpy as np
import torch
from onnx.backend.test.case.node.lstm import LSTM_Helper
from onnx.backend.test.case.node.rnn import RNN_Helper

SEED = 19970
AGREE = 1e-13
ORDERS = [''.join(order) for order in itertools.permutations('ifgo')]

FUNCTIONS = {
    'linear': lambda a: a,
    'relu': lambda a: np.maximum(a, 0),
    'tanh': np.tanh,
    'sigmoid': lambda a: 1 / (1 + np.exp(-a)),
    'hard_sigmoid': lambda a: np.clip(0.2 * a + 0.5, 0, 1),
    'softsign': lambda a: a / (1 + np.abs(a)),
}

random = np.random.default_rng(SEED)


def draw(*shape, scale=1.0):
    """Uniform in ±scale, in steps of 2⁻⁶ and never 0."""
    return random.integers(1, int(scale * 64) + 1, shape) * random.choice([-1, 1], shape) / 64


# --- layers: held by gate, as the equations read; `stored` packs them for the file -----------------


def make(cell, features, units, biases=2, peephole=False, **options):
    gates = 'ifgo' if cell == 'lstm' else 'h'

    def by_gate(*shape):
        return {gate: draw(*shape, scale=0.75) for gate in gates}

    return {
        'cell': cell,
        'units': units,
        'W': by_gate(features, units),
        'U': by_gate(units, units),
        'bi': by_gate(units) if biases > 0 else None,
        'br': by_gate(units) if biases > 1 else None,
        'peephole': {gate: draw(units) for gate in 'iof'} if peephole else None,
        'activation': 'tanh',
        'recurrent': 'sigmoid',
        'output': 'tanh',
        'coupled': False,
        'clip': None,
        'backwards': False,
        'masked': 'repeat',
        'sequences': True,
        **options,
    }


def stored(layer, order, transposed):
    if isinstance(layer, list):
        return [stored(half, order, transposed) for half in layer]
    lstm = layer['cell'] == 'lstm'

    def pack(gates):
        return np.concatenate([gates[gate] for gate in (order if lstm else 'h')], axis=-1)

    def flip(matrix):
        return (matrix.T if transposed else matrix).tolist()

    def vector(gates):
        return None if gates is None else pack(gates).tolist()

    peephole = layer['peephole']
    result = {
        'cell': layer['cell'],
        'kernel': flip(pack(layer['W'])),
        'recurrentKernel': flip(pack(layer['U'])),
        'bias': vector(layer['bi']),
        'recurrentBias': vector(layer['br']),
        'transposed': transposed,
        'activation': layer['activation'],
        'clip': layer['clip'],
        'goBackwards': layer['backwards'],
        'maskedOutput': layer['masked'],
        'returnSequences': layer['sequences'],
    }
    if lstm:
        result.update(
            gateOrder=order,
            recurrentActivation=layer['recurrent'],
            outputActivation=layer['output'],
            coupled=layer['coupled'],
            peephole=None if peephole is None else np.concatenate([peephole[g] for g in 'iof']).tolist(),
        )
    return result


# --- our own computation --------------------------------------------------------------------------


def step(layer, x, h, c):
    W, U, bi, br, p = (layer[key] for key in ('W', 'U', 'bi', 'br', 'peephole'))
    act = {key: FUNCTIONS[layer[key]] for key in ('activation', 'recurrent', 'output')}

    def limit(a):
        return a if layer['clip'] is None else np.clip(a, -layer['clip'], layer['clip'])

    def total(gate):
        a = x @ W[gate] + h @ U[gate]
        return a + (0 if bi is None else bi[gate]) + (0 if br is None else br[gate])

    def seeing(gate, cell):
        return total(gate) if p is None else total(gate) + p[gate] * cell

    if layer['cell'] == 'rnn':
        return act['activation'](limit(total('h'))), c
    i = act['recurrent'](limit(seeing('i', c)))
    f = 1 - i if layer['coupled'] else act['recurrent'](limit(seeing('f', c)))
    c = f * c + i * act['activation'](limit(total('g')))
    o = act['recurrent'](limit(seeing('o', c)))
    return o * act['output'](c), c


def run(layer, x, h, c, mask=None):
    """x [batch, time, features] → the sequence in the order of the input, the last output, h, c."""
    batch, steps, _ = x.shape
    units = layer['units']
    h = np.zeros((batch, units)) if h is None else h
    c = np.zeros((batch, units)) if c is None else c
    mask = np.ones((batch, steps)) if mask is None else mask
    sequence = np.zeros((batch, steps, units))
    output = np.zeros((batch, units))
    for t in reversed(range(steps)) if layer['backwards'] else range(steps):
        counts = mask[:, t, None] != 0
        new_h, new_c = step(layer, x[:, t], h, c)
        h, c = np.where(counts, new_h, h), np.where(counts, new_c, c)
        passed = {'repeat': output, 'zero': np.zeros_like(output), 'state': h}[layer['masked']]
        output = np.where(counts, new_h, passed)
        sequence[:, t] = output
    return sequence, output, h, c


# --- the others -----------------------------------------------------------------------------------


def by_onnx(layer, x, h, c):
    lstm = layer['cell'] == 'lstm'
    gates = 'iofg' if lstm else 'h'
    zero = {gate: np.zeros(layer['units']) for gate in gates}

    def pack(by_gate):
        return np.concatenate([by_gate[gate].T for gate in gates])

    class Lstm(LSTM_Helper):
        def f(self, a):
            return FUNCTIONS[layer['recurrent']](a)

        def g(self, a):
            return FUNCTIONS[layer['activation']](a)

        def h(self, a):
            return FUNCTIONS[layer['output']](a)

    class Rnn(RNN_Helper):
        def f(self, a):
            return FUNCTIONS[layer['activation']](a)

    arrays = {
        'X': x.transpose(1, 0, 2),
        'W': pack(layer['W'])[None],
        'R': pack(layer['U'])[None],
        'B': np.concatenate([pack(layer['bi'] or zero), pack(layer['br'] or zero)])[None],
        'initial_h': h[None],
    }
    if lstm:
        arrays['initial_c'] = c[None]
        if layer['peephole'] is not None:
            arrays['P'] = np.concatenate([layer['peephole'][gate] for gate in 'iof'])[None]
    sequence, _ = (Lstm if lstm else Rnn)(**arrays).step()
    return sequence[:, 0].transpose(1, 0, 2)


def by_torch(layers, x, states, lengths):
    """One module of all the layers; states and finals are lists of (h, c) by layer and direction."""
    halves = [half for layer in layers for half in (layer if isinstance(layer, list) else [layer])]
    first = halves[0]
    both = isinstance(layers[0], list)
    lstm = first['cell'] == 'lstm'
    options = {} if lstm else {'nonlinearity': first['activation']}
    kind = torch.nn.LSTM if lstm else torch.nn.RNN
    module = kind(x.shape[2], first['units'], num_layers=len(layers), bias=first['bi'] is not None,
                  batch_first=True, bidirectional=both, **options).double()
    with torch.no_grad():
        for k, half in enumerate(halves):
            suffix = f'_l{k // 2}{"_reverse" * (k % 2)}' if both else f'_l{k}'
            for name, key in (('weight_ih', 'W'), ('weight_hh', 'U'), ('bias_ih', 'bi'), ('bias_hh', 'br')):
                if half[key] is not None:
                    packed = np.concatenate([half[key][gate].T for gate in ('ifgo' if lstm else 'h')])
                    getattr(module, name + suffix).copy_(torch.from_numpy(packed))
        initial = None
        if states is not None:
            h, c = (torch.from_numpy(np.stack(arrays)) for arrays in zip(*states))
            initial = (h, c) if lstm else h
        data = torch.from_numpy(x)
        if lengths is None:
            sequence, final = module(data, initial)
        else:
            pack = torch.nn.utils.rnn.pack_padded_sequence
            packed = pack(data, torch.tensor(lengths), batch_first=True, enforce_sorted=False)
            packed, final = module(packed, initial)
            sequence, _ = torch.nn.utils.rnn.pad_packed_sequence(packed, batch_first=True, total_length=x.shape[1])
    h, c = final if lstm else (final, torch.zeros_like(final))
    return sequence.numpy(), list(zip(h.numpy(), c.numpy()))


def agree(name, ours, theirs):
    assert ours.shape == theirs.shape, f'{name}: {ours.shape} and {theirs.shape}'
    difference = np.abs(ours - theirs).max()
    assert difference <= AGREE, f'{name}: differs by {difference}'


# --- cases ----------------------------------------------------------------------------------------


def named(layers, states):
    """(h, c) of each cell in order, by the names that a program gives them."""
    names = []
    for k, layer in enumerate(layers):
        if isinstance(layer, list):
            names += [(f'layer{k}.{half}', layer[0]) for half in ('forward', 'backward')]
        else:
            names.append((f'layer{k}', layer))
    result = {}
    for (name, layer), (h, c) in zip(names, states):
        result[f'{name}.h'] = h.tolist()
        if layer['cell'] == 'lstm':
            result[f'{name}.c'] = c.tolist()
    return result


def case(name, layers, x, states, expected, final, packing, mask=None, lengths=None):
    assert np.isfinite(expected).all() and np.abs(expected).max() < 50, f'{name}: numbers grow too large'
    return {
        'name': name,
        'layers': [stored(layer, *packing) for layer in layers],
        'input': x.tolist(),
        'mask': None if mask is None else mask.tolist(),
        'lengths': lengths,
        'initialState': None if states is None else named(layers, states),
        'expected': expected.tolist(),
        'finalState': named(layers, final),
    }


def stack(layers, x, states, mask=None):
    """`run` over layers in one or both directions."""
    final, at = [], 0
    for layer in layers:
        halves = layer if isinstance(layer, list) else [layer]
        outputs = []
        for half in halves:
            h, c = (None, None) if states is None else states[at]
            sequence, _, h, c = run(half, x, h, c, mask)
            outputs.append(sequence)
            final.append((h, c))
            at += 1
        x = np.concatenate(outputs, axis=-1)
    return x, final


def pytorch():
    cells = {'LSTM': ('lstm', {}), 'RNN': ('rnn', {}), 'RNN with relu': ('rnn', {'activation': 'relu'})}
    shapes = {  # features, units, layers, both ways, batch, timesteps, biases, initial state, lengths
        'one layer': (4, 5, 1, False, 3, 7, 2, True, None),
        'one layer from zeros, no biases': (3, 4, 1, False, 2, 6, 0, False, None),
        'three layers': (3, 5, 3, False, 2, 6, 2, True, None),
        'both ways': (4, 3, 1, True, 2, 5, 2, True, None),
        'two layers both ways': (3, 4, 2, True, 2, 6, 2, True, None),
        'both ways with lengths': (2, 5, 1, True, 4, 6, 2, True, [6, 1, 4, 3]),
        'one unit, one feature': (1, 1, 1, False, 2, 5, 2, True, None),
        'nine units over forty steps': (2, 9, 1, False, 1, 40, 2, False, None),
    }
    for (title, (cell, options)), (shape, sizes) in itertools.product(cells.items(), shapes.items()):
        features, units, count, both, batch, steps, biases, state, lengths = sizes
        name = f'PyTorch {title}: {shape}'
        if options and count == 1:  # what differs is one function
            continue
        layers, width = [], features
        for _ in range(count):
            halves = [make(cell, width, units, biases, backwards=way, masked='zero', **options)
                      for way in ((False, True) if both else (False,))]
            if cell == 'rnn' and 'activation' in options:  # relu grows without end
                for half in halves:
                    half['U'] = {'h': half['U']['h'] / 4}
            layers.append(halves if both else halves[0])
            width = units * len(halves)
        x = draw(batch, steps, features, scale=2)
        cells_in_all = count * (2 if both else 1)
        states = [(draw(batch, units), draw(batch, units)) for _ in range(cells_in_all)] if state else None
        expected, final = by_torch(layers, x, states, lengths)
        mask = None if lengths is None else (np.arange(steps) < np.array(lengths)[:, None]).astype(float)
        ours, our_final = stack(layers, x, states, mask)
        agree(name, ours, expected)
        for (h, c), (their_h, their_c) in zip(our_final, final):
            agree(name, h, their_h)
            if cell == 'lstm':
                agree(name, c, their_c)
        yield case(name, layers, x, states, expected, final, ('ifgo', True), lengths=lengths)


def mistakes(layer):
    if layer['cell'] == 'rnn':
        return
    for a, b in itertools.combinations('igo' if layer['coupled'] else 'ifgo', 2):
        names = {a: b, b: a}
        yield f'{a} for {b}', {
            key: None if layer[key] is None else {g: layer[key][names.get(g, g)] for g in 'ifgo'}
            for key in ('W', 'U', 'bi', 'br')
        }
    if layer['peephole'] is not None:
        yield 'no peepholes', {'peephole': None}
        p = layer['peephole']
        yield 'peepholes in another order', {'peephole': {'i': p['i'], 'f': p['o'], 'o': p['f']}}
    if layer['coupled']:
        yield 'not coupled', {'coupled': False}


def one_cell(name, layer, features, batch, steps, packing):
    x, h, c = draw(batch, steps, features, scale=2), draw(batch, layer['units']), draw(batch, layer['units'])
    sequence, last, h1, c1 = run(layer, x, h, c)
    if not layer['coupled'] and layer['clip'] is None and not layer['backwards']:
        agree(name, sequence, by_onnx(layer, x, h, c))
    changes = list(mistakes(layer)) + ([('no clip', {'clip': None})] if layer['clip'] is not None else [])
    for what, change in changes:
        moved = np.abs(run({**layer, **change}, x, h, c)[0] - sequence).max()
        assert moved >= 1e-3, f'{name}: {what} moves the outputs by {moved} only'
    expected = sequence if layer['sequences'] else last
    if layer['sequences'] and layer['backwards']:  # as they are computed, as Keras gives them
        expected = expected[:, ::-1]
    return case(name, [layer], x, [(h, c)], expected, [(h1, c1)], packing)


def variants():
    activations = (('tanh', 'sigmoid', 'tanh'), ('tanh', 'hard_sigmoid', 'tanh'),
                   ('softsign', 'sigmoid', 'linear'), ('relu', 'hard_sigmoid', 'softsign'))
    choices = itertools.product(activations, (False, True), (False, True), (None, 0.75))
    for i, ((activation, recurrent, output), coupled, peephole, clip) in enumerate(choices):
        name = f'LSTM {activation}, {recurrent}, {output}'
        name += ', coupled' * coupled + ', peepholes' * peephole + f', clip {clip}' * (clip is not None)
        units, features = ((3, 4), (4, 3), (5, 2))[i % 3]
        layer = make('lstm', features, units, (2, 1, 0)[(i // 3) % 3], peephole, activation=activation,
                     recurrent=recurrent, output=output, coupled=coupled, clip=clip,
                     backwards=i % 7 == 0, sequences=i % 5 != 0)
        yield one_cell(name, layer, features, 2, 4, (ORDERS[i % 24], bool(random.integers(2))))
    choices = itertools.product(('tanh', 'relu', 'sigmoid', 'linear'), (None, 0.75))
    for (activation, clip), biases in zip(choices, itertools.cycle((0, 1, 2))):
        name = f'RNN {activation}, {biases} biases' + f', clip {clip}' * (clip is not None)
        layer = make('rnn', 3, 4, biases, activation=activation, clip=clip, backwards=biases == 0,
                     sequences=clip is None)
        yield one_cell(name, layer, 3, 2, 4, ('ifgo', bool(random.integers(2))))


def masks():
    for cell, masked, backwards in itertools.product(('lstm', 'rnn'), ('repeat', 'zero', 'state'), (False, True)):
        batch, steps, features, units = 4, 9, 3, 4
        layer = make(cell, features, units, masked=masked, backwards=backwards, sequences=not backwards)
        mask = (random.random((batch, steps)) > 0.4).astype(float)
        mask[0, 0], mask[1, -1], mask[3] = 0, 0, 0
        x, states = draw(batch, steps, features, scale=2), [(draw(batch, units), draw(batch, units))]
        sequence, last, h, c = run(layer, x, *states[0], mask)
        ends = (np.arange(steps) < np.array([9, 2, 5, 1])[:, None]).astype(float)
        padded, _, end_h, end_c = run({**layer, 'masked': 'zero', 'backwards': False}, x, *states[0], ends)
        theirs, [(their_h, their_c)] = by_torch([layer], x, states, [9, 2, 5, 1])
        name = f'{cell.upper()}, masked output {masked}' + ', backwards, last step' * backwards
        agree(name, padded, theirs)
        agree(name, end_h, their_h)
        if cell == 'lstm':
            agree(name, end_c, their_c)
        expected = sequence if layer['sequences'] else last
        yield case(name, [layer], x, states, expected, [(h, c)], ('ifgo', False), mask=mask)


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
    folder = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else 'test/fixtures/recurrent')
    folder.mkdir(parents=True, exist_ok=True)
    names = set()
    for name, make_cases in (('pytorch', pytorch), ('variants', variants), ('masks', masks)):
        cases = list(make_cases())
        assert names.isdisjoint(made['name'] for made in cases)
        names.update(made['name'] for made in cases)
        write(folder / f'{name}.json', cases)
        print(f'{name}.json: {len(cases)} cases, {(folder / f"{name}.json").stat().st_size} bytes')


if __name__ == '__main__':
    main()
