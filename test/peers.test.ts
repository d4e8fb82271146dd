/** Other projects' expected numbers, through the public API, in both engines and the reference. */

import { describe, expect, it } from 'vitest'
import { compileSync, type RunOptions } from '../src/index.ts'
import { runReference } from '../src/runtime/reference/index.ts'
import type { Named, Tensor } from '../src/tensor.ts'
import {
  candleCases,
  kerasCases,
  onnxCases,
  type PeerCase,
  rtNeuralCases,
  webNnCases,
} from './support/peers.ts'
import { haveShared } from './support/shared.ts'

const peers: Readonly<Record<string, readonly PeerCase[]>> = haveShared
  ? {
      keras: kerasCases('keras'),
      tfjs: kerasCases('tfjs'),
      'keras-js': kerasCases('keras-js'),
      'webnn-baseline': webNnCases(),
      'onnx-node': onnxCases(),
      candle: candleCases(),
      rtneural: rtNeuralCases(),
    }
  : {}

type Runner = (test: PeerCase, run: RunOptions) => Named<Tensor>

const runners: Readonly<Record<string, Runner>> = {
  'f32 engine': (test, run) => predict(test, run, 'f32'),
  'f64 engine': (test, run) => predict(test, run, 'f64'),
  reference: ({ model, input }, run) => {
    const { outputs, states } = runReference(model, input, run)
    return { ...outputs, ...states }
  },
}

function predict(
  { model, input }: PeerCase,
  run: RunOptions,
  precision: 'f32' | 'f64',
): Named<Tensor> {
  const program = compileSync(model, { precision })
  const outputs = [...program.outputs, ...program.states].map(({ name }) => name)
  return program.predict(input, { ...run, outputs })
}

describe.skipIf(!haveShared)(
  'expected numbers of other projects (beside the project, absent here)',
  () => {
    for (const [peer, cases] of Object.entries(peers)) {
      describe(peer, () => {
        for (const test of cases) {
          if ('needs' in test) {
            it.todo(`${test.name}: pending, needs ${test.needs}`)
            continue
          }
          for (const [engine, run] of Object.entries(runners)) {
            it(`${test.name}, ${engine}: within ${test.tolerance.atol} + ${test.tolerance.rtol}·|expected|`, () => {
              let results = run(test, test.run ?? {})
              for (let call = 1; call < test.calls; call++) {
                const states = Object.entries(results).filter(([name]) => name !== 'y')
                results = run(test, { ...test.run, initialState: Object.fromEntries(states) })
              }
              const actual = results.y.data
              expect(actual.length).toBe(test.expected.length)
              test.expected.forEach((expected, i) => {
                const bound = test.tolerance.atol + test.tolerance.rtol * Math.abs(expected)
                expect(Math.abs(actual[i] - expected), `number ${i}`).toBeLessThanOrEqual(bound)
              })
            })
          }
        }
      })
    }
  },
)
