/** Files of the user's own, sorted and opened. */

import { open, openData, openExpected, openInput } from './actions.ts'
import { saidQuirks, sayOwnFiles } from './address.ts'
import type { NamedFile, Source } from './engine/protocol.ts'
import { sortFiles } from './sort-files.ts'
import * as state from './state.ts'

/** What came together, dropped or chosen: a model with its data, or data for the model that is open. */
export function openFiles(files: readonly NamedFile[]): void {
  const { model, input, expected } = sortFiles(files)
  const source = (some: readonly NamedFile[]): Source | undefined =>
    some.length > 0 ? { files: some } : undefined
  const [given, wanted] = [source(input), source(expected)]
  if (model.length > 0 || state.model.value === null) {
    const quirks = state.model.value === null ? saidQuirks() : []
    sayOwnFiles()
    // Data without a model is not a model: its reader says so.
    void open(
      model.length > 0
        ? { model: { files: model }, input: given, expected: wanted, quirks }
        : { model: { files } },
    )
  } else if (given !== undefined && wanted !== undefined) void openData(given, wanted)
  else if (given !== undefined) void openInput(given)
  else if (wanted !== undefined) void openExpected(wanted)
}
