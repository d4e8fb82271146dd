/** Launches a real browser for tests of pages, which skip where there is none. */

import { existsSync } from 'node:fs'
import { type Browser, chromium } from 'playwright-core'

const places = [
  process.env.GRUV_CHROMIUM,
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
]

const executablePath: string | undefined = places.find(
  (place) => place !== undefined && existsSync(place),
)

/** Tests say `describe.skipIf(!haveBrowser)`. */
export const haveBrowser: boolean = executablePath !== undefined

/** Without the sandbox, which containers refuse; the browser opens only our own pages. */
export function launchBrowser(): Promise<Browser> {
  return chromium.launch({ executablePath: executablePath!, args: ['--no-sandbox'] })
}
