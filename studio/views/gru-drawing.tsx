/**
 * A GRU as textbooks draw it: the state runs along the top, the gates stand on the two buses of h
 * and x. Every wire carries the number of the chosen unit at the chosen step.
 */

import type { ComponentChildren, JSX } from 'preact'
import type { CellInfo } from '../engine/protocol.ts'
import * as show from '../show.ts'
import * as state from '../state.ts'

export function GruDrawing({ cell }: { readonly cell: CellInfo }): JSX.Element {
  const v = state.wires.value
  const keeps = cell.update === 'keeps'
  const after = cell.resetAfter === true
  const old = keeps ? v.z : 1 - v.z
  const fresh = 1 - old
  const hasTerm = after ? v.r * v.hn : v.hn
  const x = state.step.value?.x ?? null
  const [oldName, freshName] = keeps ? ['z', '1−z'] : ['1−z', 'z']
  return (
    <svg
      viewBox="0 0 920 480"
      class="gru"
      role="img"
      aria-label="Diagram of the GRU cell with its numbers; the equations beside it say the same in text"
    >
      <defs>
        <marker
          id="tip"
          viewBox="0 0 8 8"
          refX="7"
          refY="4"
          markerWidth="8"
          markerHeight="8"
          markerUnits="userSpaceOnUse"
          orient="auto"
        >
          <path d="M0 0L8 4L0 8z" class="tip" />
        </marker>
      </defs>
      <rect x="52" y="30" width="778" height="372" rx="18" class="body" />

      {/* the buses: h down the left, x along the bottom */}
      <path d="M96 80V346H535" class="bus" />
      <path d="M20 440H742" class="bus" />
      <Dot x={96} y={80} />
      <Dot x={165} y={346} />
      <Dot x={375} y={346} />
      <Dot x={215} y={440} />
      <Dot x={425} y={440} />
      <Label x={20} y={462} class="quiet">
        {x === null ? `x: ${cell.features} numbers from ${cell.reads}` : `x: ${preview(x)}`}
      </Label>
      <Label x={104} y={366} class="quiet">
        h: all {cell.units} units
      </Label>

      {/* state line */}
      <Wire d="M20 80H384" value={v['h−']} end />
      <Wire d="M416 80H700" value={old * v['h−']} end />
      <Wire d="M732 80H900" value={v.h} end />
      <Label x={14} y={64} class="strong">
        h
      </Label>
      <Value x={30} y={64} name="h−" value={v['h−']} />
      <Label x={846} y={64} class="strong">
        h′
      </Label>
      <Value x={846} y={106} name="h" value={v.h} strong />
      <Label x={440} y={64}>{`${oldName} ⊙ h`}</Label>
      <Value x={506} y={64} name="kept" value={old * v['h−']} />

      {/* r */}
      <Wire d="M165 346V286" value={v.hr} end />
      <Wire d="M215 440V286" value={v.xr} end />
      <Wire
        d={
          after
            ? 'M190 222V176H392a8 8 0 0 1 16 0H535V230'
            : 'M190 222V176H392a8 8 0 0 1 16 0H535V230'
        }
        value={v.r}
        end
      />
      <Value x={158} y={322} name="hr" value={v.hr} before />
      <Value x={222} y={394} name="xr" value={v.xr} />
      <Gate x={190} name="r" title="reset" symbol={cell.recurrentActivation} value={v.r} />

      {/* z */}
      <Wire d="M375 346V286" value={v.hz} end />
      <Wire d="M425 440V286" value={v.xz} end />
      <Wire d="M400 222V97" value={v.z} end />
      <Wire d="M400 140H700" value={keeps ? 1 - v.z : v.z} end />
      <Dot x={400} y={140} />
      <Value x={368} y={322} name="hz" value={v.hz} before />
      <Value x={432} y={394} name="xz" value={v.xz} />
      <Gate x={400} name="z" title="update" symbol={cell.recurrentActivation} value={v.z} />
      <Round x={keeps ? 520 : 400} y={keeps ? 140 : 114} text="1−" small />
      <Label x={552} y={132}>
        {freshName}
      </Label>
      <Value x={586} y={132} name="fresh" value={fresh} />

      {/* reset of the recurrent part, then n */}
      <Wire d="M535 346V266" value={after ? v.hn : v['h−']} end />
      <Wire d="M551 250H650" value={hasTerm} end />
      <Round x={535} y={250} text="×" />
      <Block x={after ? 535 : 600} y={after ? 310 : 250} text="Un" />
      {after ? (
        <>
          <Value x={544} y={284} name="hn" value={v.hn} />
          <Value x={552} y={214} name="r⊙hn" value={hasTerm} />
        </>
      ) : (
        <Value x={566} y={214} name="hn" value={v.hn} />
      )}
      <Wire d="M742 440V286" value={v.xn} end />
      <Value x={750} y={394} name="xn" value={v.xn} />
      <Wire d="M716 222V156" value={v.n} end />
      <Wire d="M716 124V97" value={fresh * v.n} end />
      <Gate x={716} name="n" title="candidate" symbol={cell.activation} value={v.n} signed />
      <Round x={716} y={140} text="×" />
      <Label x={740} y={128}>{`${freshName} ⊙ n`}</Label>
      <Value x={740} y={148} name="taken" value={fresh * v.n} />

      <Round x={400} y={80} text="×" />
      <Round x={716} y={80} text="+" />
    </svg>
  )
}

function preview(x: Float64Array): string {
  const shown = Array.from(x.subarray(0, 6), show.number).join('  ')
  return x.length > 6 ? `${shown}  … (${x.length})` : shown
}

/** Thicker for larger numbers; blue below zero, orange above. */
function Wire({
  d,
  value,
  end,
}: {
  d: string
  value: number | undefined
  end?: boolean
}): JSX.Element {
  const size = value === undefined || !Number.isFinite(value) ? 0 : Math.min(1, Math.abs(value))
  const sign = (value ?? 0) < 0 ? 'negative' : 'positive'
  return (
    <path
      d={d}
      class={`wire ${sign}`}
      stroke-width={1.5 + 4 * size}
      marker-end={end ? 'url(#tip)' : undefined}
    />
  )
}

interface ValueProps {
  readonly x: number
  readonly y: number
  readonly name: string
  readonly value: number | undefined
  readonly strong?: boolean
  /** Ends at x rather than begins there. */
  readonly before?: boolean
}

function Value({ x, y, name, value, strong, before }: ValueProps): JSX.Element {
  const isWire = /^[xh][zrn]$/.test(name) || name === 'r⊙hn'
  return (
    <text
      x={x}
      y={y}
      class={strong ? 'value strong' : 'value'}
      text-anchor={before ? 'end' : 'start'}
    >
      {isWire && <tspan class="name">{name} </tspan>}
      <tspan data-wire={name}>{show.number(value)}</tspan>
    </text>
  )
}

function Label({
  x,
  y,
  children,
  ...rest
}: {
  x: number
  y: number
  class?: string
  children: ComponentChildren
}): JSX.Element {
  return (
    <text x={x} y={y} class={`label ${rest.class ?? ''}`}>
      {children}
    </text>
  )
}

interface GateProps {
  readonly x: number
  readonly name: string
  readonly title: string
  readonly symbol: string
  readonly value: number | undefined
  readonly signed?: boolean
}

/** A gate with its level: from the left for what runs from 0 to 1, from the middle for −1 to 1. */
function Gate({ x, name, title, symbol, value = 0, signed }: GateProps): JSX.Element {
  const width = 126
  const left = x - width / 2
  const level = Math.max(-1, Math.min(1, Number.isFinite(value) ? value : 0))
  const [from, length] = signed
    ? [level < 0 ? x + (level * width) / 2 : x, (Math.abs(level) * width) / 2]
    : [left, Math.max(0, level) * width]
  const act = symbol === 'sigmoid' ? 'σ' : symbol
  return (
    <g class="gate">
      <rect x={left} y={222} width={width} height={64} rx={9} />
      <rect
        x={from}
        y={278}
        width={length}
        height={8}
        class={level < 0 ? 'level negative' : 'level'}
      />
      <text x={x} y={243} class="name" text-anchor="middle">
        {title} <tspan class="strong">{name}</tspan> ({act.length > 9 ? act.slice(0, 8) : act})
      </text>
      <text x={x} y={268} class="value strong" text-anchor="middle" data-wire={name}>
        {show.number(value)}
      </text>
    </g>
  )
}

function Round({
  x,
  y,
  text,
  small,
}: {
  x: number
  y: number
  text: string
  small?: boolean
}): JSX.Element {
  return (
    <g class="round">
      <circle cx={x} cy={y} r={small ? 13 : 15} />
      <text x={x} y={y + (small ? 5 : 7)} text-anchor="middle" class={small ? 'small' : ''}>
        {text}
      </text>
    </g>
  )
}

function Block({ x, y, text }: { x: number; y: number; text: string }): JSX.Element {
  return (
    <g class="round">
      <rect x={x - 17} y={y - 13} width={34} height={26} rx={5} />
      <text x={x} y={y + 5} text-anchor="middle" class="small">
        {text}
      </text>
    </g>
  )
}

function Dot({ x, y }: { x: number; y: number }): JSX.Element {
  return <circle cx={x} cy={y} r={4} class="dot" />
}
