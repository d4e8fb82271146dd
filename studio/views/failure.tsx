/** Shows an error: what, where, what was expected, what came, what to do. */

import type { JSX } from 'preact'
import { useEffect, useRef } from 'preact/hooks'
import { openAgain } from '../actions.ts'
import type { OpenOptions } from '../engine/protocol.ts'
import * as state from '../state.ts'

export function Failure(): JSX.Element | null {
  const { value } = state.failure
  const section = useRef<HTMLElement>(null)
  // The user may have scrolled far down when it appears.
  useEffect(() => section.current?.scrollIntoView({ block: 'nearest' }), [value])
  if (value === null) return null
  const rows = [
    ['Where', value.where],
    ['Expected', value.expected],
    ['Got', value.got],
    ['What to do', value.fix],
  ].filter((pair): pair is [string, string] => pair[1] !== null)
  return (
    <section class="failure" role="alert" ref={section}>
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

/** Asks for the option that an error's fix names as a flag, such as a layer, and opens again. */
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

/**
 * `w=kernel,u=recurrent`; entries with other parts are ignored, and the reader reports what is
 * missing.
 */
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
