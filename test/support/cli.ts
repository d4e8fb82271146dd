/** Runs commands, in this process or, as users do, in one of their own. */

import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { afterAll } from 'vitest'
import { main } from '../../src/cli/cli.ts'

const root = fileURLToPath(new URL('../../', import.meta.url))
const executable = join(root, 'dist/cli/main.js')

export const example: string = join(root, 'examples/seattle-weather')

export interface CliResult {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/**
 * Runs `gruv` with these arguments in this process, from the sources: what a command does, without
 * the half second that starting one takes. One at a time, since the streams are the process's.
 * @param input what arrives on standard input.
 * @param env variables beside those of the test.
 */
export async function gruv(
  args: readonly string[],
  input: string | Uint8Array = '',
  env: Readonly<Record<string, string>> = {},
): Promise<CliResult> {
  const said = { stdout: '', stderr: '' }
  const before = { env: process.env, code: process.exitCode }
  const replaced = [
    replace(process, 'stdin', Readable.from([Buffer.from(input)])),
    ...(['stdout', 'stderr'] as const).flatMap((name) => [
      replace(process[name], 'isTTY', false),
      replace(process[name], 'write', (text: string | Uint8Array) => {
        said[name] += Buffer.from(text)
        return true
      }),
    ]),
  ]
  process.env = { ...process.env, ...env }
  process.exitCode = undefined
  try {
    return { code: await main(args), ...said }
  } finally {
    for (const restore of replaced) restore()
    process.env = before.env
    process.exitCode = before.code
  }
}

/** @returns what puts the old property back. */
function replace<T extends object>(object: T, key: keyof T, value: unknown): () => void {
  const old = Object.getOwnPropertyDescriptor(object, key)
  Object.defineProperty(object, key, { value, configurable: true, writable: true })
  return () => {
    if (old) Object.defineProperty(object, key, old)
    else delete object[key]
  }
}

/** Runs the built `gruv` in a process of its own. */
export function gruvProcess(args: readonly string[]): Promise<CliResult> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [executable, ...args])
    const said = { stdout: '', stderr: '' }
    for (const name of ['stdout', 'stderr'] as const)
      child[name].setEncoding('utf8').on('data', (text: string) => {
        said[name] += text
      })
    child.on('error', reject)
    child.on('close', (code) => resolve({ code, ...said }))
    child.stdin.end()
  })
}

/** A folder that is removed after the tests of this file. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'gruv-test-'))
  afterAll(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}
