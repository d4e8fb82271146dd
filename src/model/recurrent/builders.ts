/** Builds recurrent layers in code: `gru`, `lstm`, `simpleRnn`, and two of them as `bidirectional`. */

import { type Tensor, type TensorLike, toTensor } from '../../tensor.ts'
import { activation } from '../activation/activations.ts'
import { type ChainLink, link } from '../chain.ts'
import type { GateOrder, LstmGateOrder, PeepholeOrder } from '../conventions/conventions.ts'
import type { Ground } from '../conventions/grounds.ts'
import type {
  GruNode,
  LayerNode,
  LstmNode,
  MaskedOutput,
  RecurrentNode,
  RnnNode,
  Unwired,
} from '../types.ts'
import { gruNode } from './gru.ts'
import { lstmNode } from './lstm.ts'
import { kerasMaskedOutput } from './masking.ts'
import type { CellGrounds, PackedArrays, RecurrentBehaviour } from './packed.ts'
import { rnnNode } from './rnn.ts'

/** Options of all recurrent layers; width is 3·units in a GRU, 4·units in an LSTM, else units. */
interface RecurrentOptions {
  readonly name?: string
  /** [features, width], or [width, features]. */
  readonly kernel: TensorLike
  /** [units, width], or [width, units]. */
  readonly recurrentKernel: TensorLike
  /** [width], [2, width] or [2·width]; none when left out. */
  readonly bias?: TensorLike
  /** [width], beside `bias` [width]. */
  readonly recurrentBias?: TensorLike
  /** Whether kernels are [width, …]; default: as the shapes say. */
  readonly transposed?: boolean
  /** φ, a name of the table of activations; default tanh. */
  readonly activation?: string
  /** Pass on the whole sequence (default) or the last step alone. */
  readonly returnSequences?: boolean
  /** Start at the last step; outputs then come in the order in which they are computed, as in Keras. */
  readonly goBackwards?: boolean
  /** The output at masked steps; default `repeat`, as Keras since 2.3. */
  readonly maskedOutput?: MaskedOutput
  /** Limits pre-activations to ±clip, as ONNX's attribute does. */
  readonly clip?: number
}

export interface GruOptions extends RecurrentOptions {
  readonly gateOrder?: GateOrder
  readonly reset?: 'after' | 'before'
  readonly update?: 'keeps' | 'updates'
  /** Whether the candidate's recurrent bias lies inside the reset; default: it does where there is one. */
  readonly biasPlacement?: 'separate' | 'merged'
  /** σ; default sigmoid. */
  readonly recurrentActivation?: string
}

export interface LstmOptions extends RecurrentOptions {
  /** Default `ifgo`, as in Keras and PyTorch. */
  readonly gateOrder?: LstmGateOrder
  /** σ; default sigmoid. */
  readonly recurrentActivation?: string
  /** ψ, of the cell on its way out; default: the activation. */
  readonly outputActivation?: string
  /** f = 1 − i, as ONNX's `input_forget`. */
  readonly coupled?: boolean
  /** [3·units]: how the gates see the cell. */
  readonly peephole?: TensorLike
  /** Default `iof`, as in ONNX. */
  readonly peepholeOrder?: PeepholeOrder
}

export type SimpleRnnOptions = RecurrentOptions

/** A GRU layer; conventions left out are Keras's. */
export function gru(options: GruOptions): ChainLink {
  return recurrentLink(unwiredGru, options)
}

/** An LSTM layer; conventions left out are Keras's. */
export function lstm(options: LstmOptions): ChainLink {
  return recurrentLink(unwiredLstm, options)
}

/** A simple recurrent layer, h' = φ(W·x + U·h + b), as Keras's SimpleRNN and PyTorch's RNN. */
export function simpleRnn(options: SimpleRnnOptions): ChainLink {
  return recurrentLink(unwiredRnn, options)
}

export type BidirectionalOptions = Halves & {
  readonly name?: string
  /** How the two outputs become one; default `concat`. */
  readonly merge?: 'concat' | 'sum' | 'mul' | 'ave'
  /** The version of Keras whose rule for masked outputs holds. */
  readonly kerasVersion?: string
}

/** Two layers of one kind; `returnSequences` of the forward one holds for both. */
type Halves =
  | { readonly cell?: 'gru'; readonly forward: GruOptions; readonly backward: GruOptions }
  | { readonly cell: 'lstm'; readonly forward: LstmOptions; readonly backward: LstmOptions }
  | {
      readonly cell: 'rnn'
      readonly forward: SimpleRnnOptions
      readonly backward: SimpleRnnOptions
    }

const mergeModes = { concat: 'concatenate', sum: 'add', mul: 'multiply', ave: 'average' } as const

/**
 * Two recurrent layers over the same input, one of them backwards, step t of both outputs merged.
 * Masked outputs are those of the wrapper in the Keras version given (default: today's); what
 * the layers say of them is ignored.
 */
export function bidirectional(options: BidirectionalOptions): ChainLink {
  const { name = 'bidirectional', merge = 'concat', kerasVersion = '3.0' } = options
  const sequences = options.forward.returnSequences ?? true
  const port = sequences ? 'sequence' : 'last'
  const maskedOutput = kerasMaskedOutput({
    version: kerasVersion,
    bidirectional: { returnSequences: sequences },
  })
  const halves = unwiredHalves(options)
  return {
    name,
    features: halves[0].features,
    wire: (x, at) => {
      const nodes = (['forward', 'backward'] as const).map(
        (half, i) =>
          ({
            ...halves[i],
            maskedOutput,
            name: `${at}.${half}`,
            inputs: { x },
            outputs: { [port]: `${at}.${half}.${port}` },
          }) as LayerNode,
      )
      const inputs = Object.fromEntries(nodes.map((node, i) => [`${i}`, node.outputs[port]]))
      const merged: LayerNode = {
        kind: 'merge',
        name: `${at}.merge`,
        mode: mergeModes[merge],
        inputs,
        outputs: { y: `${at}.y` },
        conventions: [],
      }
      return [...nodes, merged]
    },
  }
}

type Direction = RecurrentNode['direction']

function unwiredHalves(options: Halves): readonly Unwired<RecurrentNode>[] {
  if (options.cell === 'lstm')
    return [unwiredLstm(options.forward, 'forward'), unwiredLstm(options.backward, 'backward')]
  if (options.cell === 'rnn')
    return [unwiredRnn(options.forward, 'forward'), unwiredRnn(options.backward, 'backward')]
  return [unwiredGru(options.forward, 'forward'), unwiredGru(options.backward, 'backward')]
}

function recurrentLink<O extends RecurrentOptions>(
  unwired: (options: O, direction: Direction) => Unwired<RecurrentNode>,
  options: O,
): ChainLink {
  const node = unwired(options, options.goBackwards ? 'backward' : 'forward')
  const sequences = options.returnSequences ?? true
  const forward = link(node, node.features, sequences ? 'sequence' : 'last')
  if (!(options.goBackwards && sequences)) return forward
  return {
    ...forward,
    wire: (x, name) => [...forward.wire(x, name), reversed(`${name}.sequence`, `${name}.reversed`)],
  }
}

function reversed(x: string, y: string): LayerNode {
  return { kind: 'reverse', name: y, inputs: { x }, outputs: { y }, conventions: [] }
}

function unwiredGru(options: GruOptions, direction: Direction): Unwired<GruNode> {
  const { gateOrder, reset, update, biasPlacement, recurrentActivation } = options
  return gruNode(
    options.name ?? 'gru',
    arraysOf(options),
    {
      ...groundsOf(options),
      ...(gateOrder && { gateOrder: inCode(gateOrder) }),
      ...(reset && { reset: inCode(reset) }),
      ...(update && { update: inCode(update) }),
      ...(biasPlacement && { bias: inCode(biasPlacement) }),
      ...(recurrentActivation && { recurrentActivation: inCode(activation(recurrentActivation)) }),
    },
    {},
    behaviourOf(options, direction),
  )
}

function unwiredLstm(options: LstmOptions, direction: Direction): Unwired<LstmNode> {
  const { gateOrder, recurrentActivation, outputActivation, coupled, peepholeOrder } = options
  return lstmNode(
    options.name ?? 'lstm',
    { ...arraysOf(options), peephole: optional(options.peephole, 'peephole') },
    {
      ...groundsOf(options),
      ...(gateOrder && { gateOrder: inCode(gateOrder) }),
      ...(recurrentActivation && { recurrentActivation: inCode(activation(recurrentActivation)) }),
      ...(outputActivation && { outputActivation: inCode(activation(outputActivation)) }),
      ...(coupled !== undefined && { forgetGate: inCode(coupled ? 'coupled' : 'own') }),
      ...(peepholeOrder && { peepholeOrder: inCode(peepholeOrder) }),
    },
    {},
    behaviourOf(options, direction),
  )
}

function unwiredRnn(options: SimpleRnnOptions, direction: Direction): Unwired<RnnNode> {
  const { name = 'simple_rnn' } = options
  return rnnNode(name, arraysOf(options), groundsOf(options), {}, behaviourOf(options, direction))
}

function arraysOf(options: RecurrentOptions): PackedArrays {
  return {
    kernel: toTensor(options.kernel, 'kernel'),
    recurrentKernel: toTensor(options.recurrentKernel, 'recurrentKernel'),
    bias: optional(options.bias, 'bias'),
    recurrentBias: optional(options.recurrentBias, 'recurrentBias'),
  }
}

/** Grounds that all recurrent layers share. */
function groundsOf({ transposed, activation: φ }: RecurrentOptions): CellGrounds {
  return {
    ...(transposed !== undefined && { transposed: inCode(transposed ? 'yes' : 'no') }),
    ...(φ && { activation: inCode(activation(φ)) }),
  }
}

function behaviourOf(
  { maskedOutput, clip }: RecurrentOptions,
  direction: Direction,
): RecurrentBehaviour {
  return {
    direction,
    ...(maskedOutput && { maskedOutput }),
    ...(clip !== undefined && { clip }),
  }
}

export function optional(value: TensorLike | undefined, where: string): Tensor | undefined {
  return value === undefined ? undefined : toTensor(value, where)
}

export function inCode<T>(value: T): Ground<T> {
  return { value, origin: 'stated', why: 'the code that built the model says so' }
}
