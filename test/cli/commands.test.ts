/** The commands on the example, as a new user runs them. */

import { spawn } from 'node:child_process'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { readNpy, writeNpy } from '../../src/bytes/numpy/npy.ts'
import { readTable } from '../../src/bytes/tables/tables.ts'
import { readData } from '../../src/data/index.ts'
import { compile, compileSync, load } from '../../src/index.ts'
import { example, gruv, gruvProcess, temporaryFolder } from '../support/cli.ts'

const model = join(example, 'model.safetensors')
const layer = join(example, 'layer.npz')
const inputCsv = join(example, 'input.csv')
const inputNpy = join(example, 'input.npy')
const reference = join(example, 'layer_expected.npy')
const expected = readNpy(readFileSync(join(example, 'expected.npy')))
const folder = temporaryFolder()
const inFolder = (name: string): string => join(folder, name)

/** Runs the example's model. */
const run = (input: string, ...flags: readonly string[]) =>
  gruv(['run', model, '--input', input, ...flags])
/** Verifies the bare layer. */
const verify = (expected: string, ...flags: readonly string[]) =>
  gruv(['verify', layer, '--input', inputNpy, '--expected', expected, ...flags])
const refused = (message: string) => ({ code: 2, stderr: expect.stringContaining(message) })

describe('gruv', () => {
  it('without arguments shows its help', async () => {
    const { code, stdout } = await gruv([])
    expect(code).toBe(0)
    expect(stdout).toContain('Start here')
  })

  it('a mistyped command or flag is met with a suggestion and exit code 2', async () => {
    for (const [args, message] of [
      [['inpsect', layer], 'Did you mean inspect?'],
      [['inspect', layer, '--wieghts'], '--weights'],
      [['inspect', layer, '--reset', 'behind'], 'after, before'],
    ] as const)
      expect(await gruv(args)).toMatchObject(refused(message))
  })

  it('--version is the package’s', async () => {
    const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string }
    expect((await gruv(['--version'])).stdout.trim()).toBe(version)
  })
})

describe('the executable', () => {
  it.each<[number, readonly string[]]>([
    [0, ['run', model, '--input', inputNpy]],
    [1, ['verify', layer, '--input', inputNpy, '--expected', reference, '--reset', 'before']],
    [2, ['run', model, '--input', inFolder('none.npy')]],
  ])('ends with %i and says what the command says', async (code, args) => {
    expect(await gruvProcess(args)).toEqual({ ...(await gruv(args)), code })
  })
})

describe('gruv example', () => {
  it('shows the model, gates, outputs and the proof, and ends well', async () => {
    const { code, stdout } = await gruv(['example'])
    expect(code).toBe(0)
    const parts = ['conventions', 'candidate', 't 364', 'y agrees', 'largest absolute error']
    for (const part of [...parts, 'Try next']) expect(stdout).toContain(part)
    expect(stdout.match(/npx gruv/g)).toHaveLength(3)
  })
})

describe('gruv inspect', () => {
  it('tells each convention and where it comes from', async () => {
    const { stdout } = await gruv(['inspect', layer])
    expect(stdout).toMatch(/gate order\s+zrn\s+assumed/)
    expect(stdout).toMatch(/reset gate\s+after\s+implied.*\[2, 48\]/)
    const stated = await gruv(['inspect', model])
    expect(stated.stdout).toMatch(/gate order\s+rzn\s+stated/)
    const chosen = await gruv(['inspect', layer, '--gate-order', 'r,z,h'])
    expect(chosen.stdout).toMatch(/gate order\s+rzn\s+chosen/)
  })

  it('--plan prints what runs when and where, and why a model cannot stream', async () => {
    const { stdout } = await gruv(['inspect', model, '--plan'])
    expect(stdout).toMatch(/plan [0-9a-f]{16}/)
    expect(stdout).toMatch(/streams +yes/)
    expect(stdout).toMatch(/0 +step by step +batch × time +gru +gru +WebAssembly/)
    const { plan } = JSON.parse((await gruv(['inspect', model, '--plan', '--json'])).stdout)
    expect(plan).toMatchObject({
      obstacle: null,
      engine: { kind: 'wasm' },
      stages: [{ steps: 'time' }],
    })
    expect(plan.memory.total).toBeGreaterThan(plan.memory.weights)
  })

  it('--weights prints W, U and the biases, whole and by gate', async () => {
    const { stdout } = await gruv(['inspect', layer, '--weights'])
    const whole = ['W, kernel [6, 48]', 'U, recurrent kernel [16, 48]']
    for (const title of [...whole, 'Wz [6, 16]', 'Un [16, 16]', 'brn [16]'])
      expect(stdout).toContain(title)
  })

  it('--equations marks where the layer leaves the textbook', async () => {
    const { stdout } = await gruv(['inspect', layer, '--equations'])
    expect(stdout).toContain("≠  h' = z ⊙ h + (1−z) ⊙ n")
    const reading = ['--reset', 'before', '--update', 'updates', '--bias', 'merged']
    const textbook = await gruv(['inspect', layer, '--equations', ...reading])
    expect(textbook.stdout).not.toContain('≠')
  })

  it('--json is JSON with conventions, and weights and equations where asked for', async () => {
    const { stdout } = await gruv(['inspect', layer, '--json', '--weights', '--equations'])
    const { layers } = JSON.parse(stdout)
    expect(layers[0].conventions[0]).toMatchObject({
      key: 'gateOrder',
      value: 'zrn',
      origin: 'assumed',
    })
    expect(layers[0].weights['kernel.z'].shape).toEqual([6, 16])
    expect(layers[0].equations).toHaveLength(4)
  })
})

describe('gruv run', () => {
  it.each(['npy', 'npz', 'csv', 'tsv', 'txt', 'json', 'jsonl'])(
    'writes .%s with every digit',
    async (ending) => {
      const file = inFolder(`y.${ending}`)
      expect(await run(inputCsv, '--output', file)).toEqual({ code: 0, stdout: '', stderr: '' })
      const { tensors } = await readData(readFileSync(file), file)
      const computed = compileSync(await load(model)).predict(readNpy(readFileSync(inputNpy))).y
      expect(Array.from(Object.values(tensors)[0].data, Math.fround)).toEqual([...computed.data])
    },
  )

  it('prints plain rows in a pipe, the numbers that the library gives', async () => {
    const { stdout } = await run(inputNpy)
    const { data } = readTable(stdout)
    expect(data.length).toBe(365)
    data.forEach((value, i) => expect(Math.abs(value - expected.data[i])).toBeLessThan(5e-6))
  })

  it('--stream, whole runs and lines from standard input give the same bits', async () => {
    const csv = readFileSync(inputCsv, 'utf8')
    const whole = await run(inputNpy)
    const stream = await run(inputNpy, '--stream')
    const lines = await gruv(['run', model, '--input', '-'], csv.slice(csv.indexOf('\n') + 1))
    expect(stream.stdout).toBe(whole.stdout)
    expect(lines.stdout).toBe(whole.stdout)
  })

  it('answers each line of standard input before the next one comes', async () => {
    const child = spawn(process.execPath, ['dist/cli/main.js', 'run', layer, '--input', '-'])
    const answers: string[] = []
    const answer = (): Promise<void> =>
      new Promise((resolve) => {
        child.stdout.once('data', (text: Buffer) => {
          answers.push(text.toString())
          resolve()
        })
      })
    for (const line of ['1 2 3 4 5 6\n', '1,2,3,4,5,6\n']) {
      child.stdin.write(line)
      await answer()
    }
    child.stdin.end()
    expect(answers.map((text) => text.trim().split(' ').length)).toEqual([16, 16])
    expect(answers[0]).not.toBe(answers[1])
  })

  it('carries states from one run to the next through files', async () => {
    const state = inFolder('h.npz')
    const rows = readFileSync(inputCsv, 'utf8').trim().split('\n').slice(1)
    writeFileSync(inFolder('head.csv'), rows.slice(0, 100).join('\n'))
    writeFileSync(inFolder('tail.csv'), rows.slice(100).join('\n'))
    await run(inFolder('head.csv'), '--output', inFolder('head.npy'), '--final-state', state)
    await run(inFolder('tail.csv'), '--output', inFolder('tail.npy'), '--initial-state', state)
    await run(inputNpy, '--output', inFolder('whole.npy'))
    const [head, tail, whole] = ['head.npy', 'tail.npy', 'whole.npy'].map((name) =>
      readNpy(readFileSync(inFolder(name))),
    )
    expect([...head.data, ...tail.data]).toEqual([...whole.data])
  })

  it('leaves nothing behind when an output cannot be written', async () => {
    const before = readdirSync(folder).length
    const outputs = ['--output', inFolder('good.npy'), '--output', inFolder('no/where.npy')]
    const { code, stderr } = await run(inputNpy, ...outputs)
    expect(code).toBe(2)
    expect(stderr).toMatch(/no.where\.npy: it cannot be written/)
    expect(readdirSync(folder)).toHaveLength(before)
  })
})

describe('sequences of which not every step counts', () => {
  it('--mask and --lengths, as in the API', async () => {
    const steps = 12
    const x = {
      shape: [2, steps, 6],
      data: Float64Array.from({ length: 144 }, (_, i) => Math.sin(i)),
    }
    const mask = Array.from({ length: 2 }, (_, row) =>
      Array.from({ length: steps }, (_, t) => Number((t + row) % 3 > 0)),
    )
    const input = inFolder('x.npy')
    const output = inFolder('y.npy')
    writeFileSync(input, writeNpy(x))
    writeFileSync(inFolder('mask.json'), JSON.stringify(mask))
    const program = await compile(await load(model))
    for (const [flags, options] of [
      [['--mask', inFolder('mask.json')], { mask }],
      [['--lengths', '12,5'], { lengths: [12, 5] }],
    ] as const) {
      expect(await run(input, ...flags, '--output', output)).toMatchObject({ code: 0 })
      const { y } = program.predict(x, options)
      expect([...readNpy(new Uint8Array(readFileSync(output))).data]).toEqual([...y.data])
      const compared = ['verify', model, '--input', input, '--expected', output, ...flags]
      expect(await gruv(compared)).toMatchObject({ code: 0 })
    }
    expect((await run(input, '--lengths', '12')).stderr).toMatch(/lengths do not fit/)
  })
})

describe('gruv verify', () => {
  it('agrees with PyTorch: exit code 0, with the tolerance and its grounds', async () => {
    const { code, stdout } = await verify(reference)
    expect(code).toBe(0)
    expect(stdout).toMatch(/largest absolute error .* at timestep \d+, unit \d+/)
    expect(stdout).toMatch(/tolerance .*stored as float32.*float32 arithmetic, measured/)
  })

  it('in float64 agrees with PyTorch in float64 to about 1e-14', async () => {
    const double = join(example, 'layer_expected_float64.npy')
    const { code, stdout } = await verify(double, '--precision', 'f64', '--json')
    expect(code).toBe(0)
    expect(JSON.parse(stdout).outputs.y.tolerance.largest).toBeLessThan(1e-13)
  })

  it.each([
    ['--gate-order', 'rzn'],
    ['--reset', 'before'],
    ['--update', 'updates'],
    ['--bias', 'merged'],
  ])('%s %s differs: exit code 1, with the first place out of tolerance', async (flag, value) => {
    const { code, stdout } = await verify(reference, flag, value)
    expect(code).toBe(1)
    expect(stdout).toMatch(/y differs/)
    expect(stdout).toMatch(/first out of tolerance .* at timestep [01], unit \d+/)
    expect(stdout).toContain('^')
  })

  it('takes the data that came with the model, and so does diagnose', async () => {
    const proven = join(folder, 'proven.safetensors')
    const data = `${inputNpy},${reference}`
    expect(await gruv(['convert', layer, proven, '--reference', data])).toMatchObject({ code: 0 })
    const { code, stdout } = await gruv(['verify', proven])
    expect(stdout).toMatch(/^y agrees: /)
    expect(code).toBe(0)
    expect(await gruv(['verify', proven, '--quirk', 'gate-order=rzn'])).toMatchObject({ code: 1 })
    const diagnosis = await gruv(['diagnose', proven, '--quirk', 'gate-order=rzn', '--json'])
    expect(JSON.parse(diagnosis.stdout).verdict).toBe('identified')

    for (const [file, flags, message] of [
      [layer, [], /nothing to compare with.*--input and --expected/],
      [proven, ['--input', inputNpy], /half of a comparison.*both --input and --expected/s],
      [proven, ['--expected', reference], /half of a comparison.*got no --input/],
    ] as const) {
      for (const command of ['verify', 'diagnose']) {
        const bad = await gruv([command, file, ...flags])
        expect(bad.code).toBe(2)
        expect(bad.stderr).toMatch(message)
      }
    }
  })

  it('takes a tolerance from the user', async () => {
    const loose = await verify(reference, '--update', 'updates', '--atol', '3')
    expect(loose.code).toBe(0)
    expect(await verify(reference, '--atol', 'tiny')).toMatchObject(refused('--atol'))
  })
})
