/**
 * Plants small mistakes in the sources, one at a time, and says which no test notices:
 *
 *     npm run mutate [-- --count N] [--seed N] [--tests N] [--jobs N] [PATH[:LINE]…]
 *
 * Without paths it takes the folders whose mistakes would be wrong numbers or harm. A line means
 * every mistake in it. Of the tests that import the file the nearest run, until one fails; what
 * `--tests` of them do not notice counts as not noticed. It works on copies in the system's
 * temporary folder. Exit codes: 0 done, 2 bad usage.
 */

import { spawn } from 'node:child_process'
import {
  cpSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, posix } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { parseSync } from 'oxc-parser'
import { mutationsOf } from './mutations.mjs'

/**
 * @typedef {import('./mutations.mjs').Mutation & { path: string, line: number }} Mutant
 */

const usual = ['runtime', 'model', 'formats', 'bytes', 'diagnose', 'verify'].map(
  (folder) => `src/${folder}`,
)

/** A test that takes this many times its usual time hangs. */
const PATIENCE = 10
/** Slower tests are left out. */
const MOST_SECONDS = 120

process.chdir(join(dirname(fileURLToPath(import.meta.url)), '..'))
const { values, positionals } = readArguments()
const count = number('count', 1)
const most = number('tests', 1)
const jobs = number('jobs', 1)
const seed = number('seed', 0)

const mutants = shuffled(listMutants(), seed).slice(0, count)
if (mutants.length === 0) fail(`nothing to change in ${positionals.join(', ')}.`)
const imports = readImports()
const tests = new Map(mutants.map(({ path }) => [path, testsOf(path)]))

const folder = realpathSync(mkdtempSync(join(tmpdir(), 'gruv-mutate-')))
process.once('exit', () => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }))
process.once('SIGINT', () => process.exit(1)).once('SIGTERM', () => process.exit(1))
const untouched = copyTree('untouched')
const copies = Array.from({ length: jobs }, (_, job) => copyTree(String(job)))

/**
 * Seconds that a test file takes without a mistake; undefined where it fails.
 * @type {Map<string, Promise<number | undefined>>}
 */
const usualTimes = new Map()

console.log(`${mutants.length} mistakes, seed ${seed}.`)
await plantAll()

/** Runs all mutants, as many at once as there are copies, and prints those that nothing noticed. */
async function plantAll() {
  const waiting = [...mutants]
  let done = 0
  /** @type {string[]} */
  const survivors = []
  const work = async (/** @type {string} */ copy) => {
    for (let mutant = waiting.shift(); mutant; mutant = waiting.shift()) {
      const verdict = await plant(copy, mutant)
      const where = `${mutant.path}:${mutant.line}  ${mutant.what}`
      console.log(
        `${++done}/${mutants.length} ${verdict ? `noticed (${verdict})` : 'NOT NOTICED'}  ${where}`,
      )
      if (verdict === undefined) survivors.push(where)
    }
  }
  await Promise.all(copies.map(work))
  const noticed = mutants.length - survivors.length
  const share = ((100 * noticed) / mutants.length).toFixed(1)
  console.log(`\n${noticed} of ${mutants.length} noticed (${share} %).`)
  if (survivors.length > 0) console.log(`Not noticed:\n${survivors.sort().join('\n')}`)
}

/**
 * @param {string} copy
 * @param {Mutant} mutant
 * @returns {Promise<string | undefined>} which tests noticed it, and how.
 */
async function plant(copy, { path, start, end, text }) {
  const source = readFileSync(path, 'utf8')
  writeFileSync(join(copy, path), source.slice(0, start) + text + source.slice(end))
  try {
    let asked = 0
    for (const test of tests.get(path) ?? []) {
      const time = asked < most ? await usualTime(test) : undefined
      if (time === undefined) continue
      asked++
      const code = await vitest(copy, test, PATIENCE * time)
      if (code !== 0) return code === null ? `${test} hangs` : test
    }
    return undefined
  } finally {
    writeFileSync(join(copy, path), source)
  }
}

/**
 * Tests that need a build or a browser fail in a copy; they are left out.
 * @param {string} test
 */
function usualTime(test) {
  const known = usualTimes.get(test)
  if (known) return known
  const measure = async () => {
    const began = performance.now()
    const code = await vitest(untouched, test, MOST_SECONDS)
    if (code === 0) return (performance.now() - began) / 1000
    console.log(`Left out, it fails without a mistake: ${test}`)
    return undefined
  }
  const time = measure()
  usualTimes.set(test, time)
  return time
}

/**
 * @param {string} cwd
 * @param {string} test
 * @param {number} limit seconds
 * @returns {Promise<number | null>} its exit code; null when it took too long.
 */
function vitest(cwd, test, limit) {
  const args = ['node_modules/vitest/vitest.mjs', 'run', '--maxWorkers=1', '--bail=1', test]
  return new Promise((resolve) => {
    // A process group of its own, since workers that are busy outlive the vitest that is killed.
    const ownGroup = process.platform !== 'win32'
    const child = spawn(process.execPath, args, { cwd, stdio: 'ignore', detached: ownGroup })
    const end = () => {
      if (ownGroup && child.pid !== undefined) process.kill(-child.pid, 'SIGKILL')
      else child.kill()
    }
    const timer = setTimeout(end, limit * 1000)
    // Before the folder is removed, in which it writes.
    process.prependOnceListener('exit', end)
    child.once('exit', (code) => {
      clearTimeout(timer)
      process.off('exit', end)
      resolve(code)
    })
  })
}

/**
 * A copy of what tests read, with the data that lies beside the project.
 * @param {string} name
 */
function copyTree(name) {
  const copy = join(folder, name)
  const kept = (/** @type {string} */ path) => !/^(\.git|node_modules|dist|\.dist-.*)$/.test(path)
  for (const entry of readdirSync('.').filter(kept))
    cpSync(entry, join(copy, entry), { recursive: true })
  symlinkSync(realpathSync('node_modules'), join(copy, 'node_modules'), 'junction')
  const shared = join(folder, 'shared')
  if (existsSync('../shared') && !existsSync(shared)) symlinkSync(realpathSync('../shared'), shared)
  return copy
}

/** @returns {Mutant[]} */
function listMutants() {
  return (positionals.length > 0 ? positionals : usual).flatMap((argument) => {
    const [path = '', only] = argument.split(':')
    if (!existsSync(path)) return fail(`no such file or folder: ${path}`)
    return sourcesIn(posix.normalize(path)).flatMap((file) => {
      const source = readFileSync(file, 'utf8')
      return mutationsOf(file, source)
        .map((mutation) => ({
          ...mutation,
          path: file,
          line: source.slice(0, mutation.start).split('\n').length,
        }))
        .filter(({ line }) => only === undefined || line === Number(only))
    })
  })
}

/**
 * @param {string} path a file or folder
 * @returns {string[]}
 */
function sourcesIn(path) {
  if (statSync(path).isFile()) return [path]
  return readdirSync(path, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && /\.tsx?$/.test(entry.name))
    .map((entry) => posix.join(entry.parentPath, entry.name))
    .sort()
}

/**
 * Which files each file imports, at once or later; a worker's script counts.
 * @returns {Map<string, string[]>}
 */
function readImports() {
  return new Map(
    ['src', 'studio', 'test'].flatMap(sourcesIn).map((path) => {
      const text = readFileSync(path, 'utf8')
      const { module } = parseSync(path, text)
      const named = [
        // Types are gone when a test runs.
        ...module.staticImports
          .filter(({ entries }) => entries.length === 0 || entries.some(({ isType }) => !isType))
          .map(({ moduleRequest }) => moduleRequest.value),
        ...module.staticExports.flatMap(({ entries }) =>
          entries.flatMap(({ isType, moduleRequest }) => (isType ? [] : [moduleRequest?.value])),
        ),
        ...module.dynamicImports.map(({ moduleRequest: { start, end } }) =>
          text.slice(start + 1, end - 1),
        ),
        ...[...text.matchAll(/new URL\('(\.[^']+)'/g)].map(([, name]) => name),
      ]
      const files = named.flatMap((name) => {
        if (name === 'gruv/hdf5') return ['src/hdf5.ts']
        return name?.startsWith('.') ? [posix.join(dirname(path), name)] : []
      })
      return [path, [...new Set(files)]]
    }),
  )
}

/**
 * The tests that import a file: those of the same name first, then those whose way to it is
 * shortest, then those that import least besides.
 * @param {string} path
 */
function testsOf(path) {
  return [...imports.keys()]
    .filter((file) => file.endsWith('.test.ts') && !file.startsWith('test/deep/'))
    .flatMap((test) => {
      const distances = distancesFrom(test)
      const distance = distances.get(path)
      if (distance === undefined) return []
      return [{ test, near: [-sharedName(test, path), distance, distances.size] }]
    })
    .sort(({ near: a }, { near: b }) => {
      const i = a.findIndex((value, at) => value !== b[at])
      return i < 0 ? 0 : (a[i] ?? 0) - (b[i] ?? 0)
    })
    .map(({ test }) => test)
}

/** @param {string} start */
function distancesFrom(start) {
  const distances = new Map([[start, 0]])
  // A map lists what is added while it is read.
  for (const [file, distance] of distances)
    for (const next of imports.get(file) ?? [])
      if (!distances.has(next)) distances.set(next, distance + 1)
  return distances
}

/**
 * How many parts of the paths agree: 2 for test/bytes/zip.test.ts and src/bytes/zip/read.ts.
 * @param {string} test
 * @param {string} path
 */
function sharedName(test, path) {
  const a = test.replace('.test.ts', '').split('/').slice(1)
  const b = path.replace('.ts', '').split('/').slice(1)
  const differs = a.findIndex((part, i) => part !== b[i])
  return differs < 0 ? a.length : differs
}

/**
 * @template T
 * @param {readonly T[]} list
 * @param {number} state the seed
 * @returns {T[]}
 */
function shuffled(list, state) {
  const random = () => {
    // mulberry32
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), state | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
  const keyed = list.map((value) => ({ value, key: random() }))
  return keyed.sort((a, b) => a.key - b.key).map(({ value }) => value)
}

function readArguments() {
  try {
    return parseArgs({
      allowPositionals: true,
      options: {
        count: { type: 'string', default: '50' },
        seed: { type: 'string', default: '1' },
        tests: { type: 'string', default: '5' },
        jobs: { type: 'string', default: '2' },
      },
    })
  } catch (error) {
    return fail(error instanceof Error ? error.message : String(error))
  }
}

/**
 * @param {'count' | 'seed' | 'tests' | 'jobs'} name
 * @param {number} least
 */
function number(name, least) {
  const value = Number(values[name])
  return Number.isInteger(value) && value >= least
    ? value
    : fail(`--${name} takes a whole number from ${least}, not "${values[name]}".`)
}

/**
 * @param {string} why
 * @returns {never}
 */
function fail(why) {
  console.error(`mutate: ${why}`)
  process.exit(2)
}
