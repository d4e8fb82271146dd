/** Whether the page is dark: as chosen, else as the system says. */

import { signal } from '@preact/signals'
import { theme } from '../state.ts'

const query = matchMedia('(prefers-color-scheme: dark)')
const system = signal(query.matches)
query.addEventListener('change', ({ matches }) => {
  system.value = matches
})

export function useDark(): boolean {
  return theme.value === 'auto' ? system.value : theme.value === 'dark'
}
