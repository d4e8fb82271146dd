/** PyTorch files from the command line: modules, activations, wirings. */

import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { example, gruv, temporaryFolder } from '../support/cli.ts'

const fixture = (name: string): string =>
  fileURLToPath(new URL(`../fixtures/pytorch/${name}`, import.meta.url))
const folder = temporaryFolder()

function wiring(name: string, text: string): string {
  const path = join(folder, name)
  writeFileSync(path, text)
  return path
}

describe('gruv inspect', () => {
  it('lists the modules of a file with several', async () => {
    const { code, stderr } = await gruv(['inspect', fixture('two.pt')])
    expect([code, stderr]).toEqual([2, expect.stringMatching(/encoder: GRU, 3 → 2; decoder: GRU/)])
  })

  it('--module shows one of them', async () => {
    const { code, stdout } = await gruv(['inspect', fixture('two.pt'), '--module', 'decoder'])
    expect([code, stdout]).toEqual([0, expect.stringMatching(/decoder.*gru/)])
  })

  it('--activation says what a state dict of an nn.RNN does not', async () => {
    const { stdout } = await gruv(['inspect', fixture('rnn-relu.pt'), '--activation', 'relu'])
    expect(stdout).toMatch(/relu +chosen/)
    expect(stdout).not.toContain('assumed')
  })
})

describe('--wiring', () => {
  const model = join(example, 'state_dict.pt')
  const data = ['--input', join(example, 'input.npy'), '--expected', join(example, 'expected.npy')]

  it('the wiring of the example agrees with PyTorch', async () => {
    const { code } = await gruv([
      'verify',
      model,
      '--wiring',
      join(example, 'wiring.json'),
      ...data,
    ])
    expect(code).toBe(0)
  })

  it('a wrong one is found out', async () => {
    const wrong = wiring('wrong.json', '["gru", { "module": "head", "activation": "tanh" }]')
    expect((await gruv(['verify', model, '--wiring', wrong, ...data])).code).toBe(1)
  })

  it.each([
    ['no JSON', 'gru', /bad\.json.*not JSON/],
    ['a module that is not there', '["gru", "fc"]', /'fc' is neither.*one of gru, head/],
  ])('%s', async (_, text, message) => {
    const { code, stderr } = await gruv(['inspect', model, '--wiring', wiring('bad.json', text)])
    expect([code, stderr]).toEqual([2, expect.stringMatching(message)])
  })

  it('a file that is not there', async () => {
    const { code, stderr } = await gruv(['inspect', model, '--wiring', join(folder, 'none.json')])
    expect([code, stderr]).toEqual([2, expect.stringContaining('no such file')])
  })
})
