/** Switches for the conventions of GRU layers, and the differences that a change makes. */

import { useSignal } from '@preact/signals'
import type { ComponentChildren, JSX } from 'preact'
import { useEffect } from 'preact/hooks'
import { conventionTable } from '../../src/model/index.ts'
import { lookAt, reread } from '../actions.ts'
import { call } from '../engine/client.ts'
import type { Comparison } from '../engine/protocol.ts'
import { quirkNames } from '../quirk-names.ts'
import * as show from '../show.ts'
import * as state from '../state.ts'

const origins: Readonly<Record<string, string>> = {
  chosen: 'You chose it.',
  stated: 'The file says so.',
  implied: 'It follows from the file.',
  assumed: 'Assumed: nothing says so.',
}

const switches = ['update', 'reset', 'bias', 'gateOrder'] as const

export function ConventionSwitches(): JSX.Element | null {
  const model = state.model.value
  const conventions = model?.summary.layers.find(({ kind }) => kind === 'gru')?.conventions ?? []
  if (model === null || conventions.length === 0) return null
  const change = (quirk: string, value: string): void => {
    const others = model.quirks.filter((each) => !each.startsWith(`${quirk}=`))
    void reread([...others, `${quirk}=${value}`])
  }
  return (
    <section class="switches" aria-labelledby="switches-title">
      <h2 id="switches-title">Read it differently, and see what changes first</h2>
      <p>
        The same weights mean something else under another convention. This is where ports go wrong.
      </p>
      <div class="choices">
        {switches.map((key) => {
          const said = conventions.find((each) => each.key === key)
          if (said === undefined || said.value === 'none') return null
          const { title, values } = conventionTable[key]
          return (
            <label key={key}>
              <span>{title}</span>
              <select
                value={said.value}
                onChange={({ currentTarget }) => change(quirkNames[key], currentTarget.value)}
              >
                {Object.entries(values)
                  .filter(([value]) => value !== 'none')
                  .map(([value, meaning]) => (
                    <option key={value} value={value}>
                      {value}: {meaning}
                    </option>
                  ))}
              </select>
              <small>
                {meaningOf(key, said.value)}
                {origins[said.origin]}
              </small>
            </label>
          )
        })}
      </div>
      {model.quirks.length > 0 && <Changed quirks={model.quirks} />}
    </section>
  )
}

/** The whole meaning; a closed list has room only for its beginning. */
function meaningOf(key: (typeof switches)[number], value: string): string {
  const values: Readonly<Record<string, string>> = conventionTable[key].values
  return values[value] === undefined ? '' : `${values[value]}. `
}

function Changed({ quirks }: { readonly quirks: readonly string[] }): JSX.Element | null {
  const found = useSignal<Comparison | null>(null)
  useEffect(() => {
    call('compare', { from: 'as-read' }).then(
      (answer) => {
        found.value = answer
      },
      () => {
        found.value = null
      },
    )
  }, [quirks.join(' '), state.input.value])
  return (
    <Differences
      found={found.value}
      against="how the file is read"
      sides={['how the file is read', 'how you read it now']}
    >
      <button type="button" onClick={() => reread([])}>
        Back to how the file is read
      </button>
    </Differences>
  )
}

interface DifferencesProps {
  readonly found: Comparison | null
  readonly against: string
  /** What the sentences mean by the first and the second. */
  readonly sides: readonly [string, string]
  /** Further buttons. */
  readonly children?: ComponentChildren
}

export function Differences({ found, against, sides, children }: DifferencesProps): JSX.Element {
  const first = found?.first ?? null
  return (
    <div class="differences" aria-live="polite">
      <ul>
        {found?.outputs.map(({ output, maxAbsolute, first, same, compared }) => (
          <li key={output} data-differs={same ? 'no' : 'yes'}>
            Output <code>{output}</code>:{' '}
            {same || first === null
              ? `all ${show.count(compared)} numbers are the same as under ${against}`
              : `up to ${show.small(maxAbsolute)} away from ${against}; first at ${first.t === null ? '' : `timestep ${first.t}, `}unit ${first.unit}: ${show.number(first.a)} instead of ${show.number(first.b)}`}
          </li>
        ))}
        {found?.words.map((sentence) => (
          <li key={sentence}>{sentence}</li>
        ))}
      </ul>
      {(found?.words.length ?? 0) > 0 && (
        <p class="quiet">
          The first is {sides[0]}, the second {sides[1]}.
        </p>
      )}
      <div class="buttons">
        {first !== null && state.model.value?.cells.some(({ name }) => name === first.layer) && (
          <button
            type="button"
            onClick={() => {
              state.tab.value = 'cell'
              void lookAt(first)
            }}
          >
            Look at {first.value} of unit {first.unit} at timestep {first.timestep}, where it begins
          </button>
        )}
        {children}
      </div>
    </div>
  )
}
