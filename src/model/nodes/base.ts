/** What all nodes of a graph have. */

import type { Named } from '../../tensor.ts'
import type { Convention } from '../conventions.ts'

/**
 * An extent: a number, or a symbol whose number is known when a program runs. `batch` and `time`
 * are the usual symbols; others come from a file or from a layer that changes an extent
 * (`⌊time/2⌋`). Equal symbols mean equal extents.
 */
export type Dim = number | 'batch' | 'time' | (string & {})

export interface NodeBase {
  /** Unique in the graph. State slots and messages carry it. */
  readonly name: string
  /** Which values (graph inputs or outputs of earlier nodes) arrive at which port. */
  readonly inputs: Named<string>
  /** The names under which this node's ports are known as values; a port nobody reads may be missing. */
  readonly outputs: Named<string>
  /** What had to be decided to read this node, and on what grounds. */
  readonly conventions: readonly Convention[]
}
