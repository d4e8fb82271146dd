/** The page: header, what went wrong, and the view that is chosen. */

import type { JSX } from 'preact'
import { useErrorBoundary } from 'preact/hooks'
import * as state from '../state.ts'
import { CellView } from './cell-view.tsx'
import { CheckView } from './check-view.tsx'
import { Failure } from './failure.tsx'
import { Header } from './header.tsx'
import { ModelView } from './model-view.tsx'
import { acceptDrops, Start } from './start.tsx'
import { StatisticsView } from './statistics-view.tsx'
import { Timeline } from './timeline.tsx'
import { TryView } from './try-view.tsx'
import { WeightsView } from './weights-view.tsx'

const tabs: readonly { readonly id: state.Tab; readonly title: string }[] = [
  { id: 'cell', title: 'Inside the cell' },
  { id: 'statistics', title: 'Statistics' },
  { id: 'weights', title: 'Weights' },
  { id: 'check', title: 'Check' },
  { id: 'try', title: 'Try it' },
  { id: 'model', title: 'Model' },
]

const views: Readonly<Record<state.Tab, () => JSX.Element>> = {
  cell: CellView,
  statistics: StatisticsView,
  weights: WeightsView,
  check: CheckView,
  try: TryView,
  model: ModelView,
}

/** Views that the steps of the trace mean nothing to. */
const timeless: ReadonlySet<state.Tab> = new Set(['try', 'model'])

export function App(): JSX.Element {
  const open = state.model.value !== null
  return (
    <div class="page" {...acceptDrops}>
      <Header />
      <main>
        <Failure />
        {open ? <Workspace /> : <Start />}
      </main>
      {open && state.traced.value !== null && !timeless.has(state.tab.value) && <Timeline />}
      <p class="busy" role="status" aria-live="polite">
        {state.busy.value === null ? '' : `${state.busy.value} …`}
      </p>
    </div>
  )
}

function Workspace(): JSX.Element {
  const current = state.tab.value
  const View = views[current]
  const move = (event: KeyboardEvent): void => {
    const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key]
    if (by === undefined) return
    event.preventDefault()
    const at = tabs.findIndex(({ id }) => id === current)
    const next = tabs[(at + by + tabs.length) % tabs.length].id
    state.tab.value = next
    document.getElementById(`tab-${next}`)?.focus()
  }
  return (
    <>
      <Warnings />
      <div class="tabs" role="tablist" aria-label="Views" onKeyDown={move}>
        {tabs.map(({ id, title }) => (
          <button
            key={id}
            id={`tab-${id}`}
            type="button"
            role="tab"
            aria-selected={id === current}
            aria-controls="view"
            tabIndex={id === current ? 0 : -1}
            onClick={() => {
              state.tab.value = id
            }}
          >
            {title}
            {id === 'check' && ' '}
            {id === 'check' && <Mark />}
          </button>
        ))}
      </div>
      <div id="view" role="tabpanel" aria-labelledby={`tab-${current}`}>
        <Guarded key={current} view={View} />
      </div>
    </>
  )
}

/** A view that breaks says so, and the others still work. */
function Guarded({ view: View }: { readonly view: () => JSX.Element }): JSX.Element {
  const [broken] = useErrorBoundary()
  if (broken === undefined) return <View />
  return (
    <section role="alert">
      <h2>This view broke</h2>
      <p>{String(broken)}. The other views still work. Please report it.</p>
    </section>
  )
}

/** Whether the numbers agree, in the tab where one can ask why not. */
function Mark(): JSX.Element | null {
  const { value } = state.verdict
  if (value === null) return null
  return (
    <span class={value.pass ? 'mark good' : 'mark bad'}>{value.pass ? 'agrees' : 'differs'}</span>
  )
}

function Warnings(): JSX.Element | null {
  const warnings = state.model.value?.summary.warnings ?? []
  if (warnings.length === 0) return null
  return (
    <section class="warnings" aria-label="Warnings">
      <h2>Before you trust these numbers</h2>
      <ul>
        {warnings.map((warning) => (
          <li key={warning}>{warning}</li>
        ))}
      </ul>
    </section>
  )
}
