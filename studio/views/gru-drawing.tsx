/**
 * Draws a GRU as textbooks do: the state runs along the top, and the gates read the two buses of h
 * and x. Every wire shows the number of the chosen unit at the chosen step.
 */

import type { JSX } from 'preact'
import type { CellInfo } from '../engine/protocol.ts'
import * as state from '../state.ts'
import { ArrowHead, Dot, Gate, Label, Operation, Value, Weights, Wire } from './drawing-parts.tsx'
import { NarrowGruDrawing } from './gru-drawing-narrow.tsx'
import { aboutInput, type GruWires } from './gru-wires.ts'
import { useNarrow } from './media.ts'

const ABOUT =
  'Diagram of the GRU cell with its numbers; the equations beside it say the same in text'

export function GruDrawing({ cell }: { readonly cell: CellInfo }): JSX.Element {
  const v = state.wires.value
  const keeps = cell.update === 'keeps'
  const after = cell.resetAfter === true
  const wires: GruWires = {
    v,
    keeps,
    after,
    old: keeps ? v.z : 1 - v.z,
    fresh: keeps ? 1 - v.z : v.z,
    oldName: keeps ? 'z' : '1−z',
    freshName: keeps ? '1−z' : 'z',
    recurrent: after ? v.r * v.hn : v.hn,
  }
  const narrow = useNarrow()
  return (
    <svg viewBox={narrow ? '0 0 404 506' : '0 0 920 474'} class="gru" role="img" aria-label={ABOUT}>
      <ArrowHead />
      {narrow ? <NarrowGruDrawing cell={cell} {...wires} /> : <Wide cell={cell} {...wires} />}
    </svg>
  )
}

function Wide({ cell, ...wires }: GruWires & { readonly cell: CellInfo }): JSX.Element {
  const { v, keeps, after, old, fresh, oldName, freshName, recurrent } = wires
  return (
    <>
      <rect x="50" y="34" width="780" height="368" rx="18" class="body" />

      {/* the buses: h down the left, x along the bottom */}
      <path d="M76 80V346H545" class="bus" />
      <path d="M20 436H752" class="bus" />
      <Dot x={76} y={80} />
      <Dot x={180} y={346} />
      <Dot x={385} y={346} />
      <Dot x={240} y={436} />
      <Dot x={445} y={436} />
      <Label x={20} y={460} kind="quiet">
        {aboutInput(cell)}
      </Label>
      <Label x={86} y={366} kind="quiet">
        h: {cell.units} units
      </Label>

      {/* state line */}
      <Wire d="M14 80H399" value={v['h−']} />
      <Wire d="M431 80H710" value={old * v['h−']} />
      <Wire d="M742 80H906" value={v.h} />
      <Label x={14} y={20} kind="quiet">
        old state
      </Label>
      <Value x={14} y={64} name="h−" value={v['h−']} label="h" />
      <Label x={906} y={20} kind="quiet" before>
        new state
      </Label>
      <Value x={906} y={64} name="h" value={v.h} label="h'" strong before />
      <Value x={446} y={64} name="kept" value={old * v['h−']} label={`${oldName} ⊙ h`} />

      {/* r */}
      <Wire d="M180 346V288" value={v.hr} />
      <Wire d="M240 436V288" value={v.xr} />
      <Wire d="M210 222V176H407a8 8 0 0 1 16 0H545V232" value={v.r} />
      <Value x={172} y={322} name="hr" value={v.hr} label="hr" before />
      <Value x={248} y={390} name="xr" value={v.xr} label="xr" />
      <Gate
        x={210}
        y={222}
        width={128}
        name="r"
        title="reset"
        activation={cell.recurrentActivation}
        value={v.r}
      />

      {/* z */}
      <Wire d="M385 346V288" value={v.hz} />
      <Wire d="M445 436V288" value={v.xz} />
      <Wire d="M415 222V97" value={v.z} />
      <Wire d="M415 140H710" value={fresh} />
      <Dot x={415} y={140} />
      <Value x={377} y={322} name="hz" value={v.hz} label="hz" before />
      <Value x={453} y={390} name="xz" value={v.xz} label="xz" />
      <Gate
        x={415}
        y={222}
        width={128}
        name="z"
        title="update"
        activation={cell.recurrentActivation}
        value={v.z}
      />
      <Operation x={keeps ? 520 : 415} y={keeps ? 140 : 113} sign="1−" small />
      <Value x={544} y={130} name="fresh" value={fresh} label={freshName} />

      {/* reset of the recurrent part, then n */}
      <Wire d="M545 346V268" value={after ? v.hn : v['h−']} />
      <Wire d="M561 250H658" value={recurrent} />
      <Operation x={545} y={250} sign="×" />
      <Weights x={after ? 545 : 606} y={after ? 312 : 250} name="Un" />
      {after && <Value x={554} y={288} name="hn" value={v.hn} label="hn" />}
      <Value
        x={after ? 556 : 570}
        y={212}
        name={after ? 'r⊙hn' : 'hn'}
        value={recurrent}
        label={after ? 'r ⊙ hn' : 'hn'}
      />
      <Wire d="M752 436V288" value={v.xn} />
      <Value x={744} y={390} name="xn" value={v.xn} label="xn" before />
      <Wire d="M726 222V157" value={v.n} />
      <Wire d="M726 124V97" value={fresh * v.n} />
      <Gate
        x={732}
        y={222}
        width={144}
        name="n"
        title="candidate"
        activation={cell.activation}
        value={v.n}
        signed
      />
      <Operation x={726} y={140} sign="×" />
      <Value
        x={748}
        y={134}
        name="taken"
        value={fresh * v.n}
        label={keeps ? '(1−z) ⊙ n' : 'z ⊙ n'}
        stacked
      />
      <Operation x={415} y={80} sign="×" />
      <Operation x={726} y={80} sign="+" />
    </>
  )
}
