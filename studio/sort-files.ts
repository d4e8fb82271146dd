/**
 * Files that came together, dropped or chosen, as a folder or one by one: which is the model, which
 * its input, which the outputs that it should give? Names tell; contents are the readers' business.
 */

interface Named {
  /** Its name, or its path in the folder that it came with. */
  readonly path: string
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
const wordsToRead = /^(readme|licen[cs]e|requirements|changelog|notice|notes)\b/i

export function sortFiles<F extends Named>(files: readonly F[]): Sorted<F> {
  const rest = files.filter(({ path }) => !wordsToRead.test(nameOf(path)) && !isHidden(path))
  const surelyData = rest.filter(({ path }) => dataEnding.test(path))
  const perhaps = rest.filter(({ path }) => eitherEnding.test(path) && isNamedAsData(path))
  const others = rest.filter((file) => !surelyData.includes(file) && !perhaps.includes(file))
  // An archive called x.npz is the data of a model beside it; alone it is what there is to open.
  const data = others.length > 0 ? [...surelyData, ...perhaps] : surelyData
  const model = others.length > 0 ? others : perhaps
  const expected = data.filter(({ path }) => expectedName.test(stem(path)))
  const left = data.filter((file) => !expected.includes(file) && mayBeInput(file))
  const named = left.filter(({ path }) => inputName.test(stem(path)))
  const input = named.length > 0 ? named : left
  return { model: inOrder(model), input, expected: alike(expected, input) }
}

/** The likeliest model first; what is equally likely in the order it came. */
function inOrder<F extends Named>(files: readonly F[]): readonly F[] {
  const rank = ({ path }: Named): number => {
    const at = modelEndings.findIndex((ending) => ending.test(path))
    return at < 0 ? modelEndings.length : at
  }
  return files.toSorted((a, b) => rank(a) - rank(b))
}

/** Those first that share most of their names with the input: `y_real` goes with `x_real`. */
function alike<F extends Named>(expected: readonly F[], input: readonly F[]): readonly F[] {
  const wanted = new Set(input[0] === undefined ? [] : wordsOf(input[0].path))
  const shared = ({ path }: Named): number =>
    wordsOf(path).filter((each) => wanted.has(each)).length
  return expected.toSorted((a, b) => shared(b) - shared(a))
}

/** A folder also holds tables and texts about the model; what was picked by hand is meant. */
function mayBeInput({ path }: Named): boolean {
  return !path.includes('/') || /\.npy$/i.test(path) || isNamedAsData(path)
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
