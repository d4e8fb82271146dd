/** Runs the public cases beside the project: small files as people have them, and what is right for each. */

import { mkdtempSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { readData } from '../../src/data/index.ts'
import type { Named, Tensor } from '../../src/tensor.ts'
import { gruv, temporaryFolder } from '../support/cli.ts'
import { haveShared, sharedCases, sharedPath } from '../support/shared.ts'

type OneOrMore<T> = T | readonly T[]

interface Case {
  readonly name: string
  readonly class: string
  readonly args: readonly string[]
  readonly stdin?: string
  readonly seconds?: number
  readonly exit?: OneOrMore<number>
  /** Substrings, or `/pattern/flags`. */
  readonly stdout?: OneOrMore<string>
  readonly stderr?: OneOrMore<string>
  /** What neither stream may say. */
  readonly not?: OneOrMore<string>
  readonly json?: Named<unknown>
  readonly compare?: OneOrMore<{
    readonly file: string
    readonly to: string
    readonly tol?: number
  }>
  /** A command that has to succeed afterwards. */
  readonly then?: readonly string[]
}

/** Names of cases that do not hold yet, and why. One that comes to hold fails here, and leaves the list. */
const open: Named<string> = {
  'amp-batch-first': 'one-feature sound in another arrangement is not understood yet',
  'amp-flat': 'one-feature sound in another arrangement is not understood yet',
  'nam-verify': '.nam is not read yet',
  'nam-other': '.nam is not read yet',
  'own-reference': 'input_batch and output_batch are not reference data yet',
}

const scratch = temporaryFolder()
const cases = sharedCases<Case>('field/cases.json')
const before = process.cwd()

describe.skipIf(!haveShared || cases.length === 0)(
  'cases of the field (beside the project)',
  () => {
    // The paths of the cases start from their folder.
    beforeAll(() => process.chdir(sharedPath('field')))
    afterAll(() => process.chdir(before))

    const held = cases.filter(({ name }) => open[name] === undefined)
    it.each(held)('$class: $name', { timeout: 120_000 }, check)

    const waiting = cases.filter(({ name }) => open[name] !== undefined)
    it.fails.each(waiting)('$class: $name (open)', { timeout: 120_000 }, check)
  },
)

async function check(wanted: Case): Promise<void> {
  const folder = mkdtempSync(join(scratch, 'case-'))
  const placed = (args: readonly string[]): string[] =>
    args.map((each) => each.replace(/(^|=)OUT(?=$|\.)/, `$1${join(folder, 'OUT')}`))
  const { code, stdout, stderr } = await gruv(placed(wanted.args), wanted.stdin, { NO_COLOR: '1' })
  if (wanted.exit !== undefined) expect(list(wanted.exit), stderr).toContain(code)
  for (const pattern of list(wanted.stdout)) expect(stdout).toMatch(patternOf(pattern))
  for (const pattern of list(wanted.stderr)) expect(stderr).toMatch(patternOf(pattern))
  for (const pattern of list(wanted.not)) {
    expect(stdout).not.toMatch(patternOf(pattern))
    expect(stderr).not.toMatch(patternOf(pattern))
  }
  if (wanted.json !== undefined) {
    const said: unknown = JSON.parse(stdout)
    for (const [path, value] of Object.entries(wanted.json)) {
      const got = path
        .split('.')
        .reduce<unknown>((whole, key) => (whole as Named<unknown> | undefined)?.[key], said)
      if (typeof value === 'string' && patternOf(value) instanceof RegExp)
        expect(String(got), path).toMatch(patternOf(value))
      else expect(got, path).toBe(value)
    }
  }
  for (const { file, to, tol = 1e-6 } of list(wanted.compare)) {
    const [got, right] = await Promise.all([
      read(join(folder, file)),
      read(sharedPath(join('field', to))),
    ])
    // A batch of one may be left out.
    expect(got.data.length).toBe(right.data.length)
    right.data.forEach((value, i) => {
      const far = !(Object.is(got.data[i], value) || Math.abs(got.data[i] - value) <= tol)
      if (far) expect([file, i, got.data[i]]).toEqual([file, i, value])
    })
  }
  if (wanted.then !== undefined) {
    const after = await gruv(placed(wanted.then), '', { NO_COLOR: '1' })
    expect(after.code, after.stderr).toBe(0)
  }
}

async function read(path: string): Promise<Tensor> {
  return (await readData(readFileSync(path), path)).tensors.data
}

function list<T>(value: OneOrMore<T> | undefined): readonly T[] {
  return value === undefined ? [] : Array.isArray(value) ? value : [value as T]
}

function patternOf(text: string): string | RegExp {
  const parts = /^\/(.*)\/([a-z]*)$/s.exec(text)
  return parts ? new RegExp(parts[1], parts[2]) : text
}
