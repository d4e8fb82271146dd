/** Lists the shapes of every kind of layer. */

import type { LayerKind } from '../types.ts'
import { coreShapes } from './core.ts'
import { checkPorts } from './ports.ts'
import type { LayerShapes } from './shape.ts'
import { type Signatures, signaturesOf } from './signatures.ts'
import { tensorShapes } from './tensor.ts'
import { vectorShapes } from './vector.ts'

export const allShapes: LayerShapes<LayerKind> = { ...coreShapes, ...vectorShapes, ...tensorShapes }

export const allSignatures: Signatures = { ...signaturesOf(allShapes), checkPorts }
