/** Runs one step of many sequences, whose states are records. */

import { GruvError } from '../../errors.ts'
import { unfit } from '../../tensor.ts'
import type { Engine } from '../engine/engine.ts'
import type { Plan } from '../plan/types.ts'
import { STEP } from './masks.ts'
import type { StateRecords } from './record.ts'

type Numbers = Float32Array | Float64Array

/**
 * From so many bytes of weights on, which no cache near a core holds, a tile of rows that loads them
 * once is 2 to 3 times as fast as single steps (384 to 768 units); below it is slower by a tenth.
 */
const LARGE = 2 ** 20

/** Where the vectors of a port lie: of the first row, and how far apart those of the rows are. */
interface Lane {
  readonly width: number
  readonly first: number
  readonly perRow: number
}

/**
 * One step of n sequences, with the bits of n single steps.
 * @param states n records, which are replaced by those after the step.
 * @param inputs [n, width], all inputs of the model side by side; outputs likewise.
 * @throws GruvError before anything is written: all sequences take the step, or none.
 */
export function stepMany(
  plan: Plan,
  engine: Engine,
  records: StateRecords,
  states: Uint8Array,
  inputs: Numbers,
  outputs: Numbers,
): void {
  const { memory } = engine
  const { initial = [], memory: layout, stages, stateStride } = plan
  const isLarge = memory.BYTES_PER_ELEMENT * plan.weightsSize >= LARGE
  const frame = isLarge ? plan.block : plan.step
  const laneOf = (name: string): Lane => {
    const index = plan.values.findIndex((value) => value.name === name)
    const { width, stride, overTime } = plan.values[index]
    const perRow = (overTime ? frame.steps : 1) * stride
    return { width, first: layout.predictFrame + frame.offsets[index], perRow }
  }
  const entering = plan.inputs.map(({ name }) => laneOf(name))
  const leaving = plan.outputs.map(({ value }) => laneOf(value))
  const starts = initial.map(({ input, state }) => ({
    from: entering[plan.inputs.findIndex(({ name }) => name === input)],
    to: layout.predictState + plan.states.find(({ name }) => name === state)!.offset,
  }))
  const count = states.length / records.bytes
  if (!Number.isInteger(count)) {
    throw new GruvError('bad-argument', 'states are whole records', {
      expected: `a multiple of ${records.bytes} bytes`,
      got: `${states.length}`,
    })
  }
  checkSize('inputs', inputs, count, entering)
  checkSize('outputs', outputs, count, leaving)
  for (let i = 0; i < count; i++) records.check(states, i * records.bytes)

  const steps = new Float64Array(frame.rows)
  const tile = { firstStep: 0, steps: 1, start: false, code: STEP.valid, missing: false }
  let [read, written] = [0, 0]
  for (let done = 0; done < count; done += frame.rows) {
    const rows = Math.min(frame.rows, count - done)
    for (let row = 0; row < rows; row++) {
      for (const { width, first, perRow } of entering) {
        const to = first + row * perRow
        for (let i = 0; i < width; i++) memory[to + i] = inputs[read++]
      }
      const state = row * stateStride
      records.load(layout.predictState + state, states, (done + row) * records.bytes)
      steps[row] = records.steps
      if (records.begun) continue
      for (const { from, to } of starts) {
        const start = from.first + row * from.perRow
        memory.copyWithin(to + state, start, start + from.width)
      }
    }
    for (let s = 0; s < stages.length; s++) {
      if (isLarge) engine.block(s, { ...tile, rows })
      else engine.step(s, layout.predictFrame, layout.predictState)
    }
    for (let row = 0; row < rows; row++) {
      const state = layout.predictState + row * stateStride
      records.save(state, steps[row] + 1, true, states, (done + row) * records.bytes)
      for (const { width, first, perRow } of leaving) {
        const from = first + row * perRow
        for (let i = 0; i < width; i++) outputs[written++] = memory[from + i]
      }
    }
  }
}

function checkSize(what: string, data: Numbers, count: number, lanes: readonly Lane[]): void {
  const width = lanes.reduce((sum, lane) => sum + lane.width, 0)
  if (data.length !== count * width)
    throw unfit(`the ${what} do not fit the states`, what, [[count, width]], [data.length])
}
