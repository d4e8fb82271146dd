/** Puts Keras weights without a configuration together, as a wiring says. */

import { GruvError } from '../../errors.ts'
import { activation } from '../../model/activation/activations.ts'
import { fullStep, type ModuleStep, type Taking, type Wiring } from '../wiring/wiring.ts'
import { type Found, type Guess, inputShape } from './guess.ts'

interface LayerJson {
  readonly class_name: string
  readonly name: string
  readonly config: Readonly<Record<string, unknown>>
  readonly module?: string
  readonly args: readonly unknown[]
}

const kinds: Readonly<Record<string, Exclude<ModuleStep['as'], undefined>>> = {
  Dense: 'linear',
  Embedding: 'embedding',
  BatchNormalization: 'batchNorm',
  LayerNormalization: 'layerNorm',
}

/**
 * The configuration of a chain of layers.
 * @param found the layers of the file, and what their shapes say of them.
 * @throws GruvError naming the step that does not work.
 */
export function wiredConfig(
  name: string,
  wiring: Wiring,
  found: readonly Found[],
): { readonly config: unknown; readonly used: ReadonlySet<string> } {
  const names = found.map(({ layer }) => layer.name)
  const steps = wiring.steps.map((step, i) => fullStep(step, names, `wiring, steps[${i}]`))
  const layers: LayerJson[] = []
  const counts = new Map<string, number>()
  let input: readonly (number | null)[] | null = null
  let before = 'x'
  const push = (wanted: string, layer: Omit<LayerJson, 'name' | 'args'>, ...more: unknown[]) => {
    const count = (counts.get(wanted) ?? 0) + 1
    counts.set(wanted, count)
    const own = count === 1 ? wanted : `${wanted}#${count}`
    layers.push({ ...layer, name: own, args: [tensor(before), ...more] })
    before = own
  }
  for (const [i, step] of steps.entries()) {
    const where = `wiring, steps[${i}]`
    if ('take' in step) {
      // The last steps of a recurrent layer right before are its own doing.
      const last = steps[i - 1]
      if (
        step.take === 'final' &&
        !(last !== undefined && 'module' in last && isRecurrent(found, last))
      )
        throw new GruvError('bad-argument', 'only a recurrent layer has final states', { where })
      if (step.take !== 'final')
        push(step.take, taken[step.take], ...(step.take === 'last' ? [lastStep] : []))
      continue
    }
    if ('activation' in step && !('module' in step)) {
      push(step.activation.replace(/\W.*$/, ''), activationLayer(step.activation))
      continue
    }
    const guess = guessOf(found, step, where)
    input ??= inputShape(guess)
    const next = steps[i + 1]
    const final = next !== undefined && 'take' in next && next.take === 'final'
    const config = guess.recurrent ? recurrent(guess, final, step.activation) : guess.config
    const epsilon = step.epsilon === undefined ? {} : { epsilon: step.epsilon }
    push(step.module, { class_name: guess.className, config: { ...config, ...epsilon } })
    if (!guess.recurrent && step.activation !== undefined)
      push(step.activation.replace(/\W.*$/, ''), activationLayer(step.activation))
  }
  if (input === null)
    throw new GruvError('bad-argument', 'a wiring needs at least one layer of the file', {
      where: 'wiring',
      expected: `one of ${names.slice(0, 12).join(', ')}`,
    })
  const config = {
    name,
    layers: [
      { class_name: 'InputLayer', name: 'x', config: { name: 'x', batch_shape: input } },
      ...layers.map(({ args, config, ...layer }) => ({
        ...layer,
        config: { ...config, name: layer.name },
        inbound_nodes: [{ args, kwargs: {} }],
      })),
    ],
    input_layers: [['x', 0, 0]],
    output_layers: [[before, 0, 0]],
  }
  const used = new Set(steps.flatMap((step) => ('module' in step ? [step.module] : [])))
  return { config: { class_name: 'Functional', config }, used }
}

const operations = 'keras.src.ops.numpy'
const taken: Readonly<Record<Exclude<Taking, 'final'>, Omit<LayerJson, 'name' | 'args'>>> = {
  last: { module: operations, class_name: 'GetItem', config: {} },
  mean: { module: operations, class_name: 'Mean', config: { axis: 1 } },
  max: { module: operations, class_name: 'Max', config: { axis: 1 } },
}

/** `[:, -1]` */
const lastStep = [{ class_name: '__slice__', config: { start: null, stop: null, step: null } }, -1]

function tensor(layer: string): unknown {
  return { class_name: '__keras_tensor__', config: { keras_history: [layer, 0, 0] } }
}

function guessOf(found: readonly Found[], { module, as }: ModuleStep, where: string): Guess {
  const one = found.find(({ layer }) => layer.name === module)
  if (one === undefined) {
    throw new GruvError('not-found', `there is no layer '${module}' in the file`, {
      where,
      expected: `one of ${found
        .slice(0, 24)
        .map(({ layer }) => layer.name)
        .join(', ')}`,
    })
  }
  const { guess } = one
  if (guess !== null && as === 'embedding' && guess.className === 'Dense')
    return { className: 'Embedding', config: {}, features: 0, recurrent: false }
  const kind = guess?.recurrent ? 'recurrent' : kinds[guess?.className ?? '']
  if (guess !== null && (as === undefined || as === kind)) return guess
  throw new GruvError('unsupported', `'${module}' is no layer of this kind by its shapes`, {
    where,
    ...(as !== undefined && { expected: as }),
    got: guess?.className ?? 'unknown',
  })
}

function isRecurrent(found: readonly Found[], { module }: ModuleStep): boolean {
  return found.find(({ layer }) => layer.name === module)?.guess?.recurrent ?? false
}

/** A recurrent layer that gives all its steps, or the state that is left at the end. */
function recurrent({ config }: Guess, final: boolean, act: string | undefined): object {
  const own = { return_sequences: !final, ...(act !== undefined && { activation: act }) }
  const { layer } = config as { layer?: { class_name: string; config: object } }
  if (layer === undefined) return { ...config, ...own }
  return { ...config, layer: { ...layer, config: { ...layer.config, ...own } } }
}

/** An activation with its parameters, as Keras has it. */
function activationLayer(name: string): Omit<LayerJson, 'name' | 'args'> {
  const given = /^log_softmax$/.test(name) ? null : activation(name)
  const [alpha] = given?.parameters ?? []
  if (given?.kind === 'leaky_relu') return { class_name: 'LeakyReLU', config: { alpha } }
  if (given?.kind === 'elu') return { class_name: 'ELU', config: { alpha } }
  return { class_name: 'Activation', config: { activation: name } }
}
