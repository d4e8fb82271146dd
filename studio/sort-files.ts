/**
 * Sorts files that were dropped or chosen together into the model, its inputs and its expected
 * outputs. Only names decide; the readers look at the contents.
 */

interface Named {
  /** Its name, or its path in the folder that it came with. */
  readonly path: string
  readonly file?: { readonly size: number }
}

export interface Sorted<F extends Named> {
  /** The model first, then what may belong to it: shards, variables, a description. */
  readonly model: readonly F[]
  readonly input: readonly F[]
  readonly expected: readonly F[]
}

const dataEnding = /\.(npy|csv|tsv|txt|dat|jsonl|ndjson)$/i
/** Endings of models and of arrays; the rest of the name decides. */
const eitherEnding = /\.(npz|json)$/i
/**
 * The most certain first. The library knows the fixed names of some formats (`model.json`,
 * `saved_model.pb`).
 */
const modelEndings: readonly RegExp[] = [
  /\.(keras|h5|hdf5|onnx|pt|pth|ckpt|safetensors|rnnn)$/i,
  /\.(npz|pb|index|bin|pkl)$/i,
  /\.json$/i,
]

/**
 * A word of a name, between characters that are not letters: `y` in `y_keras_float64`, not in
 * `yearly`.
 */
const word = (words: string): RegExp => new RegExp(`(^|[^a-z])(${words})([^a-z]|$)`, 'i')
const expectedName = word('y|expected|outputs?|targets?|reference|predictions?')
const inputName = word('x|inputs?|features|samples?|data')
/** JSON that describes a model or its training. */
const aboutModels = /^(manifest|package|config|metadata|tokenizer|vocab|history|metrics|results)/i
/** Texts that lie beside models. */
const wordsToRead = /^(readme|licen[cs]e|requirements|changelog|notice|notes)\b/i

export function sortFiles<F extends Named>(files: readonly F[]): Sorted<F> {
  const rest = files.filter(({ path }) => !wordsToRead.test(nameOf(path)) && !isHidden(path))
  const surelyData = rest.filter(({ path }) => dataEnding.test(path))
  const perhaps = rest.filter(
    ({ path }) => eitherEnding.test(path) && mayBeInput({ path }) && isNamedAsData(path),
  )
  const others = rest.filter((file) => !surelyData.includes(file) && !perhaps.includes(file))
  // An archive called x.npz is data where there is a model beside it; alone it is the model.
  const data = others.length > 0 ? [...surelyData, ...perhaps] : surelyData
  const model = others.length > 0 ? others : perhaps
  const expected = data.filter(({ path }) => expectedName.test(stem(path)))
  const left = data.filter((file) => !expected.includes(file) && mayBeInput(file))
  const named = left.filter(({ path }) => inputName.test(stem(path)))
  const input = named.length > 0 ? named : left
  return { model: inOrder(model), input: inTurn(input), expected: inTurn(expected, input) }
}

/**
 * The likeliest model first. Of several JSON files, the largest has the weights. Equally likely
 * files keep their order.
 */
function inOrder<F extends Named>(files: readonly F[]): readonly F[] {
  const rank = ({ path }: Named): number => {
    const at = modelEndings.findIndex((ending) => ending.test(path))
    return at < 0 || aboutModels.test(stem(path)) ? modelEndings.length : at
  }
  const weight = ({ path, file }: Named): number => (/\.json$/i.test(path) ? (file?.size ?? 0) : 0)
  return files.toSorted((a, b) => rank(a) - rank(b) || weight(b) - weight(a))
}

/**
 * The files first whose names share the most words with the first of `like`: `y_real` goes with
 * `x_real`. Of numbered files, `y0_a y0_b y1_a y1_b`, one of each number comes first: they are for
 * several ports.
 */
function inTurn<F extends Named>(files: readonly F[], like: readonly F[] = []): readonly F[] {
  const wanted = new Set(like[0] === undefined ? [] : wordsOf(like[0].path))
  const shared = ({ path }: Named): number =>
    wordsOf(path).filter((each) => wanted.has(each)).length
  const sorted = files.toSorted(
    (a, b) => shared(b) - shared(a) || a.path.localeCompare(b.path, 'en', { numeric: true }),
  )
  const turns = new Map<string, number>()
  const turn = sorted.map((file) => {
    const number = numberOf(file.path)
    const before = turns.get(number) ?? 0
    turns.set(number, before + 1)
    return { file, number, before: number === '' ? 0 : before }
  })
  return turn
    .toSorted((a, b) => a.before - b.before || Number(a.number) - Number(b.number))
    .map(({ file }) => file)
}

/** `0` of `x0_random`, `2` of `input_2`; empty where there is none. */
function numberOf(path: string): string {
  return (
    /^(?:x|y|inputs?|outputs?|expected|in|out)_?(\d{1,3})(?![a-z0-9])/i.exec(stem(path))?.[1] ?? ''
  )
}

/** A folder may also hold tables and texts about the model; files picked by hand are all meant. */
function mayBeInput({ path }: Named): boolean {
  if (!path.includes('/')) return true
  return /\.(npy|npz)$/i.test(path) || (!/\.json$/i.test(path) && isNamedAsData(path))
}

function isNamedAsData(path: string): boolean {
  return expectedName.test(stem(path)) || inputName.test(stem(path))
}

function wordsOf(path: string): readonly string[] {
  return stem(path)
    .toLowerCase()
    .split(/[^a-z0-9]+/)
}

function stem(path: string): string {
  return nameOf(path).replace(/\.[^.]+$/, '')
}

export function nameOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1)
}

/** `.DS_Store`, `.git/…`, `__MACOSX/…` */
function isHidden(path: string): boolean {
  return path.split('/').some((part) => part.startsWith('.') || part === '__MACOSX')
}
