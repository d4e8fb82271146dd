/** Tables and lines as inputs: headers, columns of text, missing values, rows that are wrong. */

import { spawn } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { type CliResult, example, gruv, temporaryFolder } from '../support/cli.ts'

const folder = temporaryFolder()
/** Six features. */
const layer = join(example, 'layer.npz')
const rows = ['1,2,3,4,5,6', '2,3,4,5,6,7', '3,4,5,6,7,8']
const names = 'a,b,c,d,e,f'

function file(name: string, lines: readonly string[]): string {
  const path = join(folder, name)
  writeFileSync(path, `${lines.join('\n')}\n`)
  return path
}

const ofLines = (lines: readonly string[], ...flags: readonly string[]): Promise<CliResult> =>
  gruv(['run', layer, '--input', '-', ...flags], `${lines.join('\n')}\n`)
const ofFile = (path: string, ...flags: readonly string[]): Promise<CliResult> =>
  gruv(['run', layer, '--input', path, ...flags])

const whole = (await ofLines(rows)).stdout

const objects = rows.map((row, i) => {
  const numbers = Object.fromEntries(row.split(',').map((each, c) => ['abcdef'[c], Number(each)]))
  // The first object gives the order.
  return JSON.stringify(i === 0 ? numbers : Object.fromEntries(Object.entries(numbers).reverse()))
})

describe('lines that give the same numbers', () => {
  it.each<[string, readonly string[], RegExp]>([
    ['a header', [names, ...rows], /^$/],
    ['a byte order mark', [`\ufeff${names}`, ...rows], /^$/],
    ['a comment before the header', ['# sensor 7', names, ...rows], /^$/],
    ['JSON arrays', rows.map((row) => `[${row}]`), /^$/],
    ['JSON objects, in any order of their keys', objects, /^$/],
    ['a header before JSON objects', [names, ...objects], /^$/],
    [
      'a column of dates with its name',
      [`date,${names}`, ...rows.map((row) => `2015-01-01,${row}`)],
      /left out, since it is text: date\n$/,
    ],
    [
      'a column of words without a name',
      rows.map((row) => `${row},"north, 1"`),
      /left out, since it is text: column 7\n$/,
    ],
    [
      'objects with a word',
      objects.map((object) => object.replace('{', '{"at":"x",')),
      /left out, since it is text: at\n$/,
    ],
  ])('%s', async (_, lines, told) => {
    const { code, stdout, stderr } = await ofLines(lines)
    expect([code, stdout]).toEqual([0, whole])
    expect(stderr).toMatch(told)
  })
})

describe('lines that are refused with their place', () => {
  it.each<[string, readonly string[], RegExp]>([
    ['a word', ['garbage', ...rows], /line 1: .*neither.*6 numbers, or 6 names, got "garbage"/],
    ['too few names', ['a,b', ...rows], /line 1: .*6 names, got 2/],
    ['too many names', [`g,${names}`, ...rows], /line 1: .*6 names, got 7/],
    ['too many names and no row', [`g,${names}`], /line 1: .*6 names, got 7/],
    ['too few numbers', ['1,2', ...rows], /line 1: .*expected 6 numbers, got 2/],
    ['a second header', [names, names, ...rows], /line 2, column 1: .*got "a"/],
    ['an object of two fields', ['{"a":1,"b":2}', ...objects], /line 1: .*6 numbers, got 2: "a"/],
    ['an object of another kind', [objects[0], '{"a":[1]}'], /line 2, "a"/],
    ['an object with other keys', [objects[0], '{"x":1}'], /line 2: .*none of the fields/],
    ['an object that lacks a field', [objects[0], '{"a":1}'], /line 2, column 2 \(b\).*missing/],
    ['JSON cut off', ['[1,2,3'], /line 1.*JSON/],
    [
      'an empty field',
      [names, rows[0], '1,,3,4,5,6'],
      /line 3, column 2 \(b\): a value is missing/,
    ],
    ['nan', [rows[0], '1,nan,3,4,5,NA'], /line 2, column 2, column 6: a value is missing/],
  ])('%s', async (_, lines, told) => {
    const { code, stderr } = await ofLines(lines)
    expect(code).toBe(2)
    expect(stderr).toMatch(told)
  })

  it('though nothing ends standard input', async () => {
    const main = join(import.meta.dirname, '../../dist/cli/main.js')
    const child = spawn(process.execPath, [main, 'run', layer, '--input', '-'])
    child.stdin.write('garbage\n')
    expect(await new Promise((resolve) => child.on('close', resolve))).toBe(2)
    child.stdin.destroy()
  })
})

/** A value is missing in the second row. */
const gap = [rows[0], '2,,4,5,6,7', rows[2]]
const filled = {
  hold: [rows[0], '2,2,4,5,6,7', rows[2]],
  zero: [rows[0], '2,0,4,5,6,7', rows[2]],
  drop: [rows[0], rows[2]],
}

describe('--missing', () => {
  it.each(Object.entries(filled))('%s: as if the rows had been so', async (policy, lines) => {
    const { stdout: expected } = await ofLines(lines)
    for (const { code, stdout, stderr } of [
      await ofLines(gap, '--missing', policy),
      await ofFile(file('gap.csv', gap), '--missing', policy),
      await ofFile(
        file(
          'gap.jsonl',
          gap.map((row) => `[${row.replace(',,', ',null,')}]`),
        ),
        '--missing',
        policy,
      ),
    ]) {
      expect([code, stdout]).toEqual([0, expected])
      expect(stderr).toMatch(/(line|row) 2, column 2: a value is missing; /)
    }
  })

  it('mask: the state stays, the output comes again', async () => {
    const [first, last] = (await ofLines(filled.drop)).stdout.trim().split('\n')
    const masked = `${[first, first, last].join('\n')}\n`
    for (const { code, stdout } of [
      await ofLines(gap, '--missing', 'mask'),
      await ofFile(file('gap.csv', gap), '--missing', 'mask'),
    ])
      expect([code, stdout]).toEqual([0, masked])
  })

  it('mask in the first row: what `predict` gives there', async () => {
    const lines = ['1,,3,4,5,6', ...rows]
    const { stdout } = await ofFile(file('first.csv', lines), '--missing', 'mask')
    expect((await ofLines(lines, '--missing', 'mask')).stdout).toBe(stdout)
  })

  it('pass: NaN from there on', async () => {
    const { code, stdout } = await ofLines(gap, '--missing', 'pass')
    expect(code).toBe(0)
    expect(
      stdout
        .trim()
        .split('\n')
        .map((line) => line.includes('nan')),
    ).toEqual([false, true, true])
  })

  it('stop: line, column and name', async () => {
    const { code, stderr } = await ofFile(file('named.csv', [names, '', ...gap]))
    expect(code).toBe(2)
    expect(stderr).toMatch(/named\.csv: line 4, column 2 \(b\): a value is missing/)
  })

  it('hold with nothing to hold is an error', async () => {
    const { code, stderr } = await ofLines(['1,,3,4,5,6'], '--missing', 'hold')
    expect([code, stderr]).toEqual([
      2,
      expect.stringMatching(/line 1, column 2.*a whole row first/),
    ])
  })

  it('verify and trace stop, too', async () => {
    const csv = file('gap.csv', gap)
    for (const args of [
      ['verify', layer, '--input', csv, '--expected', csv],
      ['trace', layer, '--input', csv],
    ]) {
      const { code, stderr } = await gruv(args)
      expect([code, stderr]).toEqual([2, expect.stringMatching(/line 2, column 2/)])
    }
  })
})

describe('--on-error skip', () => {
  const wrong = [rows[0], 'x,1,1,1,1,1', '1,2', '1,,3,4,5,6', rows[2]]

  it('leaves out lines and rows, and counts them', async () => {
    const { stdout: expected } = await ofLines(filled.drop)
    for (const { code, stdout, stderr } of [
      await ofLines(wrong, '--on-error', 'skip'),
      await ofFile(file('wrong.csv', wrong), '--on-error', 'skip'),
    ]) {
      expect([code, stdout]).toEqual([0, expected])
      expect(stderr).toMatch(/skipped: 3; the first: .*line [23]/)
    }
  })

  it('a table without a row is an error all the same', async () => {
    const { code } = await ofFile(file('words.csv', ['1,x', '2,y', 'z,3']), '--on-error', 'skip')
    expect(code).toBe(2)
  })
})
