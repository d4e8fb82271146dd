/** The start page: opens the example or the user's own files. */

import type { JSX } from 'preact'
import { open } from '../actions.ts'
import { exampleOpening, writeExampleAddress } from '../address.ts'
import { openFiles } from '../open-files.ts'
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
        <section class="way">
          <h3>Start here</h3>
          <p class="grow">
            A trained model with 16 memory units that reads a year of Seattle’s weather and says how
            much warmer tomorrow will be.
          </p>
          <button
            type="button"
            class="primary"
            onClick={() => {
              writeExampleAddress()
              void open(exampleOpening())
            }}
          >
            Open the example
          </button>
        </section>
        <section class="way">
          <h3>Or bring your own</h3>
          <p class="grow">
            Drop a trained model anywhere on this page, with its input and the outputs it should
            give, if you have them: Keras, PyTorch, ONNX, TensorFlow, RTNeural, NumPy, safetensors.
            A folder will do too.
          </p>
          <div class="buttons">
            <FileButton label="Choose files …" onFiles={openFiles} />
            <FileButton label="Choose a folder …" folder onFiles={openFiles} />
          </div>
        </section>
      </div>
      <p class="quiet">
        Everything is computed in this browser. No file leaves your machine, and nothing in a model
        file is executed.
      </p>
    </div>
  )
}
