/** Builds a graph from the modules of a PyTorch file, as a wiring says. */

import { isTensor } from '../../bytes/torch/values.ts'
import { GruvError } from '../../errors.ts'
import { type Activation, activation } from '../../model/activation/activations.ts'
import type { ConventionOptions } from '../../model/conventions/conventions.ts'
import type { Ground } from '../../model/conventions/grounds.ts'
import type { GraphParts } from '../../model/graph.ts'
import type { Dim, LayerNode, Unwired } from '../../model/types.ts'
import {
  type ActivationStep,
  fullStep,
  LOG_SOFTMAX,
  type ModuleStep,
  type TakeStep,
  type Taking,
  type Wiring,
} from '../wiring/wiring.ts'
import { concatenated, type ReadTensor, recurrentNodes } from './layers.ts'
import { isRecurrent, recurrentModule } from './recurrent.ts'
import type { StateModule } from './state-dict.ts'
import { featuresTaken, kindOf, vectorNode } from './vector.ts'

type Step = ModuleStep | ActivationStep | TakeStep

/** What has been wired so far. */
interface Progress {
  readonly nodes: LayerNode[]
  readonly warnings: string[]
  readonly used: Set<StateModule>
  /** How often each name of a node has been used. */
  readonly names: Map<string, number>
  value: string
  /** Whether the value runs over time. */
  overTime: boolean
  /** The shape that the first module takes; null before it. */
  input: readonly Dim[] | null
  /** The final states of a recurrent module right before. */
  finals: readonly string[]
}

export interface WiredParts extends Pick<GraphParts, 'inputs' | 'outputs' | 'nodes'> {
  readonly warnings: readonly string[]
  readonly used: ReadonlySet<StateModule>
}

/** @throws GruvError naming the step that does not work. */
export async function wire(
  wiring: Wiring,
  modules: readonly StateModule[],
  conventions: ConventionOptions,
  read: ReadTensor,
): Promise<WiredParts> {
  const names = modules.flatMap(({ name, path }) => (name === path ? [name] : [name, path]))
  const steps = wiring.steps.map((step, i) => fullStep(step, names, `wiring, steps[${i}]`))
  const progress: Progress = {
    nodes: [],
    warnings: [],
    used: new Set(),
    names: new Map(),
    value: 'x',
    overTime: true,
    input: null,
    finals: [],
  }
  for (const [i, step] of steps.entries()) {
    const where = `wiring, steps[${i}]`
    if ('module' in step) {
      const module = findModule(modules, step.module, where)
      progress.used.add(module)
      if (step.as === 'recurrent' || (step.as === undefined && isRecurrent(module)))
        await addRecurrent(progress, step, module, steps[i + 1], conventions, read, where)
      else {
        const later = steps.slice(i + 1).find((each) => 'module' in each)
        const next = later && featuresTaken(findModule(modules, later.module, where))
        await addVector(progress, step, module, next, read, where)
      }
    } else if ('take' in step) take(progress, step.take, where)
    else addActivation(progress, step.activation)
  }
  if (progress.input === null) {
    throw new GruvError('bad-argument', 'a wiring needs at least one module', {
      where: 'wiring',
      expected: `one of ${names.slice(0, 12).join(', ')}`,
    })
  }
  return {
    inputs: [{ name: 'x', shape: progress.input }],
    outputs: [{ name: 'y', value: progress.value }],
    nodes: progress.nodes,
    warnings: progress.warnings,
    used: progress.used,
  }
}

function findModule(modules: readonly StateModule[], name: string, where: string): StateModule {
  const found = modules.find((module) => module.name === name || module.path === name)
  if (found !== undefined) return found
  throw new GruvError('not-found', `there is no module '${name}' in the file`, {
    where,
    expected: `one of ${modules
      .slice(0, 24)
      .map((module) => module.name)
      .join(', ')}${modules.length > 24 ? ', …' : ''}`,
  })
}

async function addRecurrent(
  progress: Progress,
  step: ModuleStep,
  module: StateModule,
  next: Step | undefined,
  conventions: ConventionOptions,
  read: ReadTensor,
  where: string,
): Promise<void> {
  if (!progress.overTime) {
    throw new GruvError('bad-argument', 'a recurrent module takes a sequence', {
      where,
      got: 'a single step: time was taken away before',
    })
  }
  const found = { ...recurrentModule(module), name: unique(progress, module.name) }
  const act = step.activation
  if (act !== undefined && found.kind !== 'rnn') {
    throw new GruvError('bad-argument', `only an nn.RNN has an activation to choose`, {
      where,
      fix: `For one that follows the module, make it a step of its own: "${act}".`,
    })
  }
  progress.input ??= ['batch', 'time', found.features]
  const taking = next !== undefined && 'take' in next ? next.take : undefined
  const finals = taking === 'final' || (taking === 'last' && found.layers[0].length === 1)
  const made = await recurrentNodes(
    found,
    progress.value,
    { sequence: !finals, finals },
    { conventions, ...(act !== undefined && { nonlinearity: wired(activation(act)) }) },
    read,
  )
  if (found.kind === 'rnn' && act === undefined && found.nonlinearity === null)
    progress.warnings.push(assumedTanh(found.name, 'an "activation" in the step'))
  progress.nodes.push(...made.nodes)
  progress.finals = made.finals
  if (made.sequence !== null) progress.value = made.sequence
}

/** nn.RNN has two nonlinearities, and a state dict does not say which. */
export function assumedTanh(name: string, remedy: string): string {
  return `${name}: nothing in the file states the activation of this nn.RNN: tanh is assumed, PyTorch's default; ${remedy} says otherwise`
}

async function addVector(
  progress: Progress,
  step: ModuleStep,
  module: StateModule,
  next: number | undefined,
  read: ReadTensor,
  where: string,
): Promise<void> {
  for (const [name, parameter] of module.parameters) {
    if (isTensor(parameter)) continue
    throw new GruvError('unsupported', 'this parameter is not an ordinary tensor', {
      where: `${module.path}.${name}`,
      got: parameter.className,
    })
  }
  const kind = kindOf(module, step.as, where, progress.input === null, next)
  const name = unique(progress, module.name || kind)
  const { node, features, warnings } = await vectorNode(kind, name, module, step.epsilon, read)
  if (progress.input === null)
    progress.input = features === null ? ['batch', 'time'] : ['batch', 'time', features]
  append(progress, node)
  progress.warnings.push(...warnings)
  if (step.activation !== undefined) addActivation(progress, step.activation)
}

function take(progress: Progress, taking: Taking, where: string): void {
  if (progress.finals.length > 0) {
    const [only, ...more] = progress.finals
    if (more.length === 0) progress.value = only
    else push(progress, concatenated(unique(progress, 'final'), progress.finals))
    progress.overTime = false
    progress.finals = []
    return
  }
  if (taking === 'final') {
    throw new GruvError('bad-argument', 'only a recurrent module has final states', {
      where,
      fix: 'Put "final" right after it; "last" takes the last timestep of any sequence.',
    })
  }
  if (!progress.overTime || progress.input === null) {
    throw new GruvError('bad-argument', `"${taking}" takes time away from a sequence`, {
      where,
      got: progress.input === null ? 'no sequence yet' : 'a value that has no time any more',
    })
  }
  const name = unique(progress, taking)
  if (taking === 'last') {
    const slices = [{ axis: 1, start: -1, end: null, step: 1 }]
    append(progress, { kind: 'slice', name: `${name}.step`, slices, conventions: [] })
  }
  // One step is left behind "last": its sum is itself, without the axis.
  const op = taking === 'last' ? 'sum' : taking
  append(progress, { kind: 'reduce', name, op, axes: [1], keepAxes: false, conventions: [] })
  progress.overTime = false
}

/**
 * Becomes the activation of a Dense layer right before it that has none; otherwise a node of its
 * own.
 */
function addActivation(progress: Progress, name: string): void {
  if (name === LOG_SOFTMAX) {
    const axis = progress.overTime ? 2 : 1
    const node = unique(progress, name)
    append(progress, { kind: 'softmax', name: node, axis, log: true, conventions: [] })
    return
  }
  const act = activation(name)
  const before = progress.nodes.at(-1)
  if (
    before?.kind === 'dense' &&
    before.outputs.y === progress.value &&
    before.activation.kind === 'linear'
  ) {
    const others = before.conventions.filter(({ key }) => key !== 'activation')
    const said = { key: 'activation', ...wired(act), value: name } as const
    progress.nodes[progress.nodes.length - 1] = {
      ...before,
      activation: act,
      conventions: [...others, said],
    }
    return
  }
  const node = unique(progress, act.kind)
  append(progress, { kind: 'activation', name: node, activation: act, conventions: [] })
}

/** Adds a node that takes what has been wired so far. */
function append(progress: Progress, node: Unwired): void {
  const wires = { inputs: { x: progress.value }, outputs: { y: `${node.name}.y` } }
  push(progress, { ...node, ...wires } as LayerNode)
}

function push(progress: Progress, node: LayerNode): void {
  progress.nodes.push(node)
  progress.value = node.outputs.y
  progress.finals = []
}

function wired(value: Activation): Ground<Activation> {
  return { value, origin: 'chosen', why: 'the wiring says so' }
}

/** `fc`, and when it comes again `fc_1`. */
function unique({ names }: Progress, name: string): string {
  const count = names.get(name) ?? 0
  names.set(name, count + 1)
  return count === 0 ? name : `${name}_${count}`
}
