/** gruv in one of its modes, from the bytes of a safetensors file, through its public API only. */

import type { CompileOptions, EngineReport, Stream } from '../../../dist/index.js'
import type { Contender, Session } from '../contender.ts'
import { toSafetensors } from '../files.ts'
import type { Layer, Work } from '../layer.ts'

interface Mode {
  readonly options: CompileOptions
  /** Whether this is the intended engine, so that nothing falls back silently. */
  readonly is: (engine: EngineReport) => boolean
}

const modes: Readonly<Record<string, Mode>> = {
  'gruv-fused': {
    options: { engine: 'wasm' },
    is: ({ kind, simd }) => kind === 'wasm' && simd === 'relaxed',
  },
  'gruv-deterministic': {
    options: { engine: 'wasm', deterministic: true },
    is: ({ kind, deterministic }) => kind === 'wasm' && deterministic,
  },
  'gruv-f64': { options: { precision: 'f64' }, is: ({ precision }) => precision === 'f64' },
  'gruv-js': { options: { engine: 'js' }, is: ({ kind }) => kind === 'js' },
}

export function gruv(name: string): Contender {
  const { options, is } = modes[name]
  let library: typeof import('../../../dist/index.js')
  return {
    name,
    reset: 'after',
    async load() {
      library = await import('../../../dist/index.js')
    },
    async create(layer, work) {
      const model = await library.load(toSafetensors(layer), { name })
      const program = await library.compile(model, options)
      const engine = showEngine(program.engine)
      if (!is(program.engine)) return { unavailable: `this Node gives ${engine}` }
      if (work.name === 'stream') return { engine, ...stream(program.stream(), layer, work) }
      const x = { shape: [work.rows, work.steps, layer.features], data: work.x }
      return {
        engine,
        run(calls) {
          for (let i = 0; i < calls; i++) program.predict(x)
        },
        outputs: async () => program.predict(x).y.data,
      }
    },
  }
}

function showEngine({ kind, simd, precision }: EngineReport): string {
  return [kind, ...(kind === 'wasm' ? [simd] : []), precision].join(' ')
}

function stream(
  { input, output, step, reset }: Stream,
  { features, units }: Layer,
  { x, steps }: Work,
): Session {
  let t = 0
  return {
    run(calls) {
      for (let i = 0; i < calls; i++) {
        const at = t * features
        for (let f = 0; f < features; f++) input[f] = x[at + f]
        step()
        t = t + 1 === steps ? 0 : t + 1
      }
    },
    async outputs() {
      const y = new Float64Array(steps * units)
      reset()
      for (t = 0; t < steps; t++) {
        input.set(x.subarray(t * features, (t + 1) * features))
        step()
        y.set(output, t * units)
      }
      t = 0
      return y
    },
  }
}
