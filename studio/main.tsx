/** Starts the page. */

import { effect } from '@preact/signals'
import { render } from 'preact'
import { attempt, follow, lookAt, open } from './actions.ts'
import { followSelection, openingFromAddress, readSelection } from './address.ts'
import { watchDrops } from './drops.ts'
import type { NamedFile } from './engine/protocol.ts'
import { openFiles } from './open-files.ts'
import * as state from './state.ts'
import { App } from './views/app.tsx'

const THEME = 'gruv-theme'

readTheme()
const { layer, row } = readSelection()
state.layer.value = layer
state.row.value = row ?? 0
follow()
followSelection((selection) => {
  const { value: traced } = state.traced
  if (traced === null) return
  const other = selection.layer ?? traced.layer
  const place = { row: selection.row ?? 0, unit: state.unit.value, timestep: state.t.value }
  const known = state.model.value?.cells.some(({ name }) => name === other) === true
  if (known && (other !== traced.layer || place.row !== traced.row))
    void lookAt({ layer: other, ...place })
})
watchDrops((held) => {
  state.held.value = held
}, takeDrop)
effect(() => {
  const { value: model } = state.model
  document.title = model === null ? 'gruv studio' : `${model.summary.name} · gruv studio`
})
// The static content is for browsers without JavaScript.
const page = document.getElementById('page')!
page.replaceChildren()
render(<App />, page)
const opening = openingFromAddress()
if (opening !== null) void open(opening)

async function takeDrop(dropped: Promise<readonly NamedFile[]>): Promise<void> {
  let files: readonly NamedFile[] = []
  await attempt('Looking at what was dropped', async () => {
    files = await dropped
  })
  if (files.length > 0) openFiles(files)
}

function readTheme(): void {
  const said = remembered()
  if (said === 'light' || said === 'dark') state.theme.value = said
  effect(() => {
    const { value } = state.theme
    if (value === 'auto') delete document.documentElement.dataset.theme
    else document.documentElement.dataset.theme = value
    remember(value)
  })
}

/** Storage may be forbidden; then nothing is remembered. */
function remembered(): string | null {
  try {
    return localStorage.getItem(THEME)
  } catch {
    return null
  }
}

function remember(value: string): void {
  try {
    localStorage.setItem(THEME, value)
  } catch {
    // The page works without it.
  }
}
