/** Describes what a cell does at a step, for beginners. */

import type { CellInfo } from '../engine/protocol.ts'
import * as show from '../show.ts'
import { wires } from '../state.ts'

export function inWords({ kind, update }: CellInfo): string {
  const v = wires.value
  if (Object.keys(v).length === 0) return ''
  const moves = `Its state goes from ${show.number(v['h−'])} to ${show.number(v.h)}.`
  if (kind === 'rnn') return moves
  if (Number.isNaN(v.h)) return 'Its numbers are not finite here.'
  switch (kind) {
    case 'lstm':
      return `It keeps ${percent(v.f)} of its cell, adds ${percent(v.i)} of the candidate ${show.number(v.g)}, and shows ${percent(v.o)} of the result. ${moves}`
    case 'gru': {
      if (Number.isNaN(v.z)) return `This step is masked: the state stays ${show.number(v.h)}.`
      const kept = update === 'keeps' ? v.z : 1 - v.z
      return `It keeps ${percent(kept)} of its old state and takes ${percent(1 - kept)} of the candidate ${show.number(v.n)}, which was made with ${percent(v.r)} of the memory in view. ${moves}`
    }
  }
}

function percent(share: number): string {
  return `${Math.round(100 * share)} %`
}
