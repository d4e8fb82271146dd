/** The state of the worker: up to two models, the data, a trace, a stream. */

import { applyQuirks, type Diagnosis } from '../../src/diagnose/index.ts'
import {
  compileSync,
  GruvError,
  type Model,
  type Named,
  type Port,
  type Stream,
  type Tensor,
} from '../../src/index.ts'
import { LiveTrace, takeAlong } from './traces.ts'

export interface Data {
  readonly tensors: Named<Tensor>
  readonly origin: string
  /** Whether the studio made the input, since there was none. */
  readonly madeUp?: boolean
}

class Session {
  /** The model as its file has it. */
  base: Model | null = null
  /** The model under the quirks that were chosen. */
  model: Model | null = null
  quirks: readonly string[] = []
  other: Model | null = null
  input: Data | null = null
  expected: Data | null = null
  trace: LiveTrace | null = null
  stream: Stream | null = null
  /** The diagnosis of this model on this data. */
  diagnosis: Diagnosis | null = null

  open(model: Model): void {
    this.base = model
    this.expected = null
    this.input = null
    this.read([])
  }

  /** Reads the model under other conventions; the data stays. */
  read(quirks: readonly string[]): Model {
    const model = applyQuirks(this.needBase(), quirks)
    this.model = model
    this.quirks = quirks
    this.trace?.stop()
    this.trace = null
    this.stream = null
    this.diagnosis = null
    return model
  }

  needBase(): Model {
    if (this.base !== null) return this.base
    throw new GruvError('bad-argument', 'no model is open', { fix: 'Open one first.' })
  }

  needModel(): Model {
    return this.model ?? this.needBase()
  }

  needInput(): Data {
    if (this.input !== null) return this.input
    throw new GruvError('bad-argument', 'there is no input', { fix: 'Open an input file first.' })
  }

  needExpected(): Data {
    if (this.expected !== null) return this.expected
    throw new GruvError('bad-argument', 'there are no expected outputs', {
      fix: 'Open a file with the outputs as they should be.',
    })
  }

  /** Traces one row of the batch. */
  startTrace(layer: string, row: number): LiveTrace {
    const model = this.needModel()
    const { tensors } = this.needInput()
    const ofRow = Object.fromEntries(
      model.inputs.map((port) => {
        const axis = port.shape.indexOf('batch')
        return [port.name, takeAlong(tensors[port.name], axis, row, 1)]
      }),
    )
    const read = model.nodes.find(({ name }) => name === layer)?.inputs.x
    const port = model.inputs.find(({ name, axes }) => name === read && axes === undefined)
    this.trace?.stop()
    this.trace = new LiveTrace(model, ofRow, layer, row, port ? ofRow[port.name] : null)
    return this.trace
  }

  needTrace(): LiveTrace {
    if (this.trace !== null) return this.trace
    throw new GruvError('bad-argument', 'nothing is traced')
  }

  needStream(): Stream {
    this.stream ??= compileSync(this.needModel()).stream()
    return this.stream
  }
}

export const session: Session = new Session()

/**
 * Inputs with all the axes of their ports, so that rows and steps can be taken from them.
 * @throws GruvError the program's own, where they do not fit.
 */
export function fitInput(model: Model, given: Named<Tensor>): Named<Tensor> {
  const fitted = Object.fromEntries(
    model.inputs.flatMap((port) => {
      return Object.hasOwn(given, port.name)
        ? [[port.name, withAllAxes(port, given[port.name])]]
        : []
    }),
  )
  const fits = model.inputs.every(({ name, shape }) => {
    const tensor = Object.hasOwn(fitted, name) ? fitted[name] : undefined
    return (
      tensor?.shape.length === shape.length &&
      tensor.data.length > 0 &&
      shape.every((dim, axis) => typeof dim === 'string' || dim === tensor.shape[axis])
    )
  })
  // The program refuses inputs that do not fit, with its own message.
  if (!fits) compileSync(model).predict(given)
  return fitted
}

function withAllAxes({ shape }: Port, tensor: Tensor): Tensor {
  const features = shape.at(-1)
  let given = [...tensor.shape]
  if (shape.length === 3 && shape[1] === 'time' && typeof features === 'number') {
    if (given.length === 1 && given[0] !== features && given[0] % features === 0)
      given = [given[0] / features, features]
    else if (given.length === 2 && features === 1 && given[0] === 1) given = [given[1], 1]
  }
  const omissible = [
    ...['batch', 'time'].map((symbol) => shape.indexOf(symbol)),
    ...shape.flatMap((dim, axis) => (dim === 1 ? [axis] : [])),
  ].filter((axis) => axis >= 0)
  const without = omissible.slice(0, Math.max(0, shape.length - given.length))
  if (given.length + without.length !== shape.length) return tensor
  return { ...tensor, shape: shape.map((_, axis) => (without.includes(axis) ? 1 : given.shift()!)) }
}
