/** The state that the views share, as signals. */

import { computed, type ReadonlySignal, type Signal, signal } from '@preact/signals'
import type { Diagnosis } from '../src/diagnose/index.ts'
import type {
  CellInfo,
  DataInfo,
  ModelInfo,
  PlainError,
  StepValues,
  TraceInfo,
  VerifyResult,
  View,
} from './engine/protocol.ts'

export type Tab = 'cell' | 'statistics' | 'weights' | 'check' | 'try' | 'model'

export const model: Signal<ModelInfo | null> = signal(null)
/** The second model, to compare with. */
export const other: Signal<ModelInfo | null> = signal(null)
export const input: Signal<DataInfo | null> = signal(null)
export const expected: Signal<DataInfo | null> = signal(null)
export const traced: Signal<TraceInfo | null> = signal(null)
/** Steps of the trace that are computed. */
export const done: Signal<number> = signal(0)
export const step: Signal<StepValues | null> = signal(null)
export const view: Signal<View | null> = signal(null)
export const verdict: Signal<VerifyResult | null> = signal(null)
export const diagnosis: Signal<Diagnosis | null> = signal(null)
export const failure: Signal<PlainError | null> = signal(null)
/** The action in progress, in words; null for none. */
export const busy: Signal<string | null> = signal(null)
/** Whether a model is being read, which may be cancelled. */
export const reading: Signal<boolean> = signal(false)
/** The share of it that is done, from 0 to 1; null where it is unknown. */
export const share: Signal<number | null> = signal(null)

/** Whether something is dragged over the page. */
export const held: Signal<boolean> = signal(false)

export const tab: Signal<Tab> = signal('cell')
export const layer: Signal<string | null> = signal(null)
export const row: Signal<number> = signal(0)
export const unit: Signal<number> = signal(0)
export const t: Signal<number> = signal(0)
/** The steps that the pictures over time show: [from, to). */
export const from: Signal<number> = signal(0)
export const to: Signal<number> = signal(0)
export const playing: Signal<boolean> = signal(false)
export const theme: Signal<'auto' | 'light' | 'dark'> = signal('auto')

/** The layer that is shown. */
export const cell: ReadonlySignal<CellInfo | null> = computed(
  () => model.value?.cells.find(({ name }) => name === layer.value) ?? null,
)
export const steps: ReadonlySignal<number> = computed(() => traced.value?.steps ?? 0)

/** The numbers of the chosen unit at the chosen step, by name; `h−` is the state before. */
export const wires: ReadonlySignal<Readonly<Record<string, number>>> = computed(() => {
  const values = step.value
  if (values === null) return {}
  const at = unit.value
  return {
    ...Object.fromEntries(Object.entries(values.values).map(([name, of]) => [name, of[at]])),
    ...Object.fromEntries(Object.entries(values.before).map(([name, of]) => [`${name}−`, of[at]])),
  }
})
