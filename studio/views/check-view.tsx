/** The view that checks the numbers: verification, diagnosis, conventions, comparison. */

import type { ComponentChildren, JSX } from 'preact'
import type { Place } from '../../src/verify/index.ts'
import { diagnose, openExpected, verify } from '../actions.ts'
import type { VerifyResult } from '../engine/protocol.ts'
import * as show from '../show.ts'
import * as state from '../state.ts'
import { Compare } from './compare.tsx'
import { ConventionSwitches } from './convention-switches.tsx'
import { DiagnosisAnswer } from './diagnosis-answer.tsx'
import { ErrorStrip } from './error-strip.tsx'
import { FileButton } from './file-button.tsx'

export function CheckView(): JSX.Element {
  return (
    <div class="check">
      <section aria-labelledby="verify-title">
        <h2 id="verify-title">Does it give the right numbers?</h2>
        {state.expected.value === null ? <AskForExpected /> : <Verify />}
      </section>
      <ConventionSwitches />
      <Compare />
    </div>
  )
}

function AskForExpected(): JSX.Element {
  return (
    <>
      <p>
        Give the outputs that the model should have for this input, for instance saved with{' '}
        <code>numpy.save</code> where it was trained. Then every number is compared, and if they
        differ the mistake can be searched for.
      </p>
      <FileButton label="Expected outputs …" primary onFiles={(files) => openExpected({ files })} />
    </>
  )
}

function Verify(): JSX.Element {
  const { verdict, expected } = state
  return (
    <>
      <p class="quiet">Compared with {expected.value?.origin}.</p>
      {verdict.value !== null && <Verdict result={verdict.value} />}
      <div class="buttons">
        <button type="button" onClick={() => verify('f32')}>
          Verify in float32
        </button>
        <button type="button" onClick={() => verify('f64')}>
          Verify in float64
        </button>
        <button
          type="button"
          class={verdict.value?.pass === false ? 'primary' : ''}
          onClick={() => diagnose()}
        >
          Diagnose: find the mistake
        </button>
      </div>
      <ErrorStrip />
      <DiagnosisAnswer />
    </>
  )
}

function Verdict({ result }: { readonly result: VerifyResult }): JSX.Element {
  return (
    <div
      class={result.pass ? 'verdict good' : 'verdict bad'}
      data-verdict={result.pass ? 'pass' : 'fail'}
    >
      {Object.entries(result.outputs).map(([name, output]) => (
        <div key={name}>
          <h3>
            {output.pass ? '✓' : '✗'} Output <code>{name}</code>{' '}
            {output.finite === 0
              ? 'has nothing to compare: none of its numbers is finite'
              : `${output.pass ? 'agrees' : 'differs'}: ${show.count(output.compared)} numbers compared`}
            {output.outside > 0 && `, ${show.count(output.outside)} out of tolerance`}
          </h3>
          <dl>
            {output.worst !== null && (
              <>
                <Row title="Largest difference">
                  {show.small(output.maxAbsolute)} at {showPlace(output.worst.at)}:{' '}
                  {show.exact(output.worst.actual)}, expected {show.exact(output.worst.expected)}
                </Row>
                <Row title="Relative, and in units of the last place">
                  {show.small(output.maxRelative)}, {show.ulps(output.maxUlps)}
                </Row>
              </>
            )}
            <Row title="Tolerance">
              {show.small(output.tolerance.largest)}: {output.tolerance.why}
            </Row>
            {output.first !== null && (
              <Row title="First out of tolerance">
                {showPlace(output.first.at)}: {show.exact(output.first.actual)}, expected{' '}
                {show.exact(output.first.expected)}
              </Row>
            )}
            {output.lastStepOnly && (
              <Row title="Note">only the last timestep was there to compare</Row>
            )}
          </dl>
        </div>
      ))}
      <p class="quiet">
        Computed in {result.engine.precision === 'f32' ? 'float32' : 'float64'} by the{' '}
        {result.engine.kind === 'wasm' ? 'WebAssembly' : 'JavaScript'} engine.
      </p>
    </div>
  )
}

function Row({ title, children }: { title: string; children: ComponentChildren }): JSX.Element {
  return (
    <div>
      <dt>{title}</dt>
      <dd>{children}</dd>
    </div>
  )
}

function showPlace(at: Place): string {
  const several = (state.input.value?.rows ?? 1) > 1
  return [
    at.row === undefined || !several ? '' : `sequence ${at.row}, `,
    at.timestep === undefined ? '' : `timestep ${at.timestep}, `,
    `unit ${at.unit}`,
  ].join('')
}
