/**
 * Makes a clone ready to run: installs what the lockfile says, builds what has changed.
 * Runs before `npm start` and `npm test`, so it needs nothing but Node, and says nothing when
 * there is nothing to do. `node tools/setup.mjs build` builds in any case.
 */

import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  chmodSync,
  existsSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')
const distStamp = 'dist/.stamp'
const installStamp = 'node_modules/.gruv-lock'

process.chdir(root)
checkNode()
if (!isInstalled()) install()
const sources = sourcesHash()
if (process.argv[2] === 'build' || readOr(distStamp) !== sources) build()

/** An old Node would fail later, in a dependency, with an unclear message. */
function checkNode() {
  const wanted = JSON.parse(readFileSync('package.json', 'utf8')).engines.node.replace('>=', '')
  const [major, minor] = wanted.split('.').map(Number)
  const [ourMajor, ourMinor] = process.versions.node.split('.').map(Number)
  if (ourMajor < major || (ourMajor === major && ourMinor < minor)) {
    fail(`this needs Node ${wanted} or newer, and is run by Node ${process.versions.node}.`)
  }
}

/** True when the lockfile, and the kind of machine, are those of the last install. */
function isInstalled() {
  const stamp = readOr(installStamp)
  if (stamp !== undefined) return stamp === lockHash()
  // Installed by hand: npm's own record says what it installed, so compare that with the lockfile.
  const record = readOr('node_modules/.package-lock.json')
  if (record === undefined) return false
  const { packages: present } = JSON.parse(record)
  const { packages: wanted } = JSON.parse(readFileSync('package-lock.json', 'utf8'))
  const complete = Object.entries(wanted).every(([path, { version, optional }]) => {
    return path === '' || (path in present ? present[path].version === version : optional)
  })
  if (complete) writeFileSync(installStamp, lockHash())
  return complete
}

function install() {
  say('installing the dependencies (npm ci)')
  // Under `npm start` this is the npm that runs this script; `shell` because npm is a .cmd on Windows.
  const npm = process.env.npm_execpath
  const viaNode = npm !== undefined && basename(npm) === 'npm-cli.js'
  const done = viaNode
    ? spawnSync(process.execPath, [npm, 'ci', '--loglevel=error'], { stdio: 'inherit' })
    : spawnSync('npm ci --loglevel=error', { stdio: 'inherit', shell: true })
  if (done.status !== 0) {
    fail('npm ci did not succeed, see above. It needs the network or a filled npm cache.')
  }
  writeFileSync(installStamp, lockHash())
}

function build() {
  say('building dist/ (tsc, vite, rolldown)')
  // Into a folder beside it, so that dist/ has no leftovers and never mixes two builds.
  const fresh = `.dist-${process.pid}`
  const tsc = ['node_modules/typescript/bin/tsc', '-p', 'tsconfig.build.json', '--outDir', fresh]
  // The studio after the library, since its folder is inside the library's.
  const vite = ['node_modules/vite/bin/vite.js', 'build', '--config', 'tools/studio.config.ts']
  const site = [...vite, '--outDir', join(root, fresh, 'studio')]
  const rolldown = ['node_modules/rolldown/bin/cli.mjs', '-c', 'tools/core.config.ts']
  const core = [...rolldown, '--dir', join(root, fresh, 'core')]
  const done = [tsc, site, core].every(
    // rolldown's own report would be all that a build says; its errors go to the other stream.
    (args) =>
      spawnSync(process.execPath, args, {
        stdio: ['inherit', args === core ? 'ignore' : 'inherit', 'inherit'],
      }).status === 0,
  )
  if (!done) {
    rmSync(fresh, { recursive: true, force: true })
    fail('The build did not succeed, see above; dist/ is as it was.')
  }
  // One file holds them all.
  for (const file of readdirSync(join(fresh, 'core')))
    if (/\.js(\.map)?$/.test(file) && file !== 'index.js') rmSync(join(fresh, 'core', file))
  if (existsSync(join(fresh, 'cli/main.js'))) chmodSync(join(fresh, 'cli/main.js'), 0o755)
  writeFileSync(join(fresh, '.stamp'), sources)
  // Renamed first and deleted later, so that dist/ is missing for a moment only.
  const old = `${fresh}-old`
  if (existsSync('dist')) renameSync('dist', old)
  renameSync(fresh, 'dist')
  rmSync(old, { recursive: true, force: true })
}

/** Hashes of contents, not times: a checkout touches files that it does not change. */
function sourcesHash() {
  const hash = createHash('sha256')
  const listed = ['src', 'studio', 'examples'].flatMap((folder) =>
    readdirSync(folder, { recursive: true, withFileTypes: true }),
  )
  const files = listed
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
  // The lockfile, since a new compiler writes new code.
  for (const file of [
    'tsconfig.json',
    'tsconfig.build.json',
    'tools/core.config.ts',
    'tools/licences.ts',
    'tools/studio.config.ts',
    'package-lock.json',
    ...files.sort(),
  ]) {
    hash.update(`${file}\0`).update(readFileSync(file)).update('\0')
  }
  return hash.digest('hex')
}

function lockHash() {
  const lock = readFileSync('package-lock.json')
  return createHash('sha256')
    .update(`${process.platform} ${process.arch}\0`)
    .update(lock)
    .digest('hex')
}

/** @param {string} file */
function readOr(file) {
  return existsSync(file) ? readFileSync(file, 'utf8') : undefined
}

/** @param {string} what */
function say(what) {
  process.stderr.write(`gruv: ${what}\n`)
}

/** @param {string} why */
function fail(why) {
  say(why)
  process.exit(1)
}
