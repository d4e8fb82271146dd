/** The folder that stands for a user's: the packed package, the probe, and tools beside it. */

import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../../../', import.meta.url))
const shell = process.platform === 'win32'

/** Why a host cannot be tried here. */
export class Unavailable extends Error {}

export interface Project {
  readonly folder: string
  /** Writes a file into it, and gives its path. */
  readonly write: (name: string, content: string | Uint8Array) => string
  readonly remove: () => void
  readonly read: (name: string) => string
  /** An empty folder beside the project. */
  readonly fresh: (name: string) => string
  /** Installs packages in a folder of their own, and gives its path. @throws Unavailable */
  readonly tool: (...packages: readonly string[]) => string
}

export function makeProject(): Project {
  const place = mkdtempSync(join(tmpdir(), 'gruv-hosts-'))
  const folder = join(place, 'project')
  const write: Project['write'] = (name, content) => {
    writeFileSync(join(folder, name), content)
    return join(folder, name)
  }
  const tool: Project['tool'] = (...packages) => {
    const path = join(place, packages[0].replaceAll(/[/@]+/g, '-'))
    if (!existsSync(path)) install(path, packages)
    return path
  }
  const read: Project['read'] = (name) => readFileSync(join(folder, name), 'utf8')
  const fresh: Project['fresh'] = (name) => mkdtempSync(join(place, `${name}-`))
  const pack = ['pack', '--json', '--ignore-scripts', '--pack-destination', place]
  const packed = execFileSync('npm', pack, { cwd: root, encoding: 'utf8', shell })
  install(folder, [join(place, JSON.parse(packed)[0].filename)])
  write('package.json', '{ "type": "module" }')
  const example = join(folder, 'node_modules/gruv/examples/seattle-weather')
  const files = ['model.safetensors', 'layer.npz'].map((name) => [
    name,
    [...readFileSync(join(example, name))],
  ])
  const program = readFileSync(new URL('probe.mjs', import.meta.url), 'utf8')
  // Numbers, since some hosts read no files and know no base64.
  write('probe.mjs', `const files = ${JSON.stringify(Object.fromEntries(files))}\n${program}`)
  write('run.mjs', RUN)
  write('page.mjs', PAGE)
  const remove = (): void => rmSync(place, { recursive: true, force: true })
  return { folder, write, read, fresh, tool, remove }
}

const RUN = `import * as gruv from 'gruv'
import { probe } from './probe.mjs'
console.log(JSON.stringify(await probe(gruv)))
`

const PAGE = `import * as gruv from 'gruv'
import { probe } from './probe.mjs'
globalThis.seen = probe(gruv)
`

function install(path: string, packages: readonly string[]): void {
  mkdirSync(path, { recursive: true })
  writeFileSync(join(path, 'package.json'), '{}')
  const args = ['install', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error']
  const { status, stderr } = spawnSync('npm', [...args, ...packages], {
    cwd: path,
    encoding: 'utf8',
    shell,
  })
  if (status !== 0)
    throw new Unavailable(`npm does not give ${packages[0]}: ${stderr.split('\n')[0]}`)
}
