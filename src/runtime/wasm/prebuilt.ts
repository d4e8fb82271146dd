/** Takes code that was emitted before into a program. */

import { GruvError } from '../../errors.ts'
import type { Fallback } from '../engine/engine.ts'
import type { Plan } from '../plan/types.ts'
import type { CompiledCode } from './engine.ts'
import { portableTarget, type WasmModule } from './target.ts'

/** A model compiled at build time: what `emit` gives. */
export interface Artifact {
  /** Of the plan it was made for. */
  readonly planHash: string
  /**
   * A WebAssembly module as bytes, or compiled already: where a host compiles modules when a
   * program is deployed, put the module it made of the bytes here.
   */
  readonly code: Uint8Array | WasmModule
  /** Relaxed SIMD, or plain SIMD with the same bits everywhere. */
  readonly simd: 'relaxed' | 'simd128'
  /** The trained numbers as the code expects them, from the beginning of the memory on. */
  readonly weights: Float32Array
  readonly layout: ArtifactLayout
}

/** A vector in the memory of a stream. */
export interface ArtifactSlot {
  /** Bytes from the beginning of the memory. */
  readonly byteOffset: number
  readonly length: number
}

/** Where everything lies in the memory that the code imports as `gruv.memory`. */
export interface ArtifactLayout {
  /** Pages of 64 KiB: the memory's initial and maximum size. */
  readonly pages: number
  /**
   * Each with a state of its own. A step: write the inputs, call the exports in `steps` one after
   * the other with (frame, state), read the outputs. States start as zeros.
   */
  readonly streams: readonly {
    readonly frame: number
    readonly state: number
    readonly inputs: Readonly<Record<string, ArtifactSlot>>
    readonly outputs: Readonly<Record<string, ArtifactSlot>>
    readonly states: Readonly<Record<string, ArtifactSlot>>
  }[]
  /** Names of exported functions; empty where a step needs more than the code. */
  readonly steps: readonly string[]
  /** What is not in the code and runs in JavaScript, and why. */
  readonly fallbacks: readonly Fallback[]
}

/** @throws GruvError `bad-argument` unless the artifact is this plan's, and as strict as was asked. */
export function prebuiltCode(
  artifact: Artifact,
  planned: Plan,
  deterministic: boolean,
): CompiledCode {
  checkArtifact(artifact, planned, deterministic)
  const { code, simd } = artifact
  let module = code instanceof Uint8Array ? null : code
  return {
    target: portableTarget(simd === 'simd128'),
    module: () => (module ??= new WebAssembly.Module(code as BufferSource)),
    moduleAsync: async () => (module ??= await WebAssembly.compile(code as BufferSource)),
  }
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
