/** Starts the page. */

import { effect } from '@preact/signals'
import { render } from 'preact'
import { follow, open } from './actions.ts'
import { followSelection, openingFromAddress, readSelection } from './address.ts'
import * as state from './state.ts'
import { App } from './views/app.tsx'

const THEME = 'gruv-theme'

readTheme()
readSelection()
follow()
followSelection()
// What stands there is for those without JavaScript.
const page = document.getElementById('page')!
page.replaceChildren()
render(<App />, page)
const opening = openingFromAddress()
if (opening !== null) void open(opening)

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
    // The page works without.
  }
}
