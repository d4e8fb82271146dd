/** The view to try the model with an input of one's own, step by step, as a stream. */

import { type Signal, useSignal } from '@preact/signals'
import type { JSX } from 'preact'
import { useEffect, useRef } from 'preact/hooks'
import { attempt } from '../actions.ts'
import { drawLines, drawMatrix } from '../draw/canvas.ts'
import { lineColours, signPalette } from '../draw/palette.ts'
import { call } from '../engine/client.ts'
import type { StreamAnswer } from '../engine/protocol.ts'
import * as show from '../show.ts'
import * as state from '../state.ts'
import { DrawPad } from './draw-pad.tsx'
import { useDark } from './media.ts'

/** The steps that the plots show. */
const KEPT = 160
const EVERY_MS = 60
/** More would not fit on the page; the other features are 0 unless they are drawn. */
const MOST_SLIDERS = 8
/** The largest value of a slider; inputs of networks are usually scaled to about 1. */
const REACH = 3
const MOST_LINES = 4

interface Moment extends StreamAnswer {
  readonly x: readonly number[]
}

export function TryView(): JSX.Element {
  const model = state.model.value
  const shape = model?.summary.inputs[0]?.shape ?? []
  // Inputs without a feature axis are indices of an embedding: one whole number at each step.
  const whole = shape.length === 2 && shape[1] === 'time'
  const features = whole ? 1 : shape.at(-1)
  const several = (model?.summary.inputs.length ?? 0) > 1
  if (model === null || typeof features !== 'number' || several || model.obstacle !== null) {
    return (
      <section>
        <h2>Try it step by step</h2>
        <p>
          {model?.obstacle ??
            'Streams here take one input with a known number of features; this model has another kind.'}
        </p>
      </section>
    )
  }
  return <Player key={model.summary.name} features={features} whole={whole} />
}

interface PlayerProps {
  readonly features: number
  readonly whole: boolean
}

function Player({ features, whole }: PlayerProps): JSX.Element {
  const x = useSignal<readonly number[]>(new Array<number>(features).fill(0))
  const feature = useSignal(0)
  const running = useSignal(false)
  const past = useSignal<readonly Moment[]>([])
  const one = async (): Promise<void> => {
    const fed = x.value
    const answer = await call('streamStep', { x: fed })
    past.value = [...past.value, { ...answer, x: fed }].slice(-KEPT)
  }
  useEffect(() => {
    void call('streamReset', {}).catch(() => {})
    past.value = []
  }, [state.model.value])
  useEffect(() => {
    if (!running.value) return
    let waiting = false
    const timer = setInterval(async () => {
      // Slow machines skip steps instead of queueing them.
      if (waiting) return
      waiting = true
      await one().catch(() => {
        running.value = false
      })
      waiting = false
    }, EVERY_MS)
    return () => clearInterval(timer)
  }, [running.value])
  return (
    <section class="try" aria-labelledby="try-title">
      <h2 id="try-title">Try it: an input of your own, and the answer at once</h2>
      <p>
        Start, then move the sliders or draw. The network gets one step after the other and
        remembers what it has seen: watch how long.
      </p>
      <div class="buttons">
        <button
          type="button"
          class="primary"
          onClick={() => {
            running.value = !running.value
          }}
        >
          {running.value ? 'Pause' : 'Start'}
        </button>
        <button type="button" onClick={() => attempt('One step', one)}>
          One step
        </button>
        <button
          type="button"
          onClick={() =>
            attempt('Back to zeros', async () => {
              await call('streamReset', {})
              past.value = []
            })
          }
        >
          Forget everything
        </button>
      </div>
      <div class="try-columns">
        <div>
          <h3>Input</h3>
          {Array.from({ length: Math.min(features, MOST_SLIDERS) }, (_, f) => (
            <Slider key={f} x={x} f={f} whole={whole} />
          ))}
          {features > MOST_SLIDERS && (
            <p class="quiet">
              The other {features - MOST_SLIDERS} features are 0 until you draw them.
            </p>
          )}
          {!whole && (
            <Draw
              x={x}
              feature={feature}
              past={past.value}
              onStart={() => (running.value = true)}
            />
          )}
        </div>
        <Answers past={past.value} />
      </div>
    </section>
  )
}

interface SliderProps {
  readonly x: Signal<readonly number[]>
  readonly f: number
  readonly whole: boolean
}

function Slider({ x, f, whole }: SliderProps): JSX.Element {
  const [least, most, step] = whole ? [0, 500, 1] : [-REACH, REACH, 0.05]
  const set = (value: number): void => {
    if (Number.isFinite(value)) x.value = x.value.with(f, value)
  }
  return (
    <div class="slider">
      <span>x{f}</span>
      <input
        type="range"
        min={least}
        max={most}
        step={step}
        value={x.value[f]}
        aria-label={`Feature ${f}`}
        onInput={({ currentTarget }) => set(currentTarget.valueAsNumber)}
      />
      <input
        type="number"
        step="any"
        value={x.value[f]}
        aria-label={`Feature ${f} as a number`}
        onInput={({ currentTarget }) => set(currentTarget.valueAsNumber)}
      />
    </div>
  )
}

interface DrawProps {
  readonly x: Signal<readonly number[]>
  readonly feature: Signal<number>
  readonly past: readonly Moment[]
  readonly onStart: () => void
}

function Draw({ x, feature, past, onStart }: DrawProps): JSX.Element {
  const values = [...past.map(({ x: fed }) => fed[feature.value]), x.value[feature.value]]
  return (
    <>
      <h3>
        Or draw{' '}
        <label class="inline">
          feature{' '}
          <select
            value={feature.value}
            onChange={({ currentTarget }) => {
              feature.value = Number(currentTarget.value)
            }}
          >
            {x.value.map((_, f) => (
              <option key={f} value={f}>
                {f}
              </option>
            ))}
          </select>
        </label>
      </h3>
      <DrawPad
        reach={Math.max(REACH, ...values.map(Math.abs))}
        values={values}
        columns={KEPT + 1}
        onValue={(value) => {
          x.value = x.value.with(feature.value, value)
        }}
        onStart={onStart}
      />
    </>
  )
}

function Answers({ past }: { readonly past: readonly Moment[] }): JSX.Element {
  const last = past.at(-1)
  const width = last?.output.length ?? 0
  return (
    <div>
      <h3>
        Output{' '}
        <span class="quiet number" data-stream="output">
          {last === undefined
            ? ''
            : Array.from(last.output.subarray(0, MOST_LINES), show.number).join('  ')}
        </span>
        {width > MOST_LINES && (
          <span class="quiet">
            {' '}
            the first {MOST_LINES} of {width}
          </span>
        )}
      </h3>
      <Lines past={past} />
      <h3>
        State <span class="quiet">one row for each unit; blue is negative, orange positive</span>
      </h3>
      <States past={past} />
      {last === undefined && <p class="quiet">Nothing yet: press Start, or take one step.</p>}
    </div>
  )
}

/** The moment in a column; the newest is in the last column. */
function momentAt(past: readonly Moment[], column: number): Moment | undefined {
  return past[column - (KEPT - past.length)]
}

function Lines({ past }: { readonly past: readonly Moment[] }): JSX.Element {
  const canvas = useRef<HTMLCanvasElement>(null)
  const dark = useDark()
  const width = Math.min(past[0]?.output.length ?? 0, MOST_LINES)
  let reach = 1
  for (const { output } of past)
    for (const value of output.subarray(0, width))
      if (Math.abs(value) > reach) reach = Math.abs(value)
  useEffect(() => {
    if (canvas.current === null) return
    const colours = lineColours(dark)
    const at = (u: number) => (c: number) => momentAt(past, c)?.output[u] ?? Number.NaN
    const lines = Array.from({ length: width }, (_, u) => ({
      colour: colours.lines[u],
      dash: u === 0 ? [] : [3 * u, 3],
      width: 2,
      mean: at(u),
      min: at(u),
      max: at(u),
    }))
    drawLines(canvas.current, KEPT, [-reach, reach], lines, { colour: colours.grid, at: [0] })
  }, [past, dark])
  return (
    <div class="plot tall">
      <canvas ref={canvas} role="img" aria-label="Outputs over the last steps" />
      <span class="axis top">{show.small(reach)}</span>
      <span class="axis bottom">{show.small(-reach)}</span>
    </div>
  )
}

function States({ past }: { readonly past: readonly Moment[] }): JSX.Element {
  const canvas = useRef<HTMLCanvasElement>(null)
  const dark = useDark()
  useEffect(() => {
    if (canvas.current === null) return
    const units = past[0]?.state.length ?? 1
    const at = (u: number, c: number): number => momentAt(past, c)?.state[u] ?? 0
    drawMatrix(canvas.current, units, KEPT, at, signPalette(dark, 1))
  }, [past, dark])
  return (
    <div class="plot" style={{ height: '130px' }}>
      <canvas ref={canvas} role="img" aria-label="State of every unit over the last steps" />
    </div>
  )
}
