/** Threads in a page: the built package through a bundler, which makes the worker's script. */

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { build } from 'vite'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { compileSync, type EngineReport } from '../../src/index.ts'
import { gru, sequential } from '../../src/model/index.ts'
import { haveBrowser, launchBrowser } from '../support/browser.ts'

const from = (file: string) => JSON.stringify(join(process.cwd(), 'dist', file))
/** The test computes the same numbers, with the JavaScript kernels. */
const made = `
  let seed = 1
  const numbers = (...shape) => ({
    shape,
    data: Float32Array.from({ length: shape.reduce((a, b) => a * b) }, () => {
      seed = (seed * 16807) % 2147483647
      return seed / 2147483647 - 0.5
    }),
  })
  return {
    layer: { kernel: numbers(3, 18), recurrentKernel: numbers(6, 18), bias: numbers(2, 18) },
    x: numbers(11, 40, 3),
  }
`
const page = `
  import { compile } from ${from('index.js')}
  import { gru, sequential } from ${from('model/index.js')}
  globalThis.run = async (options) => {
    const { layer, x } = (() => { ${made} })()
    const program = await compile(sequential([gru(layer)]), options)
    const { y } = await program.predictAsync(x)
    const error = await program.predictAsync(x, { lengths: [1] }).catch(({ name, code }) => [name, code])
    return { y: Array.from(y.data), engine: program.engine, error }
  }
`

interface Answer {
  readonly y: readonly number[]
  readonly engine: EngineReport
  readonly error: readonly string[]
}

describe.skipIf(!haveBrowser)('threads in a page', () => {
  const launched = haveBrowser ? launchBrowser() : null
  const folder = mkdtempSync(join(tmpdir(), 'gruv-threads-'))
  let expected: readonly number[]

  beforeAll(async () => {
    writeFileSync(join(folder, 'index.html'), '<script type="module" src="./page.js"></script>')
    writeFileSync(join(folder, 'page.js'), page)
    // What only Node runs is nothing to a page.
    const withoutNode = () => ({
      name: 'without-node',
      enforce: 'pre' as const,
      load: (id: string) => (id.endsWith('.node.js') ? 'export {}' : null),
    })
    const checks = { ineffectiveDynamicImport: false, importIsUndefined: false }
    await build({
      root: folder,
      configFile: false,
      logLevel: 'error',
      plugins: [withoutNode()],
      worker: { format: 'es' },
      build: { target: 'es2022', rolldownOptions: { checks } },
    })
    const { layer, x } = new Function(made)()
    const { y } = compileSync(sequential([gru(layer)]), { engine: 'js' }).predict(x)
    expected = Array.from(y.data)
  }, 120_000)
  afterAll(async () => {
    rmSync(folder, { recursive: true, force: true })
    await (await launched)?.close()
  })

  async function visit(
    options: object,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<{ readonly answer: Answer; readonly workers: number }> {
    const context = await (await launched!).newContext()
    try {
      const tab = await context.newPage()
      await context.route('**/*', (route) => {
        const { pathname } = new URL(route.request().url())
        const path = pathname === '/' ? '/index.html' : pathname
        const contentType = path.endsWith('.html') ? 'text/html' : 'text/javascript'
        const body = readFileSync(join(folder, 'dist', path))
        return route.fulfill({ contentType, body, headers })
      })
      await tab.goto('http://page.test/')
      await tab.waitForFunction('globalThis.run !== undefined', null, { polling: 20 })
      const run = (options: object) =>
        (globalThis as never as { run: (options: object) => Promise<Answer> }).run(options)
      const answer = await tab.evaluate(run, options)
      return { answer, workers: tab.workers().length }
    } finally {
      await context.close()
    }
  }

  it.each([[{ threads: 2, deterministic: true, engine: 'wasm' }], [{ threads: 3, engine: 'js' }]])(
    '%j',
    async (options) => {
      const { answer, workers } = await visit(options)
      expect(answer.engine.whyOneThread).toBe(undefined)
      expect(answer.engine).toMatchObject({ kind: options.engine, threads: options.threads })
      expect(workers).toBe(options.threads)
      expect(answer.y).toEqual(expected)
      expect(answer.error).toEqual(['GruvError', 'bad-argument'])
    },
  )

  it('uses one thread where a policy forbids workers', async () => {
    const policy = { 'content-security-policy': "worker-src 'none'" }
    const { answer, workers } = await visit({ threads: 2, deterministic: true }, policy)
    expect(answer.engine.threads).toBe(1)
    expect(answer.engine.whyOneThread).toMatch(/^this host has no workers: ./)
    expect(workers).toBe(0)
    expect(answer.y).toEqual(expected)
  })
})
