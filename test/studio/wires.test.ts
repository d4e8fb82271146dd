/** The numbers on the wires are those of the trace, to the digits shown, under every convention. */

import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { convert } from '../../src/convert/index.ts'
import { readData, writeData } from '../../src/data/index.ts'
import { applyQuirks } from '../../src/diagnose/index.ts'
import { load } from '../../src/index.ts'
import { createModel } from '../../src/model/graph.ts'
import { type GruNode, sequential } from '../../src/model/index.ts'
import { collect, trace } from '../../src/trace/index.ts'
import { temporaryFolder } from '../support/cli.ts'
import { randomGru, randomTensor } from '../support/random.ts'
import { choose, noBrowser, serve, shownWires, visit } from './support.ts'

const example = 'examples/seattle-weather'
const folder = temporaryFolder()
const unit = 5
const units = 16
let origin: string

/** Half of the last of four digits, and a margin for printing. */
const HALF_A_DIGIT = 5.001e-5

/** All values of the three conventions that change the drawing. */
const readings = [
  [],
  ['update=updates'],
  ['reset=before', 'bias=merged'],
  ['update=updates', 'bias=merged'],
] as const

const sizes = [
  ['wide', { width: 1360, height: 900 }],
  ['narrow', { width: 360, height: 740 }],
] as const

const cases = readings.flatMap((reading) =>
  sizes.map(([name, size]) => [reading.join(', ') || 'as read', name, reading, size] as const),
)

describe.skipIf(noBrowser)('values on the wires', () => {
  beforeAll(async () => {
    origin = await serve()
  })

  test.each(cases)('%s, %s', async (_, __, reading, viewport) => {
    const model = applyQuirks(await load(`${example}/model.safetensors`), reading)
    const x = await readData(readFileSync(`${example}/input.npy`), 'input.npy')
    const { gru } = collect(trace(model, x.tensors.data))
    const chosen = reading.map((quirk) => `&read=${encodeURIComponent(quirk)}`).join('')
    const { page, complaints } = await visit(`${origin}?example#unit=${unit}&t=100${chosen}`, {
      viewport,
    })
    for (const t of [100, 101, 364, 0]) {
      await page.getByRole('slider', { name: 'Timestep' }).fill(`${t}`)
      await page.getByRole('heading', { name: `at timestep ${t}` }).waitFor()
      const at = (name: string, step = t): number => gru[name].data[step * units + unit]
      const keeps = !reading.some((quirk) => quirk === 'update=updates')
      const after = !reading.some((quirk) => quirk === 'reset=before')
      const fresh = keeps ? 1 - at('z') : at('z')
      const before = t === 0 ? 0 : at('h', t - 1)
      const wanted: Record<string, number> = {
        ...Object.fromEntries(
          ['xz', 'xr', 'xn', 'hz', 'hr', 'hn', 'z', 'r', 'n', 'h'].map((name) => [name, at(name)]),
        ),
        'h−': before,
        kept: (1 - fresh) * before,
        fresh,
        taken: fresh * at('n'),
        ...(after && { 'r⊙hn': at('r') * at('hn') }),
      }
      const number = (text: string | undefined): number => Number(text?.replaceAll('−', '-'))
      await expect.poll(async () => number((await shownWires(page)).h)).toBeCloseTo(wanted.h, 4)
      const shown = await shownWires(page)
      expect(Object.keys(shown).sort()).toEqual(Object.keys(wanted).sort())
      for (const [name, value] of Object.entries(wanted)) {
        expect(shown[name], name).toMatch(/^−?\d+\.\d{4}$|e−/)
        expect(Math.abs(number(shown[name]) - value), `${name} at ${t}`).toBeLessThanOrEqual(
          HALF_A_DIGIT,
        )
      }
      // The equations beside it end in the same numbers.
      const lines = await page.locator('.equations .filled').allInnerTexts()
      expect(lines.map((line) => number(line.split(' = ').at(-1)))).toEqual(
        ['z', 'r', 'n', 'h'].map((name) => number(shown[name])),
      )
    }
    expect(complaints).toEqual([])
    await page.close()
  })

  test('a state that comes from an input is the one before the first step', async () => {
    const [features, units, steps] = [3, 4, 6]
    const plain = sequential([randomGru(4, features, units)])
    const [node] = plain.nodes as readonly GruNode[]
    const model = createModel({
      ...plain,
      inputs: [...plain.inputs, { name: 'start', shape: ['batch', units] }],
      nodes: [{ ...node, inputs: { ...node.inputs, initialState: 'start' } }],
    })
    const { bytes } = await convert(model, 'started.safetensors')
    const x = randomTensor(5, [1, steps, features])
    const start = randomTensor(6, [1, units])
    const files = {
      'started.safetensors': bytes,
      'inputs.npz': await writeData({ x, start }, 'a.npz'),
    }
    for (const [name, content] of Object.entries(files)) writeFileSync(join(folder, name), content)
    const { page } = await visit(origin)
    await choose(
      page,
      'Choose files',
      Object.keys(files).map((name) => join(folder, name)),
    )
    await page.getByText('at timestep 0').waitFor()
    const number = (text: string | undefined): number => Number(text?.replaceAll('−', '-'))
    await expect
      .poll(async () => number((await shownWires(page))['h−']))
      .toBeCloseTo(start.data[0], 4)
    const shown = await shownWires(page)
    const sum = number(shown.kept) + number(shown.taken)
    expect(Math.abs(sum - number(shown.h))).toBeLessThanOrEqual(3 * HALF_A_DIGIT)
    await page.close()
  })
})
