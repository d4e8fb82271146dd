/** The worker's functions, one for each call of the page. */

import { writeData } from '../../src/data/index.ts'
import { diagnose, suggestedInput } from '../../src/diagnose/index.ts'
import {
  compile,
  compileSync,
  GruvError,
  type Model,
  type Named,
  type Tensor,
} from '../../src/index.ts'
import { isRecurrent, statesOf } from '../../src/model/index.ts'
import { verify } from '../../src/verify/index.ts'
import { compareGates, compareOn } from './compare.ts'
import { describe, weightArrays } from './describe.ts'
import { dataAt, type ReadArrays, readArrays } from './files.ts'
import { madeUpInput } from './made-up.ts'
import type { Calls, DataInfo, Progress, Source } from './protocol.ts'
import { cancelReading, readApart } from './reading.ts'
import { type Data, fitInput, session } from './session.ts'

/** The numbers of an output that are shown as text. */
const HEAD = 200

export const calls: Calls = {
  async open({ slot, source, options }) {
    const model = await readApart({ source, options })
    const info = describe(model, [])
    if (slot === 'a') session.open(model)
    else session.other = model
    return info
  },

  async cancel() {
    cancelReading()
    return null
  },

  async folder({ url }) {
    return dataAt(url)
  },

  async read({ quirks }) {
    return describe(session.read(quirks), quirks)
  },

  async input({ source }) {
    const model = session.needModel()
    session.input = await inputFrom(model, source)
    session.diagnosis = null
    session.trace?.stop()
    session.trace = null
    return dataInfo(session.input)
  },

  async expected({ source }) {
    const model = session.needModel()
    if (source === 'reference') {
      session.expected = { tensors: reference(model).outputs, origin: 'came with the model' }
    } else {
      const states = model.nodes.flatMap(statesOf).map(({ name }) => name)
      const ports = model.outputs.map(({ name }) => name)
      session.expected = dataOf(await readArrays(source, ports, states))
    }
    session.diagnosis = null
    return dataInfo(session.expected)
  },

  async forgetExpected() {
    session.expected = null
    return null
  },

  async trace({ layer, row }) {
    const started = session.startTrace(layer, row)
    // Not awaited: the page shows the first steps while the rest is computed.
    void started.fill((done) => tell({ what: 'trace', share: done / started.info.steps, done }))
    return started.info
  },

  async step({ t }) {
    return session.needTrace().at(t)
  },

  async view({ values, from, to, columns }) {
    return session.needTrace().view(values, from, to, columns)
  },

  async run({ precision }) {
    const program = await compile(session.needModel(), { precision })
    const begin = performance.now()
    const outputs = await program.predictAsync(session.needInput().tensors, {
      onProgress: (share) => tell({ what: 'run', share, done: 0 }),
    })
    const milliseconds = performance.now() - begin
    return {
      outputs: Object.entries(outputs).map(([name, { shape, data }]) => ({
        name,
        shape,
        head: Array.from(data.subarray(0, HEAD)),
      })),
      milliseconds,
      engine: program.engine,
    }
  },

  async verify({ precision }) {
    const { pass, outputs, program } = verify(session.needModel(), {
      ...comparisonData(),
      precision,
    })
    return {
      pass,
      engine: program.engine,
      outputs: Object.fromEntries(
        Object.entries(outputs).map(([name, { tolerance, ...rest }]) => [
          name,
          // A function cannot be posted to the page.
          { ...rest, tolerance: { largest: tolerance.largest, why: tolerance.why } },
        ]),
      ),
    }
  },

  async diagnose() {
    session.diagnosis = diagnose(session.needModel(), comparisonData())
    return session.diagnosis
  },

  async compare({ from }) {
    const other = from === 'b' ? session.other : session.needBase()
    if (other === null) {
      throw new GruvError('bad-argument', 'there is no second model', { fix: 'Open one first.' })
    }
    const order = from === 'b' ? 'model-first' : 'other-first'
    return compareOn(session.needModel(), other, session.needInput().tensors, order)
  },

  async weights({ layer }) {
    const node = session
      .needModel()
      .nodes.filter(isRecurrent)
      .find(({ name }) => name === layer)
    return node === undefined ? [] : weightArrays(node)
  },

  async save({ format, precision }) {
    const model = session.needModel()
    const outputs = compileSync(model, { precision }).predict(session.needInput().tensors)
    const name = `${model.name}-outputs.${format}`
    return { name, bytes: await writeData(tabular(outputs, format), name), notes: [] }
  },

  async saveReport() {
    const model = session.needModel()
    const { report } = await import('../../src/report/index.ts')
    const { expected, quirks, other } = session
    const x = session.needInput().tensors
    const comparison =
      quirks.length > 0
        ? compareGates(session.needBase(), model, x)
        : other && compareGates(model, other, x)
    const html = await report(model, x, {
      row: session.trace?.info.row ?? 0,
      ...(expected !== null && { verdict: verify(model, comparisonData()) }),
      ...(comparison && { comparison }),
    })
    const bytes = new TextEncoder().encode(html)
    return { name: `${model.name}-report.html`, bytes, notes: [] }
  },

  async statistics() {
    return session.needTrace().statistics()
  },

  async saveModel({ ending }) {
    const model = session.needModel()
    const { convert } = await import('../../src/convert/index.ts')
    const name = `${model.name}${ending}`
    const { bytes, notes, pass, ranOn } = await convert(model, name)
    const proof = pass
      ? `Read back, it gives the same numbers on ${ranOn}.`
      : `Read back, it does not give the same numbers on ${ranOn}: do not trust it.`
    return { name, bytes, notes: [proof, ...notes] }
  },

  async modelEndings() {
    return (await import('../../src/convert/index.ts')).targetEndings
  },

  async suggestion() {
    session.diagnosis ??= diagnose(session.needModel(), comparisonData())
    const input = suggestedInput(session.diagnosis)
    if (input === null) return null
    const name = Object.keys(input).length === 1 ? 'suggested-input.npy' : 'suggested-input.npz'
    return { name, bytes: await writeData(input as Named<Tensor>, name), notes: [] }
  },

  async streamReset() {
    session.needStream().reset()
    return null
  },

  async streamStep({ x }) {
    const stream = session.needStream()
    stream.input.set(x)
    stream.step()
    const [state = new Float64Array(0)] = Object.values(stream.getState())
    return { output: Float64Array.from(stream.output), state: Float64Array.from(state) }
  },
}

function tell(progress: Progress): void {
  postMessage({ progress })
}

function comparisonData(): { readonly input: Named<Tensor>; readonly expected: Named<Tensor> } {
  return { input: session.needInput().tensors, expected: session.needExpected().tensors }
}

async function inputFrom(model: Model, source: Source | 'made-up' | 'reference'): Promise<Data> {
  if (source === 'made-up')
    return {
      tensors: madeUpInput(model),
      origin: 'made up, so that there is something to see',
      madeUp: true,
    }
  if (source === 'reference')
    return { tensors: fitInput(model, reference(model).inputs), origin: 'came with the model' }
  const ports = model.inputs.map(({ name }) => name)
  const { tensors, origin } = dataOf(await readArrays(source, ports))
  return { tensors: fitInput(model, tensors), origin }
}

function reference(model: Model): NonNullable<Model['reference']> {
  if (model.reference !== null) return model.reference
  throw new GruvError('not-found', 'this model came without reference data')
}

function dataOf({ tensors, names }: ReadArrays): Data {
  return { tensors, origin: names.join(', ') }
}

function dataInfo({ tensors, origin, madeUp = false }: Data): DataInfo {
  const model = session.needModel()
  const extents = (symbol: string): number => {
    for (const { name, shape } of model.inputs) {
      const axis = shape.indexOf(symbol)
      if (axis >= 0 && Object.hasOwn(tensors, name)) return tensors[name].shape[axis]
    }
    return 1
  }
  return {
    arrays: Object.entries(tensors).map(([name, { shape }]) => ({ name, shape })),
    origin,
    madeUp,
    rows: extents('batch'),
    steps: extents('time'),
  }
}

/** .npy and .csv hold one array, and .csv only rows and columns. */
function tabular(outputs: Named<Tensor>, format: string): Named<Tensor> {
  if (format === 'npz' || format === 'json') return outputs
  const [[name, tensor]] = Object.entries(outputs)
  const { shape } = tensor
  if (format === 'npy' || shape.length <= 2) return { [name]: tensor }
  const width = shape.at(-1)!
  return { [name]: { ...tensor, shape: [tensor.data.length / width, width] } }
}
