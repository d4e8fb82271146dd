/**
 * A model compiled at build time: code, weights, and where everything lies. For hosts that forbid
 * compiling at run time, and for whoever wants to run a model without gruv.
 */

import type { Model } from '../model/types.ts'
import { allTools } from './all.ts'
import { type Fallback, packAll } from './engine.ts'
import { targetFor } from './given.ts'
import { type Plan, plan } from './plan.ts'
import { isWhole, obstacle } from './wasm/coverage.ts'
import { emit as emitModule, pagesOf } from './wasm/emit.ts'

export interface Artifact {
  /** Of the plan it was made for. */
  readonly planHash: string
  /**
   * A WebAssembly module as bytes, or compiled already: where a host compiles modules when a
   * program is deployed, put the module it made of the bytes here.
   */
  readonly code: Uint8Array | WebAssembly.Module
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

export interface EmitOptions {
  /** How many streams the memory has room for; default 1. */
  readonly streams?: number
  /** false: code with relaxed SIMD, faster, for engines that have it. Default true. */
  readonly deterministic?: boolean
}

/**
 * Depends on the model and the options alone, not on the machine: the same bytes everywhere.
 * @throws GruvError `too-large` for models beyond what 32 bits address.
 */
export function emit(model: Model, options: EmitOptions = {}): Artifact {
  const { streams = 1, deterministic = true } = options
  const planned = plan(model, { precision: 'f32', streams }, allTools)
  const target = targetFor(deterministic)
  const weights = new Float32Array(planned.weightsSize)
  packAll(allTools, model, planned, weights)
  return {
    planHash: planned.hash,
    code: emitModule(planned, target, allTools.writing, 'all'),
    simd: target.fused ? 'relaxed' : 'simd128',
    weights,
    layout: layoutOf(planned),
  }
}

function layoutOf(planned: Plan): ArtifactLayout {
  const { memory, stages, states, step, values, stateStride } = planned
  const slot = (base: number, name: string): ArtifactSlot => {
    const index = values.findIndex((value) => value.name === name)
    return { byteOffset: 4 * (base + step.offsets[index]), length: values[index].width }
  }
  const count = planned.obstacle === null ? planned.streams : 0
  const streams = Array.from({ length: count }, (_, i) => {
    const state = memory.streams + i * memory.streamStride
    const frame = state + stateStride
    return {
      frame: 4 * frame,
      state: 4 * state,
      inputs: Object.fromEntries(planned.inputs.map(({ name }) => [name, slot(frame, name)])),
      outputs: Object.fromEntries(
        planned.outputs.map(({ name, value }) => [name, slot(frame, value)]),
      ),
      states: Object.fromEntries(
        states.map(({ name, size, offset }) => [
          name,
          { byteOffset: 4 * (state + offset), length: size },
        ]),
      ),
    }
  })
  const streaming =
    planned.obstacle === null && stages.every((stage) => isWhole(stage, allTools.writing))
  return {
    pages: pagesOf(planned),
    streams,
    steps: streaming ? stages.map((_, s) => `stage${s}`) : [],
    fallbacks: stages.flatMap(({ kernels }) =>
      kernels.flatMap((kernel) => {
        const why = obstacle(kernel, allTools.writing)
        return why === null ? [] : [{ node: kernel.node, why }]
      }),
    ),
  }
}
