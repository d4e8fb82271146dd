/** Bounds what an archive unpacks to. */

import { Budget, type LimitOptions } from '../../limits.ts'

/**
 * @param total bytes of all entries.
 * @throws GruvError `too-large` for zip bombs.
 */
export function checkUnpacked(
  total: number,
  archiveBytes: number,
  limits: LimitOptions | undefined,
): void {
  Budget.reading(limits, archiveBytes).check('bytes', total, 'the entries of the archive')
}
