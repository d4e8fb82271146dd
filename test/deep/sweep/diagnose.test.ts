/** Mistakes of every kind, and pairs of them, planted in every model, and the flags of all candidates. */

import '../../diagnose/flags.test.ts'
import '../../diagnose/planted.test.ts'
