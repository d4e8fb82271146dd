/** A table of the numbers of an LSTM or a simple RNN at a step, with a row for each gate. */

import type { JSX } from 'preact'
import type { CellInfo } from '../engine/protocol.ts'
import * as show from '../show.ts'
import * as state from '../state.ts'
import { Scrolls } from './scrolls.tsx'

type Kind = Exclude<CellInfo['kind'], 'gru'>

/** Name, title and meaning of the values that a step computes. */
const rows: Readonly<Record<Kind, readonly (readonly [string, string, string])[]>> = {
  lstm: [
    ['i', 'input gate', 'what share of the candidate is written'],
    ['f', 'forget gate', 'what share of the cell stays'],
    ['g', 'candidate', 'what could be written'],
    ['o', 'output gate', 'what share of the cell is shown'],
  ],
  rnn: [['h', 'new state', 'from input and old state']],
}

export function ValueTable({ kind }: { readonly kind: Kind }): JSX.Element {
  const v = state.wires.value
  return (
    <Scrolls label="Numbers of the cell">
      <table class="values">
        <thead>
          <tr>
            <th scope="col">Gate</th>
            <th scope="col">from the input</th>
            <th scope="col">from the state</th>
            <th scope="col">value</th>
            <th scope="col">what it says</th>
          </tr>
        </thead>
        <tbody>
          {rows[kind].map(([name, title, meaning]) => (
            <tr key={name}>
              <th scope="row">
                {name} <span class="quiet">{title}</span>
              </th>
              <Wire name={`x${name}`} value={v[`x${name}`]} />
              <Wire name={`h${name}`} value={v[`h${name}`]} />
              <Wire name={name} value={v[name]} />
              <td>{meaning}</td>
            </tr>
          ))}
          {kind === 'lstm' && (
            <>
              <Before slot="c" title="cell" />
              <Before slot="h" title="state" />
            </>
          )}
        </tbody>
      </table>
    </Scrolls>
  )
}

function Before({ slot, title }: { slot: 'c' | 'h'; title: string }): JSX.Element {
  const v = state.wires.value
  return (
    <tr>
      <th scope="row">
        {slot}' <span class="quiet">new {title}</span>
      </th>
      <td colSpan={2}>
        before: <span data-wire={`${slot}−`}>{show.number(v[`${slot}−`])}</span>
      </td>
      <Wire name={slot} value={v[slot]} />
      <td>{slot === 'c' ? 'the long memory' : 'what the next layer sees'}</td>
    </tr>
  )
}

function Wire({ name, value }: { name: string; value: number | undefined }): JSX.Element {
  return (
    <td class="number" data-wire={name}>
      {show.number(value)}
    </td>
  )
}
