/** Checks a model against the reference data that came with it. */

import { GruvError } from '../errors.ts'
import type { Model } from '../model/types.ts'
import { verify } from './index.ts'

/** @throws GruvError `differs` when the outputs differ, `not-found` when there is no data. */
export function verifyReference(model: Model): void {
  const { reference } = model
  if (reference === null) {
    throw new GruvError('not-found', 'the file holds no reference data', {
      where: 'verify',
      expected: 'a gruv model with inputs and the outputs they should give',
      fix: '`gruv convert MODEL OUT.safetensors --reference INPUT,EXPECTED` puts them in.',
    })
  }
  const { inputs, outputs } = reference
  const verdict = verify(model, { input: inputs, expected: outputs })
  for (const [name, { pass, maxAbsolute, tolerance, outside, compared }] of Object.entries(
    verdict.outputs,
  )) {
    if (pass) continue
    throw new GruvError('differs', 'the outputs are not those that came with the model', {
      where: `output ${name}`,
      expected: `at most ${tolerance.largest.toExponential(1)} off: ${tolerance.why}`,
      got: `${maxAbsolute.toExponential(2)}, and ${outside} of ${compared} numbers out of tolerance`,
      fix: 'The file was changed, or this machine computes wrongly.',
    })
  }
}
