/** Reports as text and bytes: self-contained, safe, and small for inputs of any length. */

import { unzlibSync } from 'fflate'
import { describe, expect, it } from 'vitest'
import { dense, sequential } from '../../src/model/index.ts'
import { colourCells, inks, palettes } from '../../src/report/colours.ts'
import { MOST_COLUMNS } from '../../src/report/gather.ts'
import { plot, plotKinds, report } from '../../src/report/index.ts'
import { rasterPng } from '../../src/report/png.ts'
import { compareModels, inputJacobian } from '../../src/trace/index.ts'
import { errorOf } from '../support/errors.ts'
import { randomGru, randomLstm, randomRnn, randomTensor } from '../support/random.ts'

const x = randomTensor(1, [2, 30, 3])
const head = [dense({ kernel: randomTensor(3, [5, 2]) })]
const model = sequential([randomGru(2, 3, 5), ...head])

describe('a report', () => {
  it('needs nothing beside it: no script, no link out, no other file', async () => {
    const html = await report(model, x)
    expect(html).not.toMatch(/<script|<link|<iframe|@import|url\(|\son\w+=/i)
    const targets = [...html.matchAll(/(?:href|src)="([^"]*)"/g)].map(([, target]) => target)
    for (const target of targets) expect(target).toMatch(/^(#|data:image\/png;base64,)/)
    expect(targets.length).toBeGreaterThan(10)
  })

  it('every id is there once, and every reference to one is met', async () => {
    const html = await report(model, x)
    const ids = [...html.matchAll(/\sid="([^"]*)"/g)].map(([, id]) => id)
    expect(new Set(ids).size).toBe(ids.length)
    const references = [...html.matchAll(/aria-labelledby="([^"]*)"|href="#([^"]*)"/g)]
    for (const [, labels, anchor] of references)
      for (const id of (labels ?? anchor).split(' ')) expect(ids).toContain(id)
  })

  it('shows the equations in the convention of the model', async () => {
    const other = sequential([randomGru(2, 3, 5, { update: 'updates', reset: 'before' })])
    expect(await report(model, x)).toContain('h&#39; = z ⊙ h + (1−z) ⊙ n'.replace('&#39;', "'"))
    const html = await report(other, x)
    expect(html).toContain('Un·(r ⊙ h)')
    expect(html).toContain('Where z is near 1 (yellow), a unit takes the candidate n')
  })

  it('a comparison shows when and by how much each value differs', async () => {
    const other = sequential([randomGru(2, 3, 5, { update: 'updates' }), ...head])
    const html = await report(model, x, { comparison: compareModels(model, other, x) })
    expect(html).toContain('Differences in gru, on a logarithmic scale')
    expect(html).toContain('state h differs from t = 0 on')
    expect(unfinished(html)).toEqual([])
    const same = await report(model, x, { comparison: compareModels(model, model, x) })
    expect(same).not.toContain('on a logarithmic scale')
    // A tolerance of 0 has no logarithm.
    const exact = compareModels(model, other, x, { tolerance: 0 })
    expect(unfinished(await report(model, x, { comparison: exact }))).toEqual([])
  })

  it('several units of an output: each in a row, the liveliest as a picture', async () => {
    const html = await report(model, x)
    expect(html).toContain('Every unit of y at t = 29: what of x moves it most')
    const { jacobian } = inputJacobian(model, x)
    const totals = [0, 1].map((unit) =>
      Array.from(jacobian.data)
        .slice(unit * 90, (unit + 1) * 90)
        .reduce((sum, each) => sum + Math.abs(each), 0),
    )
    const liveliest = totals[0] >= totals[1] ? 0 : 1
    expect(html).toContain(`Unit ${liveliest} of y, the one that depends most.`)
    const wide = sequential([randomGru(2, 3, 12)])
    expect(await report(wide, x)).toContain('The first 8 units of y at t = 29')
  })

  it('names from a file are text, whatever they hold', async () => {
    const name = '<script>alert("x")</script> & \u0000\ud800'
    const evil = sequential([randomGru(2, 3, 5, { name })], { name })
    const html = await report(evil, x)
    expect(html).not.toContain('<script>')
    expect(html).toContain('&lt;script&gt;alert(&quot;x&quot;)&lt;/script&gt; &amp; ��')
  })

  it.each([
    ['a simple RNN', sequential([randomRnn(2, 3, 5)])],
    ['an LSTM', sequential([randomLstm(2, 3, 5)])],
    ['an LSTM of one unit', sequential([randomLstm(2, 3, 1)])],
    ['units beyond the rows of a picture', sequential([randomRnn(2, 3, 300)])],
  ])('%s has one too', async (_, other) => {
    const html = await report(other, randomTensor(1, [2, 9, 3]))
    expect(html.endsWith('</html>\n')).toBe(true)
    expect(unfinished(html)).toEqual([])
  })

  it('a single timestep, and numbers that are none', async () => {
    expect(unfinished(await report(model, [[1, 2, 3]]))).toEqual([])
    expect(
      await report(model, [
        [1, Number.NaN, 3],
        [1, 2, 3],
      ]),
    ).toContain('masked or not numbers')
  })

  it('100,000 steps: below 5 MB, in columns', async () => {
    const long = randomTensor(5, [100_000, 3])
    const html = await report(sequential([randomGru(2, 3, 3)]), long)
    expect(html.length).toBeLessThan(5e6 / 10)
    expect(html).toContain(
      `each column the mean of up to ${Math.ceil(100_000 / MOST_COLUMNS)} timesteps`,
    )
    expect(html).toContain('Left out: the input has more than 20,000 timesteps')
  }, 60_000)

  it('what cannot be shown is said', async () => {
    const none = sequential([dense({ kernel: randomTensor(3, [3, 2]) })])
    expect(await errorOf(() => report(none, x))).toMatchObject({ code: 'unsupported' })
    expect(await errorOf(() => report(model, x, { row: 2 }))).toMatchObject({ where: 'row' })
    expect(await errorOf(() => plot(model, x, 'error', { format: 'svg' }))).toMatchObject({
      code: 'bad-argument',
    })
    expect(await errorOf(() => report(model, x, { steps: [4, 31] }))).toMatchObject({
      code: 'bad-argument',
    })
  })
})

describe('pictures', () => {
  it.each(plotKinds.filter((kind) => kind !== 'error'))('%s: an SVG with words', async (kind) => {
    const svg = new TextDecoder().decode(await plot(model, x, kind, { format: 'svg' }))
    expect(svg).toMatch(/^<svg xmlns="http:\/\/www.w3.org\/2000\/svg"/)
    expect(svg).toMatch(/<title id="picture-title">[^<]+<\/title><desc id="picture-desc">[^<]+</)
    expect(unfinished(svg)).toEqual([])
  })

  it('PNG: the signature, the size and the cells', async () => {
    const raster = colourCells([0, 0.5, 1, Number.NaN, 2, -1], 2, 3, 'sequential', [0, 1])
    expect(Array.from(raster.cells)).toEqual([1, 128, 255, 0, 255, 1])
    const bytes = await rasterPng(raster)
    expect(Array.from(bytes.subarray(0, 4))).toEqual([0x89, 0x50, 0x4e, 0x47])
    const view = new DataView(bytes.buffer)
    expect([view.getUint32(16), view.getUint32(20)]).toEqual([3, 2])
    expect(Array.from(unzlibSync(chunkOf(bytes, 'IDAT')))).toEqual([0, 1, 128, 255, 0, 0, 255, 1])
    expect(chunkOf(bytes, 'PLTE')).toHaveLength(3 * 256)
    expect(chunkOf(bytes, 'IEND')).toHaveLength(0)
  })
})

it('weights: peepholes are there, and only of the gates that have one', async () => {
  const lstm = sequential([randomLstm(2, 3, 5, { peephole: randomTensor(4, [15]) })])
  const bytes = await plot(lstm, x, 'weights', { format: 'svg' })
  const titles = [...new TextDecoder().decode(bytes).matchAll(/>(p[ifgo])<\/text>/g)]
  expect(titles.map(([, title]) => title)).toEqual(['pi', 'pf', 'po'])
})

describe('colours', () => {
  const luminance = ([r, g, b]: readonly number[]): number => {
    const [R, G, B] = [r, g, b].map((each) => {
      const share = each / 255
      return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4
    })
    return 0.2126 * R + 0.7152 * G + 0.0722 * B
  }
  const hex = (colour: string): number[] =>
    [1, 3, 5].map((at) => Number.parseInt(colour.slice(at, at + 2), 16))
  const contrast = (a: string, b: string): number => {
    const [high, low] = [luminance(hex(a)), luminance(hex(b))].sort((p, q) => q - p)
    return (high + 0.05) / (low + 0.05)
  }

  it('the sequential ramp only gets lighter: it needs no hue', () => {
    const ramp = palettes.sequential.slice(1).map(luminance)
    for (let i = 8; i < ramp.length; i += 8) expect(ramp[i]).toBeGreaterThan(ramp[i - 8])
  })

  it('the diverging ramp gets lighter to the middle and darker again', () => {
    const ramp = palettes.diverging.slice(1).map(luminance)
    for (let i = 8; i <= 120; i += 8) expect(ramp[i]).toBeGreaterThan(ramp[i - 8])
    for (let i = 136; i < 255; i += 8) expect(ramp[i]).toBeLessThan(ramp[i - 8])
  })

  it.each(['light', 'dark'] as const)('%s: text 4.5, lines 3 against the paper', (scheme) => {
    const { paper, text, muted, warn, line, mark } = inks[scheme]
    for (const ink of [text, muted, warn]) expect(contrast(ink, paper)).toBeGreaterThanOrEqual(4.5)
    for (const ink of [line, mark]) expect(contrast(ink, paper)).toBeGreaterThanOrEqual(3)
  })
})

/** Traces of missing numbers or words; pictures in base64 may contain such text by chance. */
function unfinished(markup: string): readonly string[] {
  return (
    markup.replaceAll(/base64,[^"]*/g, '').match(/.{0,40}(NaN|undefined|Infinity).{0,40}/g) ?? []
  )
}

function chunkOf(bytes: Uint8Array, type: string): Uint8Array {
  const view = new DataView(bytes.buffer)
  for (let at = 8; at < bytes.length; ) {
    const length = view.getUint32(at)
    if (String.fromCharCode(...bytes.subarray(at + 4, at + 8)) === type)
      return bytes.subarray(at + 8, at + 8 + length)
    at += 12 + length
  }
  throw new Error(`no ${type}`)
}
