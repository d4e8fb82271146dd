/** Sorts the user's files into model and data, and opens them. */

import { open, openData, openExpected, openInput } from './actions.ts'
import { clearAddress, quirksInAddress } from './address.ts'
import type { NamedFile, Source } from './engine/protocol.ts'
import { sortFiles } from './sort-files.ts'
import * as state from './state.ts'

/** Opens files that were dropped or chosen together: a model, data, or both. */
export function openFiles(files: readonly NamedFile[]): void {
  const { model, input, expected } = sortFiles(files)
  const source = (some: readonly NamedFile[]): Source | undefined =>
    some.length > 0 ? { files: some } : undefined
  const [given, wanted] = [source(input), source(expected)]
  if (model.length > 0 || state.model.value === null) {
    const quirks = state.model.value === null ? quirksInAddress() : []
    clearAddress()
    // For data without a model, the reader's error says that it is not a model.
    void open(
      model.length > 0
        ? { model: { files: model }, input: given, expected: wanted, quirks }
        : { model: { files } },
    )
  } else if (given !== undefined && wanted !== undefined) void openData(given, wanted)
  else if (given !== undefined) void openInput(given)
  else if (wanted !== undefined) void openExpected(wanted)
}
