/** Receives files and folders that are dropped on the page. */

import type { NamedFile } from './engine/protocol.ts'

/** More files than any model has; a home directory dropped by mistake has them. */
const MOST_FILES = 10_000
const MOST_DEPTH = 4

/** The files of a file input, with their paths where a folder was chosen. */
export function chosenFiles(files: Iterable<File>): readonly NamedFile[] {
  return Array.from(files, (file) => ({
    path: file.webkitRelativePath === '' ? file.name : file.webkitRelativePath,
    file,
  }))
}

/**
 * Watches for drops anywhere on the page.
 * @param onHeld whether something is held over the page.
 */
export function watchDrops(
  onHeld: (held: boolean) => void,
  onDrop: (files: Promise<readonly NamedFile[]>) => void,
): void {
  document.addEventListener('dragover', (event) => {
    event.preventDefault()
    onHeld(true)
  })
  document.addEventListener('dragleave', ({ relatedTarget }) => {
    if (relatedTarget === null) onHeld(false)
  })
  document.addEventListener('drop', (event) => {
    event.preventDefault()
    onHeld(false)
    if (event.dataTransfer !== null) onDrop(droppedFiles(event.dataTransfer))
  })
}

/** Must be called while the event is handled: browsers discard the dropped data afterwards. */
function droppedFiles(dropped: DataTransfer): Promise<readonly NamedFile[]> {
  const entries = Array.from(dropped.items, (item) =>
    item.kind === 'file' ? item.webkitGetAsEntry() : null,
  ).filter((entry) => entry !== null)
  const plain = chosenFiles(dropped.files)
  return entries.length === 0 ? Promise.resolve(plain) : filesOf(entries)
}

async function filesOf(entries: readonly FileSystemEntry[]): Promise<readonly NamedFile[]> {
  const found: NamedFile[] = []
  const visit = async (entry: FileSystemEntry, depth: number): Promise<void> => {
    if (found.length >= MOST_FILES) return
    if (isFile(entry)) {
      const file = await new Promise<File>((resolve, reject) => entry.file(resolve, reject))
      found.push({ path: entry.fullPath.replace(/^\//, ''), file })
    } else if (isFolder(entry) && depth < MOST_DEPTH) {
      for (const inner of await entriesOf(entry)) await visit(inner, depth + 1)
    }
  }
  for (const entry of entries) await visit(entry, 0)
  return found
}

/** Browsers return a folder's entries about a hundred at a time, and none at the end. */
async function entriesOf(folder: FileSystemDirectoryEntry): Promise<readonly FileSystemEntry[]> {
  const reader = folder.createReader()
  const found: FileSystemEntry[] = []
  for (;;) {
    const some = await new Promise<readonly FileSystemEntry[]>((resolve, reject) =>
      reader.readEntries(resolve, reject),
    )
    if (some.length === 0 || found.length >= MOST_FILES) return found
    found.push(...some)
  }
}

function isFile(entry: FileSystemEntry): entry is FileSystemFileEntry {
  return entry.isFile
}

function isFolder(entry: FileSystemEntry): entry is FileSystemDirectoryEntry {
  return entry.isDirectory
}
