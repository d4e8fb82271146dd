import { expect, it } from 'vitest'
import { GruvError, visible, within } from '../src/errors.ts'

it('a place made of a name of any length leaves a message that can be read', () => {
  const error = within('file.json', new GruvError('bad-file', 'no', { where: 'x'.repeat(1e6) }))
  expect((error as GruvError).message.length).toBeLessThan(500)
  expect((error as GruvError).message).toMatch(/^file\.json: x+ … x+: no$/)
  expect((error as GruvError).where).toHaveLength(1e6 + 'file.json: '.length)
})

it('control characters of a file are shown, not obeyed, in every part of a message', () => {
  const name = 'a\x1b[31m\n\x9b\u202eb'
  const { message, got } = new GruvError('bad-file', name, {
    where: name,
    expected: name,
    got: name,
    fix: name,
  })
  const shown = 'a\\u001b[31m\\u000a\\u009b\\u202eb'
  expect(message).toBe(`${shown}: ${shown}; expected ${shown}, got ${shown}. ${shown}`)
  expect(got).toBe(name)
  expect(visible('größe 😀 \\u001b')).toBe('größe 😀 \\u001b')
})

it('no message is longer than 2,000 characters, and each part keeps its two ends', () => {
  const part = (letter: string) => `<${letter}${'\x07'.repeat(5000)}${letter}>`
  const [where, problem, expected, got, fix] = ['w', 'p', 'e', 'g', 'f'].map(part)
  const { message } = new GruvError('bad-file', problem, { where, expected, got, fix })
  expect(message.length).toBeLessThanOrEqual(2000)
  for (const letter of 'wpegf') {
    expect(message).toContain(`<${letter}`)
    expect(message).toContain(`${letter}>`)
  }
  const long = 'x'.repeat(1500)
  expect(new GruvError('bad-file', long).message).toBe(long)
})
