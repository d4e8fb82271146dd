/** The page: the header, an error if there is one, and the chosen view. */

import type { JSX } from 'preact'
import { useErrorBoundary } from 'preact/hooks'
import { cancelReading } from '../actions.ts'
import * as state from '../state.ts'
import { CellView } from './cell-view.tsx'
import { CheckView } from './check-view.tsx'
import { Failure } from './failure.tsx'
import { Header } from './header.tsx'
import { ModelView } from './model-view.tsx'
import { Start } from './start.tsx'
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

/** Views that do not depend on the timestep. */
const timeless: ReadonlySet<state.Tab> = new Set(['try', 'model'])

export function App(): JSX.Element {
  const open = state.model.value !== null
  return (
    <div class="page">
      <Header />
      <main>
        <Failure />
        {open ? <Workspace /> : <Start />}
      </main>
      {open && state.traced.value !== null && !timeless.has(state.tab.value) && <Timeline />}
      <Busy />
      {state.held.value && <p class="drop-hint">Drop a model, its data, or a folder with them</p>}
    </div>
  )
}

/** Shows what the page is waiting for. */
function Busy(): JSX.Element {
  const words = state.busy.value
  const share = state.share.value
  return (
    <div class="busy" role="status" aria-live="polite">
      {words !== null && (
        <>
          <span>{words} …</span>
          {/* Without a value it shows indefinite progress. */}
          <progress aria-label={words} max={1} {...(share !== null && { value: share })} />
          {state.reading.value && (
            <button type="button" onClick={cancelReading}>
              Cancel
            </button>
          )}
        </>
      )}
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

/** Shows the error of a broken view, so that the others still work. */
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

/** Shows in the tab of the check whether the numbers agree. */
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
  const TITLE = 'Before you trust these numbers'
  return (
    <section class="warnings" aria-label="Warnings">
      {warnings.length === 1 ? (
        <p class="each">
          <strong>{TITLE}:</strong> {warnings[0]}
        </p>
      ) : (
        <details>
          <summary>
            {TITLE}: {warnings.length} things to know
          </summary>
          <ul class="each">
            {warnings.map((warning) => (
              <li key={warning}>{warning}</li>
            ))}
          </ul>
        </details>
      )}
    </section>
  )
}
