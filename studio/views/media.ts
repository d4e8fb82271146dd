/** Follows whether the page is dark or light, wide or narrow. */

import { type Signal, signal } from '@preact/signals'
import { theme } from '../state.ts'

const dark = matches('(prefers-color-scheme: dark)')
const narrow = matches('(max-width: 620px)')

function matches(query: string): Signal<boolean> {
  const list = matchMedia(query)
  const now = signal(list.matches)
  list.addEventListener('change', ({ matches }) => {
    now.value = matches
  })
  return now
}

/** Whether the page is dark, as chosen or by the system's preference. */
export function useDark(): boolean {
  return theme.value === 'auto' ? dark.value : theme.value === 'dark'
}

/** Whether it is as narrow as a phone. */
export function useNarrow(): boolean {
  return narrow.value
}
