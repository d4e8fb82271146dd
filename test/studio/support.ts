/** A browser, and the studio as `gruv studio` serves it. */

import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core'
import { afterAll } from 'vitest'

const places = [
  process.env.GRUV_CHROMIUM ?? '',
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
]

/** Where a browser is; null where there is none, and the tests that need one skip. */
const browserPath: string | null = places.find((path) => path !== '' && existsSync(path)) ?? null

export const noBrowser: boolean = browserPath === null

if (noBrowser) console.warn('studio: no chromium on this machine, so its tests skip')

let browser: Browser | null = null

/** A page that fails its test when anything goes wrong that the test does not expect. */
export interface Visit {
  readonly page: Page
  /** Addresses that were asked for. */
  readonly requests: readonly string[]
  /** What the page threw or complained of. */
  readonly complaints: readonly string[]
}

export async function visit(url: string, options: BrowserContextOptions = {}): Promise<Visit> {
  browser ??= await chromium.launch({
    executablePath: browserPath!,
    // Containers have no user namespaces; the pages are our own.
    args: ['--no-sandbox'],
  })
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
  /** The command, where it is not the one that is built here. */
  readonly program?: string
  readonly cwd?: string
  readonly env?: Readonly<Record<string, string>>
  /** Whether it may open a browser. */
  readonly open?: boolean
}

/** `gruv studio …` of the built package; its address. */
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

/** Files through the page's own buttons. */
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
