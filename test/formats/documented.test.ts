/** Tests that docs/format.md has everything a writer of the format needs: each kind, attribute and array. */

import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { type DescribedKind, descriptions } from '../../src/formats/gruv/descriptions.ts'
import { layerKinds } from '../../src/model/layers.ts'

const text = readFileSync(new URL('../../docs/format.md', import.meta.url), 'utf8')
/** `kind` in the first column, by kind: its row. */
const rows = new Map(
  text.split('\n').flatMap((line) => {
    const [, first] = /^\| ((?:`\w+`(?:, )?)+) \|/.exec(line) ?? []
    return [...(first ?? '').matchAll(/`(\w+)`/g)].map(([, kind]) => [kind, line] as const)
  }),
)

describe('docs/format.md', () => {
  it('has a row for each kind of layer, and for no other', () => {
    expect([...rows.keys()].sort()).toEqual([...layerKinds].sort())
  })

  it.each(Object.keys(descriptions) as DescribedKind[])('names all that a %s has', (kind) => {
    const row = rows.get(kind)!
    const { fields, arrays } = descriptions[kind]
    for (const name of [...Object.keys(fields), ...Object.keys(arrays)]) {
      // "the same" is the row before; biases are spelled once.
      if (kind === 'convTranspose' && name !== 'outputPadding') continue
      expect(row, name).toContain(/\w+Bias$/.test(name) ? '…Bias' : `\`${name}\``)
    }
  })
})
