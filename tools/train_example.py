#!/usr/bin/env python3
"""Trains the model of examples/seattle-weather and writes everything in that folder but its README.

The record is seattle-weather.csv of vega-datasets: daily weather in Seattle, 2012 to 2015, from NOAA.

    npm pack vega-datasets@3.2.1
    tar xzf vega-datasets-3.2.1.tgz package/data/seattle-weather.csv
    python3 tools/train_example.py package/data/seattle-weather.csv examples/seattle-weather

Needs PyTorch and NumPy (written with 1.13 and 1.24). Seeded and on one thread: the same machine and
library versions give the same bytes; others may differ in the last bits of every weight.

The task: from each day's weather, say by how many degrees tomorrow's maximum will differ from today's.
Settings were chosen by training on 2012-2013 and looking at 2014; `--validate` prints that run. The
model that is written is trained on 2012-2014, and 2015 is used for nothing but the figures printed.
"""

import argparse
import csv
import datetime
import hashlib
import json
import math
import pathlib
import struct

import numpy as np
import torch

SHA256 = '0845078a290b48e3149ab8639966824110a251db4e06fc144c06ebb534af23be'
COLUMNS = ('temp_max', 'temp_min', 'precipitation', 'wind')
# Each feature is (value − centre) / scale; rain goes through log(1 + mm) first.
SCALING = {'temp_max': (16, 8), 'temp_min': (8, 5), 'log_rain': (0.7, 1), 'wind': (3, 1.5)}
FEATURES = (*SCALING, 'year_sin', 'year_cos')

UNITS = 16
WINDOW = 60  # days in a training window; each starts from h = 0, as the test year does
BATCH = 32
STEPS = 200
LEARNING_RATE = 5e-3
WEIGHT_DECAY = 0.3
JITTER = 0.3  # standard deviation of the noise on the scaled features: the record is short
SEED = 1


def read_record(path):
    data = pathlib.Path(path).read_bytes()
    if hashlib.sha256(data).hexdigest() != SHA256:
        raise SystemExit(f'{path}: not seattle-weather.csv of vega-datasets 3.2.1 (sha256 {SHA256})')
    rows = list(csv.DictReader(data.decode('utf-8').splitlines()))
    dates = [datetime.date.fromisoformat(row['date']) for row in rows]
    assert all((b - a).days == 1 for a, b in zip(dates, dates[1:])), 'a day is missing'
    return rows, dates, {name: np.array([float(row[name]) for row in rows]) for name in COLUMNS}


def make_features(dates, record):
    """[days, 6], float32."""
    values = dict(record, log_rain=np.log1p(record['precipitation']))
    angle = np.array([2 * math.pi * (date.timetuple().tm_yday - 1) / 365.25 for date in dates])
    columns = [(values[name] - centre) / scale for name, (centre, scale) in SCALING.items()]
    return np.stack([*columns, np.sin(angle), np.cos(angle)], axis=1).astype(np.float32)


class Forecaster(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.gru = torch.nn.GRU(len(FEATURES), UNITS, batch_first=True)
        self.head = torch.nn.Linear(UNITS, 1)

    def forward(self, x):
        return self.head(self.gru(x)[0])


def train(x, y, days):
    """A Forecaster trained on the first `days` days; their last target is the day before the rest begins."""
    torch.manual_seed(SEED)
    random = np.random.default_rng(SEED)
    model = Forecaster()
    optimizer = torch.optim.AdamW(model.parameters(), lr=LEARNING_RATE, weight_decay=WEIGHT_DECAY)
    x, y = torch.from_numpy(x), torch.from_numpy(y.astype(np.float32))
    for step in range(STEPS):
        starts = random.integers(0, days - WINDOW, BATCH)  # so the last day seen as input is days − 2
        index = torch.from_numpy(starts[:, None] + np.arange(WINDOW))
        noise = torch.from_numpy(random.standard_normal((BATCH, WINDOW, len(FEATURES))).astype(np.float32))
        loss = ((model(x[index] + JITTER * noise)[..., 0] - y[index]) ** 2).mean()
        for group in optimizer.param_groups:
            group['lr'] = LEARNING_RATE * (1 - step / STEPS)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return model.eval()


def run(model, x, dtype):
    """Head outputs [days, 1] and hidden states [days, units], from h = 0."""
    copy = Forecaster().to(dtype).eval()
    copy.load_state_dict(model.state_dict())  # float32 weights are exact in float64
    with torch.no_grad():
        hidden = copy.gru(torch.from_numpy(x[None]).to(dtype))[0]
        return copy.head(hidden)[0].numpy(), hidden[0].numpy()


def report(title, predicted, x, y, temp_max, held_out, days):
    """Mean absolute and root mean square error of tomorrow's maximum, °C, and what simple rules get."""
    tomorrow = held_out[np.isfinite(y[held_out])]
    design = np.column_stack([np.ones(len(x)), x])
    coefficients = np.linalg.lstsq(design[: days - 1], y[: days - 1], rcond=None)[0]
    errors = {
        'GRU': predicted[: len(tomorrow)] - y[tomorrow],
        'linear regression, same six features': design[tomorrow] @ coefficients - y[tomorrow],
        'persistence: tomorrow is like today': -y[tomorrow],
        'seasonal naive: like that day a year before': temp_max[tomorrow + 1 - 365] - temp_max[tomorrow + 1],
    }
    print(f'{title}: {len(tomorrow)} forecasts')
    for name, e in errors.items():
        print(f'  {name:45s} MAE {np.abs(e).mean():.3f}  RMSE {np.sqrt((e**2).mean()):.3f}')


def write_safetensors(path, tensors, metadata):
    """8 bytes of header length, the JSON header padded with spaces to a multiple of 8, the raw data."""
    header, data = {'__metadata__': metadata}, b''
    for name, tensor in tensors.items():
        raw = np.ascontiguousarray(tensor, dtype='<f4').tobytes()
        header[name] = {'dtype': 'F32', 'shape': list(tensor.shape), 'data_offsets': [len(data), len(data) + len(raw)]}
        data += raw
    text = json.dumps(header, separators=(',', ':')).encode('utf-8')
    text += b' ' * (-len(text) % 8)
    path.write_bytes(struct.pack('<Q', len(text)) + text + data)


def graph():
    gru = {
        'kind': 'gru',
        'name': 'gru',
        'inputs': {'x': 'x'},
        'outputs': {'sequence': 'gru.sequence'},
        'gateOrder': 'rzn',
        'transposed': True,
        'reset': 'after',
        'update': 'keeps',
        'bias': 'separate',
        'activation': 'tanh',
        'recurrentActivation': 'sigmoid',
        'tensors': {
            'kernel': 'gru.weight_ih_l0',
            'recurrentKernel': 'gru.weight_hh_l0',
            'bias': 'gru.bias_ih_l0',
            'recurrentBias': 'gru.bias_hh_l0',
        },
    }
    head = {
        'kind': 'dense',
        'name': 'head',
        'inputs': {'x': 'gru.sequence'},
        'outputs': {'y': 'head.y'},
        'transposed': True,
        'activation': 'linear',
        'tensors': {'kernel': 'head.weight', 'bias': 'head.bias'},
    }
    return {
        'gruv': 1,
        'name': 'seattle-weather',
        'inputs': [{'name': 'x', 'shape': ['batch', 'time', len(FEATURES)]}],
        'outputs': [{'name': 'y', 'value': 'head.y'}],
        'nodes': [gru, head],
    }


def to_keras_order(packed):
    """PyTorch's rows r, z, n as Keras's columns z, r, h; a bias stays a vector."""
    r, z, n = np.split(packed, 3)
    return np.ascontiguousarray(np.concatenate([z, r, n]).T)


def write_example(folder, model, rows, x):
    folder.mkdir(parents=True, exist_ok=True)
    tensors = {name: tensor.numpy() for name, tensor in model.state_dict().items()}
    write_safetensors(folder / 'model.safetensors', tensors, {'gruv': json.dumps(graph(), separators=(',', ':'))})

    lines = [','.join(FEATURES), *(','.join(str(value) for value in day) for day in x)]
    (folder / 'input.csv').write_text('\n'.join(lines) + '\n')
    lines = [','.join(('date', *COLUMNS)), *(','.join((row['date'], *(row[c] for c in COLUMNS))) for row in rows)]
    (folder / 'record.csv').write_text('\n'.join(lines) + '\n')
    np.save(folder / 'input.npy', x)

    for suffix, dtype in (('', torch.float32), ('_float64', torch.float64)):
        y, hidden = run(model, x, dtype)
        np.save(folder / f'expected{suffix}.npy', y)
        np.save(folder / f'layer_expected{suffix}.npy', hidden)
    np.savez(
        folder / 'layer.npz',
        wMatrix=to_keras_order(tensors['gru.weight_ih_l0']),
        uMatrix=to_keras_order(tensors['gru.weight_hh_l0']),
        biases=np.stack([to_keras_order(tensors['gru.bias_ih_l0']), to_keras_order(tensors['gru.bias_hh_l0'])]),
    )


def main():
    parser = argparse.ArgumentParser(description='Trains the model of examples/seattle-weather.')
    parser.add_argument('record', help='seattle-weather.csv of vega-datasets 3.2.1')
    parser.add_argument('folder', nargs='?', help='where the example goes')
    parser.add_argument('--validate', action='store_true', help='train on 2012-2013, measure on 2014, write nothing')
    options = parser.parse_args()
    if not options.validate and options.folder is None:
        parser.error('name the folder, or say --validate')

    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    rows, dates, record = read_record(options.record)
    x, temp_max = make_features(dates, record), record['temp_max']
    y = np.append(temp_max[1:] - temp_max[:-1], np.nan)  # °C; the day after the record is unknown
    year = 2014 if options.validate else 2015
    held_out = np.array([i for i, date in enumerate(dates) if date.year == year])
    days = int(held_out[0])

    model = train(x, y, days)
    predicted = run(model, x[held_out], torch.float32)[0][:, 0]
    report(f'{year}, not seen in training', predicted, x, y, temp_max, held_out, days)
    if not options.validate:
        write_example(pathlib.Path(options.folder), model, [rows[i] for i in held_out], x[held_out])


if __name__ == '__main__':
    main()
