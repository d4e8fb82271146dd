/** The fields that all nodes of a graph share. */

import type { Named } from '../../tensor.ts'
import type { Convention } from '../conventions/conventions.ts'

/**
 * An extent: a number, or a symbol whose number is known when a program runs. `batch` and `time`
 * are the usual symbols; others come from a file or from a layer that changes an extent
 * (`⌊time/2⌋`). Equal symbols mean equal extents.
 */
export type Dim = number | 'batch' | 'time' | (string & {})

export interface NodeBase {
  /** Unique in the graph. It is part of the names of states, and messages show it. */
  readonly name: string
  /** The value (a graph input or an output of an earlier node) that arrives at each port. */
  readonly inputs: Named<string>
  /** The name of the value at each output port; a port that is never read may be missing. */
  readonly outputs: Named<string>
  /** The decisions taken to read this node, with their grounds. */
  readonly conventions: readonly Convention[]
}
