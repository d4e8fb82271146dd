/** Runs the probe in pages of a real browser. */

import { readFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { extname, join, normalize } from 'node:path'
import type { Browser } from 'playwright-core'
import { haveBrowser, launchBrowser } from '../../support/browser.ts'
import { Unavailable } from './project.ts'
import type { Seen } from './seen.ts'

const types: Readonly<Record<string, string>> = {
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.mjs': 'text/javascript',
  '.wasm': 'application/wasm',
}

export interface Page {
  /** Files of this folder are served. */
  readonly folder: string
  /** Its HTML, which puts a promise of what the probe saw into `globalThis.seen`. */
  readonly html: string
  /** The Content-Security-Policy of all answers. */
  readonly policy?: string
}

export interface Pages {
  readonly version: () => Promise<string>
  /** @throws Unavailable where there is no browser. */
  readonly seenIn: (page: Page) => Promise<Seen>
  readonly close: () => Promise<void>
}

export function openPages(): Pages {
  let launched: Promise<Browser> | undefined
  const browser = (): Promise<Browser> => {
    if (!haveBrowser) throw new Unavailable('there is no Chromium (GRUV_CHROMIUM says where it is)')
    launched ??= launchBrowser()
    return launched
  }
  return {
    version: async () => (await browser()).version(),
    async seenIn(page) {
      const there = await browser()
      const server = await serve(page)
      const tab = await there.newPage()
      try {
        const problems: string[] = []
        tab.on('pageerror', (error) => problems.push(error.message))
        tab.on('console', (message) => {
          if (message.type() === 'error') problems.push(message.text())
        })
        await tab.goto(`http://localhost:${(server.address() as AddressInfo).port}/`)
        try {
          await tab.waitForFunction('globalThis.seen !== undefined', null, { timeout: 20_000 })
          return await tab.evaluate<Seen>('globalThis.seen')
        } catch (error) {
          // A stack of the page's would be taken for one of the test's.
          const told = [(error as Error).message, ...problems].join('\n')
          throw new Error(told.replaceAll(/^ +at /gm, 'in '))
        }
      } finally {
        await tab.close()
        server.close()
      }
    },
    close: async () => (await launched)?.close(),
  }
}

async function serve({ folder, html, policy }: Page): Promise<Server> {
  const server = createServer(({ url = '/' }, response) => {
    const path = normalize(decodeURIComponent(new URL(url, 'http://localhost').pathname))
    if (policy !== undefined) response.setHeader('content-security-policy', policy)
    try {
      const body = path === '/' ? html : readFileSync(join(folder, path))
      response.setHeader('content-type', types[extname(path) || '.html'] ?? 'text/plain')
      response.end(body)
    } catch {
      response.writeHead(404).end()
    }
  })
  await new Promise<void>((resolve) => server.listen(0, 'localhost', resolve))
  return server
}
