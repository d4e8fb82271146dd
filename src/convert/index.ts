/**
 * `gruv/convert`: turns a model into a file of another format, and proves that it is the same
 * model.
 *
 *     const { bytes, outputs, notes } = await convert(model, 'model.onnx')
 *     outputs.y.maxAbsolute      // how far the file, read back, is from the model
 *
 * Nothing is written to disk: the caller gets the bytes.
 */

import { GruvError, within } from '../errors.ts'
import type { ReadOptions } from '../formats/format.ts'
import { type StorageType, storageTypes } from '../formats/gruv/storage.ts'
import { readModel } from '../formats/index.ts'
import { permuteAxes } from '../model/axes.ts'
import { createModel } from '../model/graph.ts'
import type { Model, Port, ReferenceData } from '../model/types.ts'
import { weightsOf } from '../model/weights.ts'
import { compileSync } from '../runtime/compile-sync.ts'
import { inOrderOf } from '../runtime/run/inputs.ts'
import { largestDistance, type Named, type Tensor, type WithNames } from '../tensor.ts'
import { verify } from '../verify/index.ts'
import { randomInputs } from './inputs.ts'
import type { Target, Written } from './target.ts'
import { targetOf } from './targets.ts'
import { isSingle } from './weights.ts'

export type { StorageType } from '../formats/gruv/storage.ts'
export { targetEndings } from './targets.ts'

export interface ConvertOptions {
  /** Rounds the trained numbers, in a gruv model. */
  readonly storage?: StorageType
  /** What both models run on; default: the reference data, else seeded random numbers. */
  readonly input?: Named<Tensor>
  /** Put into a gruv model, for `load(…, { verify: true })`; checked against the model first. */
  readonly reference?: ReferenceData
  /** Told the share of the work that is done, from 0 to 1. */
  readonly onProgress?: (share: number) => void
}

/** The difference between the file, read back, and the model, over all numbers of an output. */
export interface OutputProof {
  readonly maxAbsolute: number
  /** The largest magnitude of the model's output. */
  readonly scale: number
  readonly compared: number
  /** The bound for `fromRounded`; what rounding costs is not an error. */
  readonly tolerance: number
  /**
   * The difference from the model with its numbers rounded as in the file: only errors add to it.
   */
  readonly fromRounded: number
}

export interface Conversion<Name extends string = 'y'> {
  readonly bytes: Uint8Array
  /** The format, in words. */
  readonly title: string
  /** What the model has and the file cannot hold, a sentence each. */
  readonly notes: readonly string[]
  /** Whether all outputs agree within their tolerance. */
  readonly pass: boolean
  readonly outputs: WithNames<Name, OutputProof>
  /** What both ran on: `the reference data`, `random input` or `the input given`. */
  readonly ranOn: string
  /** Whether every trained number is the same in the file, bit for bit. */
  readonly sameNumbers: boolean
  /** How far the file is from the reference data, where there are some: the cost of rounding. */
  readonly reference: Readonly<Record<string, number>> | null
}

/**
 * @param out the name of the file, whose ending selects the format.
 * @throws GruvError `unsupported` for what the format cannot hold, `bad-argument` for an unknown
 *   ending, `differs` where the reference data do not belong to the model.
 */
export async function convert<Name extends string = 'y'>(
  model: Model,
  out: string,
  options: ConvertOptions = {},
): Promise<Conversion<Name>> {
  const target = targetOf(out)
  const { storage, reference, onProgress = () => {} } = options
  if (storage !== undefined) checkStorage(storage, target)
  if (reference !== undefined && target.ending !== '.safetensors') {
    throw new GruvError('bad-argument', 'only a gruv model holds reference data', {
      where: out,
      expected: 'a name that ends in .safetensors',
    })
  }
  const whole = withReference(model, reference)
  onProgress(0)
  const written = await target.write(whole, storage)
  onProgress(1 / 3)
  const made = { written, back: await readBack(written, out), target, storage }
  onProgress(2 / 3)
  const conversion = measured(
    whole,
    storage !== undefined && whole.reference !== null ? await refreshed(made, storage, out) : made,
    options,
  )
  onProgress(1)
  return conversion as Conversion<Name>
}

interface Made {
  readonly written: Written
  readonly back: Model
  readonly target: Target
  readonly storage: StorageType | undefined
}

/** Rounded numbers have other outputs, and a device should be checked against those. */
async function refreshed(made: Made, storage: StorageType, out: string): Promise<Made> {
  const { inputs, outputs } = made.back.reference!
  const program = compileSync(made.back, { precision: 'f64' })
  const given = program.predict(inputs, { outputs: Object.keys(outputs) })
  const model = createModel({ ...made.back, reference: { inputs, outputs: given } })
  const written = await made.target.write(model, storage)
  const notes = ['the reference outputs in the file are those of the rounded numbers']
  return { ...made, written: { ...written, notes }, back: await readBack(written, out) }
}

function checkStorage(storage: StorageType, target: Target): void {
  if (!storageTypes.includes(storage)) {
    throw new GruvError('bad-argument', `'${storage}' is no storage`, {
      expected: storageTypes.join(', '),
    })
  }
  if (target.ending === '.safetensors') return
  throw new GruvError('bad-argument', 'numbers are rounded in gruv models only', {
    where: 'storage',
    expected: 'a name that ends in .safetensors',
    got: target.title,
  })
}

/** @throws GruvError `differs` when the data do not belong to the model. */
function withReference(model: Model, reference: ReferenceData | undefined): Model {
  if (reference === undefined) return model
  const { inputs, outputs } = reference
  const verdict = verify(model, { input: inputs, expected: outputs })
  for (const [name, { pass, maxAbsolute, tolerance }] of Object.entries(verdict.outputs)) {
    if (pass) continue
    throw new GruvError('differs', 'the reference data are not what this model gives', {
      where: `output ${name}`,
      expected: `at most ${tolerance.largest.toExponential(1)} off`,
      got: maxAbsolute.toExponential(2),
      fix: '`gruv diagnose` looks for the reason.',
    })
  }
  return createModel({ ...model, reference })
}

/** Reads the file back as any user of it would. */
async function readBack({ bytes, proof, reading = {} }: Written, name: string): Promise<Model> {
  try {
    return await readModel({ name, bytes: proof ?? bytes }, reading satisfies ReadOptions)
  } catch (error) {
    throw within('read back', error)
  }
}

function measured(
  model: Model,
  { written, back, target, storage }: Made,
  { input }: ConvertOptions,
): Conversion<never> {
  const data = input ?? model.reference?.inputs ?? randomInputs(model)
  const rounds = written.held !== undefined && !model.nodes.every(allSingle)
  const expected = outputsOf(model, data, target)
  const exact = written.held
    ? outputsOf(written.held, data, target)
    : storage === undefined
      ? expected
      : outputsOf(back, data, target)
  const got = outputsOf(back, renamed(data, model, back, target), target)
  const outputs = model.outputs.map(({ name }, i): [string, OutputProof] => {
    const [wanted, strict, found] = [expected[i], exact[i], got[i]]
    const scale = largest(wanted)
    const maxAbsolute = largestDistance(wanted.data, found.data)
    const proof = {
      maxAbsolute,
      // Where the format has a parameter by default, it is not rounded after all.
      fromRounded: Math.min(largestDistance(strict.data, found.data), maxAbsolute),
      scale,
      compared: wanted.data.length,
      tolerance: SAME_MODEL * Math.max(scale, 1),
    }
    return [name, proof]
  })
  return {
    bytes: written.bytes,
    title: target.title,
    notes: [
      ...written.notes,
      ...(target.ending !== '.safetensors' && model.reference !== null
        ? ['the reference data stays behind']
        : []),
      ...(rounds ? ['its numbers are float64, and float32 in the file'] : []),
    ],
    pass: outputs.every(([, { fromRounded, tolerance }]) => fromRounded <= tolerance),
    outputs: Object.fromEntries(outputs),
    ranOn:
      input !== undefined
        ? 'the input given'
        : model.reference === null
          ? 'random input'
          : 'the reference data',
    sameNumbers: sameNumbers(model, back),
    reference: referenceErrors(model, back, target),
  }
}

/** Sums in float64 may be taken in another order; a larger difference is an error. */
const SAME_MODEL = 1e-9

/** In float64, in the order of the ports. */
function outputsOf(model: Model, inputs: Named<Tensor>, target: Target): readonly Tensor[] {
  const results = compileSync(model, { precision: 'f64' }).predict(inputs)
  return model.outputs.map((port) => compared(results[port.name], port, target))
}

/** The tensors for the other model's inputs, by position; its axes may have another order. */
function renamed(data: Named<Tensor>, from: Model, to: Model, target: Target): Named<Tensor> {
  return Object.fromEntries(
    from.inputs.map((port, i) => {
      const other = to.inputs[i] ?? port
      const tensor = data[port.name]
      return [other.name, target.keepsAxes ? tensor : fromGraph(toGraph(tensor, port), other)]
    }),
  )
}

/** With the axes of the port where the file has the same ports, else with those of the graph. */
function compared(tensor: Tensor, port: Port, { keepsAxes }: Target): Tensor {
  return keepsAxes ? tensor : toGraph(tensor, port)
}

/** With the axes of the graph; a tensor without a batch has only one order. */
function toGraph(tensor: Tensor, { axes, shape }: Port): Tensor {
  return axes && shape.length === tensor.shape.length ? permuteAxes(tensor, axes) : tensor
}

function fromGraph(tensor: Tensor, port: Port): Tensor {
  return (port.axes ?? port.shape).length === tensor.shape.length ? inOrderOf(port, tensor) : tensor
}

function largest({ data }: Tensor): number {
  let most = 0
  for (const value of data) most = Math.max(most, Math.abs(value) || 0)
  return most
}

function allSingle(node: Model['nodes'][number]): boolean {
  return Object.values(weightsOf(node)).every(isSingle)
}

/** Bit for bit, in any order, without zeros, which some formats write where others have nothing. */
function sameNumbers(a: Model, b: Model): boolean {
  const bags = [a, b].map((model) => {
    const arrays = model.nodes.flatMap((node) => Object.values(weightsOf(node)))
    const all = arrays.flatMap(({ data }) => Array.from(data))
    return Float64Array.from(all.filter((value) => value !== 0)).sort()
  })
  const [x, y] = bags
  return x.length === y.length && x.every((value, i) => Object.is(value, y[i]))
}

function referenceErrors(model: Model, back: Model, target: Target): Conversion['reference'] {
  const { reference } = model
  if (reference === null) return null
  const inputs = renamed(reference.inputs, model, back, target)
  const given = compileSync(back, { precision: 'f64' }).predict(inputs)
  return Object.fromEntries(
    Object.entries(reference.outputs).map(([name, expected]) => {
      const place = model.outputs.findIndex((port) => port.name === name)
      const port = back.outputs[place]
      if (port === undefined) return [name, Number.NaN]
      const wanted = compared(expected, model.outputs[place], target)
      return [name, largestDistance(wanted.data, compared(given[port.name], port, target).data)]
    }),
  )
}
