/** The equations in the model's conventions, each with the current numbers below it. */

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
      <HowToRead kind={cell.kind} />
    </div>
  )
}

const sums = { gru: ['xz', 'hz', 'z'], lstm: ['xi', 'hi', 'i'], rnn: ['xh', 'hh', 'h'] } as const

/** An introduction for readers who are new to such drawings or equations. */
function HowToRead({ kind }: Pick<CellInfo, 'kind'>): JSX.Element {
  const [fromInput, fromState, gate] = sums[kind]
  return (
    <details class="how" open>
      <summary>How to read this</summary>
      <ul>
        {kind === 'gru' && (
          <li>Orange wires carry positive numbers, blue ones negative; the thicker, the larger.</li>
        )}
        <li>
          <code>{fromInput}</code> is what the input says to {gate}: the weights W times x, and a
          bias. <code>{fromState}</code> is what the state of all units says: U times h, and a bias.
        </li>
        {kind === 'gru' && (
          <>
            <li>
              z, the update gate: how much is kept and how much is new. r, the reset gate: how much
              of the past the candidate n may see.
            </li>
            <li>σ squeezes a sum into 0 … 1, tanh into −1 … 1; ⊙ multiplies unit by unit.</li>
          </>
        )}
      </ul>
    </details>
  )
}

const n = show.number

const numbers: Readonly<Record<CellInfo['kind'], (cell: CellInfo, v: Wires) => readonly string[]>> =
  {
    gru: ({ recurrentActivation, activation, resetAfter, update }, v) => {
      const σ = show.activation(recurrentActivation)
      const recurrent = resetAfter ? ` + ${n(v.r)} · ${bracket(v.hn)}` : show.plus(v.hn)
      const blend =
        update === 'keeps'
          ? `${n(v.z)} · ${bracket(v['h−'])} + ${n(1 - v.z)} · ${bracket(v.n)}`
          : `${n(1 - v.z)} · ${bracket(v['h−'])} + ${n(v.z)} · ${bracket(v.n)}`
      return [
        `= ${σ}(${n(v.xz)}${show.plus(v.hz)}) = ${n(v.z)}`,
        `= ${σ}(${n(v.xr)}${show.plus(v.hr)}) = ${n(v.r)}`,
        `= ${show.activation(activation)}(${n(v.xn)}${recurrent}) = ${n(v.n)}`,
        `= ${blend} = ${n(v.h)}`,
      ]
    },
    lstm: ({ recurrentActivation, activation, outputActivation, coupled, peepholes }, v) => {
      const σ = show.activation(recurrentActivation)
      const gate = (g: string, f: string): string =>
        `= ${f}(${n(v[`x${g}`])}${show.plus(v[`h${g}`])}) = ${n(v[g])}`
      // The term of a peephole is not among the values of a trace.
      const seeing = (g: string): string => (peepholes ? `= ${n(v[g])}` : gate(g, σ))
      return [
        seeing('i'),
        coupled ? `= 1${show.plus(-v.i)} = ${n(v.f)}` : seeing('f'),
        gate('g', show.activation(activation)),
        `= ${n(v.f)} · ${bracket(v['c−'])} + ${n(v.i)} · ${bracket(v.g)} = ${n(v.c)}`,
        seeing('o'),
        `= ${n(v.o)} · ${show.activation(outputActivation)}(${n(v.c)}) = ${n(v.h)}`,
      ]
    },
    rnn: ({ activation }, v) => [
      `= ${show.activation(activation)}(${n(v.xh)}${show.plus(v.hh)}) = ${n(v.h)}`,
    ],
  }

function bracket(value: number | undefined): string {
  const text = n(value)
  return text.startsWith('−') ? `(${text})` : text
}
