/**
 * Tests models in a real browser: by URL, as a File, as a folder; and what a page downloads for them.
 * The page is the library bundled as an application would do it, each reader in a chunk of its own.
 */

import { readFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { basename, extname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build, type Metafile } from 'esbuild'
import type { Browser, Locator, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { NestedNumbers } from '../../src/index.ts'
import { toTensor } from '../../src/tensor.ts'
import { haveBrowser, launchBrowser } from '../support/browser.ts'

const root = fileURLToPath(new URL('../../', import.meta.url))
const fixtures = join(root, 'test/fixtures/keras')

interface Case {
  readonly file: string
  /** By port; only the page looks into it. */
  readonly inputs: Readonly<Record<string, object>>
  readonly outputs: readonly NestedNumbers[]
}

const cases = JSON.parse(readFileSync(join(fixtures, 'cases.json'), 'utf8')) as readonly Case[]

/** What the page's own script offers to the tests. */
interface PageApi {
  run(source: string | readonly File[], inputs: unknown): Promise<number[][]>
  stream(url: string): Promise<number>
}

const script = `
  import { compile, load } from './dist/index.js'
  window.gruv = {
    async run(source, inputs) {
      const files = source instanceof FileList ? [...source] : source
      const model = await load(
        typeof files === 'string' ? files
        : files.length === 1 ? files[0]
        : Object.fromEntries(files.map((file) => [file.webkitRelativePath || file.name, file])))
      const results = (await compile(model, { precision: 'f64' })).predict(inputs)
      return model.outputs.map(({ name }) => [...results[name].data])
    },
    async stream(url) {
      const program = await compile(await load(url))
      const stream = program.stream()
      stream.input.fill(0.5)
      stream.step()
      return stream.output[0]
    },
  }
`

const types: Readonly<Record<string, string>> = { '.js': 'text/javascript', '.html': 'text/html' }

describe.skipIf(!haveBrowser)('in a browser (none found here)', { timeout: 120_000 }, () => {
  let browser: Browser
  let server: Server
  let origin: string
  let outputs: Metafile['outputs']
  let page: Page
  const asked: string[] = []

  beforeAll(async () => {
    const bundled = await build({
      stdin: { contents: script, resolveDir: root },
      bundle: true,
      format: 'esm',
      platform: 'browser',
      splitting: true,
      write: false,
      metafile: true,
      outdir: '/page',
      entryNames: 'page',
      external: ['node:*', 'module', 'fs', 'path', 'url', 'crypto'],
      logLevel: 'error',
    })
    const files = new Map(
      bundled.outputFiles.map(({ path, contents }) => [basename(path), contents]),
    )
    outputs = Object.fromEntries(
      Object.entries(bundled.metafile.outputs).map(([path, each]) => [basename(path), each]),
    )
    server = createServer((request, response) => {
      const url = new URL(request.url!, 'http://localhost')
      const path = decodeURIComponent(url.pathname.slice(1))
      try {
        if (path.startsWith('secret/') && url.searchParams.get('key') !== 'let me')
          throw new Error('no key')
        const body =
          path === 'index.html'
            ? '<input type="file" multiple><input type="file" webkitdirectory><script type="module" src="page.js"></script>'
            : (files.get(path) ?? readFileSync(join(root, path.replace(/^secret\//, ''))))
        const type = types[extname(path)] ?? 'application/octet-stream'
        response.writeHead(200, { 'Content-Type': type }).end(body)
      } catch {
        response.writeHead(404).end()
      }
    })
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
    origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    browser = await launchBrowser()
  })
  afterAll(async () => {
    await browser?.close()
    server?.close()
  })

  async function open(): Promise<void> {
    await page?.close()
    asked.length = 0
    page = await browser.newPage()
    page.on('request', (request) => asked.push(new URL(request.url()).pathname.slice(1)))
    await page.goto(`${origin}/index.html`)
    await page.waitForFunction('window.gruv')
  }

  /** Every source file in the chunks that the page has downloaded so far. */
  function downloaded(): readonly string[] {
    return asked.flatMap((name) => Object.keys(outputs[name]?.inputs ?? {}))
  }

  function agrees(got: readonly (readonly number[])[], { outputs: expected }: Case): void {
    expect(got).toHaveLength(expected.length)
    for (const [i, numbers] of got.entries()) {
      const { data } = toTensor(expected[i], `output ${i}`)
      expect(numbers).toHaveLength(data.length)
      const scale = Math.max(1, ...Array.from(data, Math.abs))
      data.forEach((value, at) => {
        expect(Math.abs(numbers[at] - value)).toBeLessThan(1e-12 * scale)
      })
    }
  }

  /** Loads a URL in the page and runs it. */
  async function expectRuns(url: string, known: Case): Promise<void> {
    const got = await page.evaluate(
      ([at, inputs]) => (window as unknown as { gruv: PageApi }).gruv.run(at as string, inputs),
      [url, known.inputs] as const,
    )
    agrees(got, known)
  }

  /** The same with the files that an element of the page was given. */
  async function expectFilesRun(input: Locator, known: Case): Promise<void> {
    const got = await input.evaluate(
      (element, inputs) =>
        (window as unknown as { gruv: PageApi }).gruv.run(
          [...(element as HTMLInputElement).files!],
          inputs,
        ),
      known.inputs,
    )
    agrees(got, known)
  }

  const caseOf = (file: string): Case => cases.find((each) => each.file === file)!
  const hdf5 = (path: string): boolean => path.includes('node_modules/h5wasm/')

  it.each([
    'recurrent-2.15.h5',
    'recurrent-3.8.keras',
    'tfjs-uint8/model.json',
    'saved-model/saved_model.pb',
    'checkpoint/ckpt-7.index',
  ])('%s by its URL', async (file) => {
    await open()
    await expectRuns(`/test/fixtures/keras/${file}`, caseOf(file.replace('/saved_model.pb', '')))
    expect(downloaded().some(hdf5)).toBe(/\.(h5|keras)$/.test(file))
  })

  it('shards are asked for with the key of the model', async () => {
    await open()
    const file = 'tfjs-float32/model.json'
    await expectRuns(`/secret/test/fixtures/keras/${file}?key=let%20me`, caseOf(file))
  })

  it.each(['around-3.8.h5', 'wrapped-2.15.keras'])('%s as a File', async (file) => {
    await open()
    const input = page.locator('input').first()
    await input.setInputFiles(join(fixtures, file))
    expect(downloaded().some(hdf5)).toBe(false)
    await expectFilesRun(input, caseOf(file))
    expect(downloaded().some(hdf5)).toBe(true)
  })

  it.each(['tfjs-float16', 'tfjs-trained', 'saved-model', 'checkpoint'])(
    'the folder %s',
    async (folder) => {
      await open()
      const input = page.locator('input').last()
      await input.setInputFiles(join(fixtures, folder))
      const isOfFolder = ({ file }: Case) => file === folder || file === `${folder}/model.json`
      await expectFilesRun(input, cases.find(isOfFolder)!)
      expect(downloaded().filter(hdf5)).toEqual([])
    },
  )

  it.each([
    [
      'nothing.npz',
      'nothing.npz: the server did not give the file; expected status 200, got status 404',
    ],
    ['http://127.0.0.1:1/x.npz', 'http://127.0.0.1:1/x.npz: the server cannot be reached; got '],
    ['index.html', 'index.html: this is a web page (HTML)'],
  ])('%s: asked for once, and said what is wrong', async (url, message) => {
    await open()
    asked.length = 0
    const said = await page.evaluate(
      (at) =>
        (window as unknown as { gruv: PageApi }).gruv.stream(at).then(
          () => 'nothing is wrong',
          (error: Error) => error.message,
        ),
      url,
    )
    expect(said.startsWith(message), said).toBe(true)
    expect(asked.filter((path) => path === url.split('/').at(-1))).toHaveLength(1)
  })

  it('a page that streams a safetensors model downloads no reader of another format', async () => {
    await open()
    const output = await page.evaluate(() =>
      (window as unknown as { gruv: PageApi }).gruv.stream(
        '/examples/seattle-weather/model.safetensors',
      ),
    )
    expect(Number.isFinite(output)).toBe(true)
    const readers = downloaded().filter((path) => /dist\/(formats|bytes)\/|node_modules/.test(path))
    expect(readers.some((path) => path.endsWith('formats/safetensors.js'))).toBe(true)
    const others =
      /node_modules|keras|onnx|audio|pickle|torch|hdf5|zip\.js|np[yz]|protobuf|tensorflow|sstable/
    expect(readers.filter((path) => others.test(path))).toEqual([])
  })
})
