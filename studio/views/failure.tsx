/** An error as gruv tells it: what, where, what was expected, what came, what to do. */

import type { JSX } from 'preact'
import { openModule } from '../actions.ts'
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
      {/module/.test(`${value.problem} ${value.fix}`) && <AskForModule />}
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

/** Files of PyTorch hold modules by name, and do not say which is meant. */
function AskForModule(): JSX.Element {
  return (
    <form
      class="buttons"
      onSubmit={(event) => {
        event.preventDefault()
        void openModule(String(new FormData(event.currentTarget).get('module')))
      }}
    >
      <label>
        Module <input name="module" type="text" required autocomplete="off" />
      </label>
      <button type="submit">Open this module</button>
    </form>
  )
}

function sentence(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1)
}
