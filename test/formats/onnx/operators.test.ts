/** Tests each operator alone, with every combination of known and unknown inputs. */

import { describe, it } from 'vitest'
import { load } from '../../../src/index.ts'
import { expectOutputs, fixtureJson, type OperatorCase, tensors } from './cases.ts'

const cases = fixtureJson<readonly OperatorCase[]>('operators.json')

describe('ONNX operators', () => {
  it.each(cases)('$name', async ({ model, inputs, outputs }) => {
    const bytes = new Uint8Array(Buffer.from(model, 'base64'))
    // Attributes of ONNX are float32: 0.01 and 1e-5 are off by 1e-8 of themselves.
    const tolerance = { double: 2e-7, single: 5e-6 }
    expectOutputs(await load({ 'm.onnx': bytes }), tensors(inputs), tensors(outputs), tolerance)
  })
})
