/**
 * Emits a model as code, weights, and where everything lies: compiled at build time, for hosts that
 * forbid compiling at run time, and for running a model without gruv.
 */

import type { Model } from '../../model/types.ts'
import { allLayers } from '../all-layers.ts'
import { packWeights, plan } from '../plan/plan.ts'
import type { Plan } from '../plan/types.ts'
import { emit as emitModule, pagesOf } from './emit.ts'
import { fallbacksOf } from './fallbacks.ts'
import { needsJs } from './needs-js.ts'
import type { Artifact, ArtifactLayout, ArtifactSlot } from './prebuilt.ts'
import { portableTarget } from './target.ts'

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
  const planned = plan(model, { precision: 'f32', streams }, allLayers)
  const target = portableTarget(deterministic)
  const weights = new Float32Array(planned.weightsSize)
  packWeights(model, planned, allLayers.plans, weights)
  return {
    planHash: planned.hash,
    code: emitModule(planned, target, allLayers, 'all'),
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
  const streaming = planned.obstacle === null && !needsJs(planned, allLayers.kernels)
  return {
    pages: pagesOf(planned),
    streams,
    steps: streaming ? stages.map((_, s) => `stage${s}`) : [],
    fallbacks: fallbacksOf(planned, allLayers.kernels),
  }
}
