/** How wide the terminal is, and texts that fit into it. */

const USUAL = 80
const [NARROWEST, WIDEST] = [24, 240]

/** Columns of the terminal; of a pipe those that COLUMNS says, or 80. */
export function terminalWidth(): number {
  const said = Number(process.env.COLUMNS)
  const width = process.stdout.columns ?? (Number.isInteger(said) && said > 0 ? said : USUAL)
  return Math.min(WIDEST, Math.max(NARROWEST, width))
}

/** Words in lines that fit, after two spaces each; in a pipe a sentence stays one line. */
export function fitted(sentence: string): string {
  if (!process.stdout.isTTY) return `  ${sentence}`
  const width = terminalWidth() - 2
  const lines = ['']
  for (const word of sentence.split(' ')) {
    const line = lines[lines.length - 1]
    if (line === '') lines[lines.length - 1] = word
    else if (line.length + 1 + word.length <= width) lines[lines.length - 1] = `${line} ${word}`
    else lines.push(word)
  }
  return lines.map((line) => `  ${line}`).join('\n')
}
