/**
 * predictAsync over several threads: the bits of one. Workers are files, so this runs the built
 * package, as `npm test` has made it.
 */

import { execFileSync } from 'node:child_process'
import { pathToFileURL } from 'node:url'
import { Worker } from 'node:worker_threads'
import { afterEach, describe, expect, it, vi } from 'vitest'
import type { CompileOptions, Model, Program, RunOptions } from '../../src/index.ts'
import { createModel } from '../../src/model/graph.ts'
import { dense, sequential } from '../../src/model/index.ts'
import type { Named, Tensor } from '../../src/tensor.ts'
import { bits, bothWays, encoderDecoder } from '../support/engines.ts'
import { random, randomGru, randomTensor, tensor } from '../support/random.ts'

const entry = new URL('../../dist/index.js', import.meta.url)
const { compile, compileSync, emit } = (await import(
  entry.href
)) as typeof import('../../src/index.ts')

const open: Program[] = []
async function compiled(model: Model, options: CompileOptions): Promise<Program> {
  const program = await compile(model, options)
  open.push(program)
  return program
}
afterEach(() => {
  for (const program of open.splice(0)) program.close()
})

type Input = Tensor | Named<Tensor>

/** Every output and state, of one thread and of several. */
async function expectSame(
  model: Model,
  x: Input,
  counts: readonly number[],
  options: CompileOptions = {},
  run: RunOptions = {},
): Promise<void> {
  const single = await compiled(model, options)
  const outputs = [...single.outputs, ...single.states].map(({ name }) => name)
  const expected = single.predict(x, { ...run, outputs })
  for (const threads of counts) {
    const program = await compiled(model, { ...options, threads })
    const actual = await program.predictAsync(x, { ...run, outputs })
    expect(program.engine.threads ?? 1, program.engine.whyOneThread).toBe(threads)
    for (const name of outputs) {
      expect(actual[name].shape, name).toEqual(expected[name].shape)
      expect(bits(actual[name]), `${threads} threads, ${name}`).toEqual(bits(expected[name]))
    }
  }
}

function stack(seed: number): Model {
  const next = random(seed)
  return sequential([
    randomGru(seed, 3, 7),
    randomGru(seed + 1, 7, 5, { returnSequences: false }),
    dense({ kernel: tensor(next, [5, 2]), bias: tensor(next, [2]), activation: 'softmax' }),
  ])
}

const x = randomTensor(1, [19, 37, 3])

describe('every thread count gives the bits of one', () => {
  const kinds: readonly CompileOptions[] = [
    { engine: 'wasm' },
    { engine: 'wasm', deterministic: true },
    { engine: 'wasm', precision: 'f64' },
    { engine: 'js' },
  ]
  it.each(kinds)('%j', (options) => expectSame(stack(2), x, [1, 2, 3, 5], options))

  it('fewer rows than threads', () => expectSame(stack(3), randomTensor(2, [2, 9, 3]), [5]))

  it('one row, with and without its axis: in the caller', async () => {
    const program = await compiled(stack(3), { threads: 2 })
    const flat = randomTensor(2, [9, 3])
    const { y } = await program.predictAsync(flat)
    expect(y).toEqual(program.predict(flat).y)
    expect(y.shape).toEqual([2])
  })

  it('masks and lengths', async () => {
    const model = stack(4)
    const next = random(5)
    const mask = Array.from({ length: 19 }, () => Array.from({ length: 37 }, () => next() > -0.3))
    // A row that does not count at all.
    mask[7].fill(false)
    await expectSame(model, x, [2, 5], {}, { mask })
    const lengths = mask.map((row) => row.filter(Boolean).length)
    await expectSame(model, x, [2, 5], {}, { lengths })
    await expectSame(sequential([bothWays(3, 6)]), x, [3], {}, { lengths })
    await expectSame(sequential([bothWays(3, 6)]), x, [3], { engine: 'js' }, { mask })
  })

  it('initial states, for each row and for all', async () => {
    const next = random(6)
    const initialState = { 'gru.h': tensor(next, [19, 7]), 'gru_1.h': tensor(next, [5]) }
    const { states } = compileSync(stack(4))
    expect(states.map(({ name }) => name)).toEqual(Object.keys(initialState))
    await expectSame(stack(4), x, [2, 19], {}, { initialState })
  })

  it('both directions, an encoder with a decoder, outputs that are one value', async () => {
    await expectSame(sequential([bothWays(3, 6)]), x, [2, 3])
    await expectSame(encoderDecoder(), randomTensor(8, [7, 33, 4]), [2, 3])
    const { outputs, ...model } = stack(4)
    const twice = [{ ...outputs[0] }, { ...outputs[0], name: 'again' }]
    await expectSame(createModel({ ...model, outputs: twice }), x, [2])
  })

  it('several inputs', async () => {
    const [one] = sequential([randomGru(1, 3, 4)]).nodes
    const [other] = sequential([randomGru(2, 2, 4)]).nodes
    const model = createModel({
      name: 'two',
      source: 'test',
      inputs: [
        { name: 'a', shape: ['batch', 'time', 3] },
        // Steps outermost: rows lie on the second axis of the port.
        { name: 'b', shape: ['time', 'batch', 2], axes: [1, 0, 2] },
      ],
      outputs: [
        { name: 'p', value: 'p' },
        { name: 'q', value: 'q', axes: [1, 0, 2] },
      ],
      nodes: [
        { ...one, name: 'one', inputs: { x: 'a' }, outputs: { sequence: 'p' } },
        { ...other, name: 'other', inputs: { x: 'b' }, outputs: { sequence: 'q' } },
      ] as Model['nodes'],
    })
    await expectSame(model, { a: x, b: randomTensor(4, [37, 19, 2]) }, [2, 3])
  })

  it('code that was emitted before, and compileSync', async () => {
    const model = stack(9)
    const artifact = emit(model)
    await expectSame(model, x, [2], { artifact, engine: 'wasm', deterministic: true })
    const program = compileSync(model, { threads: 2 })
    open.push(program)
    expect((await program.predictAsync(x)).y).toEqual(program.predict(x).y)
    expect(program.engine.threads).toBe(2)
  })
})

describe('workers', () => {
  it('get other weights, before they exist and after', async () => {
    const [a, b, c] = [stack(11), stack(12), stack(13)]
    const program = await compiled(a, { threads: 3 })
    for (const next of [b, c, a]) {
      program.setWeights(next)
      const { y } = await program.predictAsync(x)
      expect(y).toEqual(compileSync(next).predict(x).y)
    }
  })

  it('serve several calls at once, and say how far they are', async () => {
    const program = await compiled(stack(2), { threads: 2 })
    const shares: number[] = []
    const inputs = [1, 2, 3].map((seed) => randomTensor(seed, [8, 40, 3]))
    const onProgress = (share: number) => shares.push(share)
    const results = await Promise.all(inputs.map((x) => program.predictAsync(x, { onProgress })))
    results.forEach(({ y }, i) => {
      expect(y).toEqual(program.predict(inputs[i]).y)
    })
    expect(shares.at(-1)).toBe(1)
    expect(shares.every((share) => share >= 0 && share <= 1)).toBe(true)
  })

  it('leave inputs to their owner', async () => {
    const program = await compiled(stack(2), { threads: 2 })
    const before = Array.from(x.data)
    await program.predictAsync(x)
    expect(Array.from(x.data)).toEqual(before)
  })

  it('errors are those of one thread', async () => {
    const program = await compiled(stack(2), { threads: 2 })
    const wrong: readonly [Input, RunOptions][] = [
      [randomTensor(1, [4, 5, 9]), {}],
      [x, { outputs: ['z'] }],
      [x, { lengths: [1] }],
      [x, { initialState: { 'gru.h': randomTensor(1, [3, 7]) } }],
    ]
    for (const [input, options] of wrong) {
      const error = (() => {
        try {
          program.predict(input, options)
        } catch (error) {
          return error as Error
        }
        throw new Error('that was right')
      })()
      await expect(program.predictAsync(input, options)).rejects.toThrow(error.message)
    }
  })

  it('one that dies rejects what it was doing, and is replaced', async () => {
    const program = await compiled(stack(2), { threads: 2 })
    const post = vi.spyOn(Worker.prototype, 'postMessage')
    await program.predictAsync(x)
    const worker = post.mock.contexts[0] as Worker
    post.mockRestore()
    const long = randomTensor(3, [64, 4000, 3])
    const running = program.predictAsync(long)
    const outcome = expect(running).rejects.toMatchObject({ code: 'engine-unavailable' })
    await new Promise((resolve) => setTimeout(resolve, 0))
    await worker.terminate()
    await outcome
    expect((await program.predictAsync(x)).y).toEqual(program.predict(x).y)
    expect(program.engine.threads).toBe(2)
  })

  it('end with the program, and what they were doing with them', async () => {
    const program = await compiled(stack(2), { threads: 2 })
    await program.predictAsync(x)
    const running = program.predictAsync(randomTensor(3, [64, 4000, 3]))
    const outcome = expect(running).rejects.toMatchObject({ code: 'closed' })
    await new Promise((resolve) => setTimeout(resolve, 0))
    program.close()
    await outcome
    await expect(program.predictAsync(x)).rejects.toMatchObject({ code: 'closed' })
    // Before there were any.
    const early = await compiled(stack(2), { threads: 2 })
    const none = expect(early.predictAsync(x)).rejects.toMatchObject({ code: 'closed' })
    early.close()
    await none
  })

  it('let a process end, which gets its results first', () => {
    const script = `
      const { compile } = await import(${JSON.stringify(entry.href)})
      const { sequential, gru } = await import(${JSON.stringify(pathToFileURL('dist/model/index.js').href)})
      const zeros = (...shape) => ({ shape, data: new Float32Array(shape.reduce((a, b) => a * b)) })
      const model = sequential([gru({ kernel: zeros(2, 9), recurrentKernel: zeros(3, 9), bias: zeros(2, 9) })])
      const program = await compile(model, { threads: 2 })
      const { y } = await program.predictAsync(zeros(4, 5, 2))
      console.log(y.shape.join(), program.engine.threads)
    `
    const args = ['--input-type=module', '--eval', script]
    expect(execFileSync(process.execPath, args, { encoding: 'utf8', timeout: 25_000 })).toBe(
      '4,5,3 2\n',
    )
  })
})

describe('one thread, and a reason', () => {
  it('where a layer works on whole tensors', async () => {
    const { nodes, outputs: _, ...parts } = sequential([randomGru(1, 3, 4)])
    const model = createModel({
      ...parts,
      outputs: [{ name: 'y', value: 'turned' }],
      nodes: [
        ...nodes,
        {
          kind: 'transpose',
          name: 'turn',
          axes: [1, 0, 2],
          inputs: { x: nodes[0].outputs.sequence },
          outputs: { y: 'turned' },
          conventions: [],
        },
      ] as unknown as Model['nodes'],
    })
    const program = await compiled(model, { threads: 2 })
    expect((await program.predictAsync(x)).y).toEqual(program.predict(x).y)
    expect(program.engine).toMatchObject({
      threads: 1,
      whyOneThread: 'layer turn works on whole tensors',
    })
  })

  it('where the host has no workers', async () => {
    const builtin = vi.spyOn(process, 'getBuiltinModule').mockImplementation(() => {
      throw new Error('not here')
    })
    try {
      const program = await compiled(stack(2), { threads: 2 })
      expect(program.engine.threads).toBe(2)
      expect((await program.predictAsync(x)).y).toEqual(program.predict(x).y)
      expect(program.engine).toMatchObject({
        threads: 1,
        whyOneThread: 'this host has no workers: not here',
      })
    } finally {
      builtin.mockRestore()
    }
  })

  it('none where none were asked for', async () => {
    expect((await compiled(stack(2), {})).engine).not.toHaveProperty('threads')
  })

  it.each([0, -1, 1.5, Number.NaN, 100_000])('%d is no count', async (threads) => {
    await expect(compile(stack(2), { threads })).rejects.toMatchObject({ code: 'bad-argument' })
    expect(() => compileSync(stack(2), { threads })).toThrow(/threads is a count/)
  })
})
