/** Where the output of commands goes: terminals, closed pipes, full disks, files. */

import { spawn, spawnSync } from 'node:child_process'
import {
  chmodSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { readSafetensors, writeSafetensors } from '../../src/bytes/safetensors.ts'
import { example, gruv, temporaryFolder } from '../support/cli.ts'
import { put } from '../support/fuzz.ts'

const folder = temporaryFolder()
const main = join(process.cwd(), 'dist/cli/main.js')
const layer = join(example, 'layer.npz')

/** The example's model with another name for its layer. */
function renamed(name: string): string {
  const { metadata, tensors } = readSafetensors(
    new Uint8Array(readFileSync(join(example, 'model.safetensors'))),
  )
  const graph = JSON.parse(metadata.gruv)
  put(graph, ['nodes', '0', 'name'], `${name}gru`)
  const path = join(folder, 'renamed.safetensors')
  writeFileSync(path, writeSafetensors({ metadata: { gruv: JSON.stringify(graph) }, tensors }))
  return path
}

describe('names from a file do not steer the terminal', () => {
  const hostile = '\x1b[31m\x1b]0;title\x07\x9b2J\u202e'
  const model = renamed(hostile)
  const controls = /[^\P{Cc}\n]|\u202e/u

  it.each([
    ['inspect', model, '--equations'],
    ['inspect', model, '--plan'],
    ['inspect', model, '--json'],
    ['trace', model, '--input', join(example, 'input.npy'), '--layer', `${hostile}gru`],
    ['trace', model, '--input', join(example, 'input.npy'), '--layer', `no${hostile}`],
  ])('%s %s %s', async (...args) => {
    const { stdout, stderr } = await gruv(args)
    expect(stdout + stderr).not.toMatch(controls)
    expect(stdout + stderr).toContain('\\u001b[31m\\u001b]0;title\\u0007\\u009b2J\\u202e')
    if (args.includes('--json')) expect(JSON.parse(stdout).layers[0].name).toBe(`${hostile}gru`)
  })
})

describe.skipIf(process.platform !== 'linux')('standard output', () => {
  /** A command line of bash, with the built command as $0 and $1. */
  const bash = (line: string, shell = 'bash') =>
    spawnSync(shell, ['-c', line, process.execPath, main, layer], { encoding: 'utf8' })

  it.each([
    ['a full disk', '"$0" "$1" inspect "$2" > /dev/full', /cannot be written: the disk is full/],
    ['a full disk, for help', '"$0" "$1" --help > /dev/full', /the disk is full/],
    ['closed', '"$0" "$1" inspect "$2" >&-; exit $?', /standard output is closed/],
  ])('%s: a message and exit code 2', (_, line, message) => {
    for (const shell of ['bash', 'sh']) {
      const { status, stderr } = bash(line, shell)
      expect([status, stderr]).toEqual([2, expect.stringMatching(message)])
      expect(stderr).not.toMatch(/\n\s+at /)
    }
  })

  it('not wanted: nothing to complain about, whatever gives it', () => {
    const stdio = 'ignore'
    expect(spawnSync(process.execPath, [main, 'inspect', layer], { stdio }).status).toBe(0)
    expect(
      spawnSync('sh', ['-c', `"$0" "$1" inspect "$2"; exit $?`, process.execPath, main, layer], {
        stdio,
      }).status,
    ).toBe(0)
    expect(bash('"$0" "$1" inspect "$2" > /dev/null')).toMatchObject({ status: 0, stderr: '' })
  })

  it('a reader that closes the pipe early: silence and exit code 0', () => {
    const line = 'set -o pipefail; "$0" "$1" inspect --weights "$2" | head -1 > /dev/null; echo $?'
    expect(bash(line)).toMatchObject({ stdout: '0\n', stderr: '' })
  })

  it('messages that cannot be written do not change the exit code', () => {
    expect(bash('"$0" "$1" inspect /nowhere 2> /dev/full').status).toBe(2)
  })
})

describe.skipIf(process.platform === 'win32')('output files', () => {
  const input = join(example, 'input.npy')
  const place = (name: string): string => {
    const path = join(folder, name)
    mkdirSync(path)
    return path
  }
  const run = (output: string) => gruv(['run', layer, '--input', input, '--output', output])

  it('keep their permissions, whatever the mask', async () => {
    const path = join(place('modes'), 'y.npy')
    writeFileSync(path, 'before')
    chmodSync(path, 0o666)
    expect((await run(path)).code).toBe(0)
    expect(statSync(path).mode & 0o7777).toBe(0o666)
    chmodSync(path, 0o600)
    expect((await run(path)).code).toBe(0)
    expect(statSync(path).mode & 0o7777).toBe(0o600)
    expect(readdirSync(join(path, '..'))).toEqual(['y.npy'])
  })

  it('are written through links, also those that lead to nothing yet', async () => {
    const inner = place('links')
    const real = join(place('real'), 'there.npy')
    symlinkSync('../real/there.npy', join(inner, 'second.npy'))
    symlinkSync('second.npy', join(inner, 'first.npy'))
    for (const content of [null, 'before']) {
      if (content !== null) writeFileSync(real, content)
      expect((await run(join(inner, 'first.npy'))).code).toBe(0)
      expect(readFileSync(real).subarray(1, 6).toString()).toBe('NUMPY')
      expect(lstatSync(join(inner, 'first.npy')).isSymbolicLink()).toBe(true)
      expect(readdirSync(inner)).toEqual(['first.npy', 'second.npy'])
    }
    symlinkSync('circle.npy', join(inner, 'circle.npy'))
    expect(await run(join(inner, 'circle.npy'))).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/circle\.npy: the link leads in a circle/),
    })
    symlinkSync('/dev/null', join(inner, 'device.npy'))
    expect(await run(join(inner, 'device.npy'))).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/device\.npy: this is a device; expected a file/),
    })
  })

  it.each(['SIGINT', 'SIGTERM'] as const)(
    '%s leaves no temporary file',
    async (signal) => {
      const at = place(signal)
      const long = join(folder, 'long.csv')
      writeFileSync(long, '1,2,3,4,5,6\n'.repeat(60_000))
      const args = ['trace', layer, '--input', long, '--output', join(at, 'trace.npz')]
      const child = spawn(process.execPath, [main, ...args], { stdio: 'ignore' })
      const ended = new Promise((done) => child.on('exit', (_, by) => done(by)))
      await expect
        .poll(() => readdirSync(at).length, { timeout: 20_000, interval: 5 })
        .toBeGreaterThan(0)
      child.kill(signal)
      expect(await ended).toBe(signal)
      expect(readdirSync(at)).toEqual([])
    },
    30_000,
  )
})
