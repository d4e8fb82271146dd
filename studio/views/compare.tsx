/** Compares with a second model, runs the model, and saves outputs, model and report. */

import { useSignal } from '@preact/signals'
import type { JSX } from 'preact'
import { useEffect } from 'preact/hooks'
import { attempt, download, openOther } from '../actions.ts'
import { call } from '../engine/client.ts'
import type { Comparison, RunResult } from '../engine/protocol.ts'
import * as show from '../show.ts'
import { sortFiles } from '../sort-files.ts'
import * as state from '../state.ts'
import { Differences } from './convention-switches.tsx'
import { FileButton } from './file-button.tsx'

export function Compare(): JSX.Element {
  return (
    <>
      <section aria-labelledby="compare-title">
        <h2 id="compare-title">Compare with another model</h2>
        <p>
          Both get the same input, in float64: two exports of one training should give the same
          numbers.
        </p>
        <FileButton
          label="Second model …"
          note={state.other.value?.summary.name ?? 'none'}
          onFiles={(files) => {
            const { model } = sortFiles(files)
            void openOther({ files: model.length > 0 ? model : files })
          }}
        />
        {state.other.value !== null && <Answer />}
      </section>
      <Run />
      <Keep />
    </>
  )
}

function Answer(): JSX.Element {
  const found = useSignal<Comparison | null>(null)
  const other = state.other.value
  useEffect(() => {
    void attempt('Comparing two models', async () => {
      found.value = await call('compare', { from: 'b' })
    })
  }, [other, state.model.value, state.input.value])
  const name = other?.summary.name ?? ''
  return <Differences found={found.value} against={name} sides={['this model', name]} />
}

const formats = ['npy', 'csv', 'npz', 'json'] as const

function Run(): JSX.Element {
  const result = useSignal<RunResult | null>(null)
  const precision = useSignal<'f32' | 'f64'>('f32')
  const save = (format: (typeof formats)[number]): void => {
    void attempt('Writing the outputs', async () => {
      const { name, bytes } = await call('save', { format, precision: precision.value })
      download(name, bytes)
    })
  }
  return (
    <section aria-labelledby="run-title">
      <h2 id="run-title">Run it, and keep the outputs</h2>
      <div class="buttons">
        <label>
          Precision
          <select
            value={precision.value}
            onChange={({ currentTarget }) => {
              precision.value = currentTarget.value === 'f64' ? 'f64' : 'f32'
            }}
          >
            <option value="f32">float32</option>
            <option value="f64">float64</option>
          </select>
        </label>
        <button
          type="button"
          onClick={() =>
            attempt('Running', async () => {
              result.value = await call('run', { precision: precision.value })
            })
          }
        >
          Run
        </button>
        {formats.map((format) => (
          <button key={format} type="button" onClick={() => save(format)}>
            Save .{format}
          </button>
        ))}
      </div>
      {result.value !== null && <Outputs result={result.value} />}
    </section>
  )
}

function Outputs({ result }: { readonly result: RunResult }): JSX.Element {
  return (
    <div aria-live="polite">
      <p>
        {result.milliseconds.toFixed(1)} ms,{' '}
        {result.engine.kind === 'wasm' ? 'WebAssembly' : 'JavaScript'}
        {result.engine.simd === 'none' ? '' : ` with SIMD (${result.engine.simd})`}.
      </p>
      {result.outputs.map(({ name, shape, head }) => (
        <details key={name} open>
          <summary>
            <code>{name}</code> {show.shape(shape)}
          </summary>
          <pre>{rows(head, shape)}</pre>
        </details>
      ))}
    </div>
  )
}

const MOST_ROWS = 12
const MOST_COLUMNS = 8

function rows(head: readonly number[], shape: readonly number[]): string {
  const width = shape.at(-1) ?? 1
  const all = shape.slice(0, -1).reduce((a, b) => a * b, 1)
  const lines = Array.from(
    { length: Math.min(MOST_ROWS, Math.ceil(head.length / width)) },
    (_, i) =>
      head
        .slice(i * width, i * width + Math.min(width, MOST_COLUMNS))
        .map((value) => show.number(value).padStart(9))
        .join(' '),
  )
  const more = [
    ...(all > lines.length ? [`${show.count(all)} rows in all`] : []),
    ...(width > MOST_COLUMNS ? [`${show.count(width)} numbers in each`] : []),
  ]
  return [...lines, ...(more.length > 0 ? [`… ${more.join(', ')}`] : [])].join('\n')
}

/** Saves the model as it is read now, under the chosen conventions, and a report about it. */
function Keep(): JSX.Element {
  const endings = useSignal<readonly string[]>([])
  const notes = useSignal<readonly string[]>([])
  useEffect(() => {
    call('modelEndings', {}).then(
      (found) => {
        endings.value = found
      },
      () => {},
    )
  }, [])
  const saveReport = (): void => {
    void attempt('Writing the report', async () => {
      const { name, bytes } = await call('saveReport', {})
      download(name, bytes)
    })
  }
  const save = (ending: string): void => {
    notes.value = []
    void attempt('Writing the model, and reading it back', async () => {
      const file = await call('saveModel', { ending })
      download(file.name, file.bytes)
      notes.value = file.notes
    })
  }
  return (
    <section aria-labelledby="save-title">
      <h2 id="save-title">Keep the model, and a report</h2>
      <p>
        The model as it is read now, with the conventions you chose: the file is read back and
        compared. The report is one page without scripts, with every gate on this input
        {state.expected.value !== null && ', the error against the expected outputs'} and what
        differs.
      </p>
      <div class="buttons">
        <button type="button" class="primary" onClick={saveReport}>
          Save report .html
        </button>
        {endings.value.map((ending) => (
          <button key={ending} type="button" onClick={() => save(ending)}>
            Save model {ending}
          </button>
        ))}
      </div>
      <ul aria-live="polite">
        {notes.value.map((note) => (
          <li key={note}>{note}</li>
        ))}
      </ul>
    </section>
  )
}
