/** Compiles a model into a program. */

import { isElementwise } from '../model/activation/activations.ts'
import type { LayerNode, Model } from '../model/types.ts'
import { chooseEngine } from './engine/choose.ts'
import { coreLayers, type Layers } from './layers.ts'
import { isSmall } from './plan/layers/gru.ts'
import { corePlans } from './plan/layers.ts'
import { plan } from './plan/plan.ts'
import { type CompileOptions, checkOptions, createProgram, type Program } from './program.ts'
import { coreActivations } from './wasm/kernels/activations.ts'

/**
 * Compilation is asynchronous because browsers refuse to compile large modules on a page's main
 * thread, and because what this model needs is fetched first.
 * @throws GruvError `bad-argument` for options that cannot be; `engine-unavailable` when WebAssembly
 *   was asked for and is not available.
 */
export async function compile(model: Model, options: CompileOptions = {}): Promise<Program> {
  const { threads, ...planOptions } = checkOptions(options)
  const layers = await layersFor(model, options)
  const planned = plan(model, planOptions, layers)
  // Beyond what most models need, or where the caller says so: then it is worth a look.
  if (planned.memory.size > FEW_NUMBERS || options.limits)
    (await import('./plan/claim.ts')).checkPlan(model, planned, options.limits)
  const engine = await chooseEngine(planned, layers, options)
  const program = createProgram(model, planned, layers, engine, options.limits)
  if (threads === 1) return program
  const { withThreads } = await import('./threads/program.ts')
  return withThreads(program, model, layers, engine, { ...options, threads })
}

/** No default limit of memory is below this. */
const FEW_NUMBERS = 2 ** 24

/**
 * The core layers where a model has no others: GRU and Dense in float32, with activations of the
 * core, on vectors and sequences, which is what frames hold; blocks of large GRUs, a second
 * algorithm, are fetched for those that gain by it. All layers, fetched, for every other model.
 */
async function layersFor(
  { inputs, nodes }: Model,
  { precision = 'f32', limits }: CompileOptions,
): Promise<Layers> {
  const isCore =
    precision === 'f32' &&
    // Runs are bounded by what comes with the other layers.
    limits === undefined &&
    nodes.every(isCoreNode) &&
    inputs.every(({ shape }) => shape.length === 2 || shape.length === 3)
  if (!isCore) return (await import('./all-layers.ts')).allLayers
  if (nodes.every((node) => node.kind !== 'gru' || isSmall(node, precision))) return coreLayers
  const { writeGruOfAnySize } = await import('./wasm/kernels/gru-block.ts')
  return { ...coreLayers, kernels: { ...coreLayers.kernels, gru: writeGruOfAnySize } }
}

function isCoreNode(node: LayerNode): boolean {
  if (!Object.hasOwn(corePlans, node.kind)) return false
  const activations = [
    ...('activation' in node ? [node.activation] : []),
    ...('recurrentActivation' in node ? [node.recurrentActivation] : []),
  ]
  return activations.every(
    (each) => !isElementwise(each) || Object.hasOwn(coreActivations, each.kind),
  )
}
