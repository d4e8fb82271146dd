/** Sorting of files into the model, its inputs and its expected outputs. */

import { describe, expect, test } from 'vitest'
import { sortFiles } from '../../studio/sort-files.ts'

const sorted = (...paths: string[]): Record<string, string> => {
  const { model, input, expected } = sortFiles(paths.map((path) => ({ path })))
  const names = (files: readonly { path: string }[]): string =>
    files.map(({ path }) => path).join(' ')
  return { model: names(model), input: names(input), expected: names(expected) }
}

describe('files that come together', () => {
  test.each([
    ['a model alone', ['layer.npz'], { model: 'layer.npz' }],
    [
      'with its data',
      ['y_keras_float64.npy', 'GRUMatrices.npz', 'x.npy'],
      { model: 'GRUMatrices.npz', input: 'x.npy', expected: 'y_keras_float64.npy' },
    ],
    [
      'archives of arrays beside a model are its data',
      ['model.keras', 'inputs.npz', 'expected.npz'],
      { model: 'model.keras', input: 'inputs.npz', expected: 'expected.npz' },
    ],
    ['one that is called as data is, alone', ['output.npz'], { model: 'output.npz' }],
    ['data alone', ['x.csv', 'target.csv'], { input: 'x.csv', expected: 'target.csv' }],
    [
      'any name will do for an input',
      ['gru.onnx', 'sensor.csv'],
      { model: 'gru.onnx', input: 'sensor.csv' },
    ],
    ['y is a word, not a letter', ['m.h5', 'yearly.npy'], { model: 'm.h5', input: 'yearly.npy' }],
    [
      'of several inputs and outputs one for each port comes first',
      ['m.h5', 'x1.npy', 'x0.npy', 'y1_a.npy', 'y0_b.npy', 'y0_a.npy', 'y1_b.npy'],
      { model: 'm.h5', input: 'x0.npy x1.npy', expected: 'y0_a.npy y1_a.npy y0_b.npy y1_b.npy' },
    ],
    [
      'the output that is called like the input comes first',
      ['m.h5', 'x_real.npy', 'y_random.npy', 'y_real.npy'],
      { model: 'm.h5', input: 'x_real.npy', expected: 'y_real.npy y_random.npy' },
    ],
    [
      'a folder: what is no model and no data is left alone, or comes last',
      ['m/manifest.json', 'm/README.md', 'm/.DS_Store', 'm/labels.txt', 'm/gru.pt', 'm/x.npy'],
      { model: 'm/gru.pt m/manifest.json', input: 'm/x.npy' },
    ],
    [
      'a model of several files keeps them',
      ['m/group1-shard1of1.bin', 'm/model.json'],
      { model: 'm/group1-shard1of1.bin m/model.json' },
    ],
  ])('%s', (_, paths, wanted) => {
    expect(sorted(...paths)).toEqual({ model: '', input: '', expected: '', ...wanted })
  })

  test('of JSON files the largest holds the weights', () => {
    const { model } = sortFiles([
      { path: 'm/about.json', file: { size: 100 } },
      { path: 'm/centaur.json', file: { size: 9000 } },
    ])
    expect(model[0].path).toBe('m/centaur.json')
  })
})
