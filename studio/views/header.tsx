/** The header: the model's name, its files, the appearance. */

import type { JSX } from 'preact'
import { openExpected, openInput } from '../actions.ts'
import { openFiles } from '../open-files.ts'
import * as show from '../show.ts'
import * as state from '../state.ts'
import { FileButton } from './file-button.tsx'

export function Header(): JSX.Element {
  const model = state.model.value
  return (
    <header class="header">
      <h1>
        <a href="./" title="Back to the start">
          gruv <span>studio</span>
        </a>
      </h1>
      {model !== null && (
        <>
          <p class="title">
            <strong title={model.summary.name}>{model.summary.name}</strong>{' '}
            <span class="quiet">{show.count(model.summary.parameters)} weights</span>
          </p>
          <div class="files">
            <FileButton label="Model …" onFiles={openFiles} />
            <FileButton
              label="Input …"
              note={origin(state.input.value?.origin)}
              onFiles={(files) => openInput({ files })}
            />
            <FileButton
              label="Expected outputs …"
              short="Expected …"
              note={origin(state.expected.value?.origin)}
              onFiles={(files) => openExpected({ files })}
            />
          </div>
        </>
      )}
      <ThemeButton />
    </header>
  )
}

function origin(text: string | undefined): string {
  return text === undefined ? 'none' : text.split(',')[0]
}

function ThemeButton(): JSX.Element {
  const next = { auto: 'light', light: 'dark', dark: 'auto' } as const
  const names = { auto: 'as the system', light: 'light', dark: 'dark' } as const
  const now = state.theme.value
  return (
    <button
      type="button"
      class="theme"
      title={`Appearance: ${names[now]}`}
      aria-label={`Appearance: ${names[now]}; change to ${names[next[now]]}`}
      onClick={() => {
        state.theme.value = next[now]
      }}
    >
      {{ auto: '◐', light: '☀', dark: '☾' }[now]}
    </button>
  )
}
