/**
 * Files that came together, dropped or chosen, as a folder or one by one: which is the model, which
 * its input, which the outputs that it should give? Names tell; contents are the readers' business.
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
/** Models, or arrays: their names decide. */
const eitherEnding = /\.(npz|json)$/i
/** The surest first. What a format calls its file (`model.json`, `saved_model.pb`) the library knows. */
const modelEndings: readonly RegExp[] = [
  /\.(keras|h5|hdf5|onnx|pt|pth|ckpt|safetensors|rnnn)$/i,
  /\.(npz|pb|index|bin|pkl)$/i,
  /\.json$/i,
]

/** A word of a name, between what is no letter: `y` in `y_keras_float64`, not in `yearly`. */
const word = (words: string): RegExp => new RegExp(`(^|[^a-z])(${words})([^a-z]|$)`, 'i')
const expectedName = word('y|expected|outputs?|targets?|reference|predictions?')
const inputName = word('x|inputs?|features|samples?|data')
/** What lies in folders beside models, and is no data. */
/** JSON that describes a model or its training. */
const aboutModels = /^(manifest|package|config|metadata|tokenizer|vocab|history|metrics|results)/i
const wordsToRead = /^(readme|licen[cs]e|requirements|changelog|notice|notes)\b/i

export function sortFiles<F extends Named>(files: readonly F[]): Sorted<F> {
  const rest = files.filter(({ path }) => !wordsToRead.test(nameOf(path)) && !isHidden(path))
  const surelyData = rest.filter(({ path }) => dataEnding.test(path))
  const perhaps = rest.filter(
    ({ path }) => eitherEnding.test(path) && mayBeInput({ path }) && isNamedAsData(path),
  )
  const others = rest.filter((file) => !surelyData.includes(file) && !perhaps.includes(file))
  // An archive called x.npz is the data of a model beside it; alone it is what there is to open.
  const data = others.length > 0 ? [...surelyData, ...perhaps] : surelyData
  const model = others.length > 0 ? others : perhaps
  const expected = data.filter(({ path }) => expectedName.test(stem(path)))
  const left = data.filter((file) => !expected.includes(file) && mayBeInput(file))
  const named = left.filter(({ path }) => inputName.test(stem(path)))
  const input = named.length > 0 ? named : left
  return { model: inOrder(model), input: inTurn(input), expected: inTurn(expected, input) }
}

/**
 * The likeliest model first. Of several JSON files weights are the largest; what is equally likely
 * otherwise keeps its order.
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
 * Those first that share most of their names with others: `y_real` goes with `x_real`. Of numbered
 * ones, `y0_a y0_b y1_a y1_b`, one of each number comes first: they are for several ports.
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

/** A folder also holds tables and texts about the model; what was picked by hand is meant. */
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
