/**
 * Where gruv runs: the packed package in an empty folder, started by every host there is. The table in
 * docs/hosts.md says what is seen; `GRUV_WRITE_HOSTS=1` writes it.
 */

import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterAll, expect, test } from 'vitest'
import { hostsOf } from './hosts.ts'
import { makeProject, Unavailable } from './project.ts'
import { engineIn, type Seen } from './seen.ts'

const page = 'docs/hosts.md'
const writes = process.env.GRUV_WRITE_HOSTS !== undefined

const project = makeProject()
const { hosts, pages } = hostsOf(project)
afterAll(async () => {
  await pages.close()
  project.remove()
}, 300_000)

/** Of JavaScript in the Node at hand: what every host has to give. */
const imported = (path: string) => import(pathToFileURL(join(project.folder, path)).href)
const { probe } = await imported('probe.mjs')
const gruv = await imported('node_modules/gruv/dist/index.js')
const expected: Seen = await probe(gruv, () => ({ engine: 'js' }))

type Row = readonly [host: string, version: string, how: string, engine: string]

const text = readFileSync(page, 'utf8')
const tableOfHosts = /(?<=^\| host \|.*\n\|[-|]+\n)(\|.*\n)+/m
const rows = new Map(
  (tableOfHosts.exec(text)?.[0] ?? '').split('\n').map((line) => {
    const [, ...cells] = line.split(' | ').map((cell) => cell.replace(/^\| | \|$/g, ''))
    return [line.split(' | ')[0].replace('| ', ''), cells]
  }),
)
const seen: Row[] = []

test('the table has every host and no other', () => {
  if (writes) return
  expect([...rows.keys()].filter((host) => host !== '')).toEqual(hosts.map(({ host }) => host))
})

test.for(hosts)('$host', { timeout: 5 * 60_000 }, async ({ host, how, run }, { skip }) => {
  let ran: Awaited<ReturnType<typeof run>>
  try {
    ran = await run()
  } catch (error) {
    if (error instanceof Unavailable) return skip(error.message)
    throw error
  }
  const engine = engineIn(ran.seen, expected)
  seen.push([host, ran.version, how, engine])
  if (writes) return
  const [version, ...said] = rows.get(host) ?? []
  expect([how, engine]).toEqual(said)
  // The browser is that of the machine, and grows older than the table.
  if (host.startsWith('Chromium'))
    expect(Number(ran.version)).toBeGreaterThanOrEqual(Number(version))
  else expect(ran.version).toBe(version)
})

afterAll(() => {
  if (!writes) return
  const lines = seen.map((row) => `| ${row.join(' | ')} |\n`).join('')
  writeFileSync(
    page,
    text.replace(tableOfHosts, () => lines),
  )
})
