/**
 * Finds weights by the attributes of Python objects: `layers/gru/cell/vars/0`, in `.keras` archives
 * and `.weights.h5` files. Names are made of classes and counters, not of the layers' names; on
 * Windows they hold backslashes. Source: `_save_state` and `_save_container_state` in Keras's
 * `saving/saving_lib.py`, 2.13 to 3.
 */

import type { Hdf5Dataset, Hdf5Group } from '../../bytes/hdf5/tree.ts'
import { quote } from '../../bytes/show.ts'
import { GruvError } from '../../errors.ts'
import type { LayerConfig, NetConfig } from './config.ts'
import type { FoundLayer } from './guess.ts'
import {
  hasWeights,
  type LayerPath,
  missing,
  modelIn,
  type Slot,
  type WeightSource,
} from './weights.ts'

export interface ObjectNode {
  readonly children: Map<string, ObjectNode>
  /** The arrays under `vars`, by number. */
  readonly vars: Map<string, Hdf5Dataset>
  /** The object's name, where Keras stored it beside its arrays. */
  title: string | null
}

/** Where a model keeps its layers; the others are names of 2.12 to 2.14. */
const containers = ['layers', '_layer_checkpoint_dependencies', '_self_tracked_trackables'] as const

export function objectTree(root: Hdf5Group): ObjectNode {
  const tree = newNode()
  const visit = (group: Hdf5Group, path: readonly string[]): void => {
    for (const [name, member] of group.members) {
      const inner = [...path, ...name.split('\\')]
      checkSteps(inner, member.path)
      const title = member.attributes.get('name')
      if (member.kind === 'group' && inner.at(-1) === 'vars' && typeof title === 'string')
        at(tree, inner.slice(0, -1)).title = title
      if (member.kind === 'group') visit(member, inner)
      else if (inner.at(-2) === 'vars') at(tree, inner.slice(0, -2)).vars.set(inner.at(-1)!, member)
    }
  }
  visit(root, [])
  return tree
}

/** A cell in a wrapper in a model takes five steps, and models nest twelve deep. */
const MOST_STEPS = 64

/** A name with many backslashes is deep too; whatever walks the tree calls itself for each step. */
function checkSteps(steps: readonly string[], where: string): void {
  if (steps.length <= MOST_STEPS) return
  throw new GruvError('too-large', 'the objects are nested too deeply', {
    where: quote(where),
    expected: `at most ${MOST_STEPS} levels`,
  })
}

function newNode(): ObjectNode {
  return { children: new Map(), vars: new Map(), title: null }
}

function at(node: ObjectNode, path: readonly string[]): ObjectNode {
  let here = node
  for (const name of path) {
    let next = here.children.get(name)
    if (next === undefined) {
      next = newNode()
      here.children.set(name, next)
    }
    here = next
  }
  return here
}

/** `SimpleRNN` → `simple_rnn`, as `naming.to_snake_case`. */
export function snakeCase(name: string): string {
  return name
    .replaceAll(/\W+/g, '')
    .replaceAll(/(.)([A-Z][a-z]+)/g, '$1_$2')
    .replaceAll(/([a-z])([A-Z])/g, '$1_$2')
    .toLowerCase()
}

/** The seeds of Dropout, which are not trained. */
const SEEDS = 'seed_generator'

function trainedIn(node: ObjectNode): readonly (readonly [string, ObjectNode])[] {
  return [...node.children].filter(([name]) => !name.startsWith(SEEDS))
}

function holdsVariables(node: ObjectNode): boolean {
  return node.vars.size > 0 || trainedIn(node).some(([, child]) => holdsVariables(child))
}

/** @param treeOf read when the first weights are asked for, and once. */
export function objectWeights(treeOf: () => ObjectNode): WeightSource {
  let read: ObjectNode | null = null
  const known = new Map<NetConfig, Map<string, ReadonlyMap<LayerConfig, ObjectNode>>>()
  const layerNode = (
    parent: ObjectNode,
    net: NetConfig,
    layer: LayerConfig,
  ): ObjectNode | undefined => {
    const classes = known.get(net) ?? new Map()
    known.set(net, classes)
    const name = snakeCase(layer.className)
    const nodes = classes.get(name) ?? nodesOfClass(parent, net, name)
    classes.set(name, nodes)
    return nodes.get(layer)
  }
  const find: WeightSource['find'] = (layerPath, slots) => {
    read ??= treeOf()
    const tree = read
    let node: ObjectNode | undefined = tree
    for (const { net, layer } of layerPath) {
      node = node && layerNode(node, net, layer)
      for (
        let inner = layer.inner;
        layer.model === null && inner !== null && modelIn(layer) !== null;
        inner = inner.inner
      ) {
        node = node && attribute(node, 'layer')
      }
    }
    return slots.map((slot, i) => {
      const owner = slot.path.reduce<ObjectNode | undefined>(
        (here, step, depth) => here && attribute(here, cellName(layerPath, slot, depth) ?? step),
        node,
      )
      const number = slots
        .slice(0, i)
        .filter((each) => each.path.join() === slot.path.join()).length
      const dataset = owner?.vars.get(`${number}`)
      if (dataset === undefined) {
        const have = node === undefined ? [...tree.children.keys()] : describe(node)
        throw missing(layerPath, slots, have.slice(0, 12).join(', ') || 'nothing')
      }
      return dataset.read()
    })
  }
  return { find }
}

function attribute(node: ObjectNode, name: string): ObjectNode | undefined {
  return node.children.get(name) ?? node.children.get(`_${name}`)
}

/** Cells in a list are named like layers in a list; their number is the last step of the path. */
function cellName(layerPath: LayerPath, slot: Slot, depth: number): string | undefined {
  if (slot.path[depth - 1] !== 'cells') return undefined
  const { layer } = layerPath.at(-1)!
  const { cells } = layer.inner ?? layer
  const own = snakeCase(cells[Number(slot.path[depth])].className)
  const before = cells
    .slice(0, Number(slot.path[depth]))
    .filter((each) => snakeCase(each.className) === own).length
  return before === 0 ? own : `${own}_${before}`
}

/**
 * The group of each layer of one class. Layers that are listed twice, as in Keras 2.13, leave gaps
 * in the numbers, so they count in order rather than by their number.
 */
function nodesOfClass(
  parent: ObjectNode,
  net: NetConfig,
  name: string,
): ReadonlyMap<LayerConfig, ObjectNode> {
  const found = new Map<LayerConfig, ObjectNode>()
  const ofClass = net.layers.filter((each) => snakeCase(each.className) === name)
  const withWeights = ofClass.filter(hasWeights)
  const put = (layer: LayerConfig, node: ObjectNode | undefined): void => {
    if (node !== undefined && !found.has(layer)) found.set(layer, node)
  }
  for (const container of containers) {
    const groups = parent.children.get(container)?.children
    if (groups === undefined) continue
    const numbered = [...groups]
      .flatMap(([key, node]) => {
        const number = numberIn(key, name)
        return number !== null && holdsVariables(node) ? [{ number, node }] : []
      })
      .sort((a, b) => a.number - b.number)
    if (numbered.length === withWeights.length) {
      for (const [i, layer] of withWeights.entries()) put(layer, numbered[i].node)
      return found
    }
    for (const [i, layer] of ofClass.entries())
      put(layer, groups.get(i === 0 ? name : `${name}_${i}`))
  }
  return found
}

function numberIn(key: string, name: string): number | null {
  if (key === name) return 0
  const rest = key.startsWith(`${name}_`) ? key.slice(name.length + 1) : ''
  return /^\d+$/.test(rest) ? Number(rest) : null
}

function describe(node: ObjectNode, path = ''): readonly string[] {
  return [
    ...[...node.vars.keys()].map((key) => `${path}vars/${key}`),
    ...[...node.children].flatMap(([name, child]) => describe(child, `${path}${name}/`)),
  ]
}

/** Layers in a file without a configuration, those of models in it too. */
export function foundObjects(tree: ObjectNode): readonly FoundLayer[] {
  const found = layersIn(tree, '')
  const titles = found.map(({ node }) => node.title)
  return found.flatMap(({ path, group, node }): FoundLayer[] => {
    const arrays = flat(node, '')
    if (arrays.length === 0) return []
    const { title } = node
    const alone = titles.filter((each) => each === title).length === 1
    const sameGroup = found.filter((each) => each.group === group).length
    return [
      {
        name: title !== null && alone ? title : sameGroup === 1 ? group : path,
        paths: [group, ...arrays.map((array) => `${path}/${array.path}`)],
        arrays: arrays.map((array) => ({ name: array.path, tensor: array.dataset.read() })),
      },
    ]
  })
}

interface FoundObject {
  readonly path: string
  readonly group: string
  readonly node: ObjectNode
}

function layersIn(model: ObjectNode, around: string): readonly FoundObject[] {
  const container = containers.find((name) => model.children.has(name))
  if (container === undefined) return []
  return [...model.children.get(container)!.children].flatMap(([group, node]) => {
    const path = `${around}layers/${group}`
    // A wrapper has its layer under `layer`, which may be a model.
    const wrapped = node.children.get('layer')
    const inside =
      wrapped === undefined ? layersIn(node, `${path}/`) : layersIn(wrapped, `${path}/layer/`)
    return inside.length > 0 ? inside : [{ path, group, node }]
  })
}

function flat(
  node: ObjectNode,
  path: string,
): readonly { readonly path: string; readonly dataset: Hdf5Dataset }[] {
  return [
    ...[...node.vars]
      .sort(([a], [b]) => Number(a) - Number(b))
      .map(([key, dataset]) => ({ path: `${path}vars/${key}`, dataset })),
    // forward_layer before backward_layer, whatever the file's order.
    ...[...trainedIn(node)]
      .sort(([a], [b]) => Number(b.startsWith('forward')) - Number(a.startsWith('forward')))
      .flatMap(([name, child]) => flat(child, `${path}${name}/`)),
  ]
}
