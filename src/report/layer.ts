/** The section of a report about one recurrent layer. */

import { conventionTable, meaningOf } from '../model/conventions/conventions.ts'
import { equations } from '../model/equations.ts'
import type { GruNode, LstmNode, RecurrentNode } from '../model/types.ts'
import { describeStatistics, timesteps, titleOf } from '../trace/index.ts'
import { captionOf, type GatheredLayer } from './gather.ts'
import { figure, list, type Markup, paragraph, table } from './page.ts'
import { gatesPlot, memoryPlot, saturationPlot, statesPlot, weightsPlot } from './plots.ts'

export async function layerContent(
  node: RecurrentNode,
  gathered: GatheredLayer,
  influence: Float64Array | null,
  id: string,
): Promise<Markup> {
  const { layer, statistics } = gathered
  const caption = captionOf(gathered)
  const parts: Markup[] = [
    paragraph(
      `${kinds[node.kind]} of ${counted(node.units, 'unit')} over ${counted(node.features, 'feature')}, read ${node.direction === 'forward' ? 'from the first step to the last' : 'from the last step to the first'}; ${counted(layer.steps, 'timestep')}${layer.rows > 1 ? ` of each of ${layer.rows} rows` : ''}.`,
    ),
    list(describeStatistics(statistics)),
    '<h3>What it computes</h3>',
    equationTable(node),
    paragraph(letters[node.kind]),
    conventionsTable(node),
  ]
  if (node.kind !== 'rnn') {
    parts.push(
      '<h3>Gates</h3>',
      paragraph(gateWords(node)),
      await figure(
        gatesPlot(gathered),
        `${id}-gates`,
        `${caption} Steps that are masked are blank.`,
      ),
    )
  }
  parts.push(
    '<h3>States</h3>',
    paragraph(
      'The state is what the layer passes on, and all that it remembers. Blue is below zero, orange above, the lightest colour is zero.',
    ),
    await figure(statesPlot(gathered), `${id}-states`, `The state after each timestep. ${caption}`),
  )
  const spread = saturationPlot(gathered)
  if (spread !== null) {
    parts.push(
      '<h3>How the gates are spread</h3>',
      paragraph(
        'A gate below 0.1 or above 0.9 is called saturated (Karpathy, Johnson and Fei-Fei 2015). Units in the upper left corner of a chart are open almost always, those in the lower right shut almost always; those near the dashed line switch, and those near the origin work in between.',
      ),
      await figure(
        spread,
        `${id}-saturation`,
        'Above, how often each value occurs; below, each unit by how often it is saturated on either side.',
      ),
    )
  }
  parts.push(
    '<h3>Memory</h3>',
    paragraph(
      node.kind === 'rnn'
        ? 'A simple RNN has no gate that keeps its state. How far back it remembers shows in how the last state depends on earlier ones.'
        : `A unit that keeps the share k of its state at each step forgets it to 1/e in −1 / mean(ln k) steps; here k is ${keepWords(node)}. What comes back by the recurrent kernel is not in that number, but it is in the line below: the Jacobian of the last state by earlier ones, exact, by the chain rule.`,
    ),
    await figure(
      memoryPlot(gathered, influence),
      `${id}-memory`,
      '1 means that the state is carried over whole; 0.1 that a tenth of a small change is left.',
    ),
    unitTable(gathered),
    '<h3>Weights</h3>',
    paragraph(
      'The trained numbers, taken apart by gate. Inputs or states go down, units go across. Each array has its own scale, the same for all its gates.',
    ),
    await figure(
      weightsPlot(node),
      `${id}-weights`,
      node.units > 256 || node.features > 256
        ? 'Of neighbouring numbers, the one largest in size is shown.'
        : 'W reads the input, U the state; bi and br are their biases.',
    ),
  )
  return parts.join('\n')
}

const kinds = { gru: 'A GRU', lstm: 'An LSTM', rnn: 'A simple RNN' } as const

/** The meaning of the letters in the equations. */
const letters = {
  gru: "x is the input of a step, h the state before it and h' the one after it. W are the kernels that read the input, U those that read the state, b the biases, each in three parts: for the update gate z, the reset gate r and the candidate n. σ is the sigmoid, 1/(1 + e⁻ᵃ); ⊙ multiplies unit by unit.",
  lstm: "x is the input of a step, h and c are the state and the cell before it, h' and c' those after it. W are the kernels that read the input, U those that read the state, b the biases, each in four parts: for the input gate i, the forget gate f, the candidate g and the output gate o. σ is the sigmoid, 1/(1 + e⁻ᵃ); ⊙ multiplies unit by unit.",
  rnn: "x is the input of a step, h the state before it and h' the one after it. W is the kernel that reads the input, U the one that reads the state, b the biases.",
} as const

function gateWords(node: GruNode | LstmNode): string {
  if (node.kind === 'lstm')
    return 'Where f is near 1 (yellow), a unit keeps its cell; where i is near 1, it lets the candidate g in; where o is near 1, it shows the cell.'
  return node.update === 'keeps'
    ? 'Where z is near 1 (yellow), a unit keeps its state; where it is near 0 (dark blue), it takes the candidate n. Where r is near 0, the candidate forgets the state.'
    : 'Where z is near 1 (yellow), a unit takes the candidate n; where it is near 0 (dark blue), it keeps its state. Where r is near 0, the candidate forgets the state.'
}

function counted(count: number, what: string): string {
  return `${count.toLocaleString('en')} ${what}${count === 1 ? '' : 's'}`
}

function keepWords(node: GruNode | LstmNode): string {
  if (node.kind === 'lstm') return 'f'
  return node.update === 'updates' ? '1 − z, since z updates' : 'z, which keeps'
}

function equationTable(node: RecurrentNode): Markup {
  const lines = equations(node)
  const rows = lines.map(({ ours, textbook, differs }) => [ours, differs ? '≠' : '=', textbook])
  const notes = lines
    .filter(({ differs }) => differs)
    .map(({ ours, note }) => `${ours.split(' ')[0]}: ${note}`)
  const head = ['this layer', '', 'textbook']
  return `<div class="equations">${table('The equations of this layer beside the textbook’s', head, rows)}</div>${list(notes)}`
}

function conventionsTable(node: RecurrentNode): Markup {
  if (node.conventions.length === 0) return ''
  const rows = node.conventions.map(({ key, value, origin, why }) => {
    const meaning = meaningOf(key, value)
    // The meaning of `transposed` says more than yes or no.
    const choice =
      key === 'transposed' ? meaning : meaning === value ? value : `${value}: ${meaning}`
    return [conventionTable[key].title, choice, `${origin}: ${why}`]
  })
  return table(
    'Its conventions, and where each comes from',
    ['convention', 'choice', 'ground'],
    rows,
  )
}

/** More units than these would be a page of numbers. */
const MOST_UNITS = 64

function unitTable({ statistics, layer }: GatheredLayer): Markup {
  const { gates, memory, candidate, state, dead, duplicates, units } = statistics
  if (units > MOST_UNITS) return ''
  const percent = (share: number): string => `${(100 * share).toFixed(0)} %`
  const remarks = (unit: number): string => {
    const twin = duplicates.find((each) => each.unit === unit)
    if (dead.includes(unit)) return 'dead'
    return twin === undefined ? '' : `${twin.correlation < 0 ? 'mirrors' : 'repeats'} ${twin.of}`
  }
  const remarked = dead.length + duplicates.length > 0
  const head = [
    'unit',
    ...(memory === null ? [] : ['memory']),
    ...Object.keys(gates).flatMap((gate) => [`${gate} mean`, `${gate} < 0.1`, `${gate} > 0.9`]),
    ...(candidate === null ? [] : [`|${candidate.name}| mean`]),
    'h from',
    'to',
    ...(remarked ? ['remark'] : []),
  ]
  const rows = Array.from({ length: units }, (_, u) => [
    String(u),
    ...(memory === null ? [] : [timesteps(memory[u]).replace(/ timesteps?$/, '')]),
    ...Object.values(gates).flatMap(({ mean, left, right }) => [
      mean[u].toFixed(2),
      percent(left[u]),
      percent(right[u]),
    ]),
    ...(candidate === null ? [] : [candidate.activity[u].toFixed(2)]),
    state.min[u].toFixed(2).replace('-', '−'),
    state.max[u].toFixed(2).replace('-', '−'),
    ...(remarked ? [remarks(u)] : []),
  ])
  const rowsNote = layer.rows > 1 ? `, over all ${layer.rows} rows` : ''
  return table(
    `Every unit in numbers${rowsNote}; ${Object.keys(gates).map(titleOf).join(', ') || 'no gates'}`,
    head,
    rows,
  )
}
