/** Tests the unpickler: it reads what Python's pickler writes, refuses damage opcode by opcode, and runs nothing. */

import { describe, expect, it } from 'vitest'
import { readPickle } from '../../src/bytes/pickle/pickle.ts'
import type { PickleValue } from '../../src/bytes/pickle/values.ts'
import { torchTree } from '../../src/bytes/torch/tree.ts'
import { isGruvError } from '../../src/errors.ts'
import { errorOf } from '../support/errors.ts'
import { fixture } from '../support/fixtures.ts'
import { flipBytes, shiftBytes, truncateEverywhere } from '../support/fuzz.ts'
import { random } from '../support/random.ts'

const protocols = [0, 1, 2, 3, 4, 5]
const file = (protocol: number): Uint8Array => fixture(`pytorch/protocol-${protocol}.pkl`)

/** A pickle in latin-1: opcodes are characters. */
function pickle(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0))
}

const unpickled = (text: string): PickleValue => readPickle(pickle(text)).value

describe('what Python writes', () => {
  it.each(protocols)('protocol %i: the same value as in all others', (protocol) => {
    const { value, end } = readPickle(file(protocol))
    expect(end).toBe(file(protocol).length)
    const bytes = [new Uint8Array(0), Uint8Array.of(0, 255), new Uint8Array(300).fill(121)]
    expect(torchTree(value)).toEqual(
      new Map<string, unknown>([
        ['none', null],
        ['booleans', [true, false]],
        [
          'integers',
          [
            0,
            255,
            256,
            65535,
            65536,
            -1,
            -(2 ** 31),
            2 ** 31,
            2n ** 53n,
            -(2n ** 70n),
            10n ** 400n,
          ],
        ],
        ['floats', [0.5, -0, 1e300, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]],
        ['texts', ['', 'a\nb\\c\'"', 'é', '日本語', '🦉', 'x'.repeat(300)]],
        ['bytes', bytes],
        ['bytearray', Uint8Array.of(97, 98, 99)],
        ['tuples', [[], [1], [1, 2], [1, 2, 3], [1, 2, 3, 4]]],
        ['sets', [[1, 2], [3]]],
        [
          'shared',
          [
            [1, 2],
            [1, 2],
          ],
        ],
        ['7', 'a number as key'],
        ['(1, 2)', 'a tuple as key'],
      ]),
    )
  })

  it('what is shared stays shared', () => {
    const tree = torchTree(readPickle(file(5)).value)
    const [a, b] = (tree as Map<string, unknown[]>).get('shared')!
    expect(a).toBe(b)
  })

  it("strings of Python 2, with repr's escapes", () => {
    expect(unpickled("S'a\\n\\x41\\'\\\\'\n.")).toBe("a\nA'\\")
    expect(unpickled('U\x03abc.')).toBe('abc')
    expect(unpickled('U\x02\xff\xfe.')).toEqual(Uint8Array.of(0xff, 0xfe))
  })

  it('several pickles in a row', () => {
    const bytes = pickle('K\x01.K\x02.')
    const first = readPickle(bytes)
    expect([first.value, readPickle(bytes, first.end).value]).toEqual([1, 2])
  })
})

describe('nothing is called', () => {
  it.each([
    ['REDUCE', "cos\nsystem\n(S'touch /tmp/owned'\ntR."],
    ['STACK_GLOBAL', '\x80\x04\x8c\x02os\x8c\x06system\x93\x8c\x02id\x85R.'],
    ['INST', "(S'id'\nios\nsystem\n."],
    ['OBJ', "(cos\nsystem\nS'id'\no."],
    ['NEWOBJ', '\x80\x02cos\nsystem\nU\x02id\x85\x81.'],
    ['NEWOBJ_EX', '\x80\x04cos\nsystem\n\x8c\x02id\x85}\x92.'],
  ])('%s leaves a record', (_, text) => {
    const value = unpickled(text)
    expect(value).toMatchObject({
      kind: 'call',
      callable: { kind: 'global', module: 'os', name: 'system' },
    })
    expect(torchTree(value)).toMatchObject({ kind: 'object', className: 'os.system' })
  })

  it("names of JavaScript's own are names like any other", () => {
    const tree = torchTree(unpickled('}U\x09__proto__K\x01sU\x0bconstructorK\x02s.'))
    expect([...(tree as Map<string, unknown>)]).toEqual([
      ['__proto__', 1],
      ['constructor', 2],
    ])
    expect(({} as Record<string, unknown>)[1]).toBeUndefined()
    expect(torchTree(unpickled('c__proto__\nconstructor\n)R.'))).toMatchObject({
      className: '__proto__.constructor',
    })
  })
})

describe('refused', () => {
  it.each<[string, string, RegExp]>([
    ['an empty file', '', /cut off/],
    ['no end', 'K\x01', /cut off/],
    ['an unknown opcode', '\xff.', /no opcode 0xff/],
    ['protocol 6', '\x80\x06.', /protocol 6/],
    ['an empty stack', '.', /empty stack/],
    ['an empty stack behind a mark', 'K\x01(.', /empty stack/],
    ['no mark', 'K\x01t.', /no mark/],
    ['a line without an end', 'I12', /no end/],
    ['words for numbers', 'Itwelve\n.', /no whole number/],
    ['hexadecimal', 'L0x10L\n.', /no whole number/],
    ['a float in words', 'Fone\n.', /no number/],
    ['a string without quotes', 'Sabc\n.', /quotes/],
    ['a text longer than the file', 'X\xff\xff\xff\xffabc.', /cut off.*4294967295/],
    ['bytes longer than any file', '\x8e\xff\xff\xff\xff\xff\xff\xff\xff.', /cut off/],
    ['a frame longer than the file', '\x95\xff\x00\x00\x00\x00\x00\x00\x00.', /cut off/],
    ['a number of four gigabytes', '\x8b\xff\xff\xff\xff.', /number of 4294967295 bytes/],
    ['an unknown memory', 'h\x07.', /remembered under 7/],
    ['a key without a value', '}(K\x01u.', /no value/],
    ['appending to a number', 'K\x01K\x02a.', /appended/],
    ['appending to a dict', '}K\x02a.', /appended/],
    ['keys of a list', ']K\x01K\x02s.', /no keys/],
    ['a state of a number', 'K\x01}b.', /state/],
    ['a class in numbers', 'K\x01K\x02\x93.', /no text/],
    ['an object without a class', '(o.', /without a class/],
    ['an extension code', '\x82\x01.', /extension code/],
    ['a buffer elsewhere', '\x97.', /outside/],
  ])('%s', async (_, text, message) => {
    const error = await errorOf(() => readPickle(pickle(text)))
    expect(error.message).toMatch(message)
  })

  it('lists within lists, a million deep', async () => {
    const deep = pickle(`${']'.repeat(1e6)}${'a'.repeat(1e6 - 1)}.`)
    const error = await errorOf(() => torchTree(readPickle(deep).value))
    expect(error.code).toBe('too-large')
  })

  it('more containers than any checkpoint has, before they fill the memory', async () => {
    const error = await errorOf(() => readPickle(new Uint8Array(2 ** 22).fill(0x5d)))
    expect(error.code).toBe('too-large')
  })
})

describe('bounded', () => {
  it('a pickle that doubles itself forty times is read once', () => {
    // Each tuple holds the one before it twice.
    let text = ')'
    for (let i = 0; i < 40; i++) text += '2\x86'
    expect(torchTree(unpickled(`${text}.`))).toHaveLength(2)
  })

  it('a list that holds itself', () => {
    const tree = torchTree(unpickled(']q\x00h\x00a.')) as unknown[]
    expect(tree[0]).toBe(tree)
  })

  it('an ordered dictionary that holds itself ends', () => {
    expect(torchTree(unpickled('ccollections\nOrderedDict\n)Rq\x00U\x01kh\x00s.'))).toEqual(
      new Map([['k', null]]),
    )
  })

  it('random opcodes: a value or a GruvError, 20,000 times', () => {
    const next = random(20261124)
    const codes = [
      ...'(.0123FGIJKLMNPQRSTUVXabcdeghijlopqrstu]})BC\x80\x81\x85\x86\x87\x88\x89\x8a\x8c\x8f\x90\x91\x92\x93\x94\x95',
    ]
    for (let run = 0; run < 20_000; run++) {
      let text = ''
      for (let i = 0; i < 40; i++) {
        text += codes[Math.floor(next() * codes.length)]
        if (next() < 0.3) text += String.fromCharCode(Math.floor(next() * 4))
        if (next() < 0.1) text += '1\n'
      }
      try {
        torchTree(unpickled(text))
      } catch (error) {
        if (!isGruvError(error)) throw new Error(JSON.stringify(text), { cause: error })
      }
    }
  })

  it.each(protocols)('protocol %i, cut off or changed: only GruvErrors', async (protocol) => {
    const read = (bytes: Uint8Array): unknown => torchTree(readPickle(bytes).value)
    const { accepted } = await truncateEverywhere(file(protocol), read)
    expect(accepted).toBe(0)
    await flipBytes(file(protocol), read, { runs: 500, seed: protocol })
    await shiftBytes(file(protocol), read, { runs: 200, seed: protocol })
  })
})
