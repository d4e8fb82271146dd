/** Where the output of commands goes: terminals, closed pipes, full disks, files. */

import { spawnSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
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
