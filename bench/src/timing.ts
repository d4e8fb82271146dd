/**
 * Times subjects in turn. The clock of a shared machine drifts by half within minutes, so subjects
 * are not timed one after the other: each round gives every subject one slice, in a rotating order.
 * Reported are medians over rounds, and medians of the ratios within a round.
 */

export interface Subject {
  readonly name: string
  readonly run: (calls: number) => void | Promise<void>
}

export interface TimingOptions {
  readonly rounds: number
  /** How long a subject runs at a time, in milliseconds. */
  readonly slice: number
  /** How long it runs before anything is timed, so that its code is optimised. */
  readonly warmup: number
  /** The time that a subject may take in all: one with slow calls gets fewer rounds. */
  readonly most: number
}

/** Nanoseconds per call, by subject and round; NaN where a slow subject skipped a round. */
export type Times = ReadonlyMap<string, readonly number[]>

/** Thread pools spin for a moment after a call, which must not count for the next subject. */
const PAUSE = 5

export async function timeInTurn(
  subjects: readonly Subject[],
  { rounds, slice, warmup, most }: TimingOptions,
): Promise<Times> {
  const plans = []
  for (const subject of subjects) {
    const first = await time(subject, 1)
    // A single call takes longer than a slice, so it is the only one.
    if (first > most) {
      plans.push({ subject, calls: 0, every: rounds, times: [first * 1e6] })
      continue
    }
    let calls = 1
    let took = first
    for (let spent = first; spent < warmup || took < slice / 2; spent += took) {
      took = await time(subject, calls)
      if (took < slice / 2) calls *= 2
      if (spent > most) break
    }
    calls = Math.max(1, Math.round((calls * slice) / took))
    const possible = Math.max(1, Math.floor(most / Math.max(slice, took)))
    plans.push({ subject, calls, every: Math.ceil(rounds / possible), times: [] as number[] })
  }
  for (let round = 0; round < rounds; round++) {
    for (let i = 0; i < plans.length; i++) {
      const { subject, calls, every, times } = plans[(i + round) % plans.length]
      if (calls === 0) continue
      if (round % every !== 0) times.push(Number.NaN)
      else {
        await new Promise((resolve) => setTimeout(resolve, PAUSE))
        times.push(((await time(subject, calls)) * 1e6) / calls)
      }
    }
  }
  return new Map(plans.map(({ subject, times }) => [subject.name, times]))
}

/** Milliseconds. Work that is synchronous is not awaited. */
async function time({ run }: Subject, calls: number): Promise<number> {
  const start = performance.now()
  const pending = run(calls)
  if (pending !== undefined) await pending
  return performance.now() - start
}

export function median(numbers: readonly number[]): number {
  const sorted = numbers.filter((value) => !Number.isNaN(value)).sort((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
}

/** The median of a / b over rounds; the ratio of the medians where they shared no round. */
export function medianRatio(a: readonly number[], b: readonly number[]): number {
  const ratios = a.map((time, round) => time / b[round]).filter((ratio) => !Number.isNaN(ratio))
  return ratios.length === 0 ? median(a) / median(b) : median(ratios)
}
