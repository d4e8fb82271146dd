/** Operators GRU, LSTM and RNN. Formulas: https://onnx.ai/onnx/operators/onnx__GRU.html, … */

import type { Activation } from '../../../model/activation/activations.ts'
import { sliceRows } from '../../../model/axes.ts'
import { type Ground, implied, stated } from '../../../model/conventions/grounds.ts'
import { gruNode } from '../../../model/recurrent/gru.ts'
import { lstmNode } from '../../../model/recurrent/lstm.ts'
import type { RecurrentBehaviour } from '../../../model/recurrent/packed.ts'
import { rnnNode } from '../../../model/recurrent/rnn.ts'
import type { RecurrentNode, Unwired } from '../../../model/types.ts'
import { type Named, showShape, type Tensor } from '../../../tensor.ts'
import { uniform } from '../known.ts'
import type { Op, Operators } from '../op.ts'
import type { Live, Stack, Value } from '../values.ts'
import { dropAxes } from './axes.ts'
import { byDefinition, functionsOf } from './functions.ts'
import { part } from './slice.ts'

interface Cell {
  readonly gates: number
  /** ONNX's defaults, as many as the cell has functions. */
  readonly functions: readonly string[]
  readonly build: (cell: Direction) => Unwired<RecurrentNode>
}

/** One direction of a layer. */
interface Direction {
  readonly op: Op
  readonly name: string
  readonly kernel: Tensor
  readonly recurrentKernel: Tensor
  readonly bias: Tensor | undefined
  readonly peephole: Tensor | undefined
  readonly functions: readonly Ground<Activation>[]
  readonly behaviour: RecurrentBehaviour
}

const cells: Readonly<Record<'GRU' | 'LSTM' | 'RNN', Cell>> = {
  GRU: {
    gates: 3,
    functions: ['Sigmoid', 'Tanh'],
    build: ({ op, name, kernel, recurrentKernel, bias, functions, behaviour }) => {
      const [recurrentActivation, candidate] = functions
      const after = op.int('linear_before_reset', 0) !== 0
      const reset = after ? 'after' : 'before'
      return gruNode(
        name,
        { kernel, recurrentKernel, bias },
        {
          gateOrder: byDefinition('zrn'),
          transposed: byDefinition('yes'),
          update: byDefinition('keeps'),
          ...(bias && { bias: byDefinition('separate') }),
          reset: op.has('linear_before_reset')
            ? stated(reset, `linear_before_reset is ${op.int('linear_before_reset', 0)}`)
            : implied(reset, 'linear_before_reset is left out, which is 0'),
          recurrentActivation,
          activation: candidate,
        },
        op.setting.conventions,
        behaviour,
      )
    },
  },
  LSTM: {
    gates: 4,
    functions: ['Sigmoid', 'Tanh', 'Tanh'],
    build: ({ op, name, kernel, recurrentKernel, bias, peephole, functions, behaviour }) => {
      const [recurrentActivation, candidate, outputActivation] = functions
      const coupled = op.int('input_forget', 0) !== 0
      return lstmNode(
        name,
        { kernel, recurrentKernel, bias, peephole },
        {
          gateOrder: byDefinition('iofg'),
          transposed: byDefinition('yes'),
          peepholeOrder: byDefinition('iof'),
          forgetGate: coupled
            ? stated('coupled', 'input_forget is 1')
            : implied('own', 'input_forget is 0'),
          recurrentActivation,
          activation: candidate,
          outputActivation,
        },
        {},
        behaviour,
      )
    },
  },
  RNN: {
    gates: 1,
    functions: ['Tanh'],
    build: ({ name, kernel, recurrentKernel, bias, functions, behaviour }) =>
      rnnNode(
        name,
        { kernel, recurrentKernel, bias },
        { transposed: byDefinition('yes'), activation: functions[0] },
        {},
        behaviour,
      ),
  },
}

export const recurrent: Operators = {
  GRU: (op) => layer(op, cells.GRU),
  LSTM: (op) => layer(op, cells.LSTM),
  RNN: (op) => layer(op, cells.RNN),
}

function layer(op: Op, cell: Cell): readonly (Value | null)[] {
  const { graph } = op
  // Layout 0 has the steps first, layout 1 the rows.
  const stepsFirst = op.int('layout', 0) === 0
  const live = graph.live(op.input(0))
  if (live.view.length !== 3) throw graph.misfit(`the input of a ${op.type} has three axes`, live)
  const order = stepsFirst ? [1, 0, 2] : [0, 1, 2]
  const extents = graph.extentsOf(live)
  graph.symbols.role(extents[order[0]], 'batch')
  graph.symbols.role(extents[order[1]], 'time')

  const weights = weightsOf(op, cell.gates)
  if (!graph.symbols.unify(extents[2], weights.kernel.shape[2]))
    throw graph.misfit(`the kernel does not fit the input of the ${op.type}`, live)
  const x = graph.layOut(live, order)
  const lengths = lengthsOf(op, graph.shapeOf(x)[0], graph.shapeOf(x)[1])
  const directions = directionsOf(op, weights.kernel.shape[0])
  const initial = statesOf(op, 5, directions.length, stepsFirst, x)
  const initialCell = op.type === 'LSTM' ? statesOf(op, 6, directions.length, stepsFirst, x) : []
  const functions = functionsOf(op, cell.functions, directions.length)
  const clip = op.has('clip') ? op.float('clip', 0) : null

  const outputs = directions.map((direction, at) => {
    const name = directions.length === 1 ? op.name : `${op.name}.${direction}`
    const one = (tensor: Tensor | undefined): Tensor | undefined =>
      tensor && sliceRows(tensor, at, at + 1, true)
    const node = cell.build({
      op,
      name,
      kernel: one(weights.kernel)!,
      recurrentKernel: one(weights.recurrentKernel)!,
      bias: one(weights.bias),
      peephole: one(weights.peephole),
      functions: functions[at],
      behaviour: { direction, clip, maskedOutput: 'zero' },
    })
    const inputs: Named<string> = {
      x,
      ...(initial[at] !== undefined && { initialState: initial[at] }),
      ...(initialCell[at] !== undefined && { initialCell: initialCell[at] }),
      ...(lengths !== undefined && { lengths }),
    }
    const ports = ['sequence', 'last', 'state', ...(op.type === 'LSTM' ? ['cell'] : [])]
    return graph.add(node, inputs, ports)
  })
  warnOfPytorch(op)

  const lives = (port: string, view: Live['view']): readonly Live[] =>
    outputs.map((values) => ({ kind: 'live', value: values[port], view, type: 'float' }))
  const states = (port: string): Value =>
    together(lives(port, stepsFirst ? [[], [0], [1]] : [[0], [], [1]]), stepsFirst ? 0 : 1)
  // Y is [steps, directions, rows, units], or [rows, steps, directions, units]; states likewise.
  const sequences = lives('sequence', stepsFirst ? [[1], [], [0], [2]] : [[0], [1], [], [2]])
  return [
    together(sequences, stepsFirst ? 1 : 2),
    states('state'),
    ...(op.type === 'LSTM' ? [states('cell')] : []),
  ]
}

function together(parts: readonly Live[], axis: number): Live | Stack {
  return parts.length === 1 ? parts[0] : { kind: 'stack', axis, parts }
}

interface Weights {
  /** [directions, gates·units, features] */
  readonly kernel: Tensor
  readonly recurrentKernel: Tensor
  readonly bias: Tensor | undefined
  readonly peephole: Tensor | undefined
}

function weightsOf(op: Op, gates: number): Weights {
  const kernel = op.constant(1, 'the kernel W')
  const recurrentKernel = op.constant(2, 'the recurrent kernel R')
  const bias = op.constant(3, 'the bias B')
  const peephole = op.type === 'LSTM' ? op.constant(7, 'the peepholes P') : undefined
  if (kernel === undefined || recurrentKernel === undefined)
    throw op.wrong('W and R', 'two arrays', 'none')
  const [count, , units] = recurrentKernel.shape
  const expected: readonly [string, Tensor | undefined, readonly number[]][] = [
    ['W', kernel, [count, gates * units, kernel.shape[2]]],
    ['R', recurrentKernel, [count, gates * units, units]],
    ['B', bias, [count, 2 * gates * units]],
    ['P', peephole, [count, 3 * units]],
  ]
  for (const [name, tensor, shape] of expected) {
    if (tensor === undefined) continue
    if (String(tensor.shape) !== String(shape) || tensor.data.length === 0)
      throw op.wrong(
        `input ${name}`,
        showShape(shape.map((extent) => extent ?? '?')),
        showShape(tensor.shape),
      )
  }
  const size = op.int('hidden_size', units)
  if (size !== units) throw op.wrong('hidden_size', `${units}, as R has it`, `${size}`)
  return { kernel, recurrentKernel, bias, peephole }
}

const directionsBy: ReadonlyMap<string, readonly ('forward' | 'backward')[]> = new Map([
  ['forward', ['forward']],
  ['reverse', ['backward']],
  ['bidirectional', ['forward', 'backward']],
])

function directionsOf(op: Op, count: number): readonly ('forward' | 'backward')[] {
  const direction = op.string('direction', 'forward').toLowerCase()
  const directions = directionsBy.get(direction)
  if (directions?.length === count) return directions
  throw op.wrong('direction', 'forward, reverse or bidirectional, as many as W has', direction)
}

/** Rows of initial states, one value for each direction; undefined where they are zeros. */
function statesOf(
  op: Op,
  index: number,
  count: number,
  directionsFirst: boolean,
  x: string,
): readonly (string | undefined)[] {
  const { graph } = op
  const value = op.inputs[index]
  if (value === undefined || (value.kind === 'known' && uniform(value) === 0)) return []
  const shape = graph.extentsOf(value)
  const axis = directionsFirst ? 0 : 1
  const rows = graph.shapeOf(x)[0]
  if (shape.length !== 3 || !graph.symbols.unify(shape[axis], count))
    throw graph.misfit('an initial state has the axes directions, rows and units', value)
  if (!graph.symbols.unify(shape[1 - axis], rows))
    throw graph.misfit(`an initial state for ${rows} rows is needed`, value)
  return Array.from({ length: count }, (_, at) => {
    const one = part(graph, value, axis, { start: at, end: at + 1, step: 1 })
    return graph.layOut(graph.live(dropAxes(op, one, [axis])))
  })
}

/** How many steps count in each row; undefined where all do. */
function lengthsOf(op: Op, rows: string | number, steps: string | number): string | undefined {
  const { graph } = op
  const value = op.inputs[4]
  if (value === undefined || (value.kind === 'known' && uniform(value) === steps)) return undefined
  const live = graph.live(value)
  const shape = graph.extentsOf(live)
  if (shape.length !== 1 || !graph.symbols.unify(shape[0], rows))
    throw graph.misfit(`sequence_lens has one number for each of ${rows} rows`, live)
  return graph.layOut(live)
}

/**
 * https://github.com/pytorch/pytorch/issues/189225: the exporter writes 0, but PyTorch computes 1.
 */
function warnOfPytorch(op: Op): void {
  const { fromPytorch, conventions } = op.setting
  if (op.type !== 'GRU' || !fromPytorch || op.int('linear_before_reset', 0) !== 0) return
  if (conventions.reset !== undefined) return
  op.graph.warnings.add(
    'exported by PyTorch with linear_before_reset=0, but PyTorch always resets after the product: ' +
      'what was trained is probably computed only with --reset after',
  )
}
