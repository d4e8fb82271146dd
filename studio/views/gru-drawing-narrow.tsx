/** The drawing of a GRU for a phone, with the same wires closer together. */

import type { JSX } from 'preact'
import type { CellInfo } from '../engine/protocol.ts'
import { Dot, Gate, Label, Operation, Value, Weights, Wire } from './drawing-parts.tsx'
import { aboutInput, type GruWires } from './gru-wires.ts'

const WIDTH = 108

export function NarrowGruDrawing({
  cell,
  ...wires
}: GruWires & { readonly cell: CellInfo }): JSX.Element {
  const { v, keeps, after, old, fresh, oldName, freshName, recurrent } = wires
  const [reset, weights] = after ? [356, 398] : [394, 350]
  return (
    <>
      <path d="M10 74V424H304" class="bus" />
      <path d="M2 474H394" class="bus" />
      <Dot x={10} y={74} />
      <Dot x={38} y={424} />
      <Dot x={168} y={424} />
      <Dot x={120} y={474} />
      <Dot x={250} y={474} />
      <Label x={2} y={496} kind="quiet">
        {aboutInput(cell, 3)}
      </Label>
      <Label x={18} y={442} kind="quiet">
        h: {cell.units} units
      </Label>

      <Wire d="M2 74H190" value={v['h−']} />
      <Wire d="M222 74H322" value={old * v['h−']} />
      <Wire d="M354 74H402" value={v.h} />
      <Label x={2} y={20} kind="quiet">
        old state
      </Label>
      <Value x={2} y={56} name="h−" value={v['h−']} label="h" />
      <Label x={402} y={20} kind="quiet" before>
        new state
      </Label>
      <Value x={402} y={56} name="h" value={v.h} label="h'" strong before />
      <Value x={214} y={56} name="kept" value={old * v['h−']} label={`${oldName}⊙h`} stacked />

      <Wire d="M38 424V316" value={v.hr} />
      <Wire d="M120 474V316" value={v.xr} />
      <Wire d={`M78 250V208H198a8 8 0 0 1 16 0H273V${reset}H287`} value={v.r} />
      <Value x={44} y={356} name="hr" value={v.hr} label="hr" stacked />
      <Value x={114} y={404} name="xr" value={v.xr} label="xr" before stacked />
      <Gate
        x={78}
        y={250}
        width={WIDTH}
        name="r"
        title="reset"
        activation={cell.recurrentActivation}
        value={v.r}
      />

      <Wire d="M168 424V316" value={v.hz} />
      <Wire d="M250 474V316" value={v.xz} />
      <Wire d="M206 250V91" value={v.z} />
      <Wire d="M206 148H322" value={fresh} />
      <Dot x={206} y={148} />
      <Value x={174} y={356} name="hz" value={v.hz} label="hz" stacked />
      <Value x={244} y={404} name="xz" value={v.xz} label="xz" before stacked />
      <Gate
        x={208}
        y={250}
        width={WIDTH}
        name="z"
        title="update"
        activation={cell.recurrentActivation}
        value={v.z}
      />
      <Operation x={keeps ? 244 : 206} y={keeps ? 148 : 114} sign="1−" small />
      <Value x={262} y={140} name="fresh" value={fresh} label={freshName} stacked />

      <Wire d="M304 424V316" value={recurrent} />
      <Operation x={304} y={reset} sign="×" />
      <Weights x={304} y={weights} name="Un" />
      <Value
        x={326}
        y={after ? 356 : 372}
        name={after ? 'r⊙hn' : 'hn'}
        value={recurrent}
        label={after ? 'r⊙hn' : 'hn'}
        stacked
      />
      {after && <Value x={326} y={404} name="hn" value={v.hn} label="hn" stacked />}
      <Wire d="M394 474V316" value={v.xn} />
      <Value x={388} y={456} name="xn" value={v.xn} label="xn" before />
      <Wire d="M338 250V165" value={v.n} />
      <Wire d="M338 132V91" value={fresh * v.n} />
      <Gate
        x={343}
        y={250}
        width={WIDTH + 8}
        name="n"
        title="candidate"
        activation={cell.activation}
        value={v.n}
        signed
      />
      <Operation x={338} y={148} sign="×" />
      <Value
        x={402}
        y={122}
        name="taken"
        value={fresh * v.n}
        label={keeps ? '(1−z)⊙n' : 'z⊙n'}
        before
        stacked
      />
      <Operation x={206} y={74} sign="×" />
      <Operation x={338} y={74} sign="+" />
    </>
  )
}
