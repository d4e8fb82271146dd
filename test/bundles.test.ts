/** The package as it is packed, installed and bundled: what resolves, what it weighs, what is refused. */

import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { extname, join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { build } from 'esbuild'
import { rolldown } from 'rolldown'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { haveBrowser, launchBrowser } from './support/browser.ts'

const h5 = join(process.cwd(), 'test/fixtures/keras/around-2.15.h5')
const model = join(process.cwd(), 'examples/seattle-weather/model.safetensors')
const { dependencies } = JSON.parse(readFileSync('package.json', 'utf8'))

/** A user's folder: `node_modules` has the tarball's files, and the packages that they need. */
const folder = mkdtempSync(join(tmpdir(), 'gruv-bundles-'))
/** A folder where no package can be found. */
const elsewhere = mkdtempSync(join(tmpdir(), 'gruv-elsewhere-'))

beforeAll(() => {
  const shell = process.platform === 'win32'
  const args = ['pack', '--ignore-scripts', '--silent', '--pack-destination', folder]
  const tarball = execFileSync('npm', args, { encoding: 'utf8', shell }).trim()
  mkdirSync(join(folder, 'node_modules/gruv'), { recursive: true })
  const into = ['--strip-components=1', '-C', join(folder, 'node_modules/gruv')]
  execFileSync('tar', ['-xzf', join(folder, tarball), ...into])
  for (const name of Object.keys(dependencies)) {
    symlinkSync(join(process.cwd(), 'node_modules', name), join(folder, 'node_modules', name))
  }
}, 60_000)
afterAll(() => {
  for (const each of [folder, elsewhere]) rmSync(each, { recursive: true, force: true })
})

/** What a script in a folder prints, run by Node. */
function printed(dir: string, name: string, text: string, flags: readonly string[] = []): string {
  writeFileSync(join(dir, name), text)
  return execFileSync(process.execPath, [...flags, name], {
    cwd: dir,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  })
}

/** One file, as esbuild makes it by default. */
async function bundled(
  contents: string,
  options: { readonly external?: string[]; readonly format?: 'esm' | 'cjs' } = {},
): Promise<string> {
  const { outputFiles } = await build({
    stdin: { contents, resolveDir: folder },
    bundle: true,
    minify: true,
    format: 'esm',
    platform: 'node',
    write: false,
    logLevel: 'error',
    // Of `import.meta` in CommonJS, where there is none.
    logOverride: { 'empty-import-meta': 'silent' },
    ...options,
  })
  return outputFiles[0].text
}

const loadH5 = `
  import { load } from 'gruv'
  try {
    console.log((await load(${JSON.stringify(h5)})).nodes.length > 0)
  } catch (error) {
    console.log(error.code, error.message)
  }
`

describe('gruv/hdf5', () => {
  test('is found where gruv is installed', () => {
    expect(printed(folder, 'plain.mjs', loadH5)).toBe('true\n')
  })

  test('left out, a bundle of everything weighs at most 178 kB, and refuses .h5 by its name', async () => {
    const whole = await bundled("export * from 'gruv'", { external: ['gruv/hdf5'] })
    // The aim is 150 kB; operations of Keras and ONNX weigh the rest.
    expect(gzipSync(whole, { level: 9 }).length).toBeLessThanOrEqual(178_000)
    const text = await bundled(loadH5, { external: ['gruv/hdf5'] })
    expect(printed(elsewhere, 'without.mjs', text)).toMatch(
      /^unsupported .*around-2\.15\.h5: HDF5 files need the entry gruv\/hdf5, which is not here/,
    )
  })

  test('left in, it is part of the one file of esbuild, and of a piece of rolldown', async () => {
    expect(printed(elsewhere, 'with.mjs', await bundled(loadH5))).toBe('true\n')
    writeFileSync(join(folder, 'entry.mjs'), loadH5)
    const bundle = await rolldown({
      input: join(folder, 'entry.mjs'),
      platform: 'node',
      checks: { ineffectiveDynamicImport: false },
    })
    const { output } = await bundle.write({ dir: join(elsewhere, 'pieces'), minify: true })
    await bundle.close()
    expect(
      output
        .filter((each) => each.type === 'chunk')
        .flatMap(({ imports }) => imports.filter((name) => name.startsWith('gruv'))),
    ).toEqual([])
    const [{ fileName }] = output
    const run = `await import('./pieces/${fileName}')`
    expect(printed(elsewhere, 'pieces.mjs', run)).toBe('true\n')
  }, 60_000)
})

describe('HDF5 without WebAssembly', () => {
  const words = /^unsupported .*HDF5 files are read and written by WebAssembly; .*convert the file/

  test('a host that has none', () => {
    expect(printed(folder, 'plain.mjs', loadH5, ['--no-expose-wasm'])).toMatch(words)
  })

  describe.skipIf(!haveBrowser)('a page', () => {
    let server: Server
    const launched = haveBrowser ? launchBrowser() : null
    beforeAll(async () => {
      const packages = join(folder, 'node_modules')
      const map = {
        gruv: '/gruv/dist/index.js',
        'gruv/hdf5': '/gruv/dist/hdf5.js',
        h5wasm: '/h5wasm/dist/esm/hdf5_hl.js',
        fflate: '/fflate/esm/browser.js',
      }
      const page = `<link rel="icon" href="data:,"><script type="importmap" nonce="n">${JSON.stringify({ imports: map })}</script>
        <script type="module" nonce="n">
          import { load } from 'gruv'
          globalThis.run = async () => {
            const bytes = await (await fetch('/model.h5')).arrayBuffer()
            return load(bytes).then(({ nodes }) => nodes.length, ({ code, message }) => code + ' ' + message)
          }
        </script>`
      server = createServer(({ url = '/' }, answer) => {
        const isPage = extname(url) === ''
        const body = isPage ? page : readFileSync(url === '/model.h5' ? h5 : join(packages, url))
        answer.setHeader('content-type', isPage ? 'text/html' : 'text/javascript')
        const wasm = url === '/strict' ? '' : "'wasm-unsafe-eval'"
        answer.setHeader('content-security-policy', `script-src 'self' 'nonce-n' ${wasm}`)
        answer.end(body)
      })
      await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
    })
    afterAll(async () => {
      server.close()
      await (await launched)?.close()
    })

    test.each<[string, unknown]>([
      ['/', expect.any(Number)],
      [
        '/strict',
        expect.stringMatching(/^unsupported .*by WebAssembly; .*Content Security Policy/),
      ],
    ])('%s, through an import map', async (path, expected) => {
      const context = await (await launched!).newContext()
      try {
        const tab = await context.newPage()
        await tab.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}${path}`)
        await tab.waitForFunction('globalThis.run !== undefined', null, { polling: 20 })
        expect(await tab.evaluate('globalThis.run()')).toEqual(expected)
      } finally {
        await context.close()
      }
    })
  })
})

describe('a bundle for Node', () => {
  test.each(['esm', 'cjs'] as const)(
    '%s: without the script of its workers it says so',
    async (format) => {
      const text = await bundled(
        `import { compile, load } from 'gruv'
        const run = async () => {
          const program = await compile(await load(${JSON.stringify(model)}), { threads: 2 })
          const x = { shape: [4, 5, 6], data: new Float32Array(120) }
          const told = ({ code, message }) => code + ' ' + message
          console.log(await program.predictAsync(x).then(() => 'ran', told))
          program.close()
        }
        run()`,
        { format, external: ['gruv/hdf5'] },
      )
      expect(printed(elsewhere, `bundle.${format === 'esm' ? 'mjs' : 'cjs'}`, text)).toMatch(
        /^engine-unavailable predictAsync: the script of the workers is not beside gruv; expected worker\.node\.js.*external:gruv/,
      )
    },
  )
})
