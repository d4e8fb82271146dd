/**
 * The flags of every candidate reproduce it: they go through the command line's own options, and
 * `gruv run` computes the expected numbers under them.
 */

import { join } from 'node:path'
import { Command } from 'commander'
import { describe, expect, it } from 'vitest'
import { diagnoseWithFlags } from '../../src/cli/diagnose.ts'
import { addConventionFlags, type ConventionFlags, loadModel } from '../../src/cli/options.ts'
import {
  applyQuirks,
  type Diagnosis,
  hypothesisTable,
  withRunQuirks,
} from '../../src/diagnose/index.ts'
import { compileSync } from '../../src/index.ts'
import { type Model, sequential } from '../../src/model/index.ts'
import type { Tensor } from '../../src/tensor.ts'
import { example, gruv } from '../support/cli.ts'
import { randomGru, randomTensor } from '../support/random.ts'
import { sample } from '../support/sample.ts'

/** Words as a shell splits them. */
function words(flags: string): readonly string[] {
  return [...flags.matchAll(/"([^"]*)"|'([^']*)'|(\S+)/g)].map(
    (found) => found.slice(1).find((each) => each !== undefined)!,
  )
}

function parse(flags: string): ConventionFlags {
  const command = addConventionFlags(new Command()).exitOverride()
  return command.parse(words(flags), { from: 'user' }).opts()
}

/** The outputs of `gruv run FILE FLAGS`. */
async function runWith(file: string, flags: string, input: Tensor): Promise<Tensor> {
  const options = parse(flags)
  const model = await loadModel(file, options)
  const program = compileSync(model, { precision: 'f64', engine: 'js' })
  return withRunQuirks(program, options.quirk ?? []).predict(input).y
}

function plant(model: Model, quirk: string, input: Tensor): Tensor | null {
  try {
    const program = compileSync(applyQuirks(model, [quirk]), { precision: 'f64', engine: 'js' })
    return withRunQuirks(program, [quirk]).predict(input).y
  } catch {
    return null
  }
}

/** Each hypothesis with its values, or with its last one. */
function quirksOf(all: boolean): readonly string[] {
  return Object.entries(hypothesisTable).flatMap(
    ([name, { values }]: [string, { readonly values: readonly string[] }]) =>
      values.length === 0
        ? [name]
        : values
            // Weights times 127 saturate every gate, and a saturated network shows no conventions.
            .filter((value) => !name.startsWith('scaled-') || Number(value) <= 10)
            .slice(all ? 0 : -1)
            .map((value) => `${name}=${value}`),
  )
}

describe.each([
  ['layer.npz', 'flags of conventions', ''],
  ['layer.npz', 'flags that were given before', '--gate-order nzr --activation relu'],
  ['layer.npz', 'a quirk that was given before', '--reset before --quirk bias-rows-swapped'],
  ['model.safetensors', 'quirks, since the file states its conventions', ''],
])('%s: %s', (name, _, given) => {
  const file = join(example, name)

  it('every candidate’s flags reproduce the expected outputs', { timeout: 120_000 }, async () => {
    const flags = parse(given)
    const model = await loadModel(file, flags)
    const features = model.inputs[0].shape.at(-1) as number
    const input = randomTensor(61, [2, 5, features])
    let planted = 0
    const quirks = quirksOf(given === '' && name === 'layer.npz')
    const chosen = sample(quirks, 12, given.length)
    for (const quirk of chosen) {
      const expected = plant(model, quirk, input)
      if (expected === null) continue
      planted++
      const { verdict, candidates, toTellApart, tolerance }: Diagnosis = diagnoseWithFlags(
        model,
        flags,
        {
          input,
          expected,
          quick: true,
        },
      )
      expect([quirk, verdict]).not.toEqual([quirk, 'none'])
      for (const each of [...candidates, ...(toTellApart?.compensating ?? [])]) {
        const actual = await runWith(file, each.flags, input)
        const error = Math.max(...actual.data.map((value, i) => Math.abs(value - expected.data[i])))
        expect(error, `${quirk}: ${each.flags}`).toBeLessThanOrEqual(tolerance)
      }
    }
    expect(planted).toBeGreaterThan(chosen.length / 2)
  })
})

describe('quirks of a run on the command line', () => {
  const layer = join(example, 'layer.npz')
  const sides = ['--input', join(example, 'input.npy')]
  const expected = join(example, 'layer_expected.npy')

  it('verify makes them: a reversed run differs from the expected one', async () => {
    const verify = (...more: readonly string[]): ReturnType<typeof gruv> =>
      gruv(['verify', layer, ...sides, '--expected', expected, ...more])
    expect((await verify()).code).toBe(0)
    const { code, stdout } = await verify('--quirk', 'reversed')
    expect(code).toBe(1)
    expect(stdout).not.toContain('gruv diagnose identifies')
  })

  it.each([
    ['inspect', []],
    ['diagnose', [...sides, '--expected', expected]],
  ])('%s refuses them, since it would not run them', async (command, more) => {
    const { code, stderr } = await gruv([command, layer, ...more, '--quirk', 'reversed'])
    expect(code).toBe(2)
    expect(stderr).toContain('reversed changes a run, and not the model')
  })

  it('outputs without time refuse a quirk that mixes rows and steps', () => {
    const model = sequential([randomGru(71, 3, 4, { returnSequences: false })])
    const program = withRunQuirks(compileSync(model), ['state-carried-over-rows'])
    expect(() => program.predict(randomTensor(72, [2, 5, 3]))).toThrow('needs outputs over time')
  })
})
