import { expect, it } from 'vitest'
import { GruvError, within } from '../src/errors.ts'

it('a place made of a name of any length leaves a message that can be read', () => {
  const error = within('file.json', new GruvError('bad-file', 'no', { where: 'x'.repeat(1e6) }))
  expect((error as GruvError).message.length).toBeLessThan(500)
  expect((error as GruvError).message).toMatch(/^file\.json: x+ … x+: no$/)
  expect((error as GruvError).where).toHaveLength(1e6 + 'file.json: '.length)
})
