/** The equations in this model's convention, and below each the numbers put in. */

import type { JSX } from 'preact'
import type { CellInfo } from '../engine/protocol.ts'
import * as show from '../show.ts'
import * as state from '../state.ts'

type Wires = Readonly<Record<string, number>>

export function EquationList({ cell }: { readonly cell: CellInfo }): JSX.Element {
  const v = state.wires.value
  const filled = numbers[cell.kind](cell, v)
  const differing = cell.equations.filter(({ differs }) => differs)
  return (
    <div class="equations">
      <h2>Its equations, with the numbers in</h2>
      <ol>
        {cell.equations.map(({ ours }, i) => (
          <li key={ours}>
            <div class="formula">{ours}</div>
            <div class="filled">{filled[i]}</div>
          </li>
        ))}
      </ol>
      <details>
        <summary>
          {differing.length === 0
            ? 'As in textbooks'
            : `Where this differs from the textbook: ${differing.length} of ${cell.equations.length} lines`}
        </summary>
        <ul>
          {cell.equations.map(({ textbook, note, differs }) => (
            <li key={textbook}>
              <span class="formula">{textbook}</span>
              {differs && <span class="note"> {note}</span>}
            </li>
          ))}
        </ul>
      </details>
      <p class="quiet">
        W·x and U·h are whole rows of the weights times whole vectors: their sums stand on the wires
        as xz, hz and so on.
      </p>
    </div>
  )
}

const n = show.number

const numbers: Readonly<Record<CellInfo['kind'], (cell: CellInfo, v: Wires) => readonly string[]>> =
  {
    gru: ({ recurrentActivation, activation, resetAfter, update }, v) => {
      const σ = short(recurrentActivation)
      const recurrent = resetAfter ? ` + ${n(v.r)} · ${bracket(v.hn)}` : show.plus(v.hn)
      const blend =
        update === 'keeps'
          ? `${n(v.z)} · ${bracket(v['h−'])} + ${n(1 - v.z)} · ${bracket(v.n)}`
          : `${n(1 - v.z)} · ${bracket(v['h−'])} + ${n(v.z)} · ${bracket(v.n)}`
      return [
        `= ${σ}(${n(v.xz)}${show.plus(v.hz)}) = ${n(v.z)}`,
        `= ${σ}(${n(v.xr)}${show.plus(v.hr)}) = ${n(v.r)}`,
        `= ${short(activation)}(${n(v.xn)}${recurrent}) = ${n(v.n)}`,
        `= ${blend} = ${n(v.h)}`,
      ]
    },
    lstm: ({ recurrentActivation, activation }, v) => {
      const σ = short(recurrentActivation)
      const gate = (g: string, f: string): string =>
        `= ${f}(${n(v[`x${g}`])}${show.plus(v[`h${g}`])}) = ${n(v[g])}`
      return [
        gate('i', σ),
        gate('f', σ),
        gate('g', short(activation)),
        `= ${n(v.f)} · ${bracket(v['c−'])} + ${n(v.i)} · ${bracket(v.g)} = ${n(v.c)}`,
        gate('o', σ),
        `= ${n(v.o)} · ${short(activation)}(${n(v.c)}) = ${n(v.h)}`,
      ]
    },
    rnn: ({ activation }, v) => [
      `= ${short(activation)}(${n(v.xh)}${show.plus(v.hh)}) = ${n(v.h)}`,
    ],
  }

function short(activation: string): string {
  return activation === 'sigmoid' ? 'σ' : activation
}

function bracket(value: number | undefined): string {
  const text = n(value)
  return text.startsWith('−') ? `(${text})` : text
}
