/** The parts of cell drawings: wires with numbers, gates, operations. */

import type { ComponentChildren, JSX } from 'preact'
import * as show from '../show.ts'

/** The arrowhead of all wires, defined once in a drawing. */
export function ArrowHead(): JSX.Element {
  return (
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
  )
}

/** A wire: thicker for larger numbers, blue below zero, orange above. */
export function Wire({ d, value }: { d: string; value: number | undefined }): JSX.Element {
  const size = value === undefined || !Number.isFinite(value) ? 0 : Math.min(1, Math.abs(value))
  const sign = (value ?? 0) < 0 ? 'negative' : 'positive'
  return <path d={d} class={`wire ${sign}`} stroke-width={1.5 + 4 * size} marker-end="url(#tip)" />
}

interface ValueProps {
  readonly x: number
  readonly y: number
  /** The name of a value of the trace, or of a number computed from several. */
  readonly name: string
  readonly value: number | undefined
  /** The text before the number. */
  readonly label?: string
  readonly strong?: boolean
  /** Ends at x rather than begins there. */
  readonly before?: boolean
  /** The label above the number rather than beside it. */
  readonly stacked?: boolean
}

export function Value({ x, y, name, value, label, ...how }: ValueProps): JSX.Element {
  return (
    <text
      x={x}
      y={how.stacked ? y - 16 : y}
      class={how.strong ? 'value strong' : 'value'}
      text-anchor={how.before ? 'end' : 'start'}
    >
      {label !== undefined && <tspan class="quiet">{how.stacked ? label : `${label} `}</tspan>}
      <tspan data-wire={name} {...(how.stacked && { x, y })}>
        {show.number(value)}
      </tspan>
    </text>
  )
}

interface LabelProps {
  readonly x: number
  readonly y: number
  readonly kind?: 'quiet' | 'strong'
  readonly before?: boolean
  readonly children: ComponentChildren
}

export function Label({ x, y, kind, before, children }: LabelProps): JSX.Element {
  return (
    <text x={x} y={y} class={`label ${kind ?? ''}`} text-anchor={before ? 'end' : 'start'}>
      {children}
    </text>
  )
}

interface GateProps {
  /** The middle and the upper edge of the gate. */
  readonly x: number
  readonly y: number
  readonly width: number
  readonly name: string
  readonly title: string
  readonly activation: string
  readonly value: number | undefined
  readonly signed?: boolean
}

const GATE_HEIGHT = 64

/** A gate with its level: from the left for values from 0 to 1, from the middle for −1 to 1. */
export function Gate({ x, y, width, name, title, activation, ...of }: GateProps): JSX.Element {
  const value = of.value ?? Number.NaN
  const left = x - width / 2
  const inner = width - 16
  const level = Math.max(-1, Math.min(1, Number.isFinite(value) ? value : 0))
  const [from, length] = of.signed
    ? [level < 0 ? x + (level * inner) / 2 : x, (Math.abs(level) * inner) / 2]
    : [left + 8, Math.max(0, level) * inner]
  const act = show.activation(activation)
  const words = `${title} ${name} = ${act}`
  // Text that would not fit is squeezed rather than cut.
  const squeezed = words.length * 6.9 > width - 10 ? { textLength: width - 12 } : {}
  return (
    <g>
      <rect x={left} y={y} width={width} height={GATE_HEIGHT} rx={9} class="frame" />
      <rect
        x={from}
        y={y + GATE_HEIGHT - 9}
        width={length}
        height={6}
        class={level < 0 ? 'level negative' : 'level'}
      />
      <text
        x={x}
        y={y + 20}
        class="title"
        text-anchor="middle"
        lengthAdjust="spacingAndGlyphs"
        {...squeezed}
      >
        {title} <tspan class="strong">{name}</tspan> = {act}
      </text>
      <text x={x} y={y + 45} class="reading" text-anchor="middle" data-wire={name}>
        {show.number(of.value)}
      </text>
    </g>
  )
}

interface OperationProps {
  readonly x: number
  readonly y: number
  readonly sign: string
  readonly small?: boolean
}

export function Operation({ x, y, sign, small }: OperationProps): JSX.Element {
  return (
    <g>
      <circle cx={x} cy={y} r={small ? 13 : 15} class="operation" />
      <text
        x={x}
        y={y + (small ? 5 : 7)}
        text-anchor="middle"
        class={small ? 'sign small' : 'sign'}
      >
        {sign}
      </text>
    </g>
  )
}

/** Weights that multiply a whole vector. */
export function Weights({ x, y, name }: { x: number; y: number; name: string }): JSX.Element {
  return (
    <g>
      <rect x={x - 17} y={y - 13} width={34} height={26} rx={5} class="operation" />
      <text x={x} y={y + 5} text-anchor="middle" class="sign small">
        {name}
      </text>
    </g>
  )
}

export function Dot({ x, y }: { x: number; y: number }): JSX.Element {
  return <circle cx={x} cy={y} r={4} class="dot" />
}
