/** The full answer of a diagnosis, with buttons that read the model accordingly. */

import type { JSX } from 'preact'
import type { Diagnosis } from '../../src/diagnose/index.ts'
import { conventionTable } from '../../src/model/index.ts'
import { attempt, download, reread } from '../actions.ts'
import { call } from '../engine/client.ts'
import { quirkNames } from '../quirk-names.ts'
import * as show from '../show.ts'
import * as state from '../state.ts'
import { Scrolls } from './scrolls.tsx'

const words: Readonly<Record<Diagnosis['verdict'], string>> = {
  identified: 'Found: one reading explains these numbers',
  ambiguous: 'Several readings explain these numbers equally well',
  none: 'No reading that gruv knows explains these numbers',
  'not finished': 'Not finished: the time was up before any reading explained these numbers',
  'nothing to compare': 'Nothing to compare: none of the expected numbers is finite',
}
const MOST = 10

export function DiagnosisAnswer(): JSX.Element | null {
  const { value } = state.diagnosis
  if (value === null) return null
  const { verdict, candidates, tolerance, tried, complete, left, explanation } = value
  return (
    <div class={`diagnosis ${verdict === 'identified' ? 'good' : 'open'}`} data-diagnosis={verdict}>
      <h3>{words[verdict]}</h3>
      <p class="quiet">
        {show.count(tried)} readings tried; what fits is within {show.small(tolerance)}.
        {!complete && ` Not finished: ${left.join(', ')}.`}
      </p>
      <Scrolls label="What explains the numbers">
        <table>
          <thead>
            <tr>
              <th scope="col">{verdict === 'none' ? 'The nearest' : 'What explains them'}</th>
              <th scope="col">Here</th>
              <th scope="col">Largest difference</th>
              <th scope="col">On the command line</th>
            </tr>
          </thead>
          <tbody>
            {candidates.slice(0, MOST).map((candidate) => (
              <tr key={candidate.flags}>
                <td>{changes(candidate)}</td>
                <td>
                  <button type="button" onClick={() => reread(quirksOf(candidate))}>
                    Read it so
                  </button>
                </td>
                <td class="number">{show.small(candidate.maxError)}</td>
                <td>
                  <code>{candidate.flags === '' ? '(no flags)' : candidate.flags}</code>
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </Scrolls>
      {candidates.length > MOST && <p>and {candidates.length - MOST} more</p>}
      {explanation !== null && (
        <ul>
          {explanation.hints.map((hint) => (
            <li key={hint}>{hint}</li>
          ))}
        </ul>
      )}
      <Open diagnosis={value} />
    </div>
  )
}

type Candidate = Diagnosis['candidates'][number]

/** The differences from how the model is read now, in words. */
function changes({ convention, title }: Candidate): string {
  const now = state.model.value?.summary.layers.flatMap(({ conventions }) => conventions) ?? []
  const different = Object.keys(quirkNames).flatMap((key) => {
    const value = convention[key as keyof typeof convention]
    const said = now.find((each) => each.key === key)
    if (typeof value !== 'string' || said === undefined || said.value === value) return []
    return [`${conventionTable[said.key].title}: ${value}, not ${said.value}`]
  })
  return (
    [...different, ...(title === '' ? [] : [title])].join('; ') || 'the model as it is read now'
  )
}

function quirksOf({ convention }: Candidate): readonly string[] {
  const common = Object.entries(quirkNames).flatMap(([key, name]) => {
    const value = convention[key as keyof typeof convention]
    if (typeof value !== 'string' || value === 'none') return []
    return [`${name}=${value}`]
  })
  return [...common, ...convention.quirks.filter((quirk) => !isOfRun(quirk))]
}

/** Whether a quirk changes a run and not the model. */
function isOfRun(quirk: string): boolean {
  return /^(reversed|backwards|time-batch-swapped|stateless|state-carried|initial-state)/.test(
    quirk,
  )
}

function Open({ diagnosis }: { readonly diagnosis: Diagnosis }): JSX.Element | null {
  const { toTellApart } = diagnosis
  if (toTellApart === null) return null
  const { open, unseen, shown, suggestion } = toTellApart
  return (
    <>
      <h4>What this data cannot tell</h4>
      <ul>
        {open.map(({ title, values }) => (
          <li key={title}>
            {title}: {values.join(' or ')}
          </li>
        ))}
        {unseen.map(({ quirk, title }) => (
          <li key={quirk}>
            whether {title} (<code>{quirk}</code>)
          </li>
        ))}
      </ul>
      {shown.length > 0 && (
        <p>
          What it does show:{' '}
          {shown.map(({ convention, value }) => `${convention} ${value}`).join(', ')}.
        </p>
      )}
      {suggestion === null ? (
        <p class="quiet">No input was found that would tell them apart.</p>
      ) : (
        <button
          type="button"
          onClick={() =>
            attempt('Writing an input that tells', async () => {
              const file = await call('suggestion', {})
              if (file !== null) download(file.name, file.bytes)
            })
          }
        >
          Save an input that would tell them apart
        </button>
      )}
    </>
  )
}
