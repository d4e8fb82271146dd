/** The command that runs the deep tests, part by part. */

import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'

function deep(...args: readonly string[]) {
  const options = { encoding: 'utf8' } as const
  return spawnSync(process.execPath, ['tools/test-deep.mjs', ...args], options)
}

const parts = deep('--list').stdout.trim().split('\n')

describe('npm run test:deep', () => {
  it('knows every part, and runs every test of the folder in one of them', () => {
    expect(parts).toContain('fuzz')
    const files = readdirSync('test/deep', { recursive: true, encoding: 'utf8' })
    const tests = files.filter((file) => file.endsWith('.test.ts'))
    expect(new Set(tests.map((file) => file.split(/[\\/]|\.test\.ts$/)[0]))).toEqual(new Set(parts))
  })

  it('has a row in CONTRIBUTING.md for each part', () => {
    const rows = readFileSync('CONTRIBUTING.md', 'utf8').matchAll(/^\| `([a-z-]+)` \|/gm)
    expect([...rows].map(([, name]) => name).sort()).toEqual([...parts].sort())
  })

  it('refuses a name that is none, with those that are', () => {
    const { status, stderr } = deep('fuzz', 'fuz')
    expect(status).toBe(2)
    expect(stderr).toContain(`no such part: fuz. The parts are: ${parts.join(', ')}.`)
  })

  it('leaves out what has not begun in time, and says so', () => {
    const { status, stdout } = deep('--begin-within', '0')
    expect(status).toBe(0)
    for (const part of parts) expect(stdout).toContain(`${part}: left out`)
  })

  it.each([['--begin-within', 'soon'], ['--begin'], ['--begin-within=']])(
    'refuses %s %s',
    (...args) => {
      expect(deep(...args).status).toBe(2)
    },
  )
})
