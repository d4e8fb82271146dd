/** The view of the model: a graph with shapes, its layers, its data and its conventions. */

import type { JSX } from 'preact'
import { conventionTable, type LayerSummary } from '../../src/model/index.ts'
import { chooseLayer } from '../actions.ts'
import * as show from '../show.ts'
import * as state from '../state.ts'
import { layOut } from './graph-layout.ts'
import { Scrolls } from './scrolls.tsx'

export function ModelView(): JSX.Element {
  const model = state.model.value!
  const { summary, engine } = model
  return (
    <>
      <section aria-labelledby="graph-title">
        <h2 id="graph-title">{summary.name}</h2>
        <p class="quiet">
          {summary.source}; {show.count(summary.parameters)} weights; runs in{' '}
          {engine.kind === 'wasm' ? 'WebAssembly' : 'JavaScript'}
          {engine.fallbacks.length > 0 && engine.kind === 'wasm' && ', in part in JavaScript'}.
        </p>
        <Graph />
        {model.cells.length > 0 && <p class="quiet">Click a framed box to look inside.</p>}
      </section>
      <Layers layers={summary.layers} />
      <Data />
      <Conventions layers={summary.layers.filter(({ conventions }) => conventions.length > 0)} />
    </>
  )
}

function Graph(): JSX.Element {
  const model = state.model.value!
  const { boxes, wires, width, height } = layOut(model)
  return (
    <Scrolls label="Graph of the model" bounded>
      <svg
        class="graph"
        viewBox={`0 0 ${width} ${height}`}
        style={{ width: `${width}px` }}
        role="img"
        aria-label="Graph of the model; the table below lists its layers"
      >
        <defs>
          <marker id="edge-tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="5" orient="auto">
            <path d="M0 0L8 4L0 8z" class="tip" />
          </marker>
        </defs>
        {wires.map(({ d }) => (
          <path key={d} d={d} class="edge" marker-end="url(#edge-tip)" />
        ))}
        {wires.map(({ d, x, y, before, label }) => (
          <text key={d} x={x} y={y} class="note" text-anchor={before ? 'end' : 'start'}>
            {label}
          </text>
        ))}
        {boxes.map(({ id, x, y, w, h, title, note, cell }) => (
          // For the pointer only; the buttons in the table below work with the keyboard.
          <g key={id} class={cell ? 'cell' : ''} {...(cell && { onClick: () => look(id) })}>
            <title>{cell ? `Look inside ${id}` : id}</title>
            <rect x={x} y={y} width={w} height={h} rx={8} class="box" />
            <text x={x + w / 2} y={y + h / 2 - 3} text-anchor="middle" class="strong">
              {title}
            </text>
            <text x={x + w / 2} y={y + h / 2 + 15} text-anchor="middle">
              {note}
            </text>
          </g>
        ))}
      </svg>
    </Scrolls>
  )
}

function look(layer: string): void {
  state.tab.value = 'cell'
  void chooseLayer(layer)
}

function Layers({ layers }: { readonly layers: readonly LayerSummary[] }): JSX.Element {
  const cells = state.model.value?.cells ?? []
  return (
    <section class="layers" aria-labelledby="layers-title">
      <h2 id="layers-title">Layers</h2>
      <Scrolls label="Layers of the model" bounded>
        <table>
          <thead>
            <tr>
              <th scope="col">Layer</th>
              <th scope="col">Look</th>
              <th scope="col">Kind</th>
              <th scope="col">Output</th>
              <th scope="col">Weights</th>
            </tr>
          </thead>
          <tbody>
            {layers.map(({ name, kind, outputs, parameters, storage }) => (
              <tr key={name}>
                <th scope="row">{name}</th>
                <td>
                  {cells.some((cell) => cell.name === name) && (
                    <button type="button" onClick={() => look(name)}>
                      Look inside
                    </button>
                  )}
                </td>
                <td>{kind}</td>
                <td>{show.shape(outputs[0]?.shape ?? [])}</td>
                <td>
                  {show.count(parameters)} {parameters > 0 && storage.join(', ')}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </Scrolls>
    </section>
  )
}

function Data(): JSX.Element {
  const rows = [
    ['Input', state.input.value],
    ['Expected outputs', state.expected.value],
  ] as const
  return (
    <section aria-labelledby="data-title">
      <h2 id="data-title">Data</h2>
      <dl>
        {rows.map(([title, data]) => (
          <div key={title}>
            <dt>{title}</dt>
            <dd>
              {data === null
                ? 'none'
                : `${data.arrays.map(({ name, shape }) => `${name} ${show.shape(shape)}`).join(', ')}: ${data.origin}`}
            </dd>
          </div>
        ))}
      </dl>
    </section>
  )
}

const origins: Readonly<Record<string, string>> = {
  chosen: 'you said so',
  stated: 'the file says so',
  implied: 'it follows from the file',
  assumed: 'nothing says so; the most common case',
}

interface Group {
  readonly names: readonly string[]
  readonly kind: string
  readonly conventions: LayerSummary['conventions']
}

/** Groups layers with the same conventions for the same reasons into one table. */
function alike(layers: readonly LayerSummary[]): readonly Group[] {
  const groups = new Map<string, { names: string[]; kind: string; of: LayerSummary }>()
  for (const layer of layers) {
    const { name, kind, conventions } = layer
    const key = JSON.stringify([kind, conventions])
    const group = groups.get(key)
    if (group === undefined) groups.set(key, { names: [name], kind, of: layer })
    else group.names.push(name)
  }
  return [...groups.values()].map(({ names, kind, of }) => ({
    names,
    kind,
    conventions: of.conventions,
  }))
}

function Conventions({ layers }: { readonly layers: readonly LayerSummary[] }): JSX.Element {
  return (
    <section aria-labelledby="conventions-title">
      <h2 id="conventions-title">How the weights are read, and why</h2>
      {layers.length === 0 && <p>No layer of this model can be read in more than one way.</p>}
      {alike(layers).map(({ names, kind, conventions }) => (
        <Scrolls key={names[0]} label={`Conventions of ${names[0]}`}>
          <table class="conventions">
            <caption>
              <code>{names.join(', ')}</code> ({kind})
            </caption>
            <thead>
              <tr>
                <th scope="col">Convention</th>
                <th scope="col">Value</th>
                <th scope="col">Where it comes from</th>
              </tr>
            </thead>
            <tbody>
              {conventions.map((convention) => (
                <Row key={convention.key} convention={convention} />
              ))}
            </tbody>
          </table>
        </Scrolls>
      ))}
    </section>
  )
}

interface RowProps {
  readonly convention: LayerSummary['conventions'][number]
}

function Row({ convention }: RowProps): JSX.Element {
  const { key, value, origin, why } = convention
  const values: Readonly<Record<string, string>> = conventionTable[key].values
  return (
    <tr>
      <th scope="row">{conventionTable[key].title}</th>
      <td>
        {/* The values of `transposed` are only yes and no. */}
        {key !== 'transposed' && <strong>{value} </strong>}
        {values[value] !== undefined && <span class="quiet">{values[value]}</span>}
      </td>
      <td>
        <span class={`origin ${origin}`} title={origins[origin]}>
          {origin}
        </span>{' '}
        because {why}
      </td>
    </tr>
  )
}
