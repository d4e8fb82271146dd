/** `gruv trace` as users run it. */

import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { readNpy } from '../../src/bytes/numpy/npy.ts'
import { readNpz } from '../../src/bytes/numpy/npz.ts'
import { load } from '../../src/index.ts'
import { collect, trace } from '../../src/trace/index.ts'
import { example, gruv, temporaryFolder } from '../support/cli.ts'

const folder = temporaryFolder()
const model = join(example, 'model.safetensors')
const input = join(example, 'input.npy')
const expected = join(example, 'expected.npy')
const layer = join(example, 'layer.npz')
const traced = (...flags: readonly string[]) => gruv(['trace', model, '--input', input, ...flags])
const tracedLayer = (...flags: readonly string[]) =>
  gruv(['trace', layer, '--input', input, ...flags])

describe('gruv trace', () => {
  it('.npz: every value by name, as the library computes it', async () => {
    const output = join(folder, 'trace.npz')
    expect(await traced('--output', output)).toMatchObject({ code: 0, stdout: '', stderr: '' })
    const arrays = await readNpz(readFileSync(output))
    const values = collect(trace(await load(readFileSync(model)), readNpy(readFileSync(input)))).gru
    expect(Object.keys(arrays)).toEqual(Object.keys(values).map((name) => `gru.${name}`))
    for (const [name, { shape, data }] of Object.entries(values)) {
      expect(arrays[`gru.${name}`].shape).toEqual(shape)
      expect(arrays[`gru.${name}`].data).toEqual(data)
    }
  })

  it('.json: some timesteps of a layer', async () => {
    const output = join(folder, 'trace.json')
    await traced('--output', output, '--steps', '10:13', '--layer', 'gru')
    const arrays = JSON.parse(readFileSync(output, 'utf8'))
    expect(arrays['gru.z']).toHaveLength(1)
    expect(arrays['gru.z'][0]).toHaveLength(3)
    expect(arrays['gru.z'][0][0]).toHaveLength(16)
  })

  it('.html, .svg and .png', async () => {
    const html = join(folder, 'look.html')
    expect(await traced('--output', html, '--expected', expected)).toMatchObject({
      code: 0,
      stdout: '',
    })
    expect(readFileSync(html, 'utf8')).toContain('Error against the expected outputs')
    const svg = join(folder, 'memory.svg')
    expect(await traced('--output', svg, '--plot', 'memory')).toMatchObject({ code: 0 })
    expect(readFileSync(svg, 'utf8')).toContain('Memory of each unit')
    const png = join(folder, 'gates.png')
    expect(await traced('--output', png)).toMatchObject({ code: 0 })
    expect(readFileSync(png).subarray(1, 4).toString()).toBe('PNG')
  })

  it('without --output: words, shades and sparklines', async () => {
    const { code, stdout } = await traced()
    expect(code).toBe(0)
    expect(stdout).toContain('gru of 16 units, timesteps 0 to 364')
    expect(stdout).toContain('The update gate z is below 0.1 in 18 %')
    expect(stdout).toContain('each column the mean of 8 timesteps')
    expect(stdout).not.toContain('a step without gates')
    expect(stdout).toMatch(/^candidate n {2}from −1 to 1\n {3}0 {2}\|[ ░▒▓█]{46}$/m)
    expect(stdout).toMatch(/^ {3}5 {2}\|[ ░▒▓█]{46}$/m)
    expect(stdout).toMatch(/^ {3}5 {2}\|[▁▂▃▄▅▆▇█]{46} {3}−0\.94 … 0\.89 {2}1\.8$/m)
    expect(stdout).toMatch(/^ {3}t {3}0 {42}364$/m)
  })

  it.each([30, 59, 60, 80, 200])('pictures fit into %i columns', async (width) => {
    const { stdout } = await gruv(['trace', model, '--input', input], undefined, {
      COLUMNS: String(width),
    })
    const pictures = stdout.split('\n').filter((line) => /^ +(\d+ {2}\||t {3}0)/.test(line))
    // A line for each of 16 units and one of timesteps, of z, r, n and h.
    expect(pictures).toHaveLength(4 * 17)
    const widest = Math.max(...pictures.map(({ length }) => length))
    expect(widest).toBeLessThanOrEqual(width)
    expect(widest).toBeGreaterThan(width / 2)
  })

  it('masked steps are dots, and said to be', async () => {
    const { stdout } = await traced('--steps', '0:10', '--lengths', '8')
    expect(stdout).toContain('each column a timestep. Shades from low to high: blank ░ ▒ ▓ █; ·')
    expect(stdout).toMatch(/^ {3}5 {2}\|[ ░▒▓█]{8}··$/m)
  })

  it('--json: the statistics', async () => {
    const { stdout } = await traced('--json')
    const { layers } = JSON.parse(stdout)
    expect(layers[0]).toMatchObject({ layer: 'gru', steps: 365, dead: [] })
    expect(layers[0].memory).toHaveLength(16)
  })

  it('--as: another reading of the same file', async () => {
    const { code, stdout } = await tracedLayer('--as', 'update=updates,bias=merged')
    expect(code).toBe(0)
    expect(stdout).toContain('The first value that differs is the candidate n of gru, at t = 0')
    expect(stdout).toContain('The update gate: keeps')
  })

  it('--quirk makes its mistake in the first of the two alone', async () => {
    const flags = ['--quirk', 'without-recurrent-bias', '--against', layer]
    const { code, stdout } = await tracedLayer(...flags)
    expect(code).toBe(0)
    expect(stdout).toContain('The first value that differs is')
  })

  it('--layer also takes a layer from a file of weights alone', async () => {
    const { code, stdout } = await traced('--layer', 'gru', '--steps', '0:5')
    expect([code, stdout.includes('timesteps 0 to 4')]).toEqual([0, true])
  })
})

describe('which layer and which steps', () => {
  it.each([
    [':3', 'timesteps 0 to 2'],
    ['360:', 'timesteps 360 to 364'],
  ])('--steps %s', async (steps, shown) => {
    expect((await traced('--steps', steps)).stdout).toContain(shown)
  })

  it('a layer that a file of one layer does not have', async () => {
    expect(await tracedLayer('--layer', 'lstm')).toMatchObject({
      code: 2,
      stderr: "gruv: there is no recurrent layer 'lstm'; expected one of gru\n",
    })
  })
})

describe('bad input', () => {
  const output = 'never.html'
  const to = (name: string, ...flags: readonly string[]): readonly string[] => [
    ...flags,
    '--output',
    join(folder, name),
  ]
  const cases: readonly (readonly [string, readonly string[], RegExp])[] = [
    ['an unknown layer', to(output, '--layer', 'head'), /no recurrent layer 'head'/],
    [
      'steps that are not there',
      to(output, '--steps', '3:366'),
      /expected two whole numbers from 0 to 365/,
    ],
    ['steps that are no steps', to(output, '--steps', '3'), /--steps: '3' are no timesteps/],
    ['an unknown ending', to('never.pdf'), /expected a name that ends in one of \.npz/],
    [
      'a plot without a picture',
      ['--plot', 'gates'],
      /Give --output a name that ends in \.svg or \.png/,
    ],
    ['an unknown plot', to(output, '--plot', 'z'), /Allowed choices are gates, states/],
    ['an error without expected data', to('never.svg', '--plot', 'error'), /Give --expected/],
    ['a row that is not there', to(output, '--row', '1'), /row cannot be 1/],
    ['an unknown convention', to(output, '--as', 'sense=up'), /'sense=up' is no convention/],
    ['an unknown choice', to(output, '--as', 'update=up'), /expected one of keeps, updates/],
    ['a folder that is not there', to('no/look.html'), /no such file or folder/],
    ['arrays of an error', to('never.npz', '--expected', expected), /arrays hold no error/],
  ]
  it.each(cases)('%s: exit code 2, a clear message, nothing written', async (_, flags, message) => {
    const before = readdirSync(folder).sort()
    const { code, stderr } = await traced(...flags)
    expect(stderr).toMatch(message)
    expect(stderr).not.toContain('should not have happened')
    expect(code).toBe(2)
    expect(readdirSync(folder).sort()).toEqual(before)
  })

  it('a file that is there stays as it was', async () => {
    const there = join(folder, 'there.html')
    writeFileSync(there, 'before')
    const { code } = await traced('--row', '9', '--output', there)
    expect(code).toBe(2)
    expect(readFileSync(there, 'utf8')).toBe('before')
    expect(existsSync(join(folder, output))).toBe(false)
  })
})
