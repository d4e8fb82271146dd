/**
 * `gruv inspect --plan`: shows which kernels run when, in which engine, and the memory they need.
 */

import { compileSync, type Model, type Plan, type Program } from '../index.ts'
import { limitsOf } from './options.ts'
import { columns, heading, paint, print } from './render.ts'

export interface PlanSummary {
  readonly hash: string
  readonly engine: Program['engine']
  readonly stages: readonly {
    readonly sweep: Plan['stages'][number]['sweep']
    readonly rows: string
    readonly steps: string
    readonly kernels: readonly { readonly layer: string; readonly kind: string }[]
    readonly reads: readonly string[]
    readonly writes: readonly string[]
  }[]
  /** Bytes. */
  readonly memory: Readonly<Record<'weights' | 'predict' | 'stream' | 'total', number>>
  /** The layer that prevents streaming, and why; null if the model can stream. */
  readonly obstacle: Plan['obstacle']
}

export function summarizePlan(
  model: Model,
  flags: { readonly precision: 'f32' | 'f64'; readonly limit?: readonly string[] },
): PlanSummary {
  const { precision } = flags
  const { plan, engine } = compileSync(model, { precision, ...limitsOf(flags) })
  const bytes = precision === 'f32' ? 4 : 8
  const names = (values: readonly number[]): string[] =>
    values.map((value) => plan.values[value].name)
  return {
    hash: plan.hash,
    engine,
    stages: plan.stages.map(({ sweep, rows, steps, kernels, reads, writes }) => ({
      sweep,
      rows: `${rows}`,
      steps: `${steps}`,
      kernels: kernels.map((kernel) => ({
        layer: kernel.node,
        kind: kernel.kind === 'whole' ? kernel.layer : kernel.kind,
      })),
      reads: names(reads),
      writes: names(writes),
    })),
    memory: {
      weights: bytes * plan.weightsSize,
      predict: bytes * (plan.memory.streams - plan.memory.predictState),
      stream: bytes * plan.memory.streamStride,
      total: bytes * plan.memory.size,
    },
    obstacle: plan.obstacle,
  }
}

const sweeps: Readonly<Record<PlanSummary['stages'][number]['sweep'], string>> = {
  forward: 'step by step',
  backward: 'step by step, from the end',
  once: 'once for each row',
  whole: 'on whole tensors',
}

export function printPlan({ hash, engine, stages, memory, obstacle }: PlanSummary): void {
  print('', heading(`plan ${hash}`))
  const simd = { none: 'JavaScript', simd128: 'SIMD', relaxed: 'relaxed SIMD' }[engine.simd]
  const kind = engine.kind === 'wasm' ? `WebAssembly, ${simd}` : simd
  print(`  engine   ${kind}, ${engine.precision}${engine.deterministic ? ', deterministic' : ''}`)
  const size = (bytes: number): string => `${Math.ceil(bytes / 1024).toLocaleString('en')} KB`
  print(
    `  memory   ${size(memory.total)}: weights ${size(memory.weights)}, predict ${size(memory.predict)}, a stream ${size(memory.stream)}`,
  )
  print(
    obstacle === null
      ? '  streams  yes'
      : `  streams  ${paint('yellow', 'no')}: ${obstacle.node}: ${obstacle.why}`,
  )
  print()
  const rows = stages.flatMap(({ sweep, rows, steps, kernels }, s) =>
    kernels.map(({ layer, kind }, i) => [
      i === 0 ? `  ${s}` : '',
      i === 0 ? sweeps[sweep] : '',
      i === 0 && sweep !== 'whole' ? `${rows} × ${steps}` : '',
      layer,
      kind,
      engine.kind === 'js' ? 'JavaScript' : whereItRuns(engine, layer),
    ]),
  )
  print(columns(rows, ['  stage', 'runs', 'rows × steps', 'layer', 'kernel', 'in']))
  if (engine.kind === 'js') {
    for (const { why } of engine.fallbacks) print(`  ${paint('yellow', 'not WebAssembly')}: ${why}`)
  }
}

function whereItRuns({ fallbacks }: Program['engine'], layer: string): string {
  const fallback = fallbacks.find(({ node }) => node === layer)
  return fallback === undefined ? 'WebAssembly' : `JavaScript: ${fallback.why}`
}
