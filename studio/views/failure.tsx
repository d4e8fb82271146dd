/** An error as gruv tells it: what, where, what was expected, what came, what to do. */

import type { JSX } from 'preact'
import * as state from '../state.ts'

export function Failure(): JSX.Element | null {
  const { value } = state.failure
  if (value === null) return null
  const rows = [
    ['Where', value.where],
    ['Expected', value.expected],
    ['Got', value.got],
    ['What to do', value.fix],
  ].filter((pair): pair is [string, string] => pair[1] !== null)
  return (
    <section class="failure" role="alert">
      <h2>{sentence(value.problem)}</h2>
      <dl>
        {rows.map(([title, text]) => (
          <div key={title}>
            <dt>{title}</dt>
            <dd>{text}</dd>
          </div>
        ))}
      </dl>
      <button
        type="button"
        onClick={() => {
          state.failure.value = null
        }}
      >
        Dismiss
      </button>
    </section>
  )
}

function sentence(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1)
}
