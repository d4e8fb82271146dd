/** The studio as a site: what `gruv studio` serves and refuses, and the build in any folder. */

import { execFileSync } from 'node:child_process'
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { createServer, request, type Server } from 'node:http'
import { basename, delimiter, join, resolve } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { gruvProcess, temporaryFolder } from '../support/cli.ts'
import { noBrowser, serve, visit } from './support.ts'

const example = 'examples/seattle-weather'
const folder = temporaryFolder()
mkdirSync(join(folder, 'empty'))

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

  test('serves the files that were named, and nothing beside them', async () => {
    const model = url.searchParams.get('model')!
    const bytes = await (await fetch(new URL(model, url))).arrayBuffer()
    expect(Buffer.from(bytes)).toEqual(readFileSync(`${example}/layer.npz`))
    expect(basename(model)).toBe('layer.npz')
    expect((await fetch(new URL('README.md', new URL(model, url)))).status).toBe(404)
    expect((await fetch(new URL('model.safetensors', new URL(model, url)))).status).toBe(404)
  })

  test('of the data no more than the files that were named', async () => {
    const input = url.searchParams.get('input')!
    const bytes = await (await fetch(new URL(input, url))).arrayBuffer()
    expect(Buffer.from(bytes)).toEqual(readFileSync(`${example}/input.npy`))
    const beside = new URL(input.replace('input.npy', 'README.md'), url)
    expect((await fetch(beside)).status).toBe(404)
    expect((await fetch(new URL(input.replace('/input.npy', '/'), url))).status).toBe(404)
  })

  test('a folder: says what is in it, and gives that alone', async () => {
    const at = new URL(await serve([example]))
    const model = at.searchParams.get('model')!
    expect(model).toMatch(/\/seattle-weather\/$/)
    const listed = await (await fetch(new URL(model, at))).json()
    expect(listed).toEqual(expect.arrayContaining(['model.safetensors', 'input.npy']))
    expect((await fetch(new URL(`${model}layer.npz`, at))).status).toBe(200)
    expect(await status(at, `/${model}../../package.json`)).toBe(404)
    // The folder of a single file is not listed.
    const single = url.searchParams.get('model')!
    expect((await fetch(new URL(single.replace('layer.npz', ''), url))).status).toBe(404)
  })

  test.skipIf(process.platform === 'win32')('a folder: no link leads out of it', async () => {
    const [inside, outside] = [join(folder, 'linked'), join(folder, 'elsewhere')]
    for (const path of [inside, outside]) mkdirSync(path)
    writeFileSync(join(inside, 'own.txt'), 'own')
    writeFileSync(join(outside, 'secret.txt'), 'secret')
    symlinkSync('own.txt', join(inside, 'again.txt'))
    symlinkSync(join(outside, 'secret.txt'), join(inside, 'stolen.txt'))
    symlinkSync(outside, join(inside, 'beyond'))
    const at = new URL(await serve([inside]))
    const model = at.searchParams.get('model')!
    const given = async (name: string): Promise<number> =>
      (await fetch(new URL(`${model}${name}`, at))).status
    const names = ['own.txt', 'again.txt', 'stolen.txt', 'beyond/secret.txt', 'beyond']
    expect(await Promise.all(names.map(given))).toEqual([200, 200, 404, 404, 404])
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

  test.each([
    ['a name longer than any file has', `/${'a'.repeat(300)}`],
    ['a path longer than any file has', `/${'a/'.repeat(4000)}`],
    ['a path through a file', '/index.html/x'],
  ])('%s does not end the server', async (_, path) => {
    expect(await status(url, path)).toBeGreaterThanOrEqual(404)
    expect(await status(url, '/')).toBe(200)
  })

  test('its policy is that of the page, and no script of the page is inline', async () => {
    const response = await fetch(url)
    const policy = response.headers.get('content-security-policy')
    const html = await response.text()
    const [, own] = /http-equiv="Content-Security-Policy"\s+content="([^"]+)"/.exec(html)!
    expect(policy).toBe(`${own}; frame-ancestors 'none'`)
    expect(policy).not.toMatch(/unsafe-inline|unsafe-eval(?<!wasm-unsafe-eval)/)
    for (const [tag] of html.matchAll(/<script[^>]*>/g)) expect(tag).toContain(' src=')
  })

  test('refuses other names of this machine, and what is not reading', async () => {
    expect(await status(url, '/', { host: 'evil.example' })).toBe(403)
    // Before anything is looked at: the answer does not tell what is there.
    expect(await status(url, '/%zz', { host: 'evil.example' })).toBe(403)
    expect(await status(url, `/${'a'.repeat(300)}`, { host: 'evil.example' })).toBe(403)
    expect(await status(url, '/', {}, 'POST')).toBe(405)
  })

  test.each([
    [['no-such.npz'], /no-such\.npz: there is no such file/],
    [[join(folder, 'empty')], /this folder is empty; expected a folder with a model/],
    [[`${example}/layer.npz`, '--input', example], /this is a folder; expected a data file/],
    [['--input', `${example}/input.npy`], /data without a model/],
    [['--port', '99999'], /no port/],
  ])('%s is an error, and nothing is served', async (args, message) => {
    const { code, stderr } = await gruvProcess(['studio', '--no-open', ...args])
    expect([code, stderr]).toEqual([2, expect.stringMatching(message)])
  })

  test('the help says what it takes', async () => {
    const { code, stdout } = await gruvProcess(['studio', '--help'])
    expect(code).toBe(0)
    for (const word of ['[model]', '--input', '--expected', '--port', '--no-open', 'any free one'])
      expect(stdout).toContain(word)
  })

  test.skipIf(process.platform === 'win32')('a browser is opened unless told not to', async () => {
    const opened = join(folder, 'opened')
    const bin = join(folder, 'bin')
    mkdirSync(bin)
    for (const name of ['xdg-open', 'open'])
      writeFileSync(join(bin, name), `#!/bin/sh\necho "$1" > "${opened}"\n`, { mode: 0o755 })
    const PATH = `${bin}${delimiter}${process.env.PATH}`
    const at = await serve([], { open: true, env: { PATH } })
    await expect.poll(() => existsSync(opened) && readFileSync(opened, 'utf8').trim()).toBe(at)
  })

  test('a port that is taken is an error that says so', async () => {
    const { code, stderr } = await gruvProcess(['studio', '--no-open', '--port', url.port])
    expect([code, stderr]).toEqual([2, expect.stringMatching(/this port is taken/)])
  })
})

/** The path unchanged; `fetch` would normalize it. */
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
    // A server of files only: no headers, one folder.
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

describe.skipIf(noBrowser)('the package as others install it', () => {
  test('gruv studio of the tarball, run from another folder, opens its own example', async () => {
    const place = join(folder, 'installed')
    const packages = join(place, 'node_modules')
    mkdirSync(packages, { recursive: true })
    const args = ['pack', '--json', '--ignore-scripts', '--pack-destination', place]
    const shell = process.platform === 'win32'
    const printed = execFileSync('npm', args, { encoding: 'utf8', shell, stdio: 'pipe' })
    execFileSync('tar', ['-xzf', basename(JSON.parse(printed)[0].filename)], { cwd: place })
    // What npm installs: the dependencies, and none of the sources.
    symlinkSync(join(place, 'package'), join(packages, 'gruv'), 'junction')
    for (const name of Object.keys(JSON.parse(readFileSync('package.json', 'utf8')).dependencies)) {
      mkdirSync(join(place, 'package', 'node_modules', name, '..'), { recursive: true })
      symlinkSync(
        resolve('node_modules', name),
        join(place, 'package', 'node_modules', name),
        'junction',
      )
    }
    expect(readdirSync(join(place, 'package'))).not.toContain('studio')
    const program = join(packages, 'gruv', 'dist/cli/main.js')
    const model = join(packages, 'gruv', example, 'layer.npz')
    const url = await serve([model], { program, cwd: place })
    const { page, requests, complaints } = await visit(url)
    await page.getByText('Unit 0 of gru at timestep 0').waitFor()
    await page.goto(new URL('?example', url).href)
    await page.getByRole('tab', { name: /Check agrees/ }).waitFor()
    expect(await page.evaluate(() => crossOriginIsolated)).toBe(true)
    expect(requests.filter((asked) => new URL(asked).origin !== new URL(url).origin)).toEqual([])
    expect(complaints).toEqual([])
    await page.close()
  })
})
