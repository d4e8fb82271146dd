/** The core's own tests in every Node, fused code where a Node has it. */

import { spawnSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { afterAll, test } from 'vitest'
import { nodeOf, nodeVersions } from './hosts.ts'
import { makeProject, Unavailable } from './project.ts'

/** Those of the runtime that need no browser, and of the two formats most pages load. */
const core = [
  ...readdirSync('test/runtime')
    .filter((name) => !name.includes('browser'))
    .map((name) => `test/runtime/${name}`),
  'test/formats/load.test.ts',
  'test/bytes/safetensors.test.ts',
  'test/bytes/npz.test.ts',
]

const project = makeProject()
afterAll(() => project.remove(), 300_000)

test.for(nodeVersions)('Node %s', { timeout: 10 * 60_000 }, (version, { skip }) => {
  let node: string
  try {
    node = nodeOf(project, version)
  } catch (error) {
    if (error instanceof Unavailable) return skip(error.message)
    throw error
  }
  const args = ['node_modules/vitest/vitest.mjs', 'run', '--config', 'vitest.config.ts', ...core]
  const { status, stdout, stderr } = spawnSync(node, args, {
    encoding: 'utf8',
    env: { PATH: process.env.PATH, HOME: process.env.HOME, NO_COLOR: '1' },
  })
  if (status !== 0) throw new Error(`${stdout.slice(-8000)}\n${stderr.slice(-2000)}`)
})
