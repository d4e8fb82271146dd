/** Lists the shapes of the layers that most models are made of. */

import { denseShapes } from './dense.ts'
import { recurrentShapes } from './recurrent.ts'
import { type Signatures, signaturesOf } from './signatures.ts'

export const coreShapes = { ...recurrentShapes, ...denseShapes }

export const coreSignatures: Signatures = signaturesOf(coreShapes)
