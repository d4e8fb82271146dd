/**
 * The page's address says what is looked at: `?example`, or `?model=…&input=…&expected=…` from the
 * page's own server, and `#layer=gru&unit=3&t=17` for the selection, so that a link or a reload
 * comes back to the same number, `read=update=updates` among it for conventions that were chosen.
 */

import { batch, effect } from '@preact/signals'
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
    model: { urls: [example.model] },
    input: { urls: [example.input] },
    expected: { urls: [example.expected] },
    quirks: saidQuirks(),
  }
}

/** What the address asks to open; null for nothing. */
export function openingFromAddress(): Opening | null {
  const asked = new URLSearchParams(location.search)
  if (asked.has('example')) return exampleOpening()
  const model = asked.get('model')
  if (model === null) return null
  const source = (name: string): { urls: readonly string[] } | undefined => {
    const urls = asked.getAll(name).map(fromPage)
    return urls.length === 0 ? undefined : { urls }
  }
  const options = ['module', 'layer', 'until'].flatMap((name) => {
    const value = asked.get(name)
    return value === null ? [] : [[name, value] as const]
  })
  return {
    model: { urls: [fromPage(model)] },
    input: source('input'),
    expected: source('expected'),
    options: Object.fromEntries(options),
    quirks: saidQuirks(),
  }
}

/** The worker lies in another folder than the page, which the address is relative to. */
function fromPage(url: string): string {
  return URL.canParse(url, location.href) ? new URL(url, location.href).href : url
}

export function sayExample(): void {
  history.replaceState(null, '', `?example${location.hash}`)
}

/** Files of the user's own have no address; what is looked at has one, for when they come again. */
export function sayOwnFiles(): void {
  history.replaceState(null, '', location.pathname + location.hash)
}

export function saidQuirks(): readonly string[] {
  return new URLSearchParams(location.hash.slice(1)).getAll('read')
}

interface Said {
  readonly layer: string | null
  readonly row: number | null
}

/** Takes the selection from the address; layer and row are for the caller to compare. */
export function readSelection(): Said {
  const said = new URLSearchParams(location.hash.slice(1))
  const number = (name: string): number | null => {
    const text = said.get(name)
    const value = Number(text)
    return text === null || !Number.isInteger(value) || value < 0 ? null : value
  }
  const most = (value: number, count: number): number =>
    state.traced.value === null ? value : Math.min(value, count - 1)
  const { units = 1, steps = 1 } = state.traced.value ?? {}
  batch(() => {
    const asked = tabs.find((name) => name === said.get('tab'))
    if (asked !== undefined) state.tab.value = asked
    state.unit.value = most(number('unit') ?? state.unit.value, units)
    state.t.value = most(number('t') ?? state.t.value, steps)
    const whole = state.traced.value === null ? 0 : steps
    const [from, to] = [number('from') ?? 0, number('to') ?? whole]
    // Before there is a trace nobody knows how long it is: it is asked again then.
    if (state.traced.value === null || (from < to && to <= steps)) {
      state.from.value = from
      state.to.value = to
    }
  })
  return { layer: said.get('layer'), row: number('row') }
}

/** Browsers refuse more than about a hundred changes in half a minute. */
const WRITE_EVERY_MS = 400

/** @param onOther when the address comes to name another layer or row than is traced. */
export function followSelection(onOther: (said: Said) => void): void {
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
  globalThis.addEventListener('hashchange', () => {
    written = location.hash
    onOther(readSelection())
  })
}

function selection(): string[][] {
  const { tab, layer, row, unit, t, from, to, steps, model } = state
  const whole = from.value === 0 && to.value === steps.value
  return [
    ['tab', tab.value],
    ...(layer.value === null ? [] : [['layer', layer.value]]),
    ...(row.value > 0 ? [['row', `${row.value}`]] : []),
    ['unit', `${unit.value}`],
    ['t', `${t.value}`],
    ...(whole
      ? []
      : [
          ['from', `${from.value}`],
          ['to', `${to.value}`],
        ]),
    ...(model.value?.quirks ?? []).map((quirk) => ['read', quirk]),
  ]
}
