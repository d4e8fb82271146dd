/** The view of the weights, split by gate. */

import { useSignal } from '@preact/signals'
import type { JSX } from 'preact'
import { useEffect, useRef } from 'preact/hooks'
import { select } from '../actions.ts'
import { drawMatrix } from '../draw/canvas.ts'
import { signPalette } from '../draw/palette.ts'
import { pointerIn } from '../draw/pointer.ts'
import { call } from '../engine/client.ts'
import type { WeightArray } from '../engine/protocol.ts'
import * as show from '../show.ts'
import * as state from '../state.ts'
import { useDark } from './media.ts'

const parts: Readonly<Record<string, string>> = {
  kernel: 'Input weights W: a row for each feature of x',
  recurrentKernel: 'Recurrent weights U: a row for each unit of h',
  inputBias: 'Input biases',
  recurrentBias: 'Recurrent biases',
  peephole: 'Peepholes: how much each gate sees of the cell',
}

/** In the order in which a step computes them. */
const order = 'zrnifgo'

export function WeightsView(): JSX.Element {
  const arrays = useSignal<readonly WeightArray[]>([])
  const cell = state.cell.value
  const model = state.model.value
  useEffect(() => {
    if (cell === null) return
    call('weights', { layer: cell.name }).then(
      (found) => {
        arrays.value = found
      },
      () => {},
    )
  }, [cell?.name, model])
  if (cell === null) return <p>This model has no recurrent layer whose gates could be shown.</p>
  const names = Object.keys(parts).filter((part) => arrays.value.some((each) => each.part === part))
  return (
    <section aria-labelledby="weights-title">
      <h2 id="weights-title">
        Weights of <code>{cell.name}</code>, gate by gate
      </h2>
      <p class="quiet">
        One column for each unit; the outlined one is unit {state.unit.value}. Blue is negative,
        orange positive. Click a column to choose that unit everywhere.
      </p>
      {names.map((part) => {
        const those = arrays.value.filter((each) => each.part === part)
        those.sort((a, b) => order.indexOf(a.gate) - order.indexOf(b.gate))
        return (
          <div key={part} class="part">
            <h3>{parts[part]}</h3>
            <div class="matrices">
              {those.map((array) => (
                <Matrix key={array.gate} array={array} />
              ))}
            </div>
          </div>
        )
      })}
    </section>
  )
}

function Matrix({ array }: { readonly array: WeightArray }): JSX.Element {
  const canvas = useRef<HTMLCanvasElement>(null)
  const reading = useSignal('')
  const dark = useDark()
  const { gate, data, shape, reach } = array
  const [rows, units] = shape
  useEffect(() => {
    // Each matrix in a task of its own, so that large ones do not block the page.
    const timer = setTimeout(() => {
      if (canvas.current === null) return
      const palette = signPalette(dark, reach === 0 ? 1 : reach)
      drawMatrix(canvas.current, rows, units, (row, u) => data[row * units + u], palette)
    })
    return () => clearTimeout(timer)
  }, [array, dark])
  const cellAt = (event: MouseEvent & { currentTarget: HTMLElement }): [number, number] => {
    const { across, down } = pointerIn(event)
    return [Math.floor(down * rows), Math.floor(across * units)]
  }
  const size = rows === 1 ? 22 : Math.max(48, Math.min(260, rows * 12))
  return (
    <figure class="matrix">
      <figcaption>
        <strong>{gate === '' ? 'all' : gate}</strong>
        <span class="quiet">{show.shape(rows === 1 ? [units] : shape)}</span>
        <span class="reading">{reading.value}</span>
      </figcaption>
      <div class="plot" style={{ height: `${size}px` }}>
        <canvas
          ref={canvas}
          role="img"
          aria-label={`${array.part} of gate ${gate}, ${rows} by ${units}, from −${show.number(reach)} to ${show.number(reach)}`}
          onClick={(event) => select(cellAt(event)[1], state.t.value)}
          onMouseMove={(event) => {
            const [row, u] = cellAt(event)
            reading.value = `${rows === 1 ? '' : `row ${row}, `}unit ${u}: ${show.number(data[row * units + u])}`
          }}
          onMouseLeave={() => {
            reading.value = ''
          }}
        />
        <div
          class="cursor column"
          style={{ left: `${(100 * state.unit.value) / units}%`, width: `${100 / units}%` }}
        />
      </div>
    </figure>
  )
}
