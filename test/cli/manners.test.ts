/** What every command does alike: help, errors under --json, long lists. */

import { spawn } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { writeNpz } from '../../src/bytes/numpy/npz.ts'
import { load } from '../../src/index.ts'
import { summarize } from '../../src/model/index.ts'
import { example, gruv, temporaryFolder } from '../support/cli.ts'

const folder = temporaryFolder()
const layer = join(example, 'layer.npz')
const input = join(example, 'input.npy')

describe('under --json an error is JSON on standard output, and text on standard error', () => {
  it.each<[string, readonly string[], object]>([
    ['a file that is not there', ['inspect', 'no.npz'], { code: 'unreadable', where: 'no.npz' }],
    ['a wrong option', ['inspect', layer, '--foo'], { code: 'bad-argument' }],
    ['no model', ['verify'], { code: 'bad-argument' }],
    ['a model as data', ['run', layer, '--input', layer], { code: 'not-found' }],
  ])('%s', async (_, args, error) => {
    const { code, stdout, stderr } = await gruv([...args, '--json'])
    expect(code).toBe(2)
    const told = JSON.parse(stdout).error
    expect(told).toMatchObject(error)
    for (const key of ['where', 'expected', 'got', 'fix']) expect(told).toHaveProperty(key)
    expect(stderr).toContain(told.problem)
  })

  it('help is no error', async () => {
    const { code, stdout } = await gruv(['inspect', '--json', '--help'])
    expect([code, stdout]).toEqual([0, expect.stringMatching(/^Usage/)])
  })
})

describe('run --json', () => {
  it('gives all outputs by name, on one line, as --input reads them', async () => {
    const plain = await gruv(['run', layer, '--input', input])
    const { code, stdout } = await gruv(['run', layer, '--input', input, '--json'])
    const { y } = JSON.parse(stdout)
    expect([code, stdout.split('\n').length]).toEqual([0, 2])
    expect(y.map((row: number[]) => row.map(Number))).toEqual(
      plain.stdout
        .trim()
        .split('\n')
        .map((line) => line.split(' ').map(Number)),
    )
  })

  it('answers each line of standard input with an object', async () => {
    const { stdout } = await gruv(
      ['run', layer, '--input', '-', '--json'],
      '1,2,3,4,5,6\n1,2,3,4,5,6\n',
    )
    const lines = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line))
    expect(lines.map(({ y }) => y.length)).toEqual([16, 16])
  })

  it('says which files were written', async () => {
    const path = join(folder, 'y.npy')
    const { stdout } = await gruv(['run', layer, '--input', input, '--json', '--output', path])
    expect(JSON.parse(stdout)).toEqual({ written: [path] })
  })
})

describe('help', () => {
  it.each(['inspect', 'run', 'verify', 'diagnose', 'convert', 'trace'])(
    '%s: its own options, and one line for the shared ones',
    async (command) => {
      const { stdout } = await gruv([command, '--help'])
      expect(stdout).not.toMatch(/--gate-order <|--quirk <|--limit </)
      expect(stdout).toMatch(/^.*gruv help conventions$/m)
    },
  )

  it('conventions: the shared ones', async () => {
    for (const args of [['help', 'conventions'], ['conventions']]) {
      const { code, stdout } = await gruv(args)
      expect(code).toBe(0)
      for (const flag of ['--gate-order', '--quirk', '--until', '--set', '--limit'])
        expect(stdout).toContain(`  ${flag} `)
    }
  })
})

describe('inspect --weights', () => {
  const units = 96
  const large = join(folder, 'large.npz')
  const numbers = (...shape: number[]) => ({
    shape,
    data: Float32Array.from({ length: shape.reduce((a, b) => a * b) }, (_, i) => Math.sin(i)),
  })
  const arrays = {
    wMatrix: numbers(units, 3 * units),
    uMatrix: numbers(units, 3 * units),
    biases: numbers(2, 3 * units),
  }

  it('leaves out the middle of large matrices unless --all is given', async () => {
    writeFileSync(large, await writeNpz(arrays))
    const { parameters } = summarize(await load(large))
    const short = await gruv(['inspect', large, '--weights'])
    const long = await gruv(['inspect', large, '--weights', '--all'])
    const count = (text: string): number => text.match(/-?\d\.\d{4}|\d\.\d+e/g)?.length ?? 0
    expect(short.stdout).toContain('⋮')
    expect(count(short.stdout)).toBeLessThan(10_000)
    // Whole and by gate.
    expect(count(long.stdout)).toBe(2 * parameters)
  })

  it('stops without a word when its reader does', async () => {
    const main = join(import.meta.dirname, '../../dist/cli/main.js')
    const child = spawn(process.execPath, [main, 'inspect', large, '--weights', '--all'])
    let told = ''
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      told += text
    })
    child.stdout.once('data', () => child.stdout.destroy())
    expect(await new Promise((resolve) => child.on('close', resolve))).toBe(0)
    expect(told).toBe('')
  })
})

it('convert --storage: agreement with the rounded model, and what rounding cost, apart', async () => {
  const out = join(folder, 'rounded.safetensors')
  const { code, stdout } = await gruv(['convert', layer, out, '--storage', 'int8'])
  expect(code).toBe(0)
  expect(stdout).toMatch(/agrees with the rounded model +largest difference \S+/)
  expect(stdout).toMatch(/rounding cost +at most \d\.\d+e-\d/)
})
