/** An error as gruv tells it: what, where, what was expected, what came, what to do. */

import type { JSX } from 'preact'
import { useEffect, useRef } from 'preact/hooks'
import { openAgain } from '../actions.ts'
import type { OpenOptions } from '../engine/protocol.ts'
import * as state from '../state.ts'

export function Failure(): JSX.Element | null {
  const { value } = state.failure
  const place = useRef<HTMLElement>(null)
  // It may come while something far below is looked at.
  useEffect(() => place.current?.scrollIntoView({ block: 'nearest' }), [value])
  if (value === null) return null
  const rows = [
    ['Where', value.where],
    ['Expected', value.expected],
    ['Got', value.got],
    ['What to do', value.fix],
  ].filter((pair): pair is [string, string] => pair[1] !== null)
  return (
    <section class="failure" role="alert" ref={place}>
      <h2>{sentence(value.problem)}</h2>
      <dl>
        {rows.map(([title, text]) => (
          <div key={title}>
            <dt>{title}</dt>
            <dd>{text}</dd>
          </div>
        ))}
      </dl>
      <AskForOption fix={value.fix ?? ''} />
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

const askable = {
  module: 'Module',
  layer: 'Layer',
  until: 'End after layer',
  names: 'Arrays, as w=…,u=…,b=…',
} as const

/** Some files leave open what to take from them: what the fix calls a flag can be said here. */
function AskForOption({ fix }: { readonly fix: string }): JSX.Element | null {
  const [, name, example = ''] = /`--(module|layer|until|names) ?([^`]*)`/.exec(fix) ?? []
  if (name === undefined) return null
  const key = name as keyof typeof askable
  const start = /^[A-Z]+$|…/.test(example) ? '' : example
  return (
    <form
      class="buttons"
      onSubmit={(event) => {
        event.preventDefault()
        const text = String(new FormData(event.currentTarget).get('value')).trim()
        void openAgain(key === 'names' ? { names: namesIn(text) } : { [key]: text })
      }}
    >
      <label>
        {askable[key]}{' '}
        <input name="value" type="text" required autocomplete="off" defaultValue={start} />
      </label>
      <button type="submit">Open it so</button>
    </form>
  )
}

/** `w=kernel,u=recurrent`; what names no part is left to the reader to miss. */
function namesIn(text: string): NonNullable<OpenOptions['names']> {
  return Object.fromEntries(
    text
      .split(',')
      .map((piece) => [
        piece.slice(0, piece.indexOf('=')).trim(),
        piece.slice(piece.indexOf('=') + 1),
      ])
      .filter(([part]) => /^(w|u|b|br)$/.test(part)),
  )
}

function sentence(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1)
}
