/** Keeps the workers of a program: made when they are first needed, replaced when they die. */

import { GruvError, isGruvError } from '../../errors.ts'
import type { Named, Tensor } from '../../tensor.ts'
import type { Plan } from '../plan/types.ts'
import { unpack } from './errors.ts'
import type { FromWorker, Part, SharedCode, Weights } from './messages.ts'
import { type Spawn, spawnInPage, type Thread } from './spawn.ts'

interface Waiting {
  readonly resolve: (results: Named<Tensor>) => void
  readonly reject: (error: Error) => void
  readonly progress: (share: number) => void
}

/** A worker as the pool knows it. */
interface Member {
  readonly thread: Thread
  /** Whether it starts at all; why not, if it does not. */
  readonly ready: Promise<string | null>
  readonly waiting: Map<number, Waiting>
  /** Tells all calls that wait for it why it is gone. */
  readonly leave: (why: string | GruvError, error: Error) => void
}

export class Pool {
  private readonly members: (Member | null)[] = []
  private readonly plan: Plan
  private readonly code: SharedCode | null
  private readonly spawn: Spawn
  private readonly weights: () => Weights
  private lastId = 0

  private constructor(plan: Plan, code: SharedCode | null, weights: () => Weights, spawn: Spawn) {
    this.plan = plan
    this.code = code
    this.weights = weights
    this.spawn = spawn
  }

  /** @param weights those of the moment, for each worker that joins. */
  static async open(plan: Plan, code: SharedCode | null, weights: () => Weights): Promise<Pool> {
    const spawn = isNode() ? (await import('./spawn.node.ts')).spawnInNode : spawnInPage
    return new Pool(plan, code, weights, spawn)
  }

  /**
   * Waits for `count` workers. Why this host has none; null if it has.
   * @throws GruvError `engine-unavailable` where it would have them, and their script is missing.
   */
  async reach(count: number): Promise<string | null> {
    try {
      const ready = Array.from({ length: count }, (_, i) => {
        this.members[i] ??= this.join(i)
        return this.members[i].ready
      })
      return (await Promise.all(ready)).find((why) => why !== null) ?? null
    } catch (error) {
      if (isGruvError(error)) throw error
      return error instanceof Error ? error.message : `${error}`
    }
  }

  /**
   * Part i on worker i, which is there (`reach`).
   * @param progress of each part, 0 to 1.
   * @throws GruvError what the part's run throws; `engine-unavailable` when the worker dies.
   */
  run(
    parts: readonly Part[],
    progress: (part: number, share: number) => void,
  ): Promise<readonly Named<Tensor>[]> {
    const results = parts.map((part, i) => {
      const member = this.members[i]
      return new Promise<Named<Tensor>>((resolve, reject) => {
        // It died after it had been waited for.
        if (!member) return reject(died('it ended'))
        const id = ++this.lastId
        const { thread, waiting } = member
        waiting.set(id, { resolve, reject, progress: (share) => progress(i, share) })
        thread.hold(true)
        const { inputs } = part
        thread.post(
          { id, part },
          Object.values(inputs).map(({ data }) => data.buffer as ArrayBuffer),
        )
      })
    })
    return Promise.all(results)
  }

  /** Tells all that are there of other weights. */
  setWeights(weights: Weights): void {
    for (const member of this.members) member?.thread.post({ weights: justNodes(weights) }, [])
  }

  close(error: Error): void {
    for (const member of this.members) {
      member?.thread.end()
      member?.leave(error.message, error)
    }
    this.members.length = 0
  }

  /** Ends those that have nothing to do. */
  release(): void {
    this.members.forEach((member, i) => {
      if (member === null || member.waiting.size > 0) return
      member.thread.end()
      this.members[i] = null
    })
  }

  private join(index: number): Member {
    const waiting = new Map<number, Waiting>()
    let settle: (why: string | GruvError | null) => void = () => {}
    const ready = new Promise<string | null>((resolve, reject) => {
      settle = (why) => (isGruvError(why) ? reject(why) : resolve(why))
    })
    const leave = (why: string | GruvError, error: Error): void => {
      settle(why)
      for (const { reject } of waiting.values()) reject(error)
      waiting.clear()
    }
    const heard = (message: FromWorker): void => {
      if ('ready' in message || 'refused' in message) {
        if (waiting.size === 0) thread.hold(false)
        settle('refused' in message ? message.refused : null)
        return
      }
      const call = waiting.get(message.id)
      if ('share' in message) {
        call?.progress(message.share)
        return
      }
      waiting.delete(message.id)
      if (waiting.size === 0) thread.hold(false)
      if ('error' in message) call?.reject(unpack(message.error))
      else call?.resolve(message.results)
    }
    const thread = this.spawn({
      heard,
      died: (why) => {
        this.members[index] = null
        leave(why, isGruvError(why) ? why : died(why))
      },
    })
    const { plan, code } = this
    try {
      thread.post({ start: { plan, code } }, [])
      thread.post({ weights: justNodes(this.weights()) }, [])
    } catch (error) {
      thread.end()
      throw error
    }
    return { thread, ready, waiting, leave }
  }
}

/** Reference data, which a model may carry, can be large. */
function justNodes({ nodes }: Weights): Weights {
  return { nodes }
}

function died(why: string): GruvError {
  return new GruvError('engine-unavailable', 'a worker ended before it was done', {
    where: 'predictAsync',
    got: why,
    fix: 'Run it again: another worker takes its place. Smaller batches need less memory.',
  })
}

function isNode(): boolean {
  const { process } = globalThis as { process?: { readonly versions?: { readonly node?: string } } }
  return process?.versions?.node !== undefined
}
