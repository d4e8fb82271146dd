/** The numbers of an LSTM or a simple RNN at a step: one row for each gate. */

import type { JSX } from 'preact'
import type { CellInfo } from '../engine/protocol.ts'
import * as show from '../show.ts'
import * as state from '../state.ts'
import { Scrolls } from './scrolls.tsx'

const gates = [
  ['i', 'input gate', 'what share of the candidate is written'],
  ['f', 'forget gate', 'what share of the cell stays'],
  ['g', 'candidate', 'what could be written'],
  ['o', 'output gate', 'what share of the cell is shown'],
] as const

export function ValueTable({ cell }: { readonly cell: CellInfo }): JSX.Element {
  const v = state.wires.value
  const rows =
    cell.kind === 'lstm' ? gates : ([['h', 'new state', 'from input and old state']] as const)
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
          {rows.map(([name, title, meaning]) => (
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
          {cell.kind === 'lstm' && (
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
