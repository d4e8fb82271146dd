/**
 * Runs the deep tests, part by part: `npm run test:deep [NAME…]`. A part is `test/deep/NAME.test.ts`
 * or the folder `test/deep/NAME/`, so the folder is the list of them.
 *
 * `--list` prints their names. `--begin-within MINUTES` leaves out the parts that have not begun by
 * then. Exit codes: 0 all passed, 1 a part failed, 2 bad usage.
 */

import { spawn } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'

/** A part that takes longer hangs; CI as a whole has 90 minutes. */
const minutesPerPart = 25

process.chdir(join(dirname(fileURLToPath(import.meta.url)), '..'))
const parts = readParts()
const { values, positionals } = readArguments()
const unknown = positionals.filter((name) => !parts.has(name))
if (unknown.length > 0) {
  fail(`no such part: ${unknown.join(', ')}. The parts are: ${[...parts.keys()].join(', ')}.`)
}
if (values.list) {
  for (const name of parts.keys()) console.log(name)
} else {
  const text = values['begin-within']
  const limit = text === '' ? Number.NaN : Number(text)
  if (!(limit >= 0)) fail(`--begin-within takes minutes, not "${text}".`)
  process.exitCode = await runParts(positionals.length > 0 ? positionals : [...parts.keys()], limit)
}

/** From the name of a part to its paths: a file, a folder or both. */
function readParts() {
  /** @type {Map<string, string[]>} */
  const found = new Map()
  const add = (/** @type {string} */ name, /** @type {string} */ path) =>
    found.set(name, [...(found.get(name) ?? []), path])
  for (const entry of readdirSync('test/deep', { withFileTypes: true })) {
    const path = `test/deep/${entry.name}`
    if (entry.isDirectory()) add(entry.name, `${path}/`)
    else if (entry.name.endsWith('.test.ts')) add(entry.name.replace('.test.ts', ''), path)
    else fail(`${path} is no part: parts are NAME.test.ts or folders; helpers lie in test/support.`)
  }
  return new Map([...found].sort(([a], [b]) => (a < b ? -1 : 1)))
}

function readArguments() {
  try {
    return parseArgs({
      allowPositionals: true,
      options: {
        list: { type: 'boolean', default: false },
        'begin-within': { type: 'string', default: 'Infinity' },
      },
    })
  } catch (error) {
    return fail(error instanceof Error ? error.message : String(error))
  }
}

/**
 * Runs parts one after another.
 * @param {readonly string[]} names
 * @param {number} limit minutes
 * @returns the exit code.
 */
async function runParts(names, limit) {
  const started = performance.now()
  const minutes = () => (performance.now() - started) / 60_000
  /** @type {string[]} */
  const summary = []
  let failed = false
  for (const name of names) {
    const began = minutes()
    if (began >= limit) {
      summary.push(`${name}: left out, not begun within ${limit} minutes`)
      continue
    }
    console.log(`\n==> deep: ${name}`)
    const code = await runVitest(parts.get(name) ?? [])
    failed ||= code !== 0
    const end =
      code === null ? 'took too long, ended after' : code === 0 ? 'passed in' : 'failed in'
    summary.push(`${name}: ${end} ${(minutes() - began).toFixed(1)} minutes`)
  }
  console.log(`\n${summary.join('\n')}`)
  return failed ? 1 : 0
}

/**
 * @param {readonly string[]} paths
 * @returns {Promise<number | null>} its exit code; null when it took too long.
 */
function runVitest(paths) {
  const vitest = ['node_modules/vitest/vitest.mjs', 'run', '--config', 'vitest.deep.config.ts']
  return new Promise((resolve) => {
    // A process group of its own, since workers that are busy outlive the vitest that is killed.
    const ownGroup = process.platform !== 'win32'
    const child = spawn(process.execPath, [...vitest, ...paths], {
      stdio: 'inherit',
      detached: ownGroup,
    })
    const end = () => {
      if (ownGroup && child.pid !== undefined) process.kill(-child.pid, 'SIGKILL')
      else child.kill()
    }
    const interrupt = () => {
      end()
      process.exit(1)
    }
    const timer = setTimeout(end, minutesPerPart * 60_000)
    process.once('SIGINT', interrupt).once('SIGTERM', interrupt)
    child.once('exit', (code) => {
      clearTimeout(timer)
      process.off('SIGINT', interrupt).off('SIGTERM', interrupt)
      resolve(code)
    })
  })
}

/**
 * @param {string} why
 * @returns {never}
 */
function fail(why) {
  console.error(`test:deep: ${why}`)
  process.exit(2)
}
