/** What the package promises to its users. Reads dist/, which `npm test` has built. */

import { execFileSync } from 'node:child_process'
import { accessSync, constants, existsSync, readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { build, type Metafile } from 'esbuild'
import { rolldown } from 'rolldown'
import { beforeAll, describe, expect, test } from 'vitest'

const manifest = JSON.parse(readFileSync('package.json', 'utf8'))
const entries = Object.entries<string>(manifest.exports).filter(([, file]) => file.endsWith('.js'))

interface Locked {
  readonly optionalDependencies?: Readonly<Record<string, string>>
}

describe('package.json', () => {
  test('asks for Node 20.19 or newer, and no dependency asks for more', () => {
    expect(manifest.engines).toEqual({ node: '>=20.19' })
    for (const name of Object.keys(manifest.dependencies)) {
      const { engines } = JSON.parse(readFileSync(`node_modules/${name}/package.json`, 'utf8'))
      const oldest = Number(/\d+/.exec(engines?.node ?? '0')![0])
      expect(oldest, `${name} wants Node ${engines?.node}`).toBeLessThanOrEqual(20)
    }
  })

  test('pins every dependency to one version', () => {
    const versions = { ...manifest.dependencies, ...manifest.devDependencies }
    for (const [name, version] of Object.entries(versions)) {
      expect(version, name).toMatch(/^\d+\.\d+\.\d+$/)
    }
  })

  test('locks versions and contents, not the registry they once came from', () => {
    const { packages } = JSON.parse(readFileSync('package-lock.json', 'utf8'))
    const { '': self, ...locked } = packages
    expect(self.version).toBe(manifest.version)
    for (const [path, entry] of Object.entries<Locked>(locked)) {
      expect(entry, path).toHaveProperty('version')
      expect(entry, path).toHaveProperty('integrity')
      expect(entry, path).not.toHaveProperty('resolved')
    }
  })

  // npm leaves out of the lockfile what its registry did not have, and then `npm ci` fails.
  test('locks the binaries of every platform', () => {
    const { packages } = JSON.parse(readFileSync('package-lock.json', 'utf8'))
    const missing = Object.entries<Locked>(packages).flatMap(([path, { optionalDependencies }]) =>
      Object.keys(optionalDependencies ?? {}).filter(
        (name) =>
          !(`node_modules/${name}` in packages || `${path}/node_modules/${name}` in packages),
      ),
    )
    expect(missing).toEqual([])
  })
})

describe('the build', () => {
  test.each(entries)('%s is there, with types, and can be imported', async (_, file) => {
    // TypeScript finds the types beside the code; `npm run package` asks it.
    const types = file.replace(/\.js$/, '.d.ts')
    expect(existsSync(types), types).toBe(true)
    const module = await import(pathToFileURL(file).href)
    expect(Object.keys(module)).not.toEqual([])
    expect(module).not.toHaveProperty('default')
  })

  test('the command runs and knows its version', () => {
    const main: string = manifest.bin.gruv
    accessSync(main, constants.X_OK)
    const printed = execFileSync(process.execPath, [main, '--version'], { encoding: 'utf8' })
    expect(printed.trim()).toBe(manifest.version)
  })
})

describe('what an import brings along', () => {
  let inputs: Metafile['inputs']

  beforeAll(async () => {
    const bundled = await build({
      entryPoints: entries.map(([, file]) => file),
      bundle: true,
      write: false,
      metafile: true,
      format: 'esm',
      splitting: true,
      outdir: 'out',
      packages: 'external',
      platform: 'browser',
      external: ['node:*'],
    })
    inputs = bundled.metafile.inputs
  })

  test('the runtime core imports no package and no Node built-in', () => {
    const core = Object.keys(inputs).filter((path) =>
      /^dist\/(runtime\/|model\/|errors\.js|tensor\.js)/.test(path),
    )
    expect(core).not.toEqual([])
    expect(core.flatMap((path) => foreign(inputs, path))).toEqual([])
  })

  test.each(entries)('%s loads no package and no Node built-in before it needs one', (_, file) => {
    const loaded = new Set<string>()
    const load = (path: string): void => {
      if (loaded.has(path)) return
      loaded.add(path)
      for (const { path: next, kind, external } of inputs[path].imports) {
        if (kind === 'import-statement' && !external) load(next)
      }
    }
    load(file.replace('./', ''))
    expect([...loaded].flatMap((path) => foreign(inputs, path))).toEqual([])
  })
})

describe('licences', () => {
  /** The packages of a plain bundle of the sources, made without the settings that build dist/. */
  async function packagesIn(input: string[]): Promise<string[]> {
    const bundle = await rolldown({
      input,
      platform: 'browser',
      external: /^node:/,
      checks: { ineffectiveDynamicImport: false },
      resolve: { alias: { 'gruv/hdf5': resolve('src/hdf5.ts') } },
      moduleTypes: { '.npy': 'empty', '.safetensors': 'empty', '.css': 'empty' },
      plugins: [{ name: 'urls', load: (id) => (id.endsWith('?url') ? 'export default ""' : null) }],
    })
    const { output } = await bundle.generate()
    await bundle.close()
    const used = output.flatMap((each) =>
      each.type === 'chunk' ? Object.entries(each.modules) : [],
    )
    const names = used
      .filter(([, { renderedLength }]) => renderedLength > 0)
      .flatMap(([path]) => /node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(path)?.[1] ?? [])
    return [...new Set(names)].sort()
  }

  test.each([
    ['gruv/core', 'dist/core', ['src/core/index.ts'], []],
    // Vite and rolldown put pieces of themselves into a page.
    [
      'the studio',
      'dist/studio',
      ['studio/main.tsx', 'studio/engine/worker.ts'],
      ['rolldown', 'vite'],
    ],
  ])('of all that %s has in it ship with it', async (_, folder, sources, tools) => {
    const text = readFileSync(`${folder}/licences.txt`, 'utf8')
    const told = Array.from(text.matchAll(/^# (\S+) (\d+\.\d+\.\d+)$/gm))
    expect(told.map(([, name]) => name)).toEqual([...(await packagesIn(sources)), ...tools].sort())
    for (const [, name, version] of told) {
      const installed = JSON.parse(readFileSync(`node_modules/${name}/package.json`, 'utf8'))
      expect(version, name).toBe(installed.version)
    }
    expect(text.match(/Permission is hereby granted|Redistribution and use/g)).toHaveLength(
      told.length,
    )
  })
})

describe('the tarball', () => {
  let packed: { readonly size: number; readonly unpackedSize: number }
  let files: string[]

  beforeAll(() => {
    // As a file name npm is npm.cmd on Windows, which only a shell runs.
    const args = ['pack', '--dry-run', '--json', '--ignore-scripts']
    const printed = execFileSync('npm', args, {
      encoding: 'utf8',
      shell: process.platform === 'win32',
      stdio: ['ignore', 'pipe', 'ignore'],
    })
    const [made] = JSON.parse(printed)
    packed = made
    files = made.files.map((file: { path: string }) => file.path)
  })

  test('holds the build, the examples and the words', () => {
    for (const [, file] of entries) expect(files).toContain(file.replace('./', ''))
    expect(files).toEqual(expect.arrayContaining(['README.md', 'CHANGELOG.md', 'LICENSE']))
    expect(files).toContain(manifest.bin.gruv)
    expect(files).toContain('examples/seattle-weather/model.safetensors')
  })

  test('holds nothing else', () => {
    const top = /^(README\.md|CHANGELOG\.md|LICENSE|package\.json)$/
    const wanted = [
      top,
      // Code with its types; gruv/core has types of what lies in its one file.
      /^dist\/(?!studio\/)[\w./-]+\.(js|d\.ts)$/,
      /^dist\/studio\/(index\.html|assets\/[\w.-]+\.(js|css|svg)|example\/[\w.-]+)$/,
      /^dist\/(core|studio)\/licences\.txt$/,
      /^docs\/[\w-]+\.md$/,
      /^examples\/[\w-]+\/[\w.-]+\.(npy|npz|csv|json|pt|safetensors|md)$/,
    ]
    expect(files.filter((path) => !wanted.some((each) => each.test(path)))).toEqual([])
    expect(files.filter((path) => path.startsWith('dist/core/') && path.endsWith('.js'))).toEqual([
      'dist/core/index.js',
    ])
  })

  // Measured: 2.15 MB packed, 8.1 unpacked, of which 4.8 are the studio's HDF5 library.
  test('is no larger than it has to be', () => {
    expect(packed.size).toBeLessThanOrEqual(2_500_000)
    expect(packed.unpackedSize).toBeLessThanOrEqual(9_300_000)
  })

  test('runs nothing when it is installed, nor do the packages that it needs', () => {
    const scripts = ['preinstall', 'install', 'postinstall']
    for (const name of ['', ...Object.keys(manifest.dependencies)]) {
      const path = name === '' ? 'package.json' : `node_modules/${name}/package.json`
      const { scripts: own = {} } = JSON.parse(readFileSync(path, 'utf8'))
      expect(
        scripts.filter((each) => each in own),
        path,
      ).toEqual([])
    }
    const { packages } = JSON.parse(readFileSync('package-lock.json', 'utf8'))
    const running = Object.entries<{ dev?: boolean; hasInstallScript?: boolean }>(packages)
    expect(running.filter(([, each]) => each.hasInstallScript && !each.dev)).toEqual([])
  })

  test('examples are found by the name of the package', () => {
    const url = import.meta.resolve?.('gruv/examples/seattle-weather/model.safetensors')
    expect(url).toMatch(/examples\/seattle-weather\/model\.safetensors$/)
  })
})

/** The packages and built-ins that a file imports as soon as it is loaded. */
function foreign(inputs: Metafile['inputs'], path: string): string[] {
  return inputs[path].imports
    .filter(({ kind, external }) => kind === 'import-statement' && external)
    .map((imported) => `${path} imports ${imported.path}`)
}
