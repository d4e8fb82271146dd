/** The first thing a stranger sees, and where dropped files go. */

import type { JSX } from 'preact'
import { open, openExpected, openInput } from '../actions.ts'
import { exampleOpening, sayExample, sayOwnFiles } from '../address.ts'
import * as state from '../state.ts'
import { FileButton } from './file-button.tsx'

export function Start(): JSX.Element {
  return (
    <div class="start">
      <h2>See how a GRU works, one gate at a time</h2>
      <p>
        A GRU is a small neural network with a memory. At each timestep it decides how much of that
        memory to keep, how much to forget, and what to write. Here you can watch it decide, number
        by number, on a trained model.
      </p>
      <div class="ways">
        <section>
          <h3>Start here</h3>
          <p>
            A trained model with 16 memory units that reads a year of Seattle’s weather and says how
            much warmer tomorrow will be.
          </p>
          <button
            type="button"
            class="primary"
            onClick={() => {
              sayExample()
              void open(exampleOpening())
            }}
          >
            Open the example
          </button>
        </section>
        <section>
          <h3>Or bring your own</h3>
          <p>
            Drop a trained model anywhere on this page, with its input and the outputs it should
            give, if you have them: Keras, PyTorch, ONNX, NumPy, safetensors.
          </p>
          <FileButton label="Choose files …" multiple onFiles={openFiles} />
        </section>
      </div>
      <p class="quiet">
        Everything is computed in this browser. No file leaves your machine, and nothing in a model
        file is executed.
      </p>
    </div>
  )
}

const dataEnding = /\.(npy|csv|tsv|txt|dat|jsonl|ndjson)$/i
const expectedName = /(^|[^a-z])(y|expected|output|outputs|target|reference)([^a-z]|$)/i

/**
 * Files that came together: what looks like data is data (a name with `y` or `expected` in it the
 * outputs, any other the input), the rest is the model.
 */
export function openFiles(files: readonly File[]): void {
  const data = files.filter(({ name }) => dataEnding.test(name))
  const models = files.filter((file) => !data.includes(file))
  const outputs = data.filter(({ name }) => expectedName.test(name))
  const inputs = data.filter((file) => !outputs.includes(file))
  const source = (some: readonly File[]) => (some.length > 0 ? { files: some } : undefined)
  if (models.length > 0 || state.model.value === null) {
    sayOwnFiles()
    void open({
      model: { files: models.length > 0 ? models : files },
      input: models.length > 0 ? source(inputs) : undefined,
      expected: models.length > 0 ? source(outputs) : undefined,
    })
    return
  }
  void (async () => {
    if (inputs.length > 0 && !(await openInput({ files: inputs }))) return
    if (outputs.length > 0) await openExpected({ files: outputs })
  })()
}

export const acceptDrops = {
  onDragOver: (event: DragEvent): void => event.preventDefault(),
  onDrop: (event: DragEvent): void => {
    event.preventDefault()
    const files = [...(event.dataTransfer?.files ?? [])]
    if (files.length > 0) openFiles(files)
  },
}
