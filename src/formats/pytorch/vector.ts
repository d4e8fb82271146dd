/**
 * Builds the nodes of PyTorch modules that work on one vector at a time, recognised by their
 * shapes.
 */

import type { TorchTensor } from '../../bytes/torch/values.ts'
import { GruvError } from '../../errors.ts'
import { activation } from '../../model/activation/activations.ts'
import { implied } from '../../model/conventions/grounds.ts'
import { denseNode } from '../../model/dense.ts'
import type { Unwired, VectorNode } from '../../model/types.ts'
import { showShape, sizeOf, type Tensor } from '../../tensor.ts'
import type { ModuleKind } from '../wiring/wiring.ts'
import type { ReadTensor } from './layers.ts'
import type { StateModule } from './state-dict.ts'

type VectorKind = Exclude<ModuleKind, 'recurrent'>

export interface UnwiredVector {
  readonly node: Unwired<VectorNode>
  /** How many features arrive; null where whole numbers arrive, which are rows of a table. */
  readonly features: number | null
  readonly warnings: readonly string[]
}

/** PyTorch's default for both normalisations; a state dict does not hold it. */
const EPSILON = 1e-5

const classKinds: ReadonlyMap<string, VectorKind> = new Map([
  ['Linear', 'linear'],
  ['Embedding', 'embedding'],
  ['BatchNorm1d', 'batchNorm'],
  ['LayerNorm', 'layerNorm'],
])

/**
 * @param isFirst whether it takes the input, which may be whole numbers.
 * @param next how many features the module after it takes; undefined where there is none.
 * @throws GruvError `unsupported` for a module that is none of these, `bad-argument` where the file
 *   leaves it open.
 */
export function kindOf(
  module: StateModule,
  as: ModuleKind | undefined,
  where: string,
  isFirst: boolean,
  next: number | undefined,
): VectorKind {
  if (as !== undefined && as !== 'recurrent') return as
  const { parameters, className } = module
  const stated = classKinds.get(className?.split('.').at(-1) ?? '')
  if (stated !== undefined) return stated
  if (parameters.has('running_mean')) return 'batchNorm'
  const weight = tensorOf(module, 'weight')
  if (weight?.shape.length === 1) return 'layerNorm'
  if (weight?.shape.length === 2 && parameters.has('bias')) return 'linear'
  if (weight?.shape.length === 2) {
    // A linear layer gives as many numbers as it has rows, an embedding as it has columns.
    const [units, columns] = weight.shape
    if (!isFirst || (units === next && columns !== next)) return 'linear'
    if (columns === next && units !== next) return 'embedding'
    throw new GruvError('bad-argument', 'a matrix without a bias can be linear or an embedding', {
      where: `${where}: ${module.path}`,
      got: showShape(weight.shape),
      fix: `Say which: { "module": "${module.name}", "as": "embedding" } or "linear".`,
    })
  }
  throw new GruvError('unsupported', 'this module cannot stand in a wiring', {
    where: `${where}: ${module.path}`,
    expected: 'GRU, LSTM, RNN, linear, embedding, batch or layer normalisation',
    got: [...parameters.keys()].slice(0, 8).join(', '),
  })
}

/** How many features a module takes; undefined where its shapes do not say. */
export function featuresTaken(module: StateModule): number | undefined {
  for (const name of ['weight_ih_l0', 'weight_ih', 'weight']) {
    const shape = tensorOf(module, name)?.shape
    if (shape !== undefined) return shape.at(-1)
  }
  return undefined
}

export async function vectorNode(
  kind: VectorKind,
  name: string,
  module: StateModule,
  epsilon: number | undefined,
  read: ReadTensor,
): Promise<UnwiredVector> {
  const optional = async (key: string): Promise<Tensor | null> => {
    const tensor = tensorOf(module, key)
    return tensor === null ? null : read(tensor, `${name}: ${key}`)
  }
  const required = async (key: string): Promise<Tensor> => {
    const tensor = await optional(key)
    if (tensor !== null) return tensor
    throw new GruvError('not-found', `this module has no ${key}`, {
      where: module.path,
      got: [...module.parameters.keys()].slice(0, 8).join(', '),
    })
  }
  const normalisation = (): { epsilon: number; warnings: readonly string[] } => {
    const stated = epsilon ?? module.attributes?.get('eps')
    if (typeof stated === 'number') return { epsilon: stated, warnings: [] }
    const warning = `${name}: nothing in the file states epsilon: ${EPSILON} is assumed, PyTorch's default; "epsilon" in the step says otherwise`
    return { epsilon: EPSILON, warnings: [warning] }
  }
  const conventions = [] as const
  switch (kind) {
    case 'linear': {
      const node = denseNode(
        name,
        { kernel: await required('weight'), bias: (await optional('bias')) ?? undefined },
        implied(activation('linear'), 'nn.Linear has none; what follows is a step of the wiring'),
        implied('yes', 'PyTorch writes [units, features]'),
      )
      return { node, features: node.features, warnings: [] }
    }
    case 'embedding': {
      const table = matrix(await required('weight'), module)
      const node = { kind, name, units: table.shape[1], weights: { table }, conventions } as const
      return { node, features: null, warnings: [] }
    }
    case 'batchNorm': {
      const mean = await required('running_mean')
      const variance = await required('running_var')
      const weights = {
        gamma: await optional('weight'),
        beta: await optional('bias'),
        mean,
        variance,
      }
      const features = sizeOf(mean.shape)
      for (const [key, each] of Object.entries(weights)) {
        if (each === null || (each.shape.length === 1 && each.shape[0] === features)) continue
        throw misfit(module, key, `[${features}]`, each)
      }
      const { epsilon, warnings } = normalisation()
      return { node: { kind, name, epsilon, weights, conventions }, features, warnings }
    }
    case 'layerNorm': {
      const gamma = await required('weight')
      const beta = await optional('bias')
      if (gamma.shape.length !== 1) throw misfit(module, 'weight', 'one axis', gamma)
      const { epsilon, warnings } = normalisation()
      const node = { kind, name, epsilon, axes: 1, weights: { gamma, beta }, conventions } as const
      return { node, features: gamma.shape[0], warnings }
    }
  }
}

function matrix(tensor: Tensor, module: StateModule): Tensor {
  if (tensor.shape.length === 2) return tensor
  throw misfit(module, 'weight', '[count, units]', tensor)
}

function misfit(module: StateModule, key: string, expected: string, { shape }: Tensor): GruvError {
  return new GruvError('bad-shape', 'this parameter does not fit its module', {
    where: `${module.path}: ${key}`,
    expected,
    got: showShape(shape),
  })
}

function tensorOf({ parameters }: StateModule, key: string): TorchTensor | null {
  const found = parameters.get(key)
  return found?.kind === 'tensor' ? found : null
}
