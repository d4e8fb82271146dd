/** The gates and the state of the chosen unit as lines over time. */

import type { JSX } from 'preact'
import { useEffect, useRef } from 'preact/hooks'
import { select } from '../actions.ts'
import { drawLines, type Line } from '../draw/canvas.ts'
import * as state from '../state.ts'
import { useDark } from './dark.ts'
import { Cursor } from './heatmap.tsx'

/** Told apart by dashes as well as by colour: light, then dark. */
const styles: readonly { colours: readonly [string, string]; dash: readonly number[] }[] = [
  { colours: ['#1f5fa8', '#7db8ff'], dash: [] },
  { colours: ['#b3470a', '#ffa561'], dash: [7, 4] },
  { colours: ['#5d6b1f', '#c3d46b'], dash: [2, 3] },
  { colours: ['#86306f', '#f09ad6'], dash: [10, 3, 2, 3] },
  { colours: ['#146b5c', '#66d3bf'], dash: [4, 4] },
  { colours: ['#111111', '#ffffff'], dash: [] },
]

interface TrajectoriesProps {
  readonly names: readonly string[]
  readonly titles: Readonly<Record<string, string>>
}

export function Trajectories({ names, titles }: TrajectoriesProps): JSX.Element {
  const canvas = useRef<HTMLCanvasElement>(null)
  const dark = useDark()
  const view = state.view.value
  const unit = state.unit.value
  const theme = dark ? 1 : 0
  // The state is drawn as the strongest line, and last.
  const ordered = names.map((name, i) => ({
    name,
    style: name === 'h' ? styles[5] : styles[i % 5],
    width: name === 'h' ? 2.5 : 1.5,
  }))
  useEffect(() => {
    const draw = (): void => {
      if (canvas.current === null || view === null) return
      const { units, columns, strips } = view
      if (unit >= units) return
      let reach = 1
      const lines = ordered.flatMap(({ name, style, width }): readonly Line[] => {
        const strip = strips[name]
        if (strip === undefined) return []
        for (let c = 0; c < columns; c++) {
          const [low, high] = [strip.min[c * units + unit], strip.max[c * units + unit]]
          if (-low > reach) reach = -low
          if (high > reach) reach = high
        }
        return [
          {
            colour: style.colours[theme],
            dash: style.dash,
            width,
            mean: (c) => strip.mean[c * units + unit],
            min: (c) => strip.min[c * units + unit],
            max: (c) => strip.max[c * units + unit],
          },
        ]
      })
      const grid = { colour: dark ? '#3a3f4a' : '#d9d9d4', at: [-1, 0, 1] }
      drawLines(canvas.current, columns, [-reach, reach], lines, grid)
    }
    draw()
    addEventListener('resize', draw)
    return () => removeEventListener('resize', draw)
  }, [view, unit, dark])
  return (
    <figure class="trajectories">
      <figcaption>
        <strong>Unit {unit} over time</strong>
        {ordered.map(({ name, style, width }) => (
          <span class="key" key={name}>
            <svg width="30" height="8" aria-hidden="true">
              <path
                d="M1 4H29"
                stroke={style.colours[theme]}
                stroke-width={width}
                stroke-dasharray={style.dash.join(' ')}
              />
            </svg>
            {titles[name]}
          </span>
        ))}
      </figcaption>
      <div class="plot tall">
        <canvas
          ref={canvas}
          role="img"
          aria-label={`Gates and state of unit ${unit} as lines over time`}
          onClick={(event) => {
            if (view === null) return
            const box = event.currentTarget.getBoundingClientRect()
            const across = (event.clientX - box.left) / box.width
            select(unit, view.from + Math.floor(across * (view.to - view.from)))
          }}
        />
        <span class="axis top">1</span>
        <span class="axis bottom">−1</span>
        <Cursor units={null} />
      </div>
    </figure>
  )
}
