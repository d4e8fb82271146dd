/** A file input that looks like a button and says what it holds. */

import type { JSX } from 'preact'

interface FileButtonProps {
  readonly label: string
  readonly note?: string
  readonly multiple?: boolean
  readonly primary?: boolean
  readonly onFiles: (files: readonly File[]) => unknown
}

export function FileButton({
  label,
  note,
  multiple,
  primary,
  onFiles,
}: FileButtonProps): JSX.Element {
  return (
    <label class={primary ? 'file primary' : 'file'}>
      <span>{label}</span>
      {note !== undefined && <small title={note}>{note}</small>}
      <input
        type="file"
        multiple={multiple ?? false}
        onChange={({ currentTarget }) => {
          const files = [...(currentTarget.files ?? [])]
          // So that the same file can be chosen again, once it has changed.
          currentTarget.value = ''
          if (files.length > 0) onFiles(files)
        }}
      />
    </label>
  )
}
