/** Forms stages: decides which kernels run together, and what enters and leaves the frame between them. */

import type { Model } from '../../model/types.ts'
import type { PlannedNode, PlannedValue, Role, Stage } from './types.ts'

/** Where a value of the graph is made, and how it stands there; whole tensors have no role. */
interface Origin {
  readonly stage: number
  readonly role: Role | null
}

/**
 * A node runs in the earliest stage that sweeps as it needs and comes no earlier than what it
 * reads. A vector that a sweep over time leaves behind (`last`) exists only after that sweep.
 */
export function planStages(
  { outputs }: Pick<Model, 'outputs'>,
  nodes: readonly PlannedNode[],
  values: readonly PlannedValue[],
): Stage[] {
  const keys: string[] = []
  /** The stages of a key, in order. */
  const stagesOf = new Map<string, number[]>()
  const origins = new Map<string, Origin>()
  const stageOf = nodes.map(({ node, placement, reads, makes }) => {
    const { sweep, rows, steps } = placement
    const key = `${sweep} ${rows} ${steps}`
    const earliest = Object.values(node.inputs).map((name) => {
      const origin = origins.get(name)
      if (origin === undefined) return 0
      // Within a stage, a value can be read as it is made: by the step, by the row, as a whole.
      const within =
        keys[origin.stage] === key &&
        origin.role === roleOf(name, reads, values) &&
        (origin.role !== 'row' || sweep === 'once')
      return within ? origin.stage : origin.stage + 1
    })
    const first = earliest.reduce((a, b) => Math.max(a, b), 0)
    const alike = stagesOf.get(key) ?? []
    stagesOf.set(key, alike)
    // From the end, where a graph in order has it.
    let at = alike.length
    while (alike[at - 1] >= first) at--
    if (at === alike.length) alike.push(keys.push(key) - 1)
    const stage = alike[at]
    for (const name of Object.values(node.outputs)) {
      origins.set(name, { stage, role: roleOf(name, makes, values) })
    }
    return stage
  })

  const leaving = new Set(outputs.map(({ value }) => value))
  const membersOf = keys.map((): PlannedNode[] => [])
  const lastRead = new Map<string, number>()
  nodes.forEach((planned, i) => {
    membersOf[stageOf[i]].push(planned)
    for (const name of Object.values(planned.node.inputs))
      lastRead.set(name, Math.max(stageOf[i], lastRead.get(name) ?? 0))
  })
  return membersOf.map((members, stage): Stage => {
    const made = new Set(members.flatMap(({ makes }) => makes))
    const read = new Set(members.flatMap(({ reads }) => reads))
    return {
      ...members[0].placement,
      kernels: members.map(({ kernel }) => kernel),
      reads: [...read].filter((value) => !made.has(value)),
      writes: [...made].filter((value) => {
        const { name } = values[value]
        return leaving.has(name) || lastRead.get(name)! > stage
      }),
    }
  })
}

function roleOf(
  name: string,
  indices: readonly number[],
  values: readonly PlannedValue[],
): Role | null {
  const value = indices.find((index) => values[index].name === name)
  if (value === undefined) return null
  return values[value].overTime ? 'step' : 'row'
}
