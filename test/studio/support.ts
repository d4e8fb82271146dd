/** Serves the studio by `gruv studio` and opens it in a browser. */

import { type ChildProcess, spawn } from 'node:child_process'
import type { Browser, BrowserContextOptions, Page } from 'playwright-core'
import { afterAll } from 'vitest'
import { haveBrowser, launchBrowser } from '../support/browser.ts'

export const noBrowser: boolean = !haveBrowser

if (noBrowser) console.warn('studio: no chromium on this machine, so its tests skip')

let browser: Browser | null = null

/** A page that fails its test when anything goes wrong that the test does not expect. */
export interface Visit {
  readonly page: Page
  /** The requested addresses. */
  readonly requests: readonly string[]
  /** The errors that the page threw or logged. */
  readonly complaints: readonly string[]
}

export async function visit(url: string, options: BrowserContextOptions = {}): Promise<Visit> {
  browser ??= await launchBrowser()
  const context = await browser.newContext({
    viewport: { width: 1360, height: 900 },
    ...options,
  })
  const page = await context.newPage()
  page.setDefaultTimeout(10_000)
  const requests: string[] = []
  const complaints: string[] = []
  context.on('request', (request) => requests.push(request.url()))
  page.on('pageerror', (error) => complaints.push(error.message))
  page.on('console', (message) => {
    if (message.type() === 'error') complaints.push(message.text())
  })
  await page.goto(url)
  return { page, requests, complaints }
}

const servers: ChildProcess[] = []

interface ServeOptions {
  /** The command, if not the one that is built here. */
  readonly program?: string
  readonly cwd?: string
  readonly env?: Readonly<Record<string, string>>
  /** Whether it may open a browser. */
  readonly open?: boolean
}

/** Starts `gruv studio …` of the built package. @returns its address. */
export function serve(args: readonly string[] = [], options: ServeOptions = {}): Promise<string> {
  const { program = 'dist/cli/main.js', cwd, env, open = false } = options
  const flags = open ? [] : ['--no-open']
  const server = spawn(process.execPath, [program, 'studio', ...flags, ...args], {
    ...(cwd !== undefined && { cwd }),
    env: { ...process.env, ...env },
  })
  servers.push(server)
  return new Promise((resolve, reject) => {
    let said = ''
    const hear = (chunk: Buffer): void => {
      said += chunk
      const url = /http:\S+/.exec(said)?.[0]
      if (url !== undefined) resolve(url)
    }
    server.stdout.on('data', hear)
    server.stderr.on('data', hear)
    server.on('exit', (code) => reject(new Error(`gruv studio ended with ${code}: ${said}`)))
  })
}

afterAll(async () => {
  await browser?.close()
  for (const server of servers) server.kill()
})

/** Chooses files with the page's own buttons. */
export async function choose(page: Page, label: string, paths: string | string[]): Promise<void> {
  await page.locator('label.file', { hasText: label }).first().locator('input').setInputFiles(paths)
}

export async function openTab(page: Page, title: string): Promise<void> {
  await page.getByRole('tab', { name: title }).click()
}

/** The numbers on the wires, by name, as they are shown. */
export function shownWires(page: Page): Promise<Record<string, string>> {
  return page.evaluate(() =>
    Object.fromEntries(
      [...document.querySelectorAll<HTMLElement>('[data-wire]')].map((element) => [
        element.dataset.wire,
        element.textContent,
      ]),
    ),
  )
}
