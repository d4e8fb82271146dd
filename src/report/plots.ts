/** The pictures of a layer in a report: gates, states, saturation, memory, weights. */

import type { RecurrentNode } from '../model/types.ts'
import { weightsOf } from '../model/weights.ts'
import type { Tensor } from '../tensor.ts'
import { rolesOf, timesteps, titleOf } from '../trace/index.ts'
import { SIZE, text, WIDTH } from './axes.ts'
import { memoryBars } from './bars.ts'
import { beside, finiteEnds, histogram, logLine, saturation, trajectories } from './charts.ts'
import { captionOf, type GatheredLayer, MOST_ROWS, reduceRows } from './gather.ts'
import { heatmap, symmetric } from './heatmap.ts'
import { type Scene, short, stack } from './scene.ts'

/** How many trajectories are drawn: those of the units that move most. */
const MOST_LINES = 6

function acrossOf({ layer: { first }, columns, perColumn }: GatheredLayer) {
  const several = perColumn > 1 ? ` (a column: ${perColumn} timesteps)` : ''
  return { title: `timestep${several}`, from: first, to: first + columns * perColumn }
}

/** Units × time of each gate and the candidate. */
export function gatesPlot(gathered: GatheredLayer): Scene {
  const { gates, candidate } = rolesOf(gathered.layer)
  const names = [...gates, ...(candidate === null ? [] : [candidate])]
  if (names.length === 0) return statesPlot(gathered)
  const scenes = names.map((name, i) =>
    valueHeatmap(
      gathered,
      name,
      name === candidate ? 'diverging' : 'sequential',
      i === names.length - 1,
    ),
  )
  const { name, units, steps } = gathered.layer
  return stack(
    `Gates of ${name}`,
    `Heatmaps of ${names.map(titleOf).join(', ')}: ${units} units down, ${steps} timesteps across. ${captionOf(gathered)}`,
    scenes,
    12,
  )
}

function valueHeatmap(
  gathered: GatheredLayer,
  name: string,
  ramp: 'sequential' | 'diverging',
  axis: boolean,
): Scene {
  const { layer, columns } = gathered
  const values = gathered.values[name].mean
  const [low, high] = finiteEnds(values)
  const largest = symmetric(values)
  // Small numbers would be invisible on a scale up to 1.
  const usual = largest[1] <= 1 && largest[1] > 0.5
  const range =
    ramp === 'sequential'
      ? ([Math.min(0, low), Math.max(1, high)] as const)
      : usual && name !== 'c'
        ? ([-1, 1] as const)
        : largest
  return heatmap({
    title: titleOf(name),
    description: `${titleOf(name)} of ${layer.name}`,
    values,
    rows: layer.units,
    columns,
    ramp,
    range,
    down: 'unit',
    across: axis ? acrossOf(gathered) : null,
  })
}

/** Units × time of the state (and the cell), and the units that move most as lines. */
export function statesPlot(gathered: GatheredLayer): Scene {
  const { layer, values, columns, statistics } = gathered
  const names = rolesOf(layer).states
  const maps = names.map((name, i) =>
    valueHeatmap(gathered, name, 'diverging', i === names.length - 1),
  )
  const liveliest = statistics.state.deviation
    .map((deviation, unit) => ({ deviation, unit }))
    .sort((a, b) => b.deviation - a.deviation)
    .slice(0, MOST_LINES)
    .map(({ unit }) => unit)
    .sort((a, b) => a - b)
  const part = (numbers: Float64Array, unit: number): Float64Array =>
    numbers.subarray(unit * columns, (unit + 1) * columns)
  const lines = liveliest.map((unit) => ({
    name: `unit ${unit}`,
    mean: part(values.h.mean, unit),
    min: part(values.h.min, unit),
    max: part(values.h.max, unit),
  }))
  const which =
    layer.units > MOST_LINES
      ? `The ${MOST_LINES} units that move most, over time`
      : 'Each unit over time'
  const shown = gathered.perColumn > 1 ? 'means as lines, lowest to highest as bands' : ''
  const chart = trajectories(
    { title: `${which}${shown === '' ? '' : `: ${shown}`}`, description: which },
    lines,
    acrossOf(gathered),
  )
  return stack(
    `States of ${layer.name}`,
    `The state of ${layer.units} units over ${layer.steps} timesteps as a heatmap, and as lines for units ${liveliest.join(', ')}. ${captionOf(gathered)}`,
    [...maps, chart],
  )
}

/** Histograms of the gates, and how often each unit is saturated. */
export function saturationPlot({ statistics, layer }: GatheredLayer): Scene | null {
  const gates = Object.entries(statistics.gates)
  if (gates.length === 0) return null
  const width = (WIDTH - 24 * (gates.length - 1)) / gates.length
  const narrow = Math.min(width, 300)
  const how = beside(
    gates.map(([gate, { histogram: shares, range }]) =>
      histogram({ title: titleOf(gate), description: '' }, shares, range, width),
    ),
  )
  const where = beside(
    gates.map(([gate, { left, right }]) =>
      saturation({ title: `${gate}: each unit a dot`, description: '' }, left, right, narrow),
    ),
    24 + width - narrow,
  )
  const means = gates.map(([gate, { mean }]) => {
    const average = mean.reduce((sum, each) => sum + each, 0) / mean.length
    return `${titleOf(gate)} ${average.toFixed(2)} on average`
  })
  return stack(
    `How the gates of ${layer.name} are spread`,
    `Histograms of all values of each gate (${means.join(', ')}), and for each unit the share of steps below 0.1 and above 0.9.`,
    [how, where],
  )
}

/**
 * How long each unit remembers, and how an earlier state fades; `influence` is null for layers that
 * are too wide for that.
 */
export function memoryPlot(
  { statistics, layer }: GatheredLayer,
  influence: Float64Array | null,
): Scene {
  const { memory } = statistics
  const bars =
    memory === null
      ? []
      : [memoryBars({ title: 'Memory of each unit, in timesteps', description: '' }, memory)]
  const fading = influence === null ? leftOut(layer.units) : fadingLine(influence)
  const extent =
    memory === null
      ? ''
      : `Bars: the memory of each unit, from ${timesteps(Math.min(...memory))} to ${timesteps(Math.max(...memory))}. `
  return stack(`Memory of ${layer.name}`, extent + fading.description, [...bars, fading])
}

function fadingLine(influence: Float64Array): Scene {
  const [first, last] = [influence[0], influence[influence.length - 1]]
  return logLine(
    {
      title: 'How strongly the last state depends on the one k steps before',
      description: `Line: the dependence of the last state on earlier ones, ${short(first)} one step before and ${short(last)} ${influence.length} steps before.`,
    },
    influence,
    { title: 'k, steps before', from: 1, to: influence.length + 1 },
  )
}

function leftOut(units: number): Scene {
  const words = `The dependence of the last state on earlier ones is left out: it would take long for ${units} units.`
  return { width: WIDTH, height: 20, title: '', description: words, marks: [text(0, 14, words)] }
}

/** The parts that weights are split into; a simple RNN's are whole. */
const weightGates: Readonly<Record<RecurrentNode['kind'], readonly string[]>> = {
  gru: ['z', 'r', 'n'],
  lstm: ['i', 'f', 'g', 'o'],
  rnn: [''],
}

/** Every kernel and bias, a column for each gate. */
export function weightsPlot(node: RecurrentNode): Scene {
  const gates = weightGates[node.kind]
  const weights = weightsOf(node)
  const arrays = [
    ['W', 'input', 'kernel'],
    ['U', 'state', 'recurrentKernel'],
    ['bi', '', 'inputBias'],
    ['br', '', 'recurrentBias'],
    ['p', '', 'peephole'],
  ] as const
  const gap = 18
  const width = Math.min(300, (WIDTH - gap * (gates.length - 1)) / gates.length)
  const rows = arrays.flatMap(([letter, down, array]) => {
    const arrayOf = (gate: string) => weights[gate === '' ? array : `${array}.${gate}`]
    // A candidate has no peephole.
    const present = gates.filter((gate) => arrayOf(gate) !== undefined)
    const tensors = present.map(arrayOf)
    if (tensors.length === 0) return []
    const range = symmetric(tensors.flatMap(({ data }) => Array.from(data)))
    const scenes = tensors.map((tensor, i) => {
      const [count, units] = tensor.shape.length === 2 ? tensor.shape : [1, tensor.shape[0]]
      const narrow = transposeRows(tensor, count, units)
      return heatmap({
        title: `${letter}${present[i]}`,
        description: '',
        values: narrow.values,
        rows: count,
        columns: narrow.columns,
        ramp: 'diverging',
        range,
        reduce: 'extreme',
        down,
        across:
          down === 'state' || (down === 'input' && gates.length === 1)
            ? { title: 'unit', from: 0, to: units }
            : null,
        width,
        legend: false,
      })
    })
    const title = `${letter}: from ${range[0].toPrecision(2)} (blue) over 0 (light) to ${range[1].toPrecision(2)} (orange)`
    const label: Scene = {
      title,
      description: '',
      width: WIDTH,
      height: 24,
      marks: [text(0, 21, title.replaceAll('-', '−'), { size: SIZE.label })],
    }
    return [label, beside(scenes, gap)]
  })
  return stack(
    `Weights of ${node.name}`,
    `Heatmaps of the input kernel W [${node.features}, ${node.units}], the recurrent kernel U [${node.units}, ${node.units}] and the biases, ${gates.length > 1 ? `split into ${gates.join(', ')}` : 'whole'}.`,
    rows,
    6,
  )
}

/** At most MOST_ROWS columns; of neighbours, the number of the largest magnitude. */
function transposeRows({ data }: Tensor, rows: number, columns: number) {
  if (columns <= MOST_ROWS) return { values: data as ArrayLike<number>, columns }
  const flipped = new Float64Array(data.length)
  for (let r = 0; r < rows; r++)
    for (let c = 0; c < columns; c++) flipped[c * rows + r] = data[r * columns + c]
  const reduced = reduceRows(flipped, columns, rows, MOST_ROWS, 'extreme')
  const values = new Float64Array(rows * MOST_ROWS)
  for (let r = 0; r < rows; r++)
    for (let c = 0; c < MOST_ROWS; c++) values[r * MOST_ROWS + c] = reduced.values[c * rows + r]
  return { values: values as ArrayLike<number>, columns: MOST_ROWS }
}
