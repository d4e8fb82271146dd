/**
 * Keeps the state of the page in its address, so that a link or a reload returns to the same
 * number: `?example`, or `?model=…&input=…&expected=…` from the page's own server;
 * `#layer=gru&unit=3&t=17` for the selection, and in it `read=update=updates` for conventions that
 * were chosen.
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
    quirks: quirksInAddress(),
  }
}

/** The files that the address names; null for none. */
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
    quirks: quirksInAddress(),
  }
}

/** Addresses are relative to the page, and the worker lies in another folder. */
function fromPage(url: string): string {
  return URL.canParse(url, location.href) ? new URL(url, location.href).href : url
}

export function writeExampleAddress(): void {
  history.replaceState(null, '', `?example${location.hash}`)
}

/** The user's own files have no address; the selection is kept for when they are opened again. */
export function clearAddress(): void {
  history.replaceState(null, '', location.pathname + location.hash)
}

export function quirksInAddress(): readonly string[] {
  return new URLSearchParams(location.hash.slice(1)).getAll('read')
}

interface AddressedSelection {
  readonly layer: string | null
  readonly row: number | null
}

/** Applies the selection in the address; the caller compares the layer and the row. */
export function readSelection(): AddressedSelection {
  const hash = new URLSearchParams(location.hash.slice(1))
  const number = (name: string): number | null => {
    const text = hash.get(name)
    const value = Number(text)
    return text === null || !Number.isInteger(value) || value < 0 ? null : value
  }
  const most = (value: number, count: number): number =>
    state.traced.value === null ? value : Math.min(value, count - 1)
  const { units = 1, steps = 1 } = state.traced.value ?? {}
  batch(() => {
    const asked = tabs.find((name) => name === hash.get('tab'))
    if (asked !== undefined) state.tab.value = asked
    state.unit.value = most(number('unit') ?? state.unit.value, units)
    state.t.value = most(number('t') ?? state.t.value, steps)
    const whole = state.traced.value === null ? 0 : steps
    const [from, to] = [number('from') ?? 0, number('to') ?? whole]
    // The length is unknown before there is a trace; the range is checked again then.
    if (state.traced.value === null || (from < to && to <= steps)) {
      state.from.value = from
      state.to.value = to
    }
  })
  return { layer: hash.get('layer'), row: number('row') }
}

/** Browsers refuse more than about a hundred changes in half a minute. */
const WRITE_EVERY_MS = 400

/** @param onOther called when the address may name another layer or row than the traced one. */
export function followSelection(onOther: (selection: AddressedSelection) => void): void {
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
