/** A file input that looks like a button and shows what it holds. */

import type { JSX } from 'preact'
import { chosenFiles } from '../drops.ts'
import type { NamedFile } from '../engine/protocol.ts'

interface FileButtonProps {
  readonly label: string
  /** The label on a phone. */
  readonly short?: string
  readonly note?: string
  readonly primary?: boolean
  /** Whether it chooses a folder with everything in it. */
  readonly folder?: boolean
  readonly onFiles: (files: readonly NamedFile[]) => unknown
}

export function FileButton({
  label,
  short,
  note,
  primary,
  folder,
  onFiles,
}: FileButtonProps): JSX.Element {
  return (
    <label class={primary ? 'file primary' : 'file'}>
      {short === undefined ? (
        <span>{label}</span>
      ) : (
        <>
          <span class="on-wide">{label}</span>
          <span class="on-narrow">{short}</span>
        </>
      )}
      {note !== undefined && <small title={note}>{note}</small>}
      <input
        type="file"
        multiple
        {...(folder && { webkitdirectory: true })}
        onChange={({ currentTarget }) => {
          const files = chosenFiles(currentTarget.files ?? [])
          // So that the same file can be chosen again, once it has changed.
          currentTarget.value = ''
          if (files.length > 0) onFiles(files)
        }}
      />
    </label>
  )
}
