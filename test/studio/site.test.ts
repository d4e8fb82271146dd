/** The studio as a site: what `gruv studio` serves and refuses, and the build in any folder. */

import { readFileSync } from 'node:fs'
import { createServer, request, type Server } from 'node:http'
import { basename, join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { gruv } from '../support/cli.ts'
import { noBrowser, serve, visit } from './support.ts'

const example = 'examples/seattle-weather'

describe('gruv studio', () => {
  let url: URL

  beforeAll(async () => {
    url = new URL(await serve([`${example}/layer.npz`, '--input', `${example}/input.npy`]))
  })

  test('serves the page, isolated so that memory can be shared', async () => {
    const response = await fetch(url)
    expect(response.headers.get('content-type')).toContain('text/html')
    expect(response.headers.get('cross-origin-opener-policy')).toBe('same-origin')
    expect(response.headers.get('cross-origin-embedder-policy')).toBe('require-corp')
    expect(await response.text()).toContain('gruv studio')
  })

  test('serves the files that were named, and what lies beside the model', async () => {
    const model = url.searchParams.get('model')!
    const bytes = await (await fetch(new URL(model, url))).arrayBuffer()
    expect(Buffer.from(bytes)).toEqual(readFileSync(`${example}/layer.npz`))
    expect(basename(model)).toBe('layer.npz')
    expect((await fetch(new URL('README.md', new URL(model, url)))).status).toBe(200)
  })

  test.each([
    ['what lies above the model', (model: string) => `/${model}/../../package.json`],
    [
      'the same, escaped',
      (model: string) => `/${model.replace('layer.npz', '')}..%2f..%2fpackage.json`,
    ],
    [
      'the same, escaped twice',
      (model: string) => `/${model.replace('layer.npz', '')}%2e%2e/%2e%2e/package.json`,
    ],
    ['what lies above the site', () => '/..%2findex.js'],
    ['files without the secret', () => '/model/layer.npz'],
    ['an absolute path', () => '//etc/passwd'],
    ['a null byte', () => '/index.html%00.js'],
    ['a broken escape', () => '/%zz'],
    ['a folder', () => '/assets'],
  ])('refuses %s', async (_, path) => {
    expect(await status(url, path(url.searchParams.get('model')!))).toBe(404)
  })

  test('refuses other names of this machine, and what is not reading', async () => {
    expect(await status(url, '/', { host: 'evil.example' })).toBe(403)
    expect(await status(url, '/', {}, 'POST')).toBe(405)
  })

  test.each([
    [['no-such.npz'], /no-such\.npz: there is no such file/],
    [['examples'], /this is a folder/],
    [['--input', `${example}/input.npy`], /data without a model/],
    [['--port', '99999'], /no port/],
  ])('%s is an error, and nothing is served', async (args, message) => {
    const { code, stderr } = await gruv(['studio', '--no-open', ...args])
    expect([code, stderr]).toEqual([2, expect.stringMatching(message)])
  })

  test('a port that is taken is an error that says so', async () => {
    const { code, stderr } = await gruv(['studio', '--no-open', '--port', url.port])
    expect([code, stderr]).toEqual([2, expect.stringMatching(/this port is taken/)])
  })
})

/** As it stands: `fetch` would tidy the path. */
function status(
  { port }: URL,
  path: string,
  headers: Record<string, string> = {},
  method = 'GET',
): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    request({ host: '127.0.0.1', port, path, method, headers }, (response) => {
      response.resume()
      resolve(response.statusCode)
    })
      .on('error', reject)
      .end()
  })
}

describe.skipIf(noBrowser)('the build as a static site', () => {
  const root = '/some/folder/'
  let server: Server
  let origin: string

  beforeAll(async () => {
    // Nothing but files: no headers, and no folder but one.
    server = createServer((asked, response) => {
      const path = asked.url!.split('?')[0]
      try {
        if (!path.startsWith(root)) throw new Error('elsewhere')
        const name = path.slice(root.length) || 'index.html'
        const type = name.endsWith('.js')
          ? 'text/javascript'
          : name.endsWith('.css')
            ? 'text/css'
            : name.endsWith('.html')
              ? 'text/html'
              : name.endsWith('.svg')
                ? 'image/svg+xml'
                : 'application/octet-stream'
        const bytes = readFileSync(join('dist/studio', name))
        response.writeHead(200, { 'Content-Type': type }).end(bytes)
      } catch {
        response.writeHead(404).end()
      }
    })
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
    const address = server.address()
    origin = `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`
  })
  afterAll(() => server.close())

  test('works from a folder of a plain server; the first view is below 200 KB, gzipped', async () => {
    const { page, requests, complaints } = await visit(`${origin}${root}?example`)
    await page.getByRole('tab', { name: /Check agrees/ }).waitFor()
    expect(complaints).toEqual([])
    expect(requests.filter((url) => !url.startsWith(origin + root))).toEqual([])
    const files = new Set(requests.map((url) => new URL(url).pathname.slice(root.length)))
    const bytes = [...files].map(
      (name) => gzipSync(readFileSync(join('dist/studio', name || 'index.html'))).length,
    )
    const total = bytes.reduce((a, b) => a + b, 0)
    console.info(`studio: the example's first view is ${(total / 1000).toFixed(0)} KB gzipped`)
    expect(total).toBeLessThan(200_000)
    await page.close()
  })
})
