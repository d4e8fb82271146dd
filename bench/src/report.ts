/** Writes results as Markdown tables, for the terminal and to paste into docs/performance.md. */

import type { Download } from './bundles.ts'
import type { Entry } from './cell.ts'
import type { WorkloadName } from './layer.ts'
import type { Startup } from './startup.ts'
import type { StateResult } from './state.ts'

export interface Row {
  readonly workload: WorkloadName
  readonly units: number
  readonly contender: string
  /** Median nanoseconds per step, in batches per step of one row. */
  readonly ns: number
}

/** The notes of a row apart from its time. */
export interface Detail extends Entry {
  readonly workload: WorkloadName
  readonly units: number
}

const titles: Readonly<Record<WorkloadName, string>> = {
  stream: 'Streaming, one step a call',
  sequence: 'A sequence of 1,000 steps in one call, per step',
  batch: 'A batch of 64 rows × 100 steps in one call, per step of one row',
}

/** The baseline in nanoseconds; all others in times faster (above 1) or slower (below 1). */
export function speedTable(
  workload: WorkloadName,
  details: readonly Detail[],
  yardstick: string,
): string {
  const mine = details.filter((detail) => detail.workload === workload)
  const units = unique(mine.map((detail) => detail.units))
  const contenders = unique(mine.map((detail) => detail.contender))
  const find = (contender: string, size: number): Detail | undefined =>
    mine.find((detail) => detail.contender === contender && detail.units === size)
  const cellOf = (contender: string, size: number): string => {
    const detail = find(contender, size)
    if (detail === undefined) return '–'
    if (contender === yardstick || detail.faster === null) return `${showNs(detail.ns)}`
    return `×${significant(detail.faster)}`
  }
  const [limit, what] = workload === 'stream' ? ['roof', 'roof'] : ['peak', 'arithmetic peak']
  const roof = contenders.filter((contender) => contender.startsWith(limit))
  const others = contenders.filter((contender) => !roof.includes(contender))
  const ofRoof = (contender: string, roofName: string): string[][] => {
    if (!roof.includes(roofName) || !others.includes(contender)) return []
    const share = units.map((size) => {
      const [own, least] = [find(contender, size), find(roofName, size)]
      return own && least ? `${Math.round((100 * least.ns) / own.ns)} %` : '–'
    })
    return [[`${contender}, of the ${what}`, ...share]]
  }
  const gruv = others.filter((contender) => contender.startsWith('gruv'))
  return [
    `### ${titles[workload]}`,
    '',
    `${yardstick} in nanoseconds, the others as times faster than it.`,
    '',
    table(
      ['units', ...units.map(String)],
      [
        ...[yardstick, ...others.filter((name) => name !== yardstick)]
          .filter((name) => others.includes(name))
          .map((name) => [name, ...units.map((size) => cellOf(name, size))]),
        ...ofRoof('gruv-fused', `${limit}-fused`),
        ...ofRoof('gruv-deterministic', `${limit}-plain`),
      ],
    ),
    '',
    `gruv and the ${what} in nanoseconds:`,
    '',
    table(
      ['units', ...units.map(String)],
      [...gruv, ...roof].map((name) => [
        name,
        ...units.map((size) => showNs(find(name, size)?.ns)),
      ]),
    ),
    '',
  ].join('\n')
}

/** Largest errors against float64 over 1,000 steps. */
export function accuracyTable(details: readonly Detail[], units: number): string {
  const rows = details
    .filter((detail) => detail.workload === 'sequence' && detail.units === units)
    .flatMap(({ contender, error }) =>
      error === null ? [] : [[contender, error.toExponential(1)]],
    )
  if (rows.length === 0) return ''
  return `### Largest difference from float64, ${units} units, 1,000 steps\n\n${table(['contender', 'error'], rows)}\n`
}

export function startupTable(startups: Readonly<Record<string, Startup>>, units: number): string {
  const bare = startups.none?.memory ?? 0
  const rows = Object.entries(startups)
    .filter(([name]) => name !== 'none')
    .map(([name, { import: imported, create, createAgain, firstCall, memory }]) => [
      name,
      ...[imported, create, createAgain, firstCall].map((ms) => significant(ms)),
      `${Math.max(0, memory - bare).toFixed(0)}`,
    ])
  return [
    `### Start, in a new process, ${units} units`,
    '',
    `Milliseconds; peak memory in MiB above a bare Node's ${bare.toFixed(0)}, over 2,000 streaming steps.`,
    '',
    table(['contender', 'import', 'create', 'create again', 'first call', 'memory'], rows),
    '',
  ].join('\n')
}

export function downloadTable(downloads: readonly Download[]): string {
  const kilobytes = (bytes: number): string => (bytes / 1000).toFixed(1)
  const rows = downloads.map(({ contender, script, wasm }) => [
    contender,
    kilobytes(script),
    kilobytes(wasm),
    kilobytes(script + wasm),
  ])
  return `### Download, gzipped kB\n\n${table(['contender', 'JavaScript', 'WebAssembly', 'together'], rows)}\n`
}

/** States of keys, and many keys at once. */
export function stateTable(results: readonly StateResult[]): string {
  const rows = results.map(({ what, units, ns, ratio }) => [
    what,
    `${units}`,
    showNs(ns),
    `×${significant(ratio)}`,
  ])
  return `### States, gruv deterministic, per step of one key\n\n${table(['what', 'units', 'ns', 'time against the first'], rows)}\n`
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((_, i) => Math.max(...[head, ...rows].map((row) => row[i].length), 3))
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]) : cell.padStart(widths[i]))).join(' | ')} |`
  const rule = widths.map((width, i) => (i === 0 ? '-'.repeat(width) : `${'-'.repeat(width - 1)}:`))
  return [line(head), line(rule), ...rows.map(line)].join('\n')
}

function showNs(ns: number | undefined): string {
  return ns === undefined ? '–' : Math.round(ns).toLocaleString('en')
}

function significant(value: number): string {
  if (value >= 99.5) return value.toFixed(0)
  return value.toPrecision(2)
}

function unique<T>(values: readonly T[]): T[] {
  return [...new Set(values)]
}
