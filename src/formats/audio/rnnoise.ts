/**
 * Reads text models of RNNoise (.rnnn): six layers of whole numbers in a graph that never changes.
 *
 * The file: rnnoise-nu's `rnn_reader.c`, the format as FFmpeg's `af_arnndn.c` reads it too. The
 * equations: RNNoise's `rnn.c`, where a weight of 1 is written as 256; gates are sigmoid, z is the
 * share of the old state, the reset comes before the product, and there is one bias.
 */

import { GruvError } from '../../errors.ts'
import { type Activation, activation } from '../../model/activation/activations.ts'
import { type Ground, implied, stated } from '../../model/conventions/grounds.ts'
import { denseNode } from '../../model/dense.ts'
import { createModel } from '../../model/graph.ts'
import { gruNode } from '../../model/recurrent/gru.ts'
import type { LayerNode, Model } from '../../model/types.ts'
import type { Tensor } from '../../tensor.ts'
import { baseName, type ReadOptions, refuseConventions, type SourceFile } from '../format.ts'
import { concatenated } from '../pytorch/layers.ts'

const HEADER = /^rnnoise-nu model file version (\d+)\s/

/** A weight of 1. */
const SCALE = 256

/** The numbers of RNNoise are bytes, and its layers small. */
const MOST_UNITS = 128

const activations = ['tanh', 'sigmoid', 'relu'] as const

/** @throws GruvError `bad-file` saying which layer, `unsupported` for another version. */
export async function readRnnoise(file: SourceFile, options: ReadOptions): Promise<Model> {
  refuseConventions(options, 'RNNoise has conventions of its own')
  const text = new TextDecoder().decode(file.bytes)
  const header = HEADER.exec(text)
  if (header === null || header[1] !== '1') {
    throw new GruvError('unsupported', 'this version of the format is not read', {
      where: 'line 1',
      expected: 'rnnoise-nu model file version 1',
      got: JSON.stringify(text.slice(0, 40)),
    })
  }
  const numbers = new Numbers(text, header[0].length)
  const nodes: LayerNode[] = []
  const widths = new Map<string, number>()
  const layer = (name: string, inputs: readonly string[], x?: number): string => {
    const dims = numbers.dims(name)
    if (x !== undefined) widths.set('x', dims.features - x)
    else {
      const arriving = inputs.reduce((sum, each) => sum + (widths.get(each) ?? 0), 0)
      if (widths.has('x') && arriving !== dims.features)
        throw wrong(name, `${arriving} inputs`, `${dims.features}`)
    }
    const made = name.endsWith('_gru') ? gru(name, dims, numbers) : dense(name, dims, numbers)
    if (inputs.length > 1) nodes.push(concatenated(`${name}_input`, inputs))
    const value = inputs.length > 1 ? `${name}_input.y` : inputs[0]
    const port = made.kind === 'gru' ? 'sequence' : 'y'
    const output = `${name}.${port}`
    nodes.push({ ...made, inputs: { x: value }, outputs: { [port]: output } } as LayerNode)
    widths.set(output, dims.units)
    return output
  }
  const features = layer('input_dense', ['x'], 0)
  const voice = layer('vad_gru', [features])
  const noise = layer('noise_gru', [features, voice, 'x'])
  const denoised = layer('denoise_gru', [voice, noise, 'x'])
  const gains = layer('denoise_output', [denoised])
  const vad = layer('vad_output', [voice])
  numbers.end()
  return createModel({
    name: baseName(file.name),
    source: 'RNNoise model (.rnnn)',
    inputs: [{ name: 'x', shape: ['batch', 'time', widths.get('x')!] }],
    outputs: [
      { name: 'gains', value: gains },
      { name: 'vad', value: vad },
    ],
    nodes,
  })
}

interface Dims {
  readonly features: number
  readonly units: number
  readonly activation: Ground<Activation>
}

function dense(name: string, dims: Dims, numbers: Numbers): ReturnType<typeof denseNode> {
  const { features, units } = dims
  const kernel = numbers.take(name, 'weights', [features, units])
  const bias = numbers.take(name, 'biases', [units])
  return denseNode(name, { kernel, bias }, dims.activation, byRnnoise('no'))
}

function gru(name: string, dims: Dims, numbers: Numbers): ReturnType<typeof gruNode> {
  const { features, units } = dims
  const kernel = numbers.take(name, 'weights', [features, 3 * units])
  const recurrentKernel = numbers.take(name, 'recurrent weights', [units, 3 * units])
  const bias = numbers.take(name, 'biases', [3 * units])
  return gruNode(
    name,
    { kernel, recurrentKernel, bias },
    {
      gateOrder: byRnnoise('zrn'),
      transposed: byRnnoise('no'),
      reset: byRnnoise('before'),
      update: byRnnoise('keeps'),
      bias: byRnnoise('merged'),
      activation: dims.activation,
      recurrentActivation: byRnnoise(activation('sigmoid')),
    },
  )
}

function byRnnoise<T>(value: T): Ground<T> {
  return implied(value, 'RNNoise has it so')
}

/** Reads whole numbers between blanks, one after the other. */
class Numbers {
  readonly #words: readonly string[]
  #at = 0

  constructor(text: string, from: number) {
    this.#words = text.slice(from).split(/\s+/).filter(Boolean)
  }

  dims(name: string): Dims {
    const features = this.#whole(name, 1, 4 * MOST_UNITS)
    const units = this.#whole(name, 1, MOST_UNITS)
    const kind = activations[this.#whole(name, 0, activations.length - 1)]
    return { features, units, activation: stated(activation(kind), 'the file says so') }
  }

  /** A weight is a byte in 256ths, so every one is a float32. */
  take(name: string, what: string, shape: readonly number[]): Tensor {
    const size = shape.reduce((a, b) => a * b, 1)
    if (this.#words.length - this.#at < size)
      throw wrong(`${name}: ${what}`, `${size} numbers`, `${this.#words.length - this.#at}`)
    const data = new Float32Array(size)
    for (let i = 0; i < size; i++) data[i] = this.#whole(`${name}: ${what}`, -128, 127) / SCALE
    return { shape, data }
  }

  end(): void {
    if (this.#at < this.#words.length)
      throw wrong('the end', 'nothing', `${this.#words.length - this.#at} more numbers`)
  }

  #whole(where: string, least: number, most: number): number {
    const word = this.#words[this.#at++] ?? ''
    const value = Number(word)
    if (/^-?\d{1,9}$/.test(word) && value >= least && value <= most) return value
    throw wrong(where, `a whole number from ${least} to ${most}`, word || 'the end of the file')
  }
}

function wrong(where: string, expected: string, got: string): GruvError {
  return new GruvError('bad-file', 'the file is not as RNNoise writes it', {
    where,
    expected,
    got: got.slice(0, 40),
  })
}
