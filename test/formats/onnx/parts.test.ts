/** Tests graphs with branches, states that come and go, and heads that pick, against NumPy. */

import { describe, expect, it } from 'vitest'
import { takeAlong } from '../../../src/formats/onnx/known.ts'
import { compile, compileSync, type LoadOptions, load } from '../../../src/index.ts'
import { whyTogether } from '../../../src/runtime/threads/split.ts'
import type { Named, Tensor } from '../../../src/tensor.ts'
import { errorOf } from '../../support/errors.ts'
import { streamed } from '../../support/steps.ts'
import { expectOutputs, fixtureJson, type OperatorCase, tensors } from './cases.ts'

interface Part extends OperatorCase, Pick<LoadOptions, 'set' | 'until'> {
  readonly streams?: true
}

const parts = fixtureJson<readonly Part[]>('parts.json')
const named = (name: string): Part => parts.find((part) => part.name === name)!
const read = ({ model, set, until }: Pick<Part, 'model' | 'set' | 'until'>) =>
  load(
    { 'm.onnx': new Uint8Array(Buffer.from(model, 'base64')) },
    { ...(set && { set }), ...(until !== undefined && { until }) },
  )

describe('parts of ONNX graphs', () => {
  it.each(parts.map((part) => [part.name, part] as const))('%s', async (_, part) => {
    const model = await read(part)
    expect(model.inputs.map(({ name }) => name)).toEqual(Object.keys(part.inputs))
    expectOutputs(model, tensors(part.inputs), tensors(part.outputs), {
      double: 1e-12,
      single: 5e-6,
    })
  })

  it.each(parts.filter(({ streams }) => streams).map((part) => [part.name, part] as const))(
    '%s: each row streams, with the numbers of predict',
    async (_, part) => {
      const model = await read(part)
      expect(model.nodes.some(({ kind }) => kind === 'reshape' || kind === 'transpose')).toBe(false)
      const program = compileSync(model, { precision: 'f64' })
      const row = (port: string, tensor: Tensor, at: number): Tensor => {
        const shape = [...model.inputs, ...model.outputs].find(({ name }) => name === port)!.shape
        return takeAlong(tensor, shape.indexOf('batch'), [at], () => {})
      }
      for (const at of [0, 1]) {
        const inputs = rows(tensors(part.inputs), at, row)
        const expected = program.predict(inputs)
        const got = streamed(program, inputs, 5)
        for (const { name, shape } of model.outputs) {
          const values = shape.includes('time')
            ? got[name]
            : got[name].slice(-expected[name].data.length)
          expect(values).toEqual([...expected[name].data])
        }
      }
    },
  )

  it('a state that comes and goes keeps no row from running in a thread of its own', async () => {
    const program = await compile(await read(named('states')))
    expect(whyTogether(program.plan)).toBeNull()
  })

  it('an If that depends on an input asks for it', async () => {
    const { set: _, ...part } = named('if-set')
    const error = await errorOf(() => read(part))
    expect(error.message).toMatch(/^m\.onnx: .*If.*--set NAME=NUMBER/s)
  })

  it('an input that is not there cannot be set, nor can half a whole number', async () => {
    const part = named('if-set')
    expect((await errorOf(() => read({ ...part, set: { speed: 1 } }))).code).toBe('not-found')
    expect((await errorOf(() => read({ ...part, set: { rate: 0.5 } }))).code).toBe('bad-argument')
  })

  it('a place to end at that is not there is refused', async () => {
    const error = await errorOf(() => read({ ...named('until'), until: ['y', 'z'] }))
    expect(error).toMatchObject({ code: 'not-found', where: 'm.onnx: until' })
  })

  it('weights that are integers are warned of', async () => {
    expect((await read(named('integers'))).warnings.join()).toContain('DequantizeLinear')
  })
})

function rows(
  all: Named<Tensor>,
  at: number,
  row: (port: string, tensor: Tensor, at: number) => Tensor,
): Named<Tensor> {
  return Object.fromEntries(Object.entries(all).map(([name, each]) => [name, row(name, each, at)]))
}
