/**
 * Accessibility of the studio: WCAG AA as far as axe can tell, by keyboard alone, on a phone.
 */

import axe from 'axe-core'
import type { Page } from 'playwright-core'
import { beforeAll, describe, expect, test } from 'vitest'
import { choose, noBrowser, openTab, serve, visit } from './support.ts'

let origin: string

const schemes = ['light', 'dark'] as const
const sizes = [
  ['wide', { width: 1440, height: 900 }],
  ['narrow', { width: 360, height: 740 }],
] as const
const each = schemes.flatMap((scheme) => sizes.map(([name, size]) => [scheme, name, size] as const))

interface AxeWindow {
  readonly axe: {
    run(
      root: Document,
      options: object,
    ): Promise<{ violations: readonly { id: string; nodes: readonly { html: string }[] }[] }>
  }
}

async function violations(page: Page): Promise<readonly string[]> {
  return page.evaluate(async () => {
    const found = await (globalThis as unknown as AxeWindow).axe.run(document, {
      runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'],
    })
    return found.violations.map(({ id, nodes }) => `${id}: ${nodes[0].html.slice(0, 160)}`)
  })
}

/** By how much the page is wider than its window, and texts that their boxes cut off. */
function overflowing(page: Page): Promise<{ sideways: number; cut: readonly string[] }> {
  return page.evaluate(() => {
    const root = document.documentElement
    const cut = [...document.querySelectorAll<HTMLElement>('button, h1, h2, h3, dd, figcaption')]
    return {
      sideways: root.scrollWidth - root.clientWidth,
      cut: cut
        .filter(({ scrollWidth, clientWidth }) => clientWidth > 0 && scrollWidth > clientWidth + 1)
        .map(({ textContent }) => textContent ?? ''),
    }
  })
}

/** Texts in drawings with a contrast below 4.5 to 1; axe does not check pictures. */
function faintTexts(page: Page): Promise<readonly string[]> {
  return page.evaluate(() => {
    const rgb = (colour: string): number[] =>
      colour
        .match(/[\d.]+/g)!
        .slice(0, 3)
        .map(Number)
    const light = (colour: string): number => {
      const [r, g, b] = rgb(colour).map((part) => {
        const share = part / 255
        return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4
      })
      return 0.2126 * r + 0.7152 * g + 0.0722 * b
    }
    const contrast = (a: string, b: string): number => {
      const [x, y] = [light(a), light(b)].sort((p, q) => q - p)
      return (x + 0.05) / (y + 0.05)
    }
    const paper = (element: Element): string => {
      const { backgroundColor } = getComputedStyle(element)
      const through = /, 0\)$/.test(backgroundColor)
      return through ? paper(element.parentElement!) : backgroundColor
    }
    return [...document.querySelectorAll<SVGTextElement>('svg text')].flatMap((text) => {
      const frame = text.parentElement?.querySelector('.frame, .box, .operation') ?? null
      const behind = frame === null ? paper(text) : getComputedStyle(frame).fill
      const found = contrast(getComputedStyle(text).fill, behind)
      return found < 4.5 ? [`${text.textContent}: ${found.toFixed(2)}`] : []
    })
  })
}

describe.skipIf(noBrowser)('accessibility of the studio', () => {
  beforeAll(async () => {
    origin = await serve()
  })

  test.each(each)('%s, %s: every view passes axe, nothing is cut off', async (scheme, _, size) => {
    // Axe is not a part of the page, so the page's policy is bypassed.
    const { page } = await visit(origin, {
      colorScheme: scheme,
      viewport: size,
      bypassCSP: true,
    })
    await page.addScriptTag({ content: axe.source })
    const check = async (view: string): Promise<void> => {
      expect(await violations(page), view).toEqual([])
      expect(await overflowing(page), view).toEqual({ sideways: 0, cut: [] })
      expect(await faintTexts(page), view).toEqual([])
    }
    await check('start')
    await page.getByRole('button', { name: 'Open the example' }).click()
    await page.getByRole('tab', { name: /Check agrees/ }).waitFor()
    for (const tab of ['Inside', 'Statistics', 'Weights', 'Try it', 'Model', 'Check']) {
      await openTab(page, tab)
      await check(tab)
    }
    await openTab(page, 'Try it')
    await page.getByRole('button', { name: 'Start' }).click()
    await page.getByRole('button', { name: 'Pause' }).click()
    await check('Try it, after some steps')
    await openTab(page, 'Check')
    await page.getByLabel('update gate').selectOption('updates')
    await page.locator('[data-verdict=fail]').waitFor()
    await page.getByRole('button', { name: /Diagnose/ }).click()
    await page.locator('[data-diagnosis]').waitFor()
    await choose(page, 'Expected', 'README.md')
    await page.getByRole('alert').waitFor()
    await check('an error and a diagnosis')
    await choose(page, 'Model', 'test/fixtures/pytorch/lstm.pt')
    await openTab(page, 'Inside')
    await page.getByText('forget gate').first().waitFor()
    await check('an LSTM, with an input that is made up')
    await page.close()
  })

  test('by keyboard alone: the example, its views, a step, another unit', async () => {
    const { page } = await visit(origin)
    await tabTo(page, 'Open the example')
    await page.keyboard.press('Enter')
    await page.getByRole('tab', { name: /Check agrees/ }).waitFor()
    await tabTo(page, 'Inside the cell')
    for (const title of ['Statistics', 'Weights', 'Check', 'Try it', 'Model', 'Inside the cell']) {
      await page.keyboard.press('ArrowRight')
      await page.getByRole('tab', { name: title, selected: true }).waitFor()
      expect(await focused(page)).toContain(title)
    }
    await tabTo(page, 'Timestep')
    await page.keyboard.press('ArrowRight')
    await page.keyboard.press('ArrowRight')
    await page.getByText('at timestep 2').waitFor()
    await tabTo(page, 'Unit')
    await page.keyboard.press('ArrowUp')
    await page.getByText('Unit 1 of gru at timestep 2').waitFor()
    await page.close()
  })

  test.each(['Inside', 'Check', 'Model', 'Try it'])(
    '%s: whatever has the focus shows it, and has a name',
    async (tab) => {
      const { page } = await visit(`${origin}?example`)
      await page.getByRole('tab', { name: /Check agrees/ }).waitFor()
      await openTab(page, tab)
      await page.locator('body').click({ position: { x: 5, y: 300 } })
      const seen = new Set<string>()
      for (let i = 0; i < 60; i++) {
        await page.keyboard.press('Tab')
        const at = await page.evaluate(focus)
        if (at === null || seen.has(at.id)) break
        seen.add(at.id)
        expect(at.outline, at.id).toBeGreaterThanOrEqual(2)
        expect(at.name, at.id).not.toBe('')
      }
      expect(seen.size).toBeGreaterThan(4)
      await page.close()
    },
  )
})

/** The focused element: its name, and the width of the outline of it or of its label. */
function focus(): { id: string; name: string; outline: number } | null {
  const element = document.activeElement
  if (!(element instanceof HTMLElement) || element === document.body) return null
  const shown = element.closest('.file') ?? element
  const { outlineStyle, outlineWidth } = getComputedStyle(shown)
  const labels = element instanceof HTMLInputElement ? [...(element.labels ?? [])] : []
  const words = [element.ariaLabel, ...labels.map((each) => each.textContent), element.textContent]
  const name = words.find((text) => text !== null && text.trim() !== '')?.trim() ?? ''
  const path = [...document.querySelectorAll('*')].indexOf(element)
  return {
    id: `${path} <${element.tagName}> ${name}`,
    name,
    outline: outlineStyle === 'none' ? 0 : Number.parseFloat(outlineWidth),
  }
}

async function focused(page: Page): Promise<string> {
  return (await page.evaluate(focus))?.name ?? ''
}

/** Presses Tab until the element with this name has the focus. */
async function tabTo(page: Page, name: string): Promise<void> {
  for (let i = 0; i < 60; i++) {
    if ((await focused(page)).startsWith(name)) return
    await page.keyboard.press('Tab')
  }
  throw new Error(`Tab does not reach ${name}`)
}
