/**
 * The page's address says what is looked at: `?example`, or `?model=…&input=…&expected=…` from the
 * page's own server, and `#layer=gru&unit=3&t=17` for the selection, so that a link or a reload
 * comes back to the same number.
 */

import { effect } from '@preact/signals'
import type { Opening } from './actions.ts'
import * as state from './state.ts'

/** The example's files, served with the page. */
const example = {
  model: new URL('../examples/seattle-weather/model.safetensors', import.meta.url).href,
  input: new URL('../examples/seattle-weather/input.npy', import.meta.url).href,
  expected: new URL('../examples/seattle-weather/expected.npy', import.meta.url).href,
} as const

const tabs: readonly state.Tab[] = ['cell', 'statistics', 'weights', 'check', 'try', 'model']

export function exampleOpening(): Opening {
  return {
    model: { url: example.model },
    input: { url: example.input },
    expected: { url: example.expected },
  }
}

/** What the address asks to open; null for nothing. */
export function openingFromAddress(): Opening | null {
  const asked = new URLSearchParams(location.search)
  if (asked.has('example')) return exampleOpening()
  const model = asked.get('model')
  if (model === null) return null
  const source = (name: string): { url: string } | undefined => {
    const url = asked.get(name)
    return url === null ? undefined : { url: fromPage(url) }
  }
  return {
    model: { url: fromPage(model) },
    input: source('input'),
    expected: source('expected'),
    module: asked.get('module') ?? undefined,
  }
}

/** The worker lies in another folder than the page, which the address is relative to. */
function fromPage(url: string): string {
  return URL.canParse(url, location.href) ? new URL(url, location.href).href : url
}

export function sayExample(): void {
  history.replaceState(null, '', `?example${location.hash}`)
}

/** Files of the user's own have no address. */
export function sayOwnFiles(): void {
  history.replaceState(null, '', location.pathname)
}

export function readSelection(): void {
  const said = new URLSearchParams(location.hash.slice(1))
  const number = (name: string): number | null => {
    const text = said.get(name)
    const value = Number(text)
    return text === null || !Number.isInteger(value) || value < 0 ? null : value
  }
  const asked = tabs.find((name) => name === said.get('tab'))
  if (asked !== undefined) state.tab.value = asked
  state.layer.value = said.get('layer') ?? state.layer.value
  state.row.value = number('row') ?? state.row.value
  state.unit.value = number('unit') ?? state.unit.value
  state.t.value = number('t') ?? state.t.value
  state.from.value = number('from') ?? state.from.value
  state.to.value = number('to') ?? state.to.value
}

/** Browsers refuse more than about a hundred changes in half a minute. */
const WRITE_EVERY_MS = 400

export function followSelection(): void {
  let timer: ReturnType<typeof setTimeout> | undefined
  let written = ''
  const write = (): void => {
    const hash = `#${new URLSearchParams(selection())}`
    if (hash === written) return
    written = hash
    history.replaceState(null, '', hash)
  }
  effect(() => {
    selection()
    if (state.model.value === null) return
    clearTimeout(timer)
    timer = setTimeout(write, WRITE_EVERY_MS)
  })
  globalThis.addEventListener('hashchange', readSelection)
}

function selection(): Record<string, string> {
  const { tab, layer, row, unit, t, from, to, steps } = state
  const whole = from.value === 0 && to.value === steps.value
  return {
    tab: tab.value,
    ...(layer.value !== null && { layer: layer.value }),
    ...(row.value > 0 && { row: `${row.value}` }),
    unit: `${unit.value}`,
    t: `${t.value}`,
    ...(!whole && { from: `${from.value}`, to: `${to.value}` }),
  }
}
