import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { isHeader, parseRow } from '../../src/bytes/tables/row.ts'
import { readTable, writeTable } from '../../src/bytes/tables/tables.ts'
import { errorOf } from '../support/errors.ts'
import { anyTensor, expectSame, inPrecisionOf } from '../support/tensors.ts'

const rows = (text: string): number[][] => {
  const { shape, data } = readTable(text)
  return Array.from({ length: shape[0] }, (_, r) => [
    ...data.subarray(r * shape[1], (r + 1) * shape[1]),
  ])
}

describe('readTable', () => {
  test.each([
    ['commas', '1,2\n3,4'],
    ['commas and blanks', '1, 2\n 3 ,4 '],
    ['tabs', '1\t2\n3\t4'],
    ['semicolons', '1;2\n3;4\n'],
    ['blanks', '1 2\n3 4\n'],
    ['blanks to align', '  1   2\n  3 \t 4  \n'],
    ['CR LF', '1,2\r\n3,4\r\n'],
    ['CR', '1,2\r3,4\r'],
    ['a byte order mark', '\ufeff1,2\n3,4'],
    ['comments', '# 9,9\n1,2 # 9\n#\n3,4'],
    ['a comment with a delimiter', '1 2 # a, b\n3 4'],
    ['blank lines', '\n\n1,2\n \n3,4\n\n'],
    ['quotes', '"1","2"\n\'3\',\'4\''],
    ['quotes between blanks', '"1" "2"\n3 4'],
    ['a header', 'a,b\n1,2\n3,4'],
    ['a header with a quote in it', 'a,"b ""x"""\n1,2\n3,4'],
    ['a header with an empty name, as pandas writes', ',b\n1,2\n3,4'],
    ['a header in other words than the rows', 'time, value in volts\n1 2\n3 4'],
    ['a header with blanks, between blanks', 'time value (V)\n1 2\n3 4'],
    ['a header after comments', '# made today\nNA a\n1 2\n3 4'],
  ])('%s', (_, text) => {
    expect(rows(text)).toEqual([
      [1, 2],
      [3, 4],
    ])
  })

  test('missing values and infinities', () => {
    expect(rows('1,,nan,NaN,NA,N/A,null,None,-nan,inf,-inf,Infinity,+Inf')).toEqual([
      [1, ...Array(8).fill(Number.NaN), 1 / 0, -1 / 0, 1 / 0, 1 / 0],
    ])
    expect(rows('NA,NA\n1,2')).toEqual([
      [Number.NaN, Number.NaN],
      [1, 2],
    ])
  })

  test('a header gives names; without one, or where they cannot be told apart, there are none', () => {
    expect(readTable('a, "b, c" ,d\n1,2,3').columns).toEqual(['a', 'b, c', 'd'])
    expect(readTable('1,2').columns).toBeNull()
    expect(readTable('time value (V)\n1 2').columns).toBeNull()
    expect(readTable('time value\n1 2').columns).toEqual(['time', 'value'])
  })

  test('says how finely the numbers were printed', () => {
    const { dtype, printed } = readTable('x,y\n0.125,1e-4\n,3\n')
    expect([dtype, printed]).toEqual(['text', { decimals: 4, significant: 3 }])
  })

  test.each([
    ['a word', '1,2\n3,x\n', 'line 2, column 2', /"x"/],
    ['a second header', 'a,b\nc,d\n1,2', 'line 2, column 1', /"c"/],
    ['a property of every object', '1,2\n1,constructor', 'line 2, column 2', /"constructor"/],
    ['hexadecimal', '1 0x10', 'line 1, column 2', /0x10/],
    ['a date among numbers', '1,1\n2024-06-11,1', 'line 2, column 1', /2024-06-11/],
    ['a number among dates', '2024-06-11,1\n2,1', 'line 1, column 1', /2024-06-11/],
    ['a table of words', 'a,b\nc,d\ne,f', 'line 2, column 1', /"c"/],
    ['a long field', `1 2\n1 ${'y'.repeat(1e6)}`, 'line 2, column 2', /y{40}"…/],
    ['a quote within', "1 2'3", 'line 1, column 2', /2'3/],
    ['numbers between blanks and commas', '1,2 3', 'line 1, column 2', /"2 3"/],
  ])('%s is refused with its place', async (_, text, where, got) => {
    const error = await errorOf(() => readTable(text))
    expect([error.code, error.where]).toEqual(['bad-file', where])
    expect(error.got).toMatch(got)
    expect(error.message.length).toBeLessThan(300)
  })

  test.each([
    ['dates first', 'date,a,b\n2015-01-01,1,2\n2015-01-02,3,4\n', ['date'], ['a', 'b']],
    ['names with commas last', 'a,b,at\n1,2,"x, 1"\n3,4,"y, 2"\n', ['at'], ['a', 'b']],
    ['names with semicolons', 'a,at,b\n1,"x; 1",2\n3,"y; 2",4\n', ['at'], ['a', 'b']],
    ['no header', '01.02.2015;1;x;2\n02.02.2015;3;y;4\n', ['column 1', 'column 3'], null],
    [
      'times between blanks',
      '2015-01-01 12:30 1 2\n2015-01-02 12:31 3 4\n',
      ['column 1', 'column 2'],
      null,
    ],
    ['remarks, mostly empty', 'a,b,remark\n1,2,\n3,4,rain\n', ['remark'], ['a', 'b']],
  ] as const)('a column of text is left out: %s', (_, text, leftOut, columns) => {
    const table = readTable(text)
    expect([table.leftOut, table.columns]).toEqual([leftOut, columns])
    expect([table.shape, [...table.data]]).toEqual([
      [2, 2],
      [1, 2, 3, 4],
    ])
  })

  test('rows that are wrong are left out where the caller takes their errors', () => {
    const errors: string[] = []
    const onError = ({ where }: { readonly where?: string | undefined }): void => {
      errors.push(where ?? '')
    }
    const { shape, data, lines } = readTable('1,2\n\n3\n4,x\n5,6\n7,8\n', { onError })
    expect(errors).toEqual(['line 3', 'line 4, column 2'])
    expect([shape, [...data]]).toEqual([
      [3, 2],
      [1, 2, 5, 6, 7, 8],
    ])
    expect(lines).toEqual([
      { row: 0, line: 1 },
      { row: 1, line: 5 },
    ])
  })

  test('decimal commas are refused, saying what to do', async () => {
    const error = await errorOf(() => readTable('1,5;2,5\n3,5;4,5\n'))
    expect([error.where, error.got]).toEqual(['line 1, column 1', '"1,5"'])
    expect(error.fix).toMatch(/decimal point/)
  })

  test.each([
    ['shorter', '1,2\n\n3\n', 'line 3', '1'],
    ['longer', '1,2\n# x\n3,4,5\n', 'line 3', '3'],
    ['than the header', 'a,b\n1,2,3\n', 'line 2', '3'],
  ])('a row %s than the first is refused with its line', async (_, text, where, got) => {
    const error = await errorOf(() => readTable(text))
    expect(error).toMatchObject({
      code: 'bad-file',
      where,
      expected: '2 fields, as in line 1',
      got,
    })
  })

  test.each([
    ['nothing', ''],
    ['blank lines', '\n \r\n\t\n'],
    ['comments', '# a\n# b'],
    ['a header', 'a,b'],
  ])('a table of %s has no rows', async (_, text) => {
    const error = await errorOf(() => readTable(text, { where: 'x.csv' }))
    expect(error).toMatchObject({
      code: 'bad-file',
      where: 'x.csv',
      problem: 'the table has no rows',
    })
  })

  test('a quote that is not closed', async () => {
    const error = await errorOf(() => readTable('1,2\n3,"4\n', { where: 'x.csv' }))
    expect(error.message).toMatch(/^x\.csv: line 2: a quote is not closed/)
  })

  test.each([
    ['a million quotes', "'".repeat(1_000_000)],
    ['a million double quotes', '"'.repeat(1_000_000)],
    ['a million blanks', `${' '.repeat(1_000_000)}x`],
    ['a million delimiters of each kind', `${',\t;'.repeat(300_000)}x`],
    ['a million nines', `${'9'.repeat(1_000_000)}x`],
  ])('%s: an error, and soon', async (_, text) => {
    const started = performance.now()
    expect((await errorOf(() => readTable(text))).code).toBe('bad-file')
    expect(performance.now() - started).toBeLessThan(5000)
  })
})

describe('parseRow', () => {
  test.each([
    ['1,2,3', [1, 2, 3]],
    ['1 2 3', [1, 2, 3]],
    ['1\t\t3', [1, Number.NaN, 3]],
    ['  7 ', [7]],
    ['1;2 # c', [1, 2]],
    ['', null],
    ['   ', null],
    ['# comment', null],
  ])('%j', (line, values) => expect(parseRow(line)).toEqual(values))

  test('names the line as it is told', async () => {
    const error = await errorOf(() => parseRow('1,x', { where: 'line 7' }))
    expect(error.where).toBe('line 7, column 2')
  })

  test('a header can be told from a row', () => {
    expect(['a,b', 'time', '1,b', 'nan,nan', 'NA', '1', '', '# a'].map(isHeader)).toEqual([
      true,
      true,
      false,
      false,
      false,
      false,
      false,
      false,
    ])
  })
})

describe('writeTable', () => {
  const table = { minAxes: 2, maxAxes: 2, minExtent: 1 }

  test.each([',', '\t', ';', ' '] as const)('between %j, all numbers come back', (delimiter) => {
    fc.assert(
      fc.property(anyTensor(table), (tensor) => {
        expectSame(inPrecisionOf(tensor, readTable(writeTable(tensor, delimiter))), tensor)
      }),
    )
  })

  test('a vector is a column', () => {
    expect(writeTable({ shape: [2], data: Float32Array.of(0.1, 2) }, ',')).toBe('0.1\n2\n')
  })

  test.each([[[2, 2, 2]], [[0, 3]], [[3, 0]]])('shape %j is refused', async (shape) => {
    const data = new Float32Array(shape.reduce((a, b) => a * b))
    const error = await errorOf(() => writeTable({ shape, data }, ','))
    expect(error.code).toBe('bad-shape')
    expect(error.fix).toMatch(/\.npy/)
  })
})
