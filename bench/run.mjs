/**
 * `npm run bench`, after tools/setup.mjs has made gruv ready: installs the peers if they are not
 * those of the lockfile, compiles the bench, runs it. Needs nothing but Node.
 */

import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const bench = dirname(fileURLToPath(import.meta.url))
const stamp = join(bench, 'node_modules/.gruv-lock')
const lock = createHash('sha256')
  .update(`${process.platform} ${process.arch}\0`)
  .update(readFileSync(join(bench, 'package-lock.json')))
  .digest('hex')

if (!existsSync(stamp) || readFileSync(stamp, 'utf8') !== lock) {
  say('installing the peers (npm ci, about 1.3 GB with three Nodes)')
  // Under npm this is the very npm that runs us; `shell` because npm is a .cmd on Windows.
  const npm = process.env.npm_execpath
  const args = ['ci', '--loglevel=error']
  if (npm !== undefined && basename(npm) === 'npm-cli.js') run(process.execPath, [npm, ...args])
  else run('npm', args, true)
  writeFileSync(stamp, lock)
}
run(process.execPath, [join(bench, '../node_modules/typescript/bin/tsc'), '-p', '.'])
run(process.execPath, [join(bench, 'dist/main.js'), ...process.argv.slice(2)])

/**
 * @param {string} command
 * @param {string[]} args
 */
function run(command, args, shell = false) {
  const env = { ...process.env }
  // `npm run` names the outer package in it, and `npm ci` would install that one.
  delete env.npm_config_local_prefix
  const { status } = spawnSync(command, args, { cwd: bench, stdio: 'inherit', shell, env })
  if (status !== 0) process.exit(status ?? 1)
}

/** @param {string} what */
function say(what) {
  process.stderr.write(`bench: ${what}\n`)
}
