/** Builds GRU, LSTM, SimpleRNN, their cuDNN forms, RNN of cells, and Bidirectional. */

import { GruvError } from '../../../errors.ts'
import { kerasMaskedOutput, kerasPassesMask } from '../../../model/recurrent/masking.ts'
import type { MergeNode } from '../../../model/types.ts'
import type { Named } from '../../../tensor.ts'
import type { LayerConfig } from '../config.ts'
import type { Result, Value } from '../graph.ts'
import { entry, type LayerCall, type LayerEntry, under, unsupported, valuesIn } from '../layer.ts'
import { isSince, type KerasVersion } from '../settings.ts'
import { isStacked } from '../weights.ts'
import { cellClasses, cellNode } from './cells.ts'
import { unmasked } from './core.ts'

/** The values of a recurrent layer; step t of the sequence belongs to step t of the input. */
interface RecurrentResult {
  readonly sequence: Result
  readonly last: Result
  readonly states: readonly Result[]
  readonly backward: boolean
}

/** One recurrent layer to run: a whole layer, or one half of a Bidirectional. */
interface RecurrentPart {
  readonly name: string
  readonly layer: LayerConfig
  readonly states: readonly Value[]
  /** The sequences flag of the Bidirectional around it. */
  readonly bidirectional?: boolean
  /** The attribute that holds its weights. */
  readonly path: string
  readonly flip: boolean
}

const recurrent: readonly string[] = ['GRU', 'LSTM', 'SimpleRNN', 'CuDNNGRU', 'CuDNNLSTM', 'RNN']

function run(call: LayerCall, part: RecurrentPart): RecurrentResult {
  const { graph, version } = call
  const { settings, className } = part.layer
  if (!recurrent.includes(className))
    throw unsupported(call, `a recurrent layer around ${className}`)
  const cells = className === 'RNN' ? part.layer.cells : [part.layer]
  if (cells.length === 0) throw settings.wrong('cell', 'a cell')
  for (const cell of cells) {
    if (className === 'RNN' && !cellClasses.includes(cell.className))
      throw unsupported(call, 'an RNN of cells whose code is not in the file', cell.className)
  }
  if (settings.bool('stateful', false)) {
    graph.warnings.add(
      `${part.name} is stateful: predict starts every sequence anew; a stream carries the state on`,
    )
  }
  const cudnn = className.startsWith('CuDNN')
  if (cudnn && call.x.mask !== null) {
    graph.warnings.add(`${part.name} ignores the mask that arrives: cuDNN layers know none`)
  }
  const backward = settings.bool('go_backwards', false) !== part.flip
  const maskedOutput = kerasMaskedOutput({
    version: version.rules,
    zeroOutputForMask: settings.bool('zero_output_for_mask', false),
    unrolled: settings.bool('unroll', false),
    ...(part.bidirectional !== undefined && {
      bidirectional: { returnSequences: part.bidirectional },
    }),
  })
  const mask = cudnn ? null : call.x.mask
  const reversed = cells.length > 1 && statesReversed(part.layer, version)
  const given = reversed ? inOrder(part.states, cells) : [...part.states]
  if (maskedOutput === 'state' && cells.length > 1 && !reversed && mask !== null)
    throw unsupported(call, 'a mask over stacked cells, as Keras 2.2.3 and 2.2.4 have it')
  const states: (readonly Result[])[] = []
  let ran: Named<Result> = {}
  let x: Result = call.x
  for (const [i, cell] of cells.entries()) {
    const prefix = cudnn
      ? ''
      : className === 'RNN' && isStacked(part.layer)
        ? `cell/cells/${i}/`
        : 'cell/'
    const arrays = under(call.weights(), `${part.path}${prefix}`)
    const node = call.once(`${part.path}${i}`, () =>
      cellNode(call, cell, arrays, { direction: backward ? 'backward' : 'forward', maskedOutput }),
    )
    const name =
      cells.length === 1 ? part.name : `${part.name}/${cell.settings.text('name', `cell_${i}`)}`
    const initialState = given.shift()
    const initialCell = node.kind === 'lstm' ? given.shift() : undefined
    ran = graph.add(name, node, { x, initialState, initialCell, mask })
    x = ran.sequence
    states.push([ran.state, ...(ran.cell === undefined ? [] : [ran.cell])])
  }
  if (given.length > 0) throw unsupported(call, 'more initial states than the layer has')
  const listed = reversed ? states.toReversed() : states
  return { sequence: ran.sequence, last: ran.last, states: listed.flat(), backward }
}

/** Up to Keras 2.2.2 stacked cells list their states from the last cell to the first. */
function statesReversed({ settings }: LayerConfig, version: KerasVersion): boolean {
  const { config } = (settings.get('cell') ?? {}) as {
    config?: { reverse_state_order?: unknown } | null
  }
  if (typeof config?.reverse_state_order === 'boolean') return config.reverse_state_order
  return !isSince(version, [2, 2]) || (version.rules === '2.2' && version.patch < 3)
}

/** States listed from the last cell to the first, from the first to the last. */
function inOrder(states: readonly Value[], cells: readonly LayerConfig[]): Value[] {
  const left = [...states]
  const byCell = cells
    .toReversed()
    .map(({ className }) => left.splice(0, className === 'LSTMCell' ? 2 : 1))
  return [...byCell.reverse().flat(), ...left]
}

/** In the order in which Keras gives the steps: those of a backward layer as they were computed. */
function asComputed(call: LayerCall, name: string, ran: RecurrentResult): Result {
  if (!ran.backward) return ran.sequence
  return call.graph.one(`${name}.reversed`, { kind: 'reverse' }, { x: ran.sequence })
}

/** With step t belonging to step t of the input, as Bidirectional gives its backward half. */
function flipped(call: LayerCall, name: string, ran: RecurrentResult): Result {
  if (ran.backward) return ran.sequence
  return call.graph.one(`${name}.reversed`, { kind: 'reverse' }, { x: ran.sequence })
}

function initialStates(call: LayerCall): readonly Value[] {
  return [...call.inputs.slice(1), ...valuesIn(call.kwargs.initial_state)]
}

/** [steps, rows, …] as [rows, steps, …], or back. */
function swapped(call: LayerCall, x: Result, name: string): Result {
  const axes = x.shape.map((_, i) => (i < 2 ? 1 - i : i))
  return call.graph.transpose(name, x, axes)
}

/** The input of a layer with the steps on the first axis, and its mask, with the rows first. */
function rowsFirst(call: LayerCall): Value {
  const { x, name } = call
  const mask = x.mask === null ? null : unmasked(swapped(call, x.mask, `${name}.mask`))
  return { ...swapped(call, x, `${name}.steps`), mask }
}

/** The mask after a layer that returns sequences, where this version of Keras passes it on. */
export function passedOn({ version, graph, name }: LayerCall, mask: Value | null): Value | null {
  if (mask === null || kerasPassesMask(version.rules)) return mask
  graph.warnings.add(
    `the mask of the steps ends at ${name}: since Keras 3.16 recurrent layers and their wrappers do not pass it on`,
  )
  return null
}

const rnn = entry((call) => {
  const { layer, settings, name } = call
  if (
    valuesIn(call.kwargs.constants).length > 0 ||
    (settings.numberOrNull('num_constants') ?? 0) > 0
  )
    throw unsupported(call, 'constants beside the sequence')
  const timeMajor = settings.bool('time_major', false)
  const x = timeMajor ? rowsFirst(call) : call.x
  const ran = run(
    { ...call, x },
    { name, layer, states: initialStates(call), path: '', flip: false },
  )
  const sequences = settings.bool('return_sequences', false)
  const computed = sequences ? asComputed(call, name, ran) : ran.last
  const y = sequences && timeMajor ? swapped(call, computed, `${name}.y`) : computed
  const states = settings.bool('return_state', false) ? ran.states : []
  const cudnn = layer.className.startsWith('CuDNN')
  const mask = sequences && !cudnn ? passedOn(call, call.x.mask) : null
  return [{ ...y, mask }, ...states.map((state) => ({ ...state, mask: null }))]
}, true)

const mergeModes: Readonly<Record<string, MergeNode['mode']>> = {
  concat: 'concatenate',
  sum: 'add',
  mul: 'multiply',
  ave: 'average',
}

const bidirectional = entry((given) => {
  const { layer, settings, name, graph } = given
  const inner = layer.inner
  if (inner === null) throw settings.wrong('layer', 'a recurrent layer')
  const timeMajor = inner.settings.bool('time_major', false)
  const call = timeMajor ? { ...given, x: rowsFirst(given) } : given
  const backward = layer.backward ?? inner
  const sequences = inner.settings.bool('return_sequences', false)
  const states = initialStates(call)
  const half = states.length / 2
  const shared = { bidirectional: sequences, flip: false }
  const forwards = run(call, {
    ...shared,
    name: `${name}.forward`,
    layer: inner,
    states: states.slice(0, half),
    path: 'forward_layer/',
  })
  const backwards = run(call, {
    ...shared,
    name: `${name}.backward`,
    layer: backward,
    states: states.slice(half),
    path: 'backward_layer/',
    // Without a backward layer of its own, Keras reverses the direction of the forward one.
    flip: layer.backward === null,
  })
  const y = sequences ? asComputed(call, `${name}.forward`, forwards) : forwards.last
  const back = sequences ? flipped(call, `${name}.backward`, backwards) : backwards.last
  const mask = sequences ? passedOn(call, given.x.mask) : null
  const left = inner.settings.bool('return_state', false)
    ? [...forwards.states, ...backwards.states].map((state) => ({ ...state, mask: null }))
    : []
  const mode = settings.get('merge_mode') === undefined ? 'concat' : settings.get('merge_mode')
  const placed = (sequence: Result, at: string): Result =>
    sequences && timeMajor ? swapped(call, sequence, `${name}.${at}`) : sequence
  if (mode === null) return [{ ...placed(y, 'y0'), mask }, { ...placed(back, 'y1'), mask }, ...left]
  if (typeof mode !== 'string' || !Object.hasOwn(mergeModes, mode)) {
    throw new GruvError('bad-file', 'this is no way to merge', {
      where: name,
      expected: `${Object.keys(mergeModes).join(', ')} or null`,
      got: JSON.stringify(mode).slice(0, 60),
    })
  }
  const merged = graph.one(name, { kind: 'merge', mode: mergeModes[mode] }, { 0: y, 1: back })
  return [{ ...placed(merged, 'y'), mask }, ...left]
}, true)

export const recurrentLayers: Readonly<Record<string, LayerEntry>> = {
  ...Object.fromEntries(recurrent.map((className) => [className, rnn])),
  Bidirectional: bidirectional,
}
