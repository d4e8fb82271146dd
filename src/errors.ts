/**
 * The one error type of gruv. An error is data: no caller has to match on its text.
 *
 * Every error answers four questions: where, what was expected, what came, and what to do.
 */

/** What kind of thing went wrong; stable across versions. */
export type ErrorCode =
  /** The bytes are not what they claim to be: truncated, damaged, contradictory. */
  | 'bad-file'
  /** Well formed, but gruv cannot do this. */
  | 'unsupported'
  /** A tensor's shape does not fit. */
  | 'bad-shape'
  /** An argument or option is not one of those that exist. */
  | 'bad-argument'
  /** A graph that contradicts itself. */
  | 'bad-model'
  /** A name (array, layer, output, state) that is not there. */
  | 'not-found'
  /** A limit that protects memory or time was passed. */
  | 'too-large'
  /** The operating system, the server or the browser would not give the bytes. */
  | 'unreadable'
  /** A model that needs its whole input at once was asked to stream. */
  | 'not-causal'
  /** The engine that was asked for does not exist on this machine. */
  | 'engine-unavailable'
  /** The outputs are not those that came with the model. */
  | 'differs'
  /** A program or stream was used after `close()`. */
  | 'closed'

export interface ErrorDetails {
  /** The place: a file, a byte offset, an array's name, a line and column, an argument. */
  readonly where?: string | undefined
  readonly expected?: string | undefined
  readonly got?: string | undefined
  /** What the reader of the message can do about it. */
  readonly fix?: string | undefined
  readonly cause?: unknown
}

export class GruvError extends Error {
  override readonly name = 'GruvError'
  readonly code: ErrorCode
  /** The bare statement of what is wrong, without place and remedy. */
  readonly problem: string
  readonly where: string | undefined
  readonly expected: string | undefined
  readonly got: string | undefined
  readonly fix: string | undefined

  constructor(code: ErrorCode, problem: string, details: ErrorDetails = {}) {
    super(compose(problem, details), 'cause' in details ? { cause: details.cause } : undefined)
    this.code = code
    this.problem = problem
    this.where = details.where
    this.expected = details.expected
    this.got = details.got
    this.fix = details.fix
  }
}

/** True for errors that gruv raised on purpose, also across two copies of the package. */
export function isGruvError(error: unknown): error is GruvError {
  return error instanceof Error && error.name === 'GruvError' && 'code' in error
}

/**
 * The same error, with the place narrowed by the caller that knows more about it:
 * a reader of bytes knows the offset, its caller knows the file.
 */
export function within(where: string, error: unknown): unknown {
  if (!isGruvError(error)) return error
  return new GruvError(error.code, error.problem, {
    ...error,
    where: error.where === undefined ? where : `${where}: ${error.where}`,
    cause: error.cause ?? error,
  })
}

/** What `read` gives; the errors that it throws say where. */
export function locate<T>(where: string, read: () => T): T {
  try {
    return read()
  } catch (error) {
    throw within(where, error)
  }
}

/**
 * Text with its control characters, and those that turn the direction of text, as `\u001b`: names
 * and values from files must not steer a terminal.
 */
export function visible(text: string): string {
  return text.replace(
    /[\p{Cc}\u202a-\u202e\u2066-\u2069]/gu,
    (each) => `\\u${each.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
}

/** Longer messages hide what they say. */
const MOST_CHARACTERS = 2000

function compose(problem: string, { where, expected, got, fix }: ErrorDetails): string {
  const join = (show: (part: string) => string): string =>
    (where === undefined ? '' : `${shorten(visible(where))}: `) +
    show(visible(problem)) +
    (expected === undefined ? '' : `; expected ${show(visible(expected))}`) +
    (got === undefined ? '' : `${expected === undefined ? ';' : ','} got ${show(visible(got))}`) +
    (fix === undefined ? '' : `. ${show(visible(fix))}`)
  const whole = join((part) => part)
  return whole.length > MOST_CHARACTERS ? join(shorten) : whole
}

/** A part of a message may be made of names from a file, and those can be of any length. */
function shorten(part: string): string {
  return part.length <= 390 ? part : `${part.slice(0, 290)} … ${part.slice(-90)}`
}
