/** Code that was emitted before, on its way into a program. */

import { GruvError } from '../errors.ts'
import type { Artifact } from './artifact.ts'
import type { Plan } from './plan.ts'
import type { Target } from './wasm/emit.ts'

export interface Given {
  /** What the report says of it. */
  readonly target: Target
  readonly module: () => WebAssembly.Module
  readonly moduleAsync: () => Promise<WebAssembly.Module>
}

/** @throws GruvError `bad-argument` unless the artifact is this plan's, and as strict as was asked. */
export function given(artifact: Artifact, planned: Plan, deterministic: boolean): Given {
  checkArtifact(artifact, planned, deterministic)
  const { code, simd } = artifact
  let module = code instanceof Uint8Array ? null : code
  return {
    target: targetFor(simd === 'simd128'),
    module: () => (module ??= new WebAssembly.Module(code as BufferSource)),
    moduleAsync: async () => (module ??= await WebAssembly.compile(code as BufferSource)),
  }
}

/** As engines since V8 13 like it; older ones run it, if not as fast. */
export function targetFor(deterministic: boolean): Target {
  const vectors = deterministic ? { vectors: 2, pairVectors: 1 } : { vectors: 4, pairVectors: 2 }
  return { fused: !deterministic, ...vectors, unroll: 4, constants: 'memory' }
}

function checkArtifact(artifact: Artifact, planned: Plan, deterministic: boolean): void {
  if (artifact.planHash !== planned.hash) {
    throw new GruvError('bad-argument', 'the artifact was emitted for another model', {
      where: 'artifact',
      expected: `plan ${planned.hash}`,
      got: `plan ${artifact.planHash}`,
      fix: 'Emit it again, with as many streams as the program is compiled with.',
    })
  }
  if (deterministic && artifact.simd === 'relaxed') {
    throw new GruvError('bad-argument', 'the artifact is not deterministic', {
      where: 'artifact',
      expected: 'code with plain SIMD',
      got: 'code with relaxed SIMD',
      fix: 'Emit it with `deterministic: true`.',
    })
  }
}
