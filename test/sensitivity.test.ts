/**
 * A test must be able to fail: every mistake of diagnose's table, made in every fixture, moves the
 * outputs by a thousand times the tolerance of that fixture's comparison, or the pair is listed in
 * `fixtures/sensitivity.json` with the reason why it does not; each reason is checked on each pair.
 *
 * After a fixture or a hypothesis was added: GRUV_WRITE_SENSITIVITY=1 npx vitest run sensitivity
 * lists what has a provable reason. What has none stays a failure.
 */

import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { holds, reasonFor } from './support/equivalences.ts'
import {
  FACTOR,
  type Fixture,
  mistakes,
  moved,
  ownFixtures,
  sharedFixtures,
} from './support/sensitivity.ts'
import { haveShared } from './support/shared.ts'

/** Reason, fixture, mistakes. */
type Listed = Record<string, Record<string, string[]>>

const file = fileURLToPath(new URL('./fixtures/sensitivity.json', import.meta.url))
const own = ownFixtures()
const others = await sharedFixtures()

if (process.env.GRUV_WRITE_SENSITIVITY) write([...own, ...others])

const listed = JSON.parse(readFileSync(file, 'utf8')) as Listed

function reasonListed(fixture: Fixture, mistake: string): string | undefined {
  return Object.keys(listed).find((reason) => listed[reason][fixture.name]?.includes(mistake))
}

/** What is wrong with a fixture's pairs, in words. */
function complaints(fixture: Fixture): readonly string[] {
  return mistakes.flatMap((mistake) => {
    const distance = moved(fixture, mistake)
    const reason = reasonListed(fixture, mistake)
    const sees = distance !== null && distance >= FACTOR * fixture.tolerance
    if (reason === undefined)
      return distance === null || sees
        ? []
        : [`${mistake} moves the outputs by ${distance}, and no reason is listed`]
    if (distance === null) return [`${mistake} cannot be had, and is listed`]
    if (sees) return [`${mistake} is listed as equivalent, and moves the outputs by ${distance}`]
    return holds(reason, fixture, mistake) ? [] : [`${mistake}: it is not so that ${reason}`]
  })
}

describe('our own layers see every mistake that can be seen', () => {
  it.each(own)('$name', (fixture) => expect(complaints(fixture)).toEqual([]))
})

describe.skipIf(!haveShared)(
  'the seed and other projects’ cases see every mistake that can be seen (beside the project, absent here)',
  () => {
    it.each(others)('$name', (fixture) => expect(complaints(fixture)).toEqual([]))

    it('nothing is listed that is not there', () => {
      const names = [...own, ...others].map(({ name }) => name)
      const unknown = Object.values(listed).flatMap(Object.keys)
      expect(unknown.filter((name) => !names.includes(name))).toEqual([])
    })
  },
)

/** Our fixtures hold weights of few digits, and no Bidirectional layer: other projects' cases do. */
const onlyOthersSee = [
  'float16-weights',
  'halves-swapped',
  'half-weights-swapped',
  'backward-unaligned',
]

it('every mistake is seen by a fixture', () => {
  const seenBy = (fixtures: readonly Fixture[]): readonly string[] =>
    mistakes.filter((mistake) =>
      fixtures.some((fixture) => (moved(fixture, mistake) ?? 0) >= FACTOR * fixture.tolerance),
    )
  expect(new Set([...seenBy(own), ...onlyOthersSee])).toEqual(new Set(mistakes))
  if (haveShared) expect(seenBy(others)).toEqual(expect.arrayContaining(onlyOthersSee))
})

function write(fixtures: readonly Fixture[]): void {
  const found: Listed = {}
  for (const fixture of fixtures) {
    for (const mistake of mistakes) {
      const distance = moved(fixture, mistake)
      if (distance === null || distance >= FACTOR * fixture.tolerance) continue
      const reason = reasonFor(fixture, mistake)
      if (reason === null) continue
      found[reason] ??= {}
      found[reason][fixture.name] ??= []
      found[reason][fixture.name].push(mistake)
    }
  }
  writeFileSync(file, `${JSON.stringify(found, null, 2)}\n`)
}
