/** Bad input of every kind: one clear error, exit code 2, no stack trace, nothing half-written. */

import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { example, gruv, temporaryFolder } from '../support/cli.ts'

const folder = temporaryFolder()
const layer = join(example, 'layer.npz')
const model = join(example, 'model.safetensors')
const input = join(example, 'input.npy')
const expected = join(example, 'layer_expected.npy')

function file(name: string, content: string | Uint8Array): string {
  const path = join(folder, name)
  writeFileSync(path, content)
  return path
}

const npy = new Uint8Array(readFileSync(input))
const empty = file('empty.npy', '')
const truncated = file('truncated.npy', npy.subarray(0, npy.length - 7))
const lying = file('lying.npy', withHeader('(1000000000, 1000000000)'))
const cutLayer = file('cut.npz', readFileSync(layer).subarray(0, 900))
const ragged = file('ragged.csv', '1,2,3,4,5,6\n1,2,3\n')
const words = file('words.csv', '1,2,3,4,5,6\n1,2,three,4,5,6\n')
const narrow = file('narrow.csv', '1,2,3\n4,5,6\n')
const noise = file(
  'noise.bin',
  Uint8Array.from({ length: 100 }, (_, i) => (i * 37) & 255),
)
const withInput = (command: 'run' | 'verify', file: string, ...flags: readonly string[]) => [
  command,
  layer,
  '--input',
  file,
  ...flags,
]
const folderPath = join(folder, 'folder')
mkdirSync(folderPath)

/** The example's input with another shape in its header, of the same length. */
function withHeader(shape: string): Uint8Array {
  const bytes = npy.slice()
  const header = `{'descr': '<f4', 'fortran_order': False, 'shape': ${shape}, }`
  bytes.set(new TextEncoder().encode(`${header.padEnd(117)}\n`), 10)
  return bytes
}

describe('one line that says where, what was expected and what came', () => {
  it.each<[string, readonly string[], RegExp]>([
    ['no input', ['run', layer], /--input/],
    [
      'a model that is not there',
      ['inspect', join(folder, 'no.npz')],
      /no\.npz: there is no such file/,
    ],
    [
      'a folder as a model',
      ['inspect', folderPath],
      /folder: this is a folder, and no file in it is a model/,
    ],
    ['an empty model', ['inspect', empty], /empty/],
    ['noise as a model', ['inspect', noise], /no model that gruv can read/],
    [
      'data as a model: its name first, the list of formats last',
      ['inspect', input],
      /npy: this is a single NumPy array \(\.npy\): it is data rather than a model.*gruv reads: /,
    ],
    [
      'a table as a model',
      ['inspect', narrow],
      /this is a table of numbers: it is data rather than/,
    ],
    [
      'a web page as a model',
      ['inspect', file('page.json', '\n<!DOCTYPE html><html></html>')],
      /this is a web page \(HTML\).*gruv reads: /,
    ],
    [
      'TensorFlow Lite',
      ['inspect', file('model.tflite', '\u001c\0\0\0TFL3\0\0')],
      /this is a TensorFlow Lite model.*gruv reads: /,
    ],
    ['a model cut off', ['inspect', cutLayer], /cut\.npz/],
    ['an input that is not there', withInput('run', 'no.npy'), /no\.npy: there is no such file/],
    ['a folder as input', withInput('run', folderPath), /this is a folder/],
    ['an empty input', withInput('run', empty), /empty\.npy.*empty/],
    ['an input cut off', withInput('run', truncated), /truncated\.npy/],
    ['an input that claims a huge shape', withInput('run', lying), /lying\.npy/],
    ['rows of different lengths', withInput('run', ragged), /ragged\.csv: line 2/],
    ['a word among numbers', withInput('run', words), /words\.csv: line 2.*three/],
    ['too few features', withInput('run', narrow), /\[batch, time, 6\].*\[2, 3\]/],
    ['noise as input', withInput('run', noise), /noise\.bin/],
    [
      'an unknown ending for output',
      withInput('run', input, '--output', join(folder, 'y.xyz')),
      /\.npy/,
    ],
    ['an unknown output', withInput('run', input, '--output', 'z=y.npy'), /'z'.*y, gru\.h/],
    ['a folder as output', withInput('run', input, '--output', `${folderPath}.npy/`), /npy/],
    [
      'an initial state of another layer',
      withInput('run', input, '--initial-state', narrow),
      /\[16\].*\[2, 3\]/,
    ],
    ['a gate order that is none', ['inspect', layer, '--gate-order', 'zzr'], /'zzr'/],
    ['names that are none', ['inspect', layer, '--names', 'w:wMatrix'], /w=…,u=…/],
    ['an activation that is none', ['inspect', layer, '--activation', 'tahn'], /tahn.*tanh/],
    [
      'conventions for a file that states them',
      ['inspect', model, '--reset', 'before'],
      /reset cannot be set/,
    ],
    [
      'expected data of another length',
      withInput('verify', input, '--expected', narrow),
      /\[365, 16\].*\[2, 3\]/,
    ],
    [
      'input and expected exchanged',
      withInput('verify', expected, '--expected', input),
      /\[batch, time, 6\]/,
    ],
    [
      'standard input that does not fit',
      withInput('run', '-'),
      /standard input, line 1.*6 numbers.*2/,
    ],
  ])('%s', async (_, args, message) => {
    const before = readdirSync(folder)
    const { code, stdout, stderr } = await gruv(args, '1 2\n')
    expect(stderr).toMatch(message)
    expect([code, stdout]).toEqual([2, ''])
    expect(stderr).not.toMatch(/\n\s+at |node:internal|undefined|\[object/)
    expect(readdirSync(folder)).toEqual(before)
  })

  it('NaN weights are a warning, and flow through', async () => {
    const bytes = new Uint8Array(readFileSync(layer))
    // A float32 NaN in place of the last number of the file's last array, found before its
    // directory.
    const broken = file('nan.npz', await withNaN(bytes))
    const inspect = await gruv(['inspect', broken])
    expect([inspect.code, inspect.stdout]).toEqual([0, expect.stringContaining('not finite')])
    const run = await gruv(['run', broken, '--input', input])
    expect([run.code, run.stdout]).toEqual([0, expect.stringContaining('nan')])
  })
})

async function withNaN(bytes: Uint8Array): Promise<Uint8Array> {
  const { readNpz, writeNpz } = await import('../../src/bytes/numpy/npz.ts')
  const { wMatrix, ...rest } = await readNpz(bytes)
  const data = wMatrix.data.slice()
  data[0] = Number.NaN
  return writeNpz({ wMatrix: { ...wMatrix, data }, ...rest })
}
