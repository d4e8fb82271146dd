import fc from 'fast-check'
import { expect, it } from 'vitest'
import type { FunctionBody, Label, ValueType } from '../../../src/runtime/wasm/assembler.ts'
import { AssemblerError } from '../../../src/runtime/wasm/checked.ts'
import { withMemory } from './support.ts'

type Type = Exclude<ValueType, 'i64'>

/** One step of a random program. What does not fit the stack is refused, and left out. */
type Step =
  | { readonly op: 'const' | 'load' | 'binary' | 'compare' | 'select' | 'tee'; readonly type: Type }
  | { readonly op: 'drop' | 'return' | 'unreachable' }
  | { readonly op: 'br' | 'br_if'; readonly depth: number }
  | { readonly op: 'block' | 'loop' | 'if'; readonly result?: Type; readonly bodies: Step[][] }

const type = fc.constantFrom<Type>('i32', 'f32', 'f64', 'v128')
const { steps } = fc.letrec<{ steps: Step[]; step: Step }>((tie) => ({
  steps: fc.array(tie('step'), { maxLength: 12 }),
  step: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    { weight: 12, arbitrary: fc.record({ op: fc.constantFrom('const', 'load', 'tee'), type }) },
    {
      weight: 6,
      arbitrary: fc.record({ op: fc.constantFrom('binary', 'compare', 'select'), type }),
    },
    { weight: 2, arbitrary: fc.record({ op: fc.constantFrom('drop', 'return', 'unreachable') }) },
    {
      weight: 3,
      arbitrary: fc.record({ op: fc.constantFrom('br', 'br_if'), depth: fc.nat({ max: 3 }) }),
    },
    {
      weight: 6,
      arbitrary: fc.record(
        {
          op: fc.constantFrom('block', 'loop', 'if'),
          result: type,
          bodies: fc.array(tie('steps'), { minLength: 2, maxLength: 2 }),
        },
        { requiredKeys: ['op', 'bodies'] },
      ),
    },
  ) as fc.Arbitrary<Step>,
}))

/** Takes the step, if it is refused says so. */
function taken(f: FunctionBody, step: Step, labels: readonly Label[]): boolean {
  try {
    take(f, step, labels)
    return true
  } catch (error) {
    if (!(error instanceof AssemblerError)) throw error
    return false
  }
}

function take(f: FunctionBody, step: Step, labels: readonly Label[]): void {
  const inner = (body: readonly Step[]) => (label: Label) => {
    for (const next of body) taken(f, next, [label, ...labels])
    // Whatever is left on the stack, this ends the body well.
    f.unreachable()
  }
  switch (step.op) {
    case 'const':
      if (step.type === 'v128') f.v128.const('f32x4', 1)
      else f[step.type].const(1)
      return
    case 'load':
      f[step.type].load(0)
      return
    case 'binary':
      if (step.type === 'v128') f.v128.xor()
      else f[step.type].add()
      return
    case 'compare':
      if (step.type === 'v128') f.v128.any_true()
      else f[step.type].eq()
      return
    case 'select':
      f.select(step.type)
      return
    case 'tee':
      f.local.tee(f.local(step.type))
      return
    case 'br':
    case 'br_if': {
      const label = labels[step.depth]
      if (label) f[step.op](label)
      return
    }
    case 'block':
    case 'loop':
      if (step.result) f[step.op](step.result, inner(step.bodies[0]))
      else f[step.op](inner(step.bodies[0]))
      return
    case 'if': {
      // There is no value at hand, so the condition comes off the stack.
      const condition = undefined as never
      const [then, other] = step.bodies.map(inner)
      if (step.result) f.if(step.result, condition, then, other)
      else f.if(condition, then, other)
      return
    }
    default:
      f[step.op]()
  }
}

it('what the checked stack accepts, the engine accepts', () => {
  let [accepted, refused] = [0, 0]
  fc.assert(
    fc.property(steps, type, (program, result) => {
      const module = withMemory()
      module.func({ params: ['i32', 'v128'], result }, (f, address, vector) => {
        f.local.get(vector)
        f.local.get(address)
        for (const step of program) {
          if (taken(f, step, [])) accepted++
          else refused++
        }
        f.unreachable()
      })
      expect(WebAssembly.validate(module.bytes())).toBe(true)
    }),
    { numRuns: 1000 },
  )
  // Of both there must be plenty, else the programs show nothing.
  expect(Math.min(accepted, refused)).toBeGreaterThan(1000)
})
