/**
 * Lists the small mistakes that can be made in a source file, for `tools/mutate.mjs`.
 *
 * @typedef {object} Mutation
 * @property {number} start offset of the text that is replaced
 * @property {number} end
 * @property {string} text what stands there instead
 * @property {string} what the change in words
 */

import { parseSync, Visitor } from 'oxc-parser'

/**
 * What an operator may be mistaken for: the other side of a boundary, and the opposite.
 * @type {Readonly<Record<string, readonly string[]>>}
 */
const mistaken = {
  '<': ['<=', '>='],
  '<=': ['<', '>'],
  '>': ['>=', '<='],
  '>=': ['>', '<'],
  '===': ['!=='],
  '!==': ['==='],
  '==': ['!='],
  '!=': ['=='],
  '+': ['-'],
  '-': ['+'],
  '*': ['/'],
  '/': ['*'],
  '%': ['*'],
  '**': ['*'],
  '&': ['|'],
  '|': ['&'],
  '^': ['|'],
  '<<': ['>>'],
  '>>': ['<<'],
  '>>>': ['>>'],
  '&&': ['||'],
  '||': ['&&'],
  '+=': ['-='],
  '-=': ['+='],
  '*=': ['/='],
  '/=': ['*='],
  '|=': ['&='],
  '&=': ['|='],
}

/** From here on a number is a limit or a mask: one more or less says little. */
const LARGE = 256

/**
 * @param {string} path
 * @param {string} source
 * @returns {Mutation[]}
 */
export function mutationsOf(path, source) {
  const { program, errors } = parseSync(path, source)
  if (errors.length > 0) throw new Error(`${path}: ${errors[0]?.message}`)
  /** @type {Mutation[]} */
  const found = []
  /** Numbers in types and names of properties. */
  const names = new Set()

  /** @typedef {{ start: number, end: number }} Span */
  const replace = (/** @type {Span} */ { start, end }, /** @type {string} */ text) => {
    const [line = ''] = source.slice(start, end).split('\n')
    found.push({ start, end, text, what: `${line} → ${text || 'nothing'}` })
  }
  const operator = (
    /** @type {Span} */ left,
    /** @type {string} */ name,
    /** @type {Span} */ right,
  ) => {
    const start = source.indexOf(name, left.end)
    if (start + name.length > right.start) return
    for (const other of mistaken[name] ?? []) replace({ start, end: start + name.length }, other)
  }
  const isText = (/** @type {import('oxc-parser').Expression} */ { type, ...node }) =>
    type === 'TemplateLiteral' || ('value' in node && typeof node.value === 'string')

  new Visitor({
    BinaryExpression({ left, operator: name, right }) {
      if (isText(left) || isText(right)) return
      operator(left, name, right)
    },
    AssignmentExpression({ left, operator: name, right }) {
      if (!isText(right)) operator(left, name, right)
    },
    LogicalExpression({ left, operator: name, right, start }) {
      if (name === '??') replace({ start, end: right.start }, '')
      else operator(left, name, right)
    },
    UnaryExpression({ operator: name, start, argument }) {
      if (name === '!' || name === '-') replace({ start, end: argument.start }, '')
    },
    UpdateExpression({ operator: name, prefix, start, end }) {
      const at = prefix ? start : end - name.length
      replace({ start: at, end: at + name.length }, name === '++' ? '--' : '++')
    },
    IfStatement({ test }) {
      replace(test, 'false')
    },
    ThrowStatement(node) {
      replace(node, ';')
    },
    ReturnStatement(node) {
      // Without a value, or one of several: the last statement of a function is what it is for.
      if (!isLast(node, source)) replace(node, ';')
    },
    ExpressionStatement(node) {
      if (node.expression.type === 'CallExpression') replace(node, ';')
    },
    TSLiteralType({ literal }) {
      names.add(literal)
    },
    Property({ key, computed }) {
      if (!computed) names.add(key)
    },
    Literal(node) {
      const { value } = node
      if (names.has(node)) return
      if (typeof value === 'boolean') replace(node, String(!value))
      if (typeof value === 'bigint') replace(node, `${value + 1n}n`)
      if (typeof value !== 'number') return
      for (const other of value >= LARGE
        ? [value * 2, Math.floor(value / 2)]
        : [value + 1, value - 1])
        if (other >= 0) replace(node, String(other))
    },
  }).visit(program)
  return found
}

/**
 * True for a statement that ends a function at the function's own level.
 * @param {{ start: number, end: number }} node
 * @param {string} source
 */
function isLast(node, source) {
  const lineStart = source.lastIndexOf('\n', node.start) + 1
  const indent = node.start - lineStart
  const text = source.slice(lineStart, node.start)
  return text.trim() === '' && indent === 2 && source.startsWith('\n}', node.end)
}
