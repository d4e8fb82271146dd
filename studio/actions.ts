/** The actions of the page: each asks the worker and puts the answer into the state. */

import { batch, effect } from '@preact/signals'
import { call, latest, onProgress } from './engine/client.ts'
import { EngineError } from './engine/plain-errors.ts'
import type { Calls, ModelInfo, OpenOptions, Source } from './engine/protocol.ts'
import * as state from './state.ts'

/** Columns of the pictures over time: about one for each pixel of a wide page. */
export const COLUMNS = 720

let before: Promise<unknown> = Promise.resolve()

/**
 * Runs an action after those before it. The page shows what it is waiting for and what went wrong.
 */
export function attempt(words: string, work: () => Promise<void>): Promise<boolean> {
  const mine = before.then(() => run(words, work))
  before = mine
  return mine
}

async function run(words: string, work: () => Promise<void>): Promise<boolean> {
  batch(() => {
    state.busy.value = words
    state.share.value = null
    state.failure.value = null
  })
  try {
    await work()
    return true
  } catch (error) {
    state.failure.value =
      error instanceof EngineError
        ? error.plain
        : {
            code: null,
            problem: 'this should not have happened',
            where: null,
            expected: null,
            got: String(error),
            fix: 'Please report it.',
          }
    return false
  } finally {
    state.busy.value = null
  }
}

export interface Opening {
  readonly model: Source
  readonly input?: Source | undefined
  readonly expected?: Source | undefined
  readonly options?: OpenOptions
  /** The conventions to read it under, as quirks. */
  readonly quirks?: readonly string[]
}

let lastOpening: Opening | null = null

/** Opens the same files again, with further options. */
export async function openAgain(options: OpenOptions): Promise<void> {
  if (lastOpening !== null)
    await open({ ...lastOpening, options: { ...lastOpening.options, ...options } })
}

/** Opens a model with its data, if any, and traces its first recurrent layer. */
export async function open(what: Opening): Promise<void> {
  lastOpening = what
  await attempt('Reading the model', async () => {
    const { quirks = [], options = {} } = what
    const asRead = await read({ slot: 'a', source: what.model, options })
    const info = quirks.length > 0 ? await call('read', { quirks }) : asRead
    batch(() => {
      state.model.value = info
      state.other.value = null
      state.input.value = null
      state.expected.value = null
      state.traced.value = null
      state.step.value = null
      state.view.value = null
      state.playing.value = false
      forgetAnswers()
      if (!info.cells.some(({ name }) => name === state.layer.value))
        state.layer.value = info.cells[0]?.name ?? null
      if (info.cells.length === 0) state.tab.value = 'model'
    })
    const { input, expected } = await withFolder(what)
    try {
      await takeInput(input ?? (info.hasReference ? 'reference' : 'made-up'))
    } catch (error) {
      // The model can be used until a better input is found.
      await takeInput('made-up')
      throw error
    }
    if (expected !== undefined) await takeExpected(expected)
    else if (info.hasReference && input === undefined) await takeExpected('reference')
  })
}

/** Reads a model, which may be cancelled. */
async function read(what: Parameters<Calls['open']>[0]): Promise<ModelInfo> {
  state.reading.value = true
  try {
    return await call('open', what)
  } finally {
    state.reading.value = false
  }
}

/** Ends the reading of a model; the one before it stays. */
export const cancelReading = (): Promise<null> => call('cancel', {})

/** A folder on the server may contain data beside the model. */
async function withFolder({ model, input, expected }: Opening): Promise<Partial<Opening>> {
  if (!('urls' in model) || !model.urls[0].endsWith('/') || input !== undefined)
    return { input, expected }
  const found = await call('folder', { url: model.urls[0] })
  const source = (urls: readonly string[]): Source | undefined =>
    urls.length > 0 ? { urls } : undefined
  return { input: source(found.input), expected: expected ?? source(found.expected) }
}

async function takeInput(source: Source | 'made-up' | 'reference'): Promise<void> {
  state.input.value = await call('input', { source })
  forgetAnswers()
  await startTrace()
}

async function takeExpected(source: Source | 'reference'): Promise<void> {
  state.expected.value = await call('expected', { source })
  forgetAnswers()
  await verifyAgain()
}

async function verifyAgain(): Promise<void> {
  if (state.expected.value !== null)
    state.verdict.value = await call('verify', { precision: 'f32' })
}

export const openInput = (source: Source): Promise<boolean> =>
  attempt('Reading the input', async () => {
    await takeInput(source)
    try {
      await verifyAgain()
    } catch {
      // The expected outputs belong to another input.
      await call('forgetExpected', {})
      state.expected.value = null
    }
  })

export const openExpected = (source: Source): Promise<boolean> =>
  attempt('Reading the expected outputs', () => takeExpected(source))

/** Opens an input and its expected outputs. */
export const openData = (input: Source, expected: Source): Promise<boolean> =>
  attempt('Reading the data', async () => {
    await takeInput(input)
    await takeExpected(expected)
  })

export const openOther = (source: Source): Promise<boolean> =>
  attempt('Reading the second model', async () => {
    state.other.value = await read({ slot: 'b', source, options: {} })
  })

/** Reads the model under other conventions. */
export const reread = (quirks: readonly string[]): Promise<boolean> =>
  attempt('Reading the model anew', async () => {
    state.model.value = await call('read', { quirks })
    forgetAnswers()
    await startTrace()
    await verifyAgain()
  })

function forgetAnswers(): void {
  state.verdict.value = null
  state.diagnosis.value = null
}

async function startTrace(): Promise<void> {
  const { layer, row, input, traced, done } = state
  if (layer.value === null || input.value === null) return
  if (row.value >= input.value.rows) row.value = 0
  const before = traced.value
  // Before the call: a short trace can be done before its answer arrives.
  done.value = 0
  const info = await call('trace', { layer: layer.value, row: row.value })
  batch(() => {
    traced.value = info
    state.unit.value = clamp(state.unit.value, info.units)
    state.t.value = clamp(state.t.value, info.steps)
    const whole = before === null || before.steps !== info.steps
    const inside = state.to.value > state.from.value && state.to.value <= info.steps
    if ((whole && before !== null) || !inside) {
      state.from.value = 0
      state.to.value = info.steps
    }
  })
  refresh()
}

export async function chooseLayer(name: string): Promise<void> {
  await attempt('Tracing the layer', async () => {
    state.layer.value = name
    await startTrace()
  })
}

export async function chooseRow(row: number): Promise<void> {
  await attempt('Tracing the sequence', async () => {
    state.row.value = row
    await startTrace()
  })
}

interface Place {
  readonly layer: string
  readonly row: number
  readonly unit: number
  readonly timestep: number
}

/** Shows the cell at a place that an answer or the address names. */
export const lookAt = ({ layer, row, unit, timestep }: Place): Promise<boolean> =>
  attempt('Tracing the layer', async () => {
    if (layer !== state.traced.value?.layer || row !== state.traced.value.row) {
      state.layer.value = layer
      state.row.value = row
      await startTrace()
    }
    select(unit, timestep)
  })

/** Selects a unit and a timestep in all views, which read the signals. */
export function select(unit: number, t: number): void {
  batch(() => {
    const info = state.traced.value
    if (info === null) return
    state.unit.value = clamp(unit, info.units)
    state.t.value = clamp(t, info.steps)
  })
}

export function zoom(from: number, to: number): void {
  const steps = state.steps.value
  batch(() => {
    state.from.value = Math.max(0, Math.min(from, steps - 1))
    state.to.value = Math.max(state.from.value + 1, Math.min(to, steps))
  })
}

function clamp(value: number, count: number): number {
  return Math.max(0, Math.min(Math.round(value), count - 1))
}

const askStep = latest(async (t: number) => {
  const values = await call('step', { t })
  state.step.value = values
})

const askView = latest(async ({ from, to }: { from: number; to: number }) => {
  const info = state.traced.value
  if (info === null) return
  const values = info.values.filter((name) => name.length === 1)
  state.view.value = await call('view', { values, from, to, columns: COLUMNS })
})

const REFRESH_EVERY_MS = 500
let refreshed = 0

function refresh(): void {
  askStep(state.t.value)
  askView({ from: state.from.value, to: state.to.value })
}

/** Keeps the numbers of the chosen step and the pictures up to date. */
export function follow(): void {
  effect(() => {
    const at = state.t.value
    if (state.traced.value !== null) askStep(at)
  })
  effect(() => {
    const window = { from: state.from.value, to: state.to.value }
    if (state.traced.value !== null && window.to > window.from) askView(window)
  })
  onProgress(({ what, share, done }) => {
    if (what !== 'trace') {
      state.share.value = share
      return
    }
    state.done.value = done
    // Reducing all steps takes the worker as long as tracing some thousands of them.
    const now = performance.now()
    if (done < state.steps.value && now - refreshed < REFRESH_EVERY_MS) return
    refreshed = now
    refresh()
  })
}

export const verify = (precision: 'f32' | 'f64'): Promise<boolean> =>
  attempt('Comparing', async () => {
    state.verdict.value = await call('verify', { precision })
  })

export const diagnose = (): Promise<boolean> =>
  attempt('Searching for the mistake that explains the numbers', async () => {
    state.diagnosis.value = await call('diagnose', {})
  })

export function download(name: string, bytes: Uint8Array): void {
  const url = URL.createObjectURL(new Blob([bytes as Uint8Array<ArrayBuffer>]))
  const link = document.createElement('a')
  link.href = url
  link.download = name
  link.click()
  setTimeout(() => URL.revokeObjectURL(url), 10_000)
}
